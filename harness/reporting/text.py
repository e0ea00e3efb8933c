"""Numbers, units and names as they are printed."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256

from harness.errors import clean
from harness.reporting.stats import Summary
from harness.store.records import Attempt

METRICS = {"top1": "top-1 (%)", "miou": "mIoU (%)"}
"""A metric's name in the records -> as printed."""

NOTHING = "–"
NO_REASON = "no reason recorded"
UNKNOWN = "unknown"

NAME = 28
"""Letters of a name at most, as printed."""

STEM = 120
"""Bytes of a file's name at most; file systems take 255 with its ending and what a temporary file adds."""

LISTED = 12
"""Names of a list at most, as printed."""

SHA_DIGITS = 12
"""How much of a hash is printed; the csv tables hold all of it."""


def metric(name: str) -> str:
    """Name and unit of a metric as printed."""
    return METRICS.get(name, f"{short(name)} (%)")


def percent(summary: Summary) -> str:
    """``90.12 ± 0.34``; without the second part for a single seed."""
    if summary.mean is None:
        return NOTHING
    return f"{summary.mean:.2f}" if summary.sd is None else f"{summary.mean:.2f} ± {summary.sd:.2f}"


def values(percents: Sequence[float]) -> str:
    """``94.50``, or ``94.50 / 94.87`` where there are several."""
    return " / ".join(f"{value:.2f}" for value in percents) or NOTHING


def difference(summary: Summary) -> str:
    """``+1.20 ± 0.34``; without the second part for a single seed."""
    if summary.mean is None:
        return NOTHING
    return signed(summary.mean) if summary.sd is None else f"{signed(summary.mean)} ± {summary.sd:.2f}"


def signed(value: float) -> str:
    """``+1.20``, with a minus as wide as the plus."""
    return f"{value:+.2f}".replace("-", "−")


def share(summary: Summary) -> str:
    """`` (2/3)`` where seeds are missing, else nothing."""
    return "" if summary.complete else f" ({summary.n}/{summary.expected})"


def seeds(numbers: Collection[int]) -> str:
    """``seed 1``, or ``seeds 0, 2``."""
    return f"seed{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}"


def sides(n: Sequence[int]) -> str:
    """``3``, or ``3 and 2`` where the two sides of a comparison have unequal numbers."""
    return " and ".join(map(str, dict.fromkeys(n)))


def sha(full: str) -> str:
    """The first digits of a hash."""
    return full[:SHA_DIGITS]


def commit(attempt: Attempt) -> str:
    """Commit of an attempt: ``unknown``, or its first digits, with ``+`` for uncommitted changes."""
    return UNKNOWN if attempt.commit is None else sha(attempt.commit) + ("+" if attempt.dirty else "")


def line(text: str) -> str:
    """A text on one line, with nothing in it that is not printed: no control characters, no marks of direction."""
    # Nothing is left out: configurations and figures are texts too. An escape takes ten letters at most.
    return text if text.isprintable() else clean(text, 10 * len(text)).replace("\n", " ")


def short(name: str) -> str:
    """A name as it is printed: on one line, and with an ellipsis in the place of a long one's middle."""
    printed = line(name).strip() or NOTHING
    return printed if len(printed) <= NAME else f"{printed[: NAME - 10]}…{printed[-9:]}"


def some(names: Sequence[str]) -> str:
    """Names in a sentence: the first ones, and how many more."""
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(map(short, names[:LISTED])) + more


def titles(names: Mapping[str, str]) -> dict[str, str]:
    """Name -> what it is called: what ``names`` say, short, and unlike all others."""
    found: dict[str, str] = {}
    for name, printed in names.items():
        numbered = (f"{short(printed)} ({number})" for number in itertools.count(2))
        taken = set(found.values())
        found[name] = next(title for title in itertools.chain([short(printed)], numbered) if title not in taken)
    return found


def stem(*parts: str) -> str:
    """A file's name without its ending, of parts that may be as long as a file's name can be."""
    joined = "-".join(part.replace("/", "-") for part in parts)
    if len(joined.encode()) <= STEM:
        return joined
    return f"{joined.encode()[: STEM - 9].decode(errors='ignore')}-{sha256(joined.encode()).hexdigest()[:8]}"


def number(value: float) -> str:
    """Two or three significant digits, at most three after the point; ``< 0.001`` where these would show none."""
    if value == 0:
        return "0"
    return f"{value:.{_digits(value)}f}" if abs(value) >= 0.001 else "< 0.001"


def measured(summary: Summary) -> str:
    """``79.0 ± 1.2``, the deviation as fine as the mean; without the second part for a single seed."""
    if summary.mean is None:
        return NOTHING
    if summary.sd is None or abs(summary.mean) < 0.001:
        return number(summary.mean)
    return f"{number(summary.mean)} ± {summary.sd:.{_digits(summary.mean)}f}"


def chance(p: float) -> str:
    """``p = 0.043``: how often chance alone gives as much."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def tick(value: float) -> str:
    """A number at a tick: ``5``, ``1297``, ``50k``."""
    return f"{value / 1000:g}k" if value >= 1000 and value % 100 == 0 else f"{value:g}"


def letters(index: int) -> str:
    """Footnote marks: a, b, ..., z, aa, ab, ..."""
    before, last = divmod(index, 26)
    return (letters(before - 1) if before else "") + chr(ord("a") + last)


def _digits(value: float) -> int:
    """Digits after the point."""
    size = abs(value)
    return 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 0.1 else 3
