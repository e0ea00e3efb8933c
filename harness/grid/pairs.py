"""Teacher and student as a study asks for them: by their networks, and a teacher by a name of its own as well."""

from __future__ import annotations

import re
from typing import Any

from pydantic import Field, field_validator

from harness.grid.strict import LONGEST, NAME, Strict
from methods.base.names import BETWEEN, network_name, teacher_name
from methods.base.pair import Pair


def plain(value: str) -> str:
    """A name by which a teacher is told from others of its network. Raises ValueError unless folders can bear it."""
    if not re.fullmatch(NAME, value) or len(value) > LONGEST or BETWEEN in value:
        letters = "letters, digits and . _ + - after a first letter or digit"
        raise ValueError(f"a teacher's name is {letters}, at most {LONGEST} in all, without {BETWEEN}")
    return value


class AskedTeacher(Strict):
    """A network, and which of its teachers is meant. A text alone is the network of the one that the bench trains."""

    network: str = Field(examples=["wrn40_2"])
    """Network of the teacher."""
    name: str | None = Field(default=None, examples=["theirs"])
    """Tells it from other teachers of this network: one from elsewhere, or trained otherwise (`--name`)."""

    @field_validator("name")
    @classmethod
    def _is_plain(cls, value: str | None) -> str | None:
        return value if value is None else plain(value)


class AskedPair(Strict):
    """A teacher and the student that learns from it."""

    teacher: AskedTeacher = Field(examples=["wrn40_2", {"network": "wrn40_2", "name": "theirs"}])
    """Network that is trained on real data, or taken from elsewhere; with a name where there are several of it."""
    student: str = Field(examples=["wrn16_1"])
    """Network that learns from the teacher alone."""

    @field_validator("teacher", mode="before")
    @classmethod
    def _may_be_a_network_alone(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"network": value}
        if not isinstance(value, dict | AskedTeacher):
            raise ValueError("the name of a network is wanted, or {network: NAME, name: NAME OF ITS OWN}")
        return value

    @property
    def pair(self) -> Pair:
        """Its names, by which folders, records and tables know it."""
        teacher = teacher_name(network_name(self.teacher.network), self.teacher.name)
        return Pair.of(teacher, network_name(self.student))

    def __str__(self) -> str:
        """As folders tell pairs apart."""
        return self.pair.folder
