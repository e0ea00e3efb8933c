"""What there is, by kind, each with a line on what it is. Read from files and records; never imports torch."""

from __future__ import annotations

import ast
import contextlib
import functools
from pathlib import Path

import methods
from harness import data, networks
from harness.errors import UserError
from harness.grid.paths import configs
from harness.registry import assigned
from harness.store import reading
from harness.store.layout import Results
from harness.store.records import TeacherRecord
from harness.teachers.public import TEACHERS, PublicTeacher
from methods.base.presets import SMOKE

Names = dict[str, str]
"""Name -> what it is, in one line."""


def everything(results: Path) -> dict[str, Names]:
    """All names by kind; teachers are those in ``results``, and the public ones that can be had by name."""
    return {
        "methods": {name: method(name) for name in methods.names()},
        "presets": {preset: f"of {', '.join(having)}" for preset, having in owners().items()},
        "datasets": {name: dataset(name) for name in data.names()},
        "networks": {name: network(name) for name in networks.names()},
        "teachers": teachers(results) | {one.name: public(one) for one in TEACHERS},
        "grids": grids(),
    }


def method(name: str) -> str:
    """The first line that a method's file says, or of several methods in one file its class."""
    tree = _tree(methods.source(name))
    own = [node for node in _classes(tree) if _assigned(node, "name") == name]
    return _first(_docstring(own[0] if name in methods.REFERENCES and own else tree)).removesuffix(".")


def dataset(name: str) -> str:
    """The first line of the file that reads it."""
    return _first(_docstring(_tree(data.source(name)))).removesuffix(".")


def network(name: str) -> str:
    """The first line of the file that builds it."""
    return _first(_docstring(_tree(networks.source(name)))).removesuffix(".")


def owners() -> dict[str, list[str]]:
    """Every preset with the methods that have one of its name."""
    found: dict[str, list[str]] = {}
    for name in methods.names():
        for node in _classes(_tree(methods.source(name))):
            for preset in _keys(node, "presets") if _assigned(node, "name") == name else ():
                found.setdefault(preset, []).append(name)
    return dict(sorted(found.items()))


def teachers(results: Path) -> Names:
    """The teachers on the shelf, as ``dataset/name``."""
    found = {}
    for folder in Results(results).teachers():
        if record := reading.read_intact(folder.record, TeacherRecord):
            found[f"{folder.dataset}/{folder.name}"] = f"{record.value:.2f} % {record.metric}"
    return found


def public(teacher: PublicTeacher) -> str:
    """What is known of a teacher that others have made public."""
    return f"{teacher.dataset}/{teacher.network}, {teacher.stated:.2f} % stated: dkd teachers get {teacher.name}"


def grids() -> Names:
    """The files of workflow/config, each with its first sentence of comment."""
    with contextlib.suppress(UserError):  # there may be none beside an installed wheel
        return {file.name: comment(file).partition(". ")[0].rstrip(".") for file in sorted(configs().glob("*.yaml"))}
    return {}


def comment(file: Path) -> str:
    """What a configuration is for, from the comment that it begins with."""
    lines = []
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("# ").strip())
    return " ".join(filter(None, lines))


@functools.cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_bytes(), filename=str(file))


def _docstring(node: ast.Module | ast.ClassDef) -> str:
    return ast.get_docstring(node) or ""


def _first(text: str) -> str:
    return text.partition("\n")[0]


def _classes(tree: ast.Module) -> list[ast.ClassDef]:
    return [node for node in tree.body if isinstance(node, ast.ClassDef)]


def _assigned(node: ast.ClassDef, name: str) -> object:
    """The text that a class gives to ``name``."""
    value = assigned(node.body, name)
    return value.value if isinstance(value, ast.Constant) else None


def _keys(node: ast.ClassDef, name: str) -> list[str]:
    """The keys of the dictionary that a class gives to ``name``."""
    value = assigned(node.body, name)
    keys = value.keys if isinstance(value, ast.Dict) else []
    known = {"SMOKE": SMOKE}
    found = [known.get(key.id) if isinstance(key, ast.Name) else getattr(key, "value", None) for key in keys]
    return [key for key in found if isinstance(key, str)]
