"""What of a Python file is code, as a hash, and which of our modules it imports. Files are read, never imported.

The hash is the same on every Python that understands the file, and under every locale.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import io
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness import ROOT
from methods.base.outside import OURS, imported

LAYOUT = (tokenize.COMMENT, tokenize.NL, tokenize.ENDMARKER)
"""Tokens that are no code; what lies between tokens is none either."""
BLOCKS = {tokenize.NEWLINE: "\n", tokenize.INDENT: "\t", tokenize.DEDENT: "\b"}
"""Tokens that are code whatever their text: the end of a statement, the beginning and the end of a block."""

Position = tuple[int, int]
"""Line, from 1, and character, from 0."""


@dataclass(frozen=True)
class Source:
    """What a Python file says."""

    sha256: str
    """Of its code. Comments, docstrings, texts that document attributes, and layout are none."""
    imports: tuple[str, ...]
    """Modules that it names, anywhere in it, with their dots if they are relative: of ``from a import b`` a and a.b,
    whichever is one."""


@functools.cache
def read(path: Path) -> Source:
    """A file's code. Raises SyntaxError if it is no Python, OSError if it cannot be read."""
    try:
        with tokenize.open(path) as file:  # in the encoding that the file names, or else UTF-8
            text = file.read()
    except UnicodeDecodeError as error:
        raise SyntaxError(f"{path}: not {error.encoding}, and no other encoding is named: {error.reason}") from None
    if "\0" in text:
        raise SyntaxError(f"{path}: holds a NUL character")
    return understand(text, str(path))


@functools.cache
def understand(text: str, name: str) -> Source:
    """What a text says: the same as long as no character of it changes, so that this need not be forgotten.

    Args:
        name: of the file that holds it, for errors. Raises SyntaxError if it is no Python.
    """
    tree = ast.parse(text, filename=name)
    tokens = "\0".join(_tokens(text, dict(_texts(tree, text))))
    return Source(hashlib.sha256(tokens.encode()).hexdigest(), tuple(_imports(tree)))


@functools.cache
def closure(path: Path, packages: tuple[str, ...]) -> frozenset[Path]:
    """``path`` and what it imports, directly or not: every module below one of our ``packages``.

    If it lies outside the bench, also what it imports from its own folder. Raises SyntaxError and OSError, like `read`.
    """
    seen: set[Path] = set()
    waiting = [path]
    while waiting:
        file = waiting.pop()
        if file not in seen:
            seen.add(file)
            names = read(file).imports
            inside = [name for name in names if name.startswith(tuple(f"{p}." for p in packages))]
            waiting += [found for name in inside if (found := _file(name)).is_file()]
            if not is_ours(file):
                waiting += [found for name in names for found in imported(path.parent, _absolute(name, file, path))]
    return frozenset(seen)


def is_ours(file: Path) -> bool:
    """Whether a file is one of the bench's."""
    return any(file.is_relative_to(ROOT / package) for package in OURS)


def hashes(files: Iterable[Path]) -> dict[str, str]:
    """Path of a file, from the repository's root if it lies there -> hash of its code."""
    return {_label(file): read(file).sha256 for file in sorted(files)}


def forget() -> None:
    """Read everything again when it is asked for next."""
    read.cache_clear()
    closure.cache_clear()


def _tokens(text: str, texts: dict[Position, Position]) -> Iterator[str]:
    """Every token that is code, as it stands; an f-string is one, though Python takes it apart from 3.12 on.

    Args:
        text: of the file.
        texts: beginning -> end of what is left out.
    """
    lines = io.StringIO(text).readlines()
    strings: list[Position] = []  # beginnings of the f-strings around the token
    left_out, last = (0, 0), "\n"
    for token in tokenize.generate_tokens(iter(lines).__next__):
        left_out = texts.get(token.start, left_out)
        kind, code = tokenize.tok_name[token.type], BLOCKS.get(token.type, token.string)
        if kind.endswith("STRING_START"):
            strings.append(token.start)
        elif kind.endswith("STRING_END"):
            code = _between(lines, strings.pop(), token.end)
        empty = code == "\n" and last in BLOCKS.values()  # of a statement that was left out
        if not (strings or empty or token.type in LAYOUT or token.start < left_out):
            yield (last := code)


def _texts(tree: ast.AST, text: str) -> Iterator[tuple[Position, Position]]:
    """Beginning and end of every statement that is a mere text: docstrings, and what documents attributes."""
    lines = io.StringIO(text).readlines()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            assert node.end_lineno is not None and node.end_col_offset is not None
            yield _position(lines, node.lineno, node.col_offset), _position(lines, node.end_lineno, node.end_col_offset)


def _position(lines: list[str], line: int, column: int) -> Position:
    """In characters, from ``ast``'s count of bytes."""
    return line, len(lines[line - 1].encode()[:column].decode())


def _between(lines: list[str], start: Position, end: Position) -> str:
    covered = lines[start[0] - 1 : end[0]]
    covered[-1] = covered[-1][: end[1]]
    covered[0] = covered[0][start[1] :]
    return "".join(covered)


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            dots, above = "." * node.level, [node.module] if node.module else []
            yield from (
                f"{dots}{'.'.join(parts)}" for parts in (above, *([*above, alias.name] for alias in node.names))
            )
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def _file(module: str) -> Path:
    """Where a module of the repository would lie."""
    return ROOT / (module.replace(".", "/") + ".py")


def _absolute(module: str, file: Path, start: Path) -> str:
    """What ``file`` means by the name of a module, seen from the folder of ``start``; empty if it is not in there."""
    dots = len(module) - len(module.lstrip("."))
    if not dots:
        return module
    above = file.parent.relative_to(start.parent).parts
    package = above[: len(above) - dots + 1] if dots <= len(above) + 1 else ("",)
    return ".".join(filter(None, (*package, module[dots:]))) if all(package) else ""


def _label(file: Path) -> str:
    return file.relative_to(ROOT).as_posix() if file.is_relative_to(ROOT) else str(file)
