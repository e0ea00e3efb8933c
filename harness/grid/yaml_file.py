"""The only code that reads YAML: bounded, every key once, numbers as in YAML 1.2, every value with its line.

YAML 1.1, which PyYAML reads by itself, makes a text of 1e-3, true of a label ``on``, 90 of 1:30 and 10 of 012. Here
keys are always text, a plain scalar is null, true, false, a number or else text, and an error says what to write where
a value turns out to be of the wrong type.
"""

from __future__ import annotations

import math
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import yaml
from yaml.composer import Composer
from yaml.events import AliasEvent, Event
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

from harness.errors import ConfigError, one_line
from harness.explain import shown
from harness.grid.places import KeyPath, Places

BYTES = 2**18
"""Of a file, at most: a hundred times what a study needs, and read within seconds."""
NODES = 20_000
"""Keys and values of a file, at most; an alias counts as all that it stands for."""
DEPTH = 20
"""Of lists and mappings inside one another, at most."""
LONGEST_KEY, LONGEST_TEXT = 100, 1000
"""Letters, at most."""

NULL = ("", "~", "null", "Null", "NULL")
BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+")
REAL = re.compile(r"(?P<mantissa>[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?))([eE][-+]?[0-9]+)?")
PADDED = re.compile(r"[-+]?0[0-9]+")
"""012 is 10 in YAML 1.1 and 12 in YAML 1.2: it stays a text, which no number's key takes."""
NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
MERGE = "<<"


def read(path: Path) -> tuple[dict[str, Any], Places]:
    """What a configuration file holds, and where. Raises ConfigError that says file, line and key."""
    root = _composed(path.name, _text(path))
    places = _Values(path.name)
    found = None if root is None else places.value(root, ())
    if not isinstance(found, dict) or not found:
        held = "nothing" if found is None or found == {} else shown(found)
        raise ConfigError(path.name, f"it holds {held}: keys with values are wanted, such as study: NAME")
    return found, Places(path.name, places.lines, dict.fromkeys(found, path))


def value(text: str, where: str) -> Any:
    """A value written as YAML; ``where`` tells the person which. Raises ConfigError."""
    root = _composed(where, text, "the value is ")
    return None if root is None else _Values(where, lines=False).value(root, ())


def _text(path: Path) -> str:
    """A file's content. Raises ConfigError unless it is a regular file of bearable size in UTF-8."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise ConfigError(
                one_line(str(path)), f"{'a folder' if stat.S_ISDIR(mode) else 'no regular file'}: name a YAML file"
            )
        with path.open("rb") as file:
            content = file.read(BYTES + 1)
    except FileNotFoundError:
        there = sorted(map(str, path.parent.glob("*.yaml"))) if path.parent.is_dir() else []
        raise ConfigError(one_line(str(path)), "no such file", path, there) from None
    except (OSError, ValueError) as error:  # such as: no permission, a name too long, a NUL in it
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(one_line(str(path)), f"cannot be read: {reason}") from None
    if len(content) > BYTES:
        raise ConfigError(path.name, f"larger than {BYTES // 1024} KiB, comments included: no configuration is")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = f"byte 0x{content[error.start]:02x} is not UTF-8: save the file in this encoding"
        raise ConfigError(f"{path.name}:{line}", problem) from None


def _composed(where: str, text: str, subject: str = "") -> Node | None:
    """The tree of a document. Raises ConfigError that says the line."""
    try:
        return _BoundedComposer(text).get_single_node()
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        reason = f"the character {error.character:#x} is not allowed"
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, reason = mark.line + 1 if mark else 1, ", ".join(filter(None, (error.context, error.problem)))
        reason = f"{reason[:200]}: indent with spaces" if "'\\t'" in reason else reason[:200]
    except (ValueError, OverflowError) as error:  # an escaped character beyond Unicode, a version of thousand digits
        line, reason = 1, str(error)
    raise ConfigError(where if subject else f"{where}:{line}", f"{subject}not valid YAML: {reason}")


class _BoundedComposer(Reader, Scanner, Parser, Composer, BaseResolver):
    """Composes nodes from text, as long as they are not too many, too deep, tagged or inside themselves."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        BaseResolver.__init__(self)
        self.depth = self.nodes = 0
        self.sizes: dict[Node, int] = {}
        """Of every complete node: how many it is, all inside it included."""

    def compose_node(self, parent: Node | None, index: Any) -> Node:
        """The next node, with all inside it. Raises MarkedYAMLError."""
        event, before = self.peek_event(), self.nodes
        if getattr(event, "tag", None):
            raise _problem(event, f"{event.tag} is a tag, which nothing here needs: leave it out")
        self.depth += 1
        if self.depth > DEPTH:
            raise _problem(event, f"more than {DEPTH} lists and mappings inside one another")
        node = super().compose_node(parent, index)
        assert node is not None  # there is an event, so there is a node
        self.depth -= 1
        if not isinstance(event, AliasEvent):
            self.sizes[node] = self.nodes - before + 1
        elif node not in self.sizes:
            raise _problem(event, f"*{event.anchor} stands inside of what it stands for")
        self.nodes = before + self.sizes[node]
        if self.nodes > NODES:
            raise _problem(event, f"more than {NODES:,} keys and values, aliases counted with all they stand for")
        return node


