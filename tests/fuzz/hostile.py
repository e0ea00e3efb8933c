"""What people and broken disks put where a value is expected, and how fuzz tests run."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

seeded = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
"""The same examples every time; a machine's speed decides nothing."""

TEXTS = [
    *["", " ", "~", "null", "yes", "on", "-", "--", "-x", ".", "..", "../..", "/", "/etc/passwd", "/dev/null", "a/b"],
    *["\0", "a\0b", "\n", "\t", "\r", "\x1b[2J", "\u202e", "\ud800", "é", "数", "\ufeff", "😀", "x" * 300, "x" * 5000],
    *["[", "]", "[!", "[z-a]", "*", "**", "?", "{", "}", "{x}", "%s", "%", "$HOME", "$(ls)", "`ls`", "'", '"', "\\"],
    *["$\\frac$", "=cmd", "=", "a=", "=b", "a=b=c", "#", "&a", "*a", "!!python/name:os.system", "<<", "|", ">", "@"],
    *[
        "0",
        "1",
        "-1",
        "1e3",
        "1e-3",
        ".5",
        "1_000",
        "0o17",
        "012",
        "0x1F",
        "1:30",
        "2026-01-01",
        ".inf",
        "-.inf",
        ".nan",
    ],
    *["9" * 40, "9" * 5000, "1e400", "1e-400", "inf", "nan", "True", "[1, 2]", "{a: 1}", "[" * 100, "a: b", "digits"],
]
texts = st.one_of(st.sampled_from(TEXTS), st.text(max_size=30))

VALUES: list[Any] = [
    *[None, True, False, 0, 1, -1, 2**31, 2**63, 10**11, 10**40, 0.5, -0.0, 1e20, 1e300, 1e-300],
    *[float("inf"), float("-inf"), float("nan"), [], {}, [[]], [None], {"": 0}, [[[[[[[[1]]]]]]]], {"a": {"b": {}}}],
]
values = st.one_of(st.sampled_from(VALUES), texts, st.lists(st.sampled_from(VALUES), max_size=3))


def paths(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The keys to everything inside a value of mappings and lists."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [above] + [path for key, one in inner for path in paths(one, (*above, key))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy of ``value`` with another value at ``path``."""
    if not path:
        return new
    copied: Any = dict(value) if isinstance(value, dict) else list(value)
    copied[path[0]] = replaced(value[path[0]], path[1:], new)
    return copied
