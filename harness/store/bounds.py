"""What a stored value may be: a number that was written by a run lies within these, one written by hand may not."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

HIDDEN = {chr(code) for code in (*range(32), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F))}
HIDDEN |= {chr(code) for code in range(0x2066, 0x206A)}
"""Control characters, and marks that turn the direction of what stands beside them."""


def _name(value: str) -> str:
    if not value[:1].isalnum() or not all(letter.isalnum() or letter in "._+-" for letter in value):
        raise ValueError("a name is letters, digits and . _ + - and starts with a letter or digit")
    return value


def _text(value: str) -> str:
    if not value.isprintable() and HIDDEN & set(value) - {"\n"}:
        raise ValueError("holds control characters or direction marks")
    return value


def _line(value: str) -> str:
    if "\n" in value:
        raise ValueError("has several lines")
    return _text(value)


def _inside(value: str) -> str:
    if re.search(r"(^|/)\.{0,2}(/|$)", value):  # an empty part, . or ..
        raise ValueError("does not stay inside its folder")
    return _line(value)


def _moment(value: str) -> str:
    datetime.fromisoformat(value)
    return value


def _finite(value: dict[str, Any]) -> dict[str, Any]:
    json.dumps(value, allow_nan=False)
    return value


Percent = Annotated[float, Field(ge=0, le=100)]
Duration = Annotated[float, Field(ge=0, le=1e9)]
"""Seconds; thirty years are enough."""
MOST = 10**24
"""Of anything, operations included."""
Count = Annotated[int, Field(ge=0, le=MOST)]
Some = Annotated[int, Field(ge=1, le=MOST)]
"""Of what there is at least one."""
Seed = Annotated[int, Field(ge=0, le=2**63)]
Scale = Annotated[float, Field(ge=0.001, le=100)]
"""Percent of the reference size."""
MetricName = Annotated[str, Field(pattern="^(top1|miou)$")]
Device = Annotated[str, Field(pattern="^(cpu|cuda)$")]
Precision = Literal["fp32", "tf32", "bf16"]
"""How networks calculate: harness/engine/precision.py."""
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Key = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
Name = Annotated[str, Field(max_length=200), AfterValidator(_name)]
"""Of a study, dataset, network or label: a folder bears it."""
Line = Annotated[str, Field(max_length=4096), AfterValidator(_line)]
"""A short text that stays on its line, a path for example."""
Inside = Annotated[str, Field(max_length=1000), AfterValidator(_inside)]
"""Path of a file from a folder, and inside it."""
Text = Annotated[str, Field(max_length=100_000), AfterValidator(_text)]
"""What somebody else's code said, after `errors.clean`."""
Moment = Annotated[str, Field(max_length=40), AfterValidator(_moment)]
"""ISO 8601."""
BY_HASH: Literal["by your hash"] = "by your hash"
"""Said of one's own images: nobody else knows what they are."""
Verified = bool | Literal["by your hash"]
"""Whether files without their official checksums are refused."""
Values = Annotated[dict[str, Any], AfterValidator(_finite)]
"""Values of a configuration, as JSON knows them."""