def _problem(event: Event, text: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=text, problem_mark=cast(yaml.Mark, event.start_mark))


class _Values:
    """Makes values of nodes, and notes where they stand."""

    def __init__(self, where: str, lines: bool = True) -> None:
        self.where, self.numbered = where, lines
        self.lines: dict[KeyPath, str] = {}

    def value(self, node: Node, path: KeyPath) -> Any:
        """What a node stands for. Raises ConfigError."""
        if len(path) > DEPTH:
            raise self._error(node, path, f"more than {DEPTH} lists and mappings inside one another")
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self._item(inner, inner, (*path, number)) for number, inner in enumerate(node.value)]
        return self._scalar(cast(ScalarNode, node), path)

    def _item(self, marked: Node, node: Node, path: KeyPath) -> Any:
        self.lines[path] = self._line(marked)
        return self.value(node, path)

    def _mapping(self, node: MappingNode, path: KeyPath) -> dict[str, Any]:
        """Keys and values. Those of ``<<: *other`` come first, so that the mapping's own go over them."""
        merged: dict[str, Any] = {}
        for source in reversed([source for key, value in node.value if _merges(key) for source in _sources(value)]):
            if not isinstance(source, MappingNode):
                raise self._error(source, path, f"{MERGE} takes keys with values, such as {MERGE}: *other")
            merged |= self._mapping(source, path)
        own: dict[str, Any] = {}
        for key, inner in node.value:
            if not _merges(key):
                name = self._key(key, path)
                if name in own:
                    raise self._error(key, (*path, name), f"the key {name!r} stands twice")
                own[name] = self._item(key, inner, (*path, name))
        return merged | own

    def _key(self, node: Node, path: KeyPath) -> str:
        """A key as it is written: ``on``, ``1`` and ``null`` are names here."""
        if not isinstance(node, ScalarNode):
            raise self._error(node, path, "a list or mapping cannot be a key")
        if not node.value or len(node.value) > LONGEST_KEY or not node.value.isprintable():
            raise self._error(node, path, f"{shown(node.value)}: a key is 1 to {LONGEST_KEY} printable letters")
        return str(node.value)

    def _scalar(self, node: ScalarNode, path: KeyPath) -> str | int | float | bool | None:
        text = str(node.value)
        try:
            if node.style is None and text in NULL:
                return None
            found = _number(text) if node.style is None and text not in BOOLEANS else None
        except ValueError as error:
            raise self._error(node, path, f"{shown(text)}: {error}") from None
        if found is not None:
            return found
        if len(text) > LONGEST_TEXT or not text.isprintable():
            raise self._error(node, path, f"{shown(text)}: a text is at most {LONGEST_TEXT} printable letters")
        return BOOLEANS.get(text, text) if node.style is None else text

    def _line(self, node: Node) -> str:
        return f"{self.where}:{node.start_mark.line + 1}" if self.numbered else self.where

    def _error(self, node: Node, path: KeyPath, problem: str) -> ConfigError:
        return ConfigError(": ".join(filter(None, (self._line(node), ".".join(map(str, path))))), problem)


def _merges(key: Node) -> bool:
    return isinstance(key, ScalarNode) and key.style is None and key.value == MERGE


def _sources(node: Node) -> Iterator[Node]:
    yield from node.value if isinstance(node, SequenceNode) else [node]


def _number(text: str) -> int | float | None:
    """The number that a plain scalar is; None if it is none. Raises ValueError for what no key takes."""
    if NOT_FINITE.fullmatch(text):
        raise ValueError("a finite number is wanted")
    if WHOLE.fullmatch(text):
        if len(text) > 40 or abs(whole := int(text, 0)) >= 2**63:
            raise ValueError("a number of more digits than any key takes")
        return whole
    if PADDED.fullmatch(text) or not (found := REAL.fullmatch(text)):
        return None
    number = float(text)
    if math.isinf(number) or (number == 0 and re.search("[1-9]", found["mantissa"])):
        raise ValueError("a number of this size cannot be kept")
    return number
