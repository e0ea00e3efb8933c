"""Python files outside the bench, a method's or a network's: imported each as a package of its own.

What lies beside such a file is part of that package: ``import helper`` in it means the helper.py of its own folder,
whatever file of that name another study has. It is found by statements, at the top and inside functions, and not by
`importlib`: so `imported` tells, without running anything, which files a key has to stand for.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import importlib.machinery
import importlib.util
import itertools
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.abc import MetaPathFinder
from importlib.machinery import FileFinder, ModuleSpec, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

OURS = ("methods", "harness")
"""Always the bench's, whatever lies beside the file."""
PREFIX = "outside"
_numbers = itertools.count()


class BrokenFile(TypeError):
    """A file that is no Python, or cannot be imported."""


@dataclass
class _Package:
    """One file outside the bench, and what it imports from its folder."""

    path: Path
    name: str = field(default_factory=lambda: f"{PREFIX}{next(_numbers)}")
    """Of its modules in `sys.modules`; no two packages have the same."""
    states: dict[Path, tuple[int, int]] = field(default_factory=dict)
    """File -> when it was changed and how large it was, when it was read."""

    @property
    def unchanged(self) -> bool:
        """Whether all that was read of it is as it was."""
        return all(_state(path) == state for path, state in self.states.items())

    @property
    def module(self) -> str:
        """What the file itself is called in it."""
        return f"{self.name}.{''.join(letter if letter.isalnum() else '_' for letter in self.path.stem)}"

    def load(self) -> ModuleType:
        """Run the file."""
        package = ModuleType(self.name)
        package.__path__ = [str(self.path.parent)]
        sys.modules[self.name] = package
        _packages[self.name] = self
        loader = _Loader(self.module, str(self.path))
        spec = importlib.util.spec_from_file_location(self.module, self.path, loader=loader)
        assert spec is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[self.module] = module
        loader.exec_module(module)
        return module

    def statement(
        self, name: str, globals: Any = None, locals: Any = None, fromlist: Sequence[str] = (), level: int = 0
    ) -> ModuleType:
        """What an import statement does in the package's modules: `builtins.__import__`, with its folder first."""
        top = name.partition(".")[0]
        if level or not imported(self.path.parent, top):
            return builtins.__import__(name, globals, locals, fromlist, level)
        found = builtins.__import__(f"{self.name}.{name}", globals, locals, fromlist, 0)
        return found if fromlist else sys.modules[f"{self.name}.{top}"]


class _Loader(SourceFileLoader):
    """Runs a file as it is now: compiled files are told from newer ones by whole seconds, so none is used."""

    def get_code(self, fullname: str) -> Any:
        path = Path(self.path)
        package = _packages[fullname.partition(".")[0]]
        package.states[path] = _state(path)
        return self.source_to_code(self.get_data(self.path), self.path)

    def exec_module(self, module: ModuleType) -> None:
        statement = _packages[module.__name__.partition(".")[0]].statement
        vars(module)["__builtins__"] = {**vars(builtins), "__import__": statement}
        super().exec_module(module)


class _Finder(MetaPathFinder):
    """Finds what lies in the folder of a package: .py files, and folders with an __init__.py."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: object = None) -> ModuleSpec | None:
        package, _, module = fullname.partition(".")
        if package not in _packages or not path or module.partition(".")[0] in OURS:
            return None
        spec = FileFinder(path[0], (_Loader, importlib.machinery.SOURCE_SUFFIXES)).find_spec(fullname)
        return spec if spec and spec.loader else None


_packages: dict[str, _Package] = {}
_loaded: dict[Path, tuple[_Package, ModuleType]] = {}
_kept: list[bool] = []
"""Not empty within `kept`."""
sys.meta_path.insert(0, _Finder())


def imported(folder: Path, module: str) -> list[Path]:
    """The files of ``folder`` that ``import module`` runs in a file of it; none if the module is not there."""
    parts = module.split(".")
    if parts[0] in OURS or not all(parts):
        return []
    found: list[Path] = []
    for length in range(1, len(parts) + 1):
        place = folder.joinpath(*parts[:length])
        candidates = (place / "__init__.py", place.with_name(f"{place.name}.py"))
        found += [path for path in candidates if path.is_file()][:1]
        if len(found) < length:
            break
    return found


def load(path: Path) -> ModuleType:
    """The module of a file, run once until it or what it imports from its folder changes.

    Raises BrokenFile, whatever keeps it from being imported; only OSError passes as it is.
    """
    path = path.resolve()
    if path in _loaded and (_kept or _loaded[path][0].unchanged):
        return _loaded[path][1]
    if not path.is_file():
        raise BrokenFile(f"{path}: {'not a regular file' if path.exists() else 'no such file'}")
    package = _Package(path)
    with importing(path, package.name):
        module = package.load()
    _loaded[path] = package, module
    return module


def complete(path: Path) -> None:
    """Import what a loaded file, and what it imports, imports from its folder inside functions.

    What cannot be imported is left to the function, which may expect it. Does nothing for a file that was not loaded.
    """
    if path not in _loaded:
        return
    package, seen = _loaded[path][0], set[Path]()
    while waiting := package.states.keys() - seen:
        seen |= waiting
        for name in dict.fromkeys(itertools.chain.from_iterable(map(_names, waiting))):
            if len(imported(path.parent, name)) == 1 + name.count("."):
                with suppress(BrokenFile), importing(path, package.name):
                    importlib.import_module(f"{package.name}.{name}")


@contextmanager
def kept() -> Iterator[None]:
    """Within the block loaded files stay as they are, whatever is edited meanwhile."""
    _kept.append(True)
    try:
        yield
    finally:
        _kept.pop()


def _names(path: Path) -> Iterator[str]:
    """Modules that a file's import statements may mean."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@contextmanager
def importing(path: Path, package: str) -> Iterator[None]:
    """Whatever keeps a file from being imported becomes a BrokenFile, except OSError.

    Args:
        path: of the file.
        package: that its modules belong to, which is not part of the names that its author knows.
    """
    try:
        yield
    except (KeyboardInterrupt, MemoryError, OSError, BrokenFile):
        raise
    except BaseException as error:  # a file may end in `sys.exit()`, which must not end this process as if all was well
        reason = f"{type(error).__name__}: {error}".replace(f"{package}.", "")
        hint = f"; it is neither in {path.parent} nor installed" if isinstance(error, ModuleNotFoundError) else ""
        raise BrokenFile(f"{path}: cannot be imported: {reason}{hint}") from error


def _state(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, -1
    return found.st_mtime_ns, found.st_size
