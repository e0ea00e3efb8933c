"""A teacher and its student by name: the pair that presets are published for, and records are kept by."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from methods.base.names import BETWEEN, network_of


class Pair(BaseModel):
    """A teacher and the student network that learns from it, by name."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    teacher: str
    """Trained on real data, or taken from elsewhere."""
    student: str
    """Network that learns from the teacher alone."""

    @classmethod
    def of(cls, teacher: str, student: str) -> Pair:
        """The pair of these two networks."""
        return cls(teacher=teacher, student=student)

    @classmethod
    def from_folder(cls, name: str) -> Pair:
        """The pair of a folder such as ``wrn40_2--wrn16_1``. Raises ValueError if the name is none of a pair's."""
        teacher, dashes, student = name.partition(BETWEEN)
        if not (teacher and dashes and student):
            raise ValueError(f"not the folder of a pair: {name!r}")
        return cls.of(teacher, student)

    @property
    def networks(self) -> Pair:
        """The pair of networks, whichever of its teachers it is: what presets and papers know."""
        return self.of(network_of(self.teacher), self.student)

    @property
    def folder(self) -> str:
        """Name of its folder in a results folder."""
        return f"{self.teacher}{BETWEEN}{self.student}"

    def __str__(self) -> str:
        """As printed."""
        return f"{self.teacher} → {self.student}"
