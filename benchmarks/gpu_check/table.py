"""What a check found, as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from statistics import mean
from typing import Any

from benchmarks.gpu_check.record import Found, Record

STEPS: dict[str, Callable[[Found], object]] = {
    "batch": lambda found: found["batch"],
    "inner step, ms": lambda found: f"{found['synthesis_ms']:.1f}",
    "its floor, ms": lambda found: f"{found['inversion_floor_ms']:.1f}",
    "distillation step, ms": lambda found: f"{found['distillation_ms']:.1f}",
    "plain step, ms": lambda found: f"{found['plain_step_ms']:.1f}",
    "ratio": lambda found: f"{found['distillation_ms'] / found['plain_step_ms']:.2f}",
    "peak, MiB": lambda found: _known(found["peak_memory_bytes"], 2**20, ".0f"),
    "J a step": lambda found: _known(found["joules_per_step"], 1, ".2f"),
}
"""Column -> what stands in it."""
RUNS: dict[str, Callable[[Found], object]] = {
    "mode": lambda found: found["mode"],
    "top-1 (%)": lambda found: _listed(found["final"], ".2f"),
    "synthesis, s": lambda found: _listed(found["synthesis"], ".1f"),
    "distillation, s": lambda found: _listed(found["distillation"], ".1f"),
    "steps a second, all": lambda found: f"{sum(_rates(found)):.1f}",
    "start, s": lambda found: _listed(found["startup"], ".1f"),
    "waited, s": lambda found: _listed(found["waiting"], ".1f"),
    "others on the card": lambda found: _listed(found["device_sharers"], "d"),
    "peak, MiB": lambda found: _known(max(filter(None, found["peak_memory_bytes"]), default=None), 2**20, ".0f"),
    "J": lambda found: _known(_sum(found["energy_joules"]), 1, ".0f"),
}


def text(record: Record, cut: Sequence[str]) -> str:
    """The whole table; ``cut`` are the parts that time was too short for."""
    return "\n".join(_lines(record, cut)) + "\n"


def _lines(record: Record, cut: Sequence[str]) -> Iterator[str]:
    parts = {
        part: {name: one for name, one in items.items() if "error" not in one} for part, items in record.parts.items()
    }
    yield "# GPU check\n"
    for name, value in parts.get("machine", {}).get("machine", {}).items():
        yield f"- {name}: {value}"
    if cut:
        yield f"\nNot finished: {', '.join(cut)}."
    if record.failures:
        yield f"\n## Failed: {len(record.failures)}\n"
        yield from (f"- {item}: `{_last(error)}`" for item, error in record.failures.items())
    rehearsed = parts.get("rehearsal", {})
    if rehearsed:
        yield f"\n## Rehearsal\n\n{len(rehearsed)} labels went from their first round over a checkpoint to their end."
    yield from _compared(parts.get("runs", {}))
    yield from _table("Runs", {name: one for name, one in parts.get("runs", {}).items() if "mode" in one}, RUNS)
    yield from _table("Steps", parts.get("steps", {}), STEPS)


def _compared(runs: dict[str, Found]) -> Iterator[str]:
    """What runs say of a kill, and of bf16 beside fp32."""
    if "teacher" in runs:
        yield f"\nTeacher {runs['teacher']['teacher']}: {runs['teacher']['percent']:.2f} %."
    if "resume" in runs:
        yield f"\nA run that was killed went on ({runs['resume']['attempts']} attempts) and ended with equal weights."
    at_once = [one for name, one in runs.items() if "at once" in name]
    full, half = ([v for one in at_once if one["mode"].startswith(p) for v in one["final"]] for p in ("fp32", "bf16"))
    if full and half:
        yield f"\nbf16 − fp32: {mean(half) - mean(full):+.2f} points, of means over {len(half)} and {len(full)} seeds:"
        yield f"{min(half):.2f} to {max(half):.2f} % and {min(full):.2f} to {max(full):.2f} %."


def _table(title: str, items: dict[str, Found], columns: dict[str, Callable[[Found], object]]) -> Iterator[str]:
    if not items:
        return
    yield f"\n## {title}\n"
    yield f"| | {' | '.join(columns)} |"
    yield f"|---|{'---:|' * len(columns)}"
    for name, found in items.items():
        yield f"| {name} | {' | '.join(str(value(found)) for value in columns.values())} |"


def _rates(found: Found) -> Iterator[float]:
    """Distillation steps per second of each run, its synthesis counted."""
    for steps, *seconds in zip(found["steps"], found["synthesis"], found["distillation"], strict=True):
        yield steps / sum(seconds)


def _sum(values: Sequence[Any]) -> float | None:
    return None if None in values else sum(values)


def _listed(values: Sequence[Any], form: str) -> str:
    return ", ".join("–" if value is None else format(value, form) for value in values)


def _known(value: float | None, unit: float, form: str) -> str:
    return "–" if value is None else format(value / unit, form)


def _last(error: str) -> str:
    return error.splitlines()[-1].replace("`", "'")
