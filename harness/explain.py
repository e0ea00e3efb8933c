"""What is wrong with values that a person wrote: pydantic's findings in words that say what to write instead."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import yaml
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from harness.errors import ConfigError, nearest

Loc = tuple[int | str, ...]
At = Callable[..., str]
"""Keys from the outermost to the innermost -> where that value stands, such as ``digits.yaml:12: budget.steps``."""

WANTED = {
    "int_type": "a whole number is wanted",
    "float_type": "a number is wanted",
    "bool_type": "true or false is wanted",
    "string_type": "text is wanted",
    "list_type": "a list is wanted, such as ",
    "tuple_type": "a list is wanted, such as ",
    "dict_type": "keys with values are wanted, such as ",
    "model_type": "keys with values are wanted, such as ",
}
"""What pydantic calls a value of another type -> what is said of it."""
SUCH_AS = {"list_type": [1, 2], "tuple_type": [1, 2], "dict_type": {"key": "value"}, "model_type": {"key": "value"}}
"""What is shown of a shape where the field has no example of it."""
SIGNS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<=", "multiple_of": "a multiple of"}
BOUNDS = ("greater_than", "greater_than_equal", "less_than", "less_than_equal")
"""What pydantic calls a number beyond its bounds."""
BOOLEANS = {
    **dict.fromkeys(("true", "yes", "on", "y", "1", "1.0"), "true"),
    **dict.fromkeys(("false", "no", "off", "n", "0", "0.0"), "false"),
}
"""What people write for true and false."""

_short = reprlib.Repr()
_short.maxstring = _short.maxother = _short.maxlong = 60
_short.maxlist = _short.maxtuple = _short.maxdict = 4


def explain(
    error: ValidationError, at: At, fields: Mapping[str, FieldInfo], inner: Mapping[str, Iterable[str]] | None = None
) -> ConfigError:
    """The first thing that pydantic found, where it stands, and what to write.

    Args:
        error: what pydantic raised.
        at: where a value stands.
        fields: those of the model, by key.
        inner: key -> the keys that there are further in.
    """
    found = error.errors(include_url=False, include_context=False)
    keys = partial(_keys, fields=fields, inner=inner or {})
    first = _telling(found, keys)
    loc, kind, value = first["loc"], first["type"], first["input"]
    if kind == "extra_forbidden":
        return ConfigError(at(*loc), "unknown key", loc[-1], keys(loc))
    if kind == "missing":
        return ConfigError(at(*loc), "this key is missing")
    if _names_a_type(loc):
        wanted = [other["msg"] for other in found if _names_a_type(other["loc"]) and other["loc"][:-1] == loc[:-1]]
        return ConfigError(at(*loc[:-1]), f"{shown(value)}: {', or '.join(wanted)}")
    problem = WANTED.get(kind) or first["msg"].removeprefix("Value error, ")
    field = fields.get(str(loc[0])) if len(loc) == 1 else None
    if kind in SUCH_AS:
        problem += _example(kind, loc, fields)
    several = f"; valid: {bounds(field)}" if field and kind in BOUNDS and "," in bounds(field) else ""  # one is told
    return ConfigError(at(*loc), f"{shown(value)}: {problem}{_advice(kind, value)}{several}")


def _example(kind: str, loc: Loc, fields: Mapping[str, FieldInfo]) -> str:
    """How a value of this shape is written: by the example of the outermost field, or by what stands inside it."""
    usual, field = SUCH_AS[kind], fields.get(str(loc[0]))
    own = list((field and field.examples) or ())
    for _ in loc[1:]:
        own = [inner for example in own for inner in _inside(example)]
    fitting = [example for example in own if example and isinstance(example, type(usual))]
    return yaml.safe_dump([*fitting, usual][0], default_flow_style=True, sort_keys=False, width=float("inf")).strip()


def _inside(example: object) -> Iterable[object]:
    if isinstance(example, Mapping):
        return example.values()
    return example if isinstance(example, list) else ()


def _telling(found: Sequence[ErrorDetails], keys: Callable[[Loc], Iterable[str]]) -> ErrorDetails:
    """The first finding; where a key is missing, one beside it that is misspelt, which may be why."""
    first = found[0]
    if first["type"] != "missing":
        return first
    unknown = (one for one in found if one["type"] == "extra_forbidden" and one["loc"][:-1] == first["loc"][:-1])
    return next((one for one in unknown if nearest(one["loc"][-1], keys(one["loc"]))), first)


def _keys(loc: Loc, fields: Mapping[str, FieldInfo], inner: Mapping[str, Iterable[str]]) -> Iterable[str]:
    """The keys that there are where the key ``loc`` was written."""
    outer = [key for key in loc[:-1] if isinstance(key, str)]
    return inner.get(outer[-1], ()) if outer else fields


def _names_a_type(loc: Loc) -> bool:
    """Whether a place ends in one of several types that its value may have: ``literal['a','b']``, and no key."""
    return isinstance(loc[-1], str) and loc[-1].endswith("]") if loc else False


def bounds(field: FieldInfo) -> str:
    """All bounds of a field's value, such as ``>= 0, < 1``; empty if it has none."""
    found = ((sign, getattr(bound, word, None)) for bound in field.metadata for word, sign in SIGNS.items())
    return ", ".join(f"{sign} {limit}" for sign, limit in found if limit is not None)


def shown(value: object) -> str:
    """A value as an error quotes it: on one line, shortened, nothing in it that moves a terminal's cursor."""
    names = {None: "null", True: "true", False: "false"}
    return names[value] if value is None or isinstance(value, bool) else _short.repr(value)


def brief(text: str) -> str:
    """A text that the person gave, as it stands where it is short and printable, and quoted where not."""
    return text if text.isprintable() and 0 < len(text) <= _short.maxstring else shown(text)


def _advice(kind: str, value: object) -> str:
    """What to write for a value whose type is wrong; empty if that is not evident."""
    if kind == "string_type" and isinstance(value, int | float):
        return ": put it in quotes"
    if kind == "bool_type":
        wanted = BOOLEANS.get(str(value).lower())
        return f": write {wanted}" if wanted else ""
    if kind in ("int_type", "float_type") and (number := _number(value, kind)) is not None:
        return f": write {number} without quotes" if str(number) == value else f": write {number}"
    return ""


def _number(value: object, kind: str) -> int | float | None:
    """The number that a text, or a number of another type, evidently means."""
    if isinstance(value, bool) or not isinstance(value, str | float):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    if kind == "float_type" and abs(number) < 1e300:
        return number if str(number) == value or not number.is_integer() else int(number)
    return int(number) if number.is_integer() and abs(number) < 1e15 else None
