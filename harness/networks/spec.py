"""What names a network: ours by name, torchvision's and timm's by theirs, and one's own by file and function.

``wrn40_2``, ``torchvision:resnet18``, ``timm:resnet10t``, ``nets.py:small``; ``torchvision:resnet18:small`` asks for
the stem of small images. Nothing here imports torch: what a package offers is read from its files.
"""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from harness.registry import registered
from methods.base.names import BETWEEN, OWN, PACKAGES

FOLDER = Path(__file__).parent
_REGISTERED = re.compile(r"^@register_model(?:\(\))?\s*$(?:\n@.*$)*\ndef (\w+)\(", re.MULTILINE)
"""How torchvision and timm both mark the functions that make their models."""
_PLAIN = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII)


class UnknownNetwork(ValueError):
    """A network that is not there; ``choices`` are those that are, where they can be listed."""

    def __init__(self, problem: str, value: str, choices: Iterable[str] = ()) -> None:
        super().__init__(problem)
        self.value, self.choices = value, list(choices)


@dataclass(frozen=True)
class Spec:
    """Where a network comes from, and what it is called there."""

    origin: str
    """``ours``, a package, or ``file``."""
    name: str
    """Of ours, of a package's model, or of a function."""
    small: bool = False
    """Whether the stem of small images is asked for."""
    file: Path | None = None


def parse(text: str) -> Spec:
    """What a text names, whether it is there or not."""
    origin, colon, name = text.partition(":")
    if colon and origin in PACKAGES:
        model, small, rest = name.partition(":small")
        return Spec(origin, model + rest, bool(small))
    path, end, function = text.rpartition(".py:")
    if end:
        return Spec("file", function, file=Path(f"{path}.py"))
    return Spec("ours", text)


def check(text: str) -> None:
    """Raise UnknownNetwork unless the text names a network that is there, as far as that shows without torch."""
    spec = parse(text)
    if spec.origin == "ours":
        _choose("network", spec.name, registered(FOLDER, "NETWORKS"), ", or torchvision:NAME, timm:NAME, FILE.py:NAME")
    elif spec.origin == "file":
        _check_file(spec)
    elif importlib.util.find_spec(spec.origin) is None:
        raise UnknownNetwork(f"{spec.origin} is not installed: pip install {spec.origin}", text)
    else:
        _choose(f"model of {spec.origin}", spec.name, models(spec.origin))


def version(text: str) -> dict[str, str]:
    """The package that a network is from and its version, which decides what it computes; empty for all others."""
    origin = parse(text).origin
    if origin not in PACKAGES:
        return {}
    try:
        return {origin: importlib.metadata.version(origin)}
    except importlib.metadata.PackageNotFoundError:
        return {origin: "unknown"}


@functools.cache
def models(package: str) -> tuple[str, ...]:
    """The models that a package has, read from its files."""
    spec = importlib.util.find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    files = [file for folder in folders or () for file in Path(folder, "models").glob("*.py")]
    return tuple(sorted({name for file in files for name in _REGISTERED.findall(file.read_text(encoding="utf-8"))}))


def _choose(kind: str, name: str, choices: Iterable[str], more: str = "") -> None:
    names = list(choices)
    if name not in names:
        raise UnknownNetwork(f"unknown {kind}: {name!r}{more}", name, names)


def _check_file(spec: Spec) -> None:
    assert spec.file is not None
    stem, text = spec.file.stem, f"{spec.file}:{spec.name}"
    if not _PLAIN.fullmatch(stem) or OWN in stem or BETWEEN in stem or stem in PACKAGES:
        raise UnknownNetwork(f"{text}: folders bear the file's name: letters, digits and . _ -, no package's", text)
    if not spec.name.isidentifier() or not spec.name.isascii():
        raise UnknownNetwork(f"{text}: the name of a function is wanted behind the file, such as nets.py:small", text)
    if not spec.file.is_file():
        raise UnknownNetwork(f"{text}: no such file", text)
