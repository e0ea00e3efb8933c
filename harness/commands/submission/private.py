"""What records tell of a private machine, and how it is withheld: names of hosts, and where files lie on them.

Hosts stand in every attempt of a manifest; paths in what a method's exception said, and in options that are texts.
Processors and cards, versions, commits and dates are part of a result, and stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from harness.store.records import Manifest, RecordT

WITHHELD = "withheld"
_PART = r"/[^\s/'\",:;<>()\[\]]+"
_PATH = re.compile(rf"(?:file://|(?<![\w.:/~-]))(?:~(?:{_PART})+|(?:{_PART}){{2,}})/?")
"""An absolute path of two names or more, or one below a home; no address of the web, and no fraction."""
PLACE = "<path>"


def withheld(record: RecordT) -> RecordT:
    """The record without hosts and absolute paths."""
    plain = type(record).model_validate(_each(record.model_dump(mode="json"), lambda text: _PATH.sub(PLACE, text)))
    if not isinstance(plain, Manifest):
        return plain
    attempts = [attempt.model_copy(update={"host": WITHHELD}) for attempt in plain.attempts]
    return plain.model_copy(update={"attempts": attempts})


def told(record: RecordT) -> Iterator[str]:
    """What a record tells of a private machine."""
    if isinstance(record, Manifest):
        hosts = {attempt.host for attempt in record.attempts} - {WITHHELD}
        yield from (f"host {host}" for host in sorted(hosts))
    texts = _texts(record.model_dump(mode="json"))
    yield from (f"path {path}" for path in dict.fromkeys(path for text in texts for path in _PATH.findall(text)))


def _texts(value: Any) -> Iterator[str]:
    """Every text in a value of JSON, names in dictionaries too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _each(value: Any, change: Callable[[str], str]) -> Any:
    """A value of JSON with every text in it changed, names in dictionaries too."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {change(name): _each(inner, change) for name, inner in value.items()}
    if isinstance(value, list):
        return [_each(inner, change) for inner in value]
    return value
