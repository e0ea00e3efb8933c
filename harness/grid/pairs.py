"""Teacher and student as a study asks for them: by their networks, and a teacher by a name of its own as well."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from harness import networks
from harness.errors import ConfigError, one_line
from harness.explain import At
from harness.grid.paths import below
from harness.grid.strict import Strict, plain
from methods.base.names import BETWEEN, network_name, teacher_name
from methods.base.pair import Pair


def own_name(value: str) -> str:
    """A name by which a teacher is told from others of its network. Raises ValueError unless folders can bear it."""
    if BETWEEN in value:
        raise ValueError(f"a teacher's name is without {BETWEEN}, which stands between teacher and student")
    return plain(value, what="a teacher's name")


def network_at(network: str, folder: Path, where: str) -> str:
    """The network as `harness.networks` is asked for it: one's own by the whole path of its file.

    Args:
        network: as written: our own name, ``torchvision:resnet18``, ``timm:resnet10t``, or ``nets.py:small``.
        folder: where the path of a file goes from: that of the configuration in which it is written.
        where: where it stands.

    Raises ConfigError if there is no such network.
    """
    path, end, function = network.rpartition(".py:")
    asked = f"{below(folder, f'{path}.py', where)}:{function}" if end else network
    try:
        networks.check(asked)
    except networks.UnknownNetwork as error:
        raise ConfigError(where, one_line(str(error)), error.value, error.choices) from None
    return asked


class AskedTeacher(Strict):
    """A network, and which of its teachers is meant. A text alone is the network of the one that the bench trains."""

    network: str = Field(examples=["wrn40_2", "torchvision:resnet18"])
    """Network of the teacher: ours by name, or `torchvision:NAME`, `timm:NAME`, `FILE.py:FUNCTION`."""
    name: str | None = Field(default=None, examples=["theirs"])
    """Tells it from other teachers of this network: one from elsewhere, or trained otherwise (`--name`)."""

    @field_validator("name")
    @classmethod
    def _is_plain(cls, value: str | None) -> str | None:
        return value if value is None else own_name(value)


class AskedPair(Strict):
    """A teacher and the student that learns from it."""

    teacher: AskedTeacher = Field(examples=["wrn40_2", {"network": "wrn40_2", "name": "theirs"}])
    """Network that is trained on real data, or taken from elsewhere; with a name where there are several of it."""
    student: str = Field(examples=["wrn16_1", "nets.py:small"])
    """Network that learns from the teacher alone; named as a teacher's."""

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

    @property
    def networks(self) -> tuple[str, str]:
        """What is asked for as teacher and as student."""
        return self.teacher.network, self.student

    @property
    def outside(self) -> dict[str, Path]:
        """The files of networks of one's own: ``teacher``, ``student`` -> where it lies."""
        files = {role: networks.file(name) for role, name in zip(("teacher", "student"), self.networks, strict=True)}
        return {role: file for role, file in files.items() if file}

    def at(self, file: Path, at: At) -> AskedPair:
        """The pair with its networks as they are asked for, when ``file`` names them. Raises ConfigError."""
        network = network_at(self.teacher.network, file.parent, at("teacher"))
        teacher = self.teacher.model_copy(update={"network": network})
        student = network_at(self.student, file.parent, at("student"))
        return self.model_copy(update={"teacher": teacher, "student": student})

    def __str__(self) -> str:
        """As folders tell pairs apart."""
        return self.pair.folder
