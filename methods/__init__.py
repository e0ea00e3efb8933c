"""The methods of the bench, found by file name: `ssd_kd.py` is `ssd-kd`. Importing this package does not import torch.

A method may also live outside the package: the path of its .py file then stands for its name.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from methods.base import outside

if TYPE_CHECKING:
    from methods.base.method import Method

FOLDER = Path(__file__).parent

REFERENCES = ("scratch", "kd-real", "kd-noise")
"""Methods to compare the others with, in the order of tables. All are in references.py; not all are data-free."""


class UnknownMethod(ValueError):
    """No method of this name, or no such file."""


class BrokenContract(TypeError):
    """A method file that does not define what `methods/base/method.py` asks for."""


def names() -> list[str]:
    """Names of all methods in this folder, references among them."""
    papers = {file.stem for file in FOLDER.glob("*.py")} - {"__init__", "references"}
    return sorted([*REFERENCES, *(paper.replace("_", "-") for paper in papers)])


def source(name: str) -> Path:
    """The file that defines a method. Raises UnknownMethod."""
    if name.endswith(".py"):
        try:
            path = Path(name).expanduser().resolve()
            there = path.is_file()
        except (OSError, ValueError, RuntimeError):  # a name that no file can have, ~ without a home
            there = False
        if not there:
            raise UnknownMethod(f"no such method file: {name}, looked for in {Path.cwd()}")
        return path
    if name not in names():
        raise UnknownMethod(f"unknown method: {name!r}")
    return FOLDER / ("references.py" if name in REFERENCES else f"{name.replace('-', '_')}.py")


def load(name: str) -> type[Method]:
    """The class of a method. Imports torch. Raises UnknownMethod, BrokenContract or BrokenFile."""
    from methods.base import contract
    from methods.base.method import Method

    path = source(name)
    module = _module(path)
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Method) and value.__module__ == module.__name__
    ]
    wanted = [cls for cls in found if name.endswith(".py") or getattr(cls, "name", None) == name]
    if len(wanted) != 1:
        listed = ", ".join(f"{cls.__name__} (name = {getattr(cls, 'name', None)!r})" for cls in found) or "none"
        raise BrokenContract(
            f"{path}: expected one subclass of methods.base.method.Method named {name!r}, found {listed}"
        )
    contract.check(wanted[0])
    return wanted[0]


def _module(path: Path) -> ModuleType:
    """The module of a method's file. Raises BrokenFile, whatever keeps it from being imported."""
    if path.parent != FOLDER:
        return outside.load(path)
    with outside.importing(path, "methods"):
        return importlib.import_module(f"methods.{path.stem}")
