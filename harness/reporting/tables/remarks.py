"""What a footnote must say about the rows of a line or a column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.reporting import text
from harness.reporting.rows import Row
from harness.store.layout import CellName
from harness.store.records import FEW_IMAGES, Metrics

Odd = Mapping[CellName, str]
"""Cell -> footnote, where its run differs from the others of the study in teacher, code or device."""


def of_data(rows: Sequence[Row]) -> list[str]:
    """Whether the students of a column draw from very few images."""
    few = sorted({run.metrics.images for row in rows for run in row.done if run.metrics.images < FEW_IMAGES})
    return [f"N = {_join(few)} images: fewer than {FEW_IMAGES}"] if few else []


def of_time(rows: Sequence[Row]) -> list[str]:
    """Whether the times of a column were measured beside other cells."""
    runs = [run.metrics for row in rows for run in row.done]
    sharing = {
        "machine": sorted({run.concurrent for run in runs if run.device == "cpu"}),
        "GPU": sorted({run.share for run in runs if run.device != "cpu"}),
    }
    return [
        f"on a {what} that cells share, up to {_join(counts)} at once"
        for what, counts in sharing.items()
        if any(count > 1 for count in counts)
    ]


def of_line(rows: Sequence[Row]) -> list[str]:
    """What holds for a whole line: its full name if it is shortened, its prior, and whose hyperparameters it has."""
    label = rows[0].label
    shortened = [] if text.short(label) == label else [f"full name: {label}"]
    return [*shortened, *dict.fromkeys(word for row in rows for word in priors(row)), *_shared(rows)]


def priors(row: Row) -> list[str]:
    """What the row's students owe to something besides the teacher; empty where there is nothing."""
    return [f"prior beyond the teacher: {prior}" for prior in row.priors]


def of_row(row: Row, line: Sequence[Row], odd: Odd) -> list[str]:
    """What holds for one row of a line: lost seeds, hyperparameters unlike the line's, runs unlike the others."""
    presets = [note for note in preset_notes(row) if note not in _shared(line)]
    return [*row.problems(), *presets, *of_runs(row, odd)]


def of_runs(row: Row, odd: Odd) -> list[str]:
    """How runs of the row differ from the others of the study, and from what was last planned."""
    stale = [run.name.seed for run in row.done if run.stale]
    told = [f"{text.seeds(stale)} stale: code or configuration changed since"] if stale else []
    told += [f"seeds ran with different {options}"] if (options := differing(row)) else []
    return [*dict.fromkeys(odd[run.name] for run in row.done if run.name in odd), *told]


def differing(row: Row) -> str:
    """Options in which its seeds differ, ``steps: 600 (seed 0), 400 (seeds 1, 2)``: a mean over them is of no method.

    Empty if they had the same.
    """
    names = sorted({name for run in row.done for name in run.config})
    values = {name: _values(row, name) for name in names}
    return "; ".join(f"{name}: {', '.join(told)}" for name, told in values.items() if len(told) > 1)


def _values(row: Row, name: str) -> list[str]:
    """What an option was, and in which seeds."""
    found: dict[str, list[int]] = {}
    for run in row.done:
        found.setdefault(str(run.config.get(name, "absent")), []).append(run.name.seed)
    return [f"{text.short(value)} ({text.seeds(seeds)})" for value, seeds in found.items()]


def of_cost(row: Row) -> list[str]:
    """In which seeds the machine had so much else to do that seconds say little; the page tells of each how much."""
    busy = [run.name.seed for run in row.overloaded]
    return [f"machine overloaded in {text.seeds(busy)}"] if busy else []


def overload(metrics: Metrics) -> str:
    """How much else the machine had to do, in words; of a run that counts as overloaded."""
    if metrics.device == "cpu":
        return f"{metrics.seconds.working / metrics.cpu_seconds.working:.1f} wall s to a CPU s"
    return f"{metrics.device_sharers} other process{'es' * (metrics.device_sharers != 1)} on the GPU"


def preset_notes(row: Row) -> list[str]:
    """Why the row's hyperparameters are not published ones, if they are not."""
    return list(dict.fromkeys(run.metrics.preset_note for run in row.recorded if run.metrics.preset_note))


def _shared(rows: Sequence[Row]) -> list[str]:
    """The notes on presets that all rows of a line have."""
    first, *others = [preset_notes(row) for row in rows]
    return [note for note in first if all(note in other for other in others)]


def _join(counts: Sequence[int]) -> str:
    return " or ".join(str(count) for count in counts)
