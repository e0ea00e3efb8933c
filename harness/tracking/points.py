"""The numbers of a run as MLflow's metrics: curves by epoch, and what the whole run came to. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from harness.store.records import Event, Metrics

DIGITS = 2
"""Decimals of percent and seconds: a test set of 10,000 images has steps of 0.01 %."""
FIGURES = 4
"""Significant figures of losses."""
ASKED = "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING"
"""MLflow's own variable that asks for system metrics, which its pages show on a tab of their own."""


@dataclass(frozen=True)
class Point:
    """One value of a metric."""

    name: str
    value: float
    time: int
    """Milliseconds since 1970."""
    step: int
    """Epoch."""


def curves(events: list[Event], metric: str) -> Iterator[Point]:
    """What was measured at the end of every epoch; losses are means over what came since the last."""
    for event in events:
        values = {
            f"test/{metric}": event.metric,
            "test/agreement": event.agreement,
            "seconds/end_to_end": event.seconds.end_to_end,
            "seconds/synthesis": event.seconds.synthesis,
            "seconds/distillation": event.seconds.distillation,
            "cpu_seconds/end_to_end": event.cpu_seconds.end_to_end,
            "cpu_seconds/synthesis": event.cpu_seconds.synthesis,
            "cpu_seconds/distillation": event.cpu_seconds.distillation,
        }
        losses = {f"synthesis/{name}": value for name, value in event.synthesis.items()}
        losses |= {f"distillation/{name}": value for name, value in event.distillation.items()}
        rounded = {name: round(value, DIGITS) for name, value in values.items()}
        rounded |= {name: float(f"{value:.{FIGURES}g}") for name, value in losses.items()}
        for name, value in rounded.items():
            yield Point(name, value, round(event.time * 1000), event.epoch)


def final(result: Metrics) -> Iterator[Point]:
    """Values of the whole run. They stand at step 0: the pages draw bars, run by run, of what has no other step."""
    values = {
        f"final/{result.metric}": result.final,
        f"final/best_{result.metric}": result.best,
        "final/agreement": result.agreement,
        "final/cost_seconds": result.cost.end_to_end,
        "final/cpu_seconds": result.cpu_seconds.end_to_end,
        "final/seconds": result.seconds.end_to_end,
        "final/seconds_synthesis": result.seconds.synthesis,
        "final/seconds_distillation": result.seconds.distillation,
        "final/seconds_startup": result.seconds.startup,
        "final/seconds_evaluation": result.seconds.evaluation,
        "final/images_synthesised": result.images_synthesised,
        "final/distillation_steps": result.steps,
        "final/teacher_forwards": result.teacher_forwards,
        "final/peak_memory_bytes": result.peak_memory_bytes,
        "final/energy_joules": result.energy_joules,
        "final/flops": result.flops.total if result.flops else None,
    }
    yield from at_the_end(values, milliseconds(result.finished))


def system(events: list[Event], result: Metrics | None) -> Iterator[Point]:
    """What the records know of the machine: how busy the process kept it between two events, in percent of a core."""
    before = (0.0, 0.0)
    for event in events:
        wall, cpu = event.seconds.working - before[0], event.cpu_seconds.working - before[1]
        before = event.seconds.working, event.cpu_seconds.working
        if wall > 0:
            busy = round(100 * cpu / wall, DIGITS)
            yield Point("system/process_cpu_percentage", busy, round(event.time * 1000), event.epoch)
    if result and result.peak_memory_bytes is not None:
        peak = {"system/process_peak_memory_megabytes": result.peak_memory_bytes / 1e6}
        yield from at_the_end(peak, milliseconds(result.finished))


def at_the_end(values: Mapping[str, float | None], time: int) -> Iterator[Point]:
    """What is known of these values, as bars."""
    for name, value in values.items():
        if value is not None:
            yield Point(name, round(float(value), DIGITS), time, step=0)


def milliseconds(time: str) -> int:
    """A moment of the records as MLflow counts time: since 1970."""
    return round(datetime.fromisoformat(time).timestamp() * 1000)
