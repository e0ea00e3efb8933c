"""A teacher and its student: the pair that a study names, presets are published for, and records are kept by."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Pair(BaseModel):
    """A teacher network and the student network that learns from it, by name."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)

    teacher: str = Field(examples=["wrn40_2"])
    """Network that is trained on real data, or taken from elsewhere."""
    student: str = Field(examples=["wrn16_1"])
    """Network that learns from the teacher alone."""

    @classmethod
    def of(cls, teacher: str, student: str) -> Pair:
        """The pair of these two networks."""
        return cls(teacher=teacher, student=student)

    @classmethod
    def from_folder(cls, name: str) -> Pair:
        """The pair of a folder such as ``wrn40_2--wrn16_1``. Raises ValueError if the name is none of a pair's."""
        teacher, dashes, student = name.partition("--")
        if not (teacher and dashes and student):
            raise ValueError(f"not the folder of a pair: {name!r}")
        return cls.of(teacher, student)

    @property
    def folder(self) -> str:
        """Name of its folder in a results folder."""
        return f"{self.teacher}--{self.student}"

    def __str__(self) -> str:
        """As printed."""
        return f"{self.teacher} → {self.student}"
