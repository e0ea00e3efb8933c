"""Which columns of a study stand side by side in a block of a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.reporting import names
from harness.reporting.rows import Row
from harness.store.layout import scale_text

WIDTH = 10
"""Columns of numbers side by side: what a page takes, and what the paper's tables have (5 pairs, accuracy and time)."""

Columns = dict[str, list[Row]]
"""Heading -> the rows of that column, one per label."""

Setting = tuple[str, str, float]
"""Teacher, student and scale: what tells the columns of a dataset apart."""


def blocks(rows: Sequence[Row], quantities: int, numbers: int = WIDTH) -> list[tuple[str, Columns]]:
    """Title and columns of each block: a dataset, or a dataset at one scale where it has many pairs and scales.

    Args:
        quantities: numbers that each column holds side by side.
        numbers: how many of them fit beside each other.
    """
    width = numbers // quantities
    found: list[tuple[str, Columns]] = []
    for dataset in sorted({row.dataset for row in rows}):
        for part in _parts(_settings(row for row in rows if row.dataset == dataset), width):
            found += [_block(dataset, part[start : start + width]) for start in range(0, len(part), width)]
    return found


def _settings(rows: Iterable[Row]) -> dict[Setting, list[Row]]:
    """The columns of a dataset, by pair and then from the largest scale down."""
    settings: dict[Setting, list[Row]] = {}
    for row in rows:
        settings.setdefault((row.pair.teacher, row.pair.student, row.scale), []).append(row)
    return dict(sorted(settings.items(), key=lambda item: (item[0][:2], -item[0][2])))


def _parts(settings: dict[Setting, list[Row]], width: int) -> list[list[list[Row]]]:
    """The columns that are one block but for its width: all of them, or else those of a scale, for pairs to compare."""
    scales = sorted({scale for *_, scale in settings}, reverse=True)
    one_pair = len(scales) == len(settings)
    if len(settings) <= width or one_pair:
        return [list(settings.values())]
    return [[rows for (*_, scale), rows in settings.items() if scale == own] for own in scales]


def _block(dataset: str, columns: Sequence[list[Row]]) -> tuple[str, Columns]:
    """What the columns have in common goes to the title, the rest to their headings."""
    first = [rows[0] for rows in columns]
    title = names.dataset(dataset)
    if len({row.scale for row in first}) == 1:
        return f"{title}, {scale_text(first[0].scale)} % data", {names.pair(rows[0].pair): rows for rows in columns}
    if len({row.pair for row in first}) == 1:
        return f"{title}, {names.pair(first[0].pair)}", {f"{scale_text(rows[0].scale)} %": rows for rows in columns}
    return title, {f"{names.pair(rows[0].pair)}, {scale_text(rows[0].scale)} %": rows for rows in columns}
