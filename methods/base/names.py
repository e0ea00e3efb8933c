"""Names of networks and teachers, as folders, records and tables bear them: letters, digits and . _ + - alone."""

from __future__ import annotations

BETWEEN = "--"
"""Between teacher and student in the name of a pair's folder; in neither of them."""
OWN = "+"
"""Between the name of a teacher's network and its own; no network's name has one."""

PACKAGES = ("torchvision", "timm")
"""Whose models can be networks: ``torchvision:resnet18`` is called ``torchvision.resnet18``."""


def teacher_name(network: str, own: str | None) -> str:
    """Name of a teacher: its network's, and behind it its own, if there are several: ``wrn40_2``, ``wrn40_2+cmi``."""
    return f"{network}{OWN}{own}" if own else network


def network_of(teacher: str) -> str:
    """The network's part of a teacher's name."""
    return teacher.partition(OWN)[0]


def own_name(teacher: str) -> str:
    """What tells a teacher from the others of its network; empty if nothing does."""
    return teacher.partition(OWN)[2]


def network_name(spec: str) -> str:
    """Name of what ``spec`` asks for (`harness/networks/spec.py`): ``nets.small`` for ``a/nets.py:small``."""
    file, end, function = spec.rpartition(".py:")
    return f"{file.rpartition('/')[2]}.{function}" if end else spec.replace(":", ".")


def network_spec(name: str) -> str:
    """What a network of this name is asked for by; a file's is not known, since its name says no folder."""
    package, dot, _ = name.partition(".")
    return name.replace(".", ":") if dot and package in PACKAGES else name
