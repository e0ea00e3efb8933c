"""What a row looks like in MLflow: a run above those of its seeds, with their mean and spread. A pure function."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.reporting.stats import summarise
from harness.store.layout import CellName
from harness.store.records import Metrics
from harness.tracking import notes, points
from harness.tracking.points import Point
from harness.tracking.view import FINISHED, KIND, NOTE, SEED, RunView, version

ORDER = ("RUNNING", "FINISHED", "FAILED", "KILLED")
"""A row is the first of these that one of its runs is."""
LONGEST = 5000
"""Letters of a tag that MLflow keeps in every version."""
SHARED = ("study", "dataset", "pair", "label", "scale", "method", "prior")
"""Tags that a row has from its runs."""


def of_row(views: Sequence[RunView]) -> RunView:
    """The view of a row, from those of its seeds' current runs; at least one.

    As long as a cell has no result, several of its runs are current: the one that began last counts.
    """
    cell = CellName.parse(views[0].tags["cell"])
    latest = {CellName.parse(view.tags["cell"]).seed: view for view in sorted(views, key=lambda view: view.start)}
    views = [view for _, view in sorted(latest.items())]
    results = {seed: view.result for seed, view in sorted(latest.items())}
    done = sorted(
        (result for result in results.values() if result and result.status == "done"),
        key=lambda result: (points.milliseconds(result.finished), result.seed),
    )
    status, start = min((view.status for view in views), key=ORDER.index), min(view.start for view in views)
    method = next((result.method for result in results.values() if result), None)
    tags = {name: value for view in views for name, value in view.tags.items() if name in SHARED}
    tags |= {"row": cell.row, KIND: "row", NOTE: notes.of_row(cell, results), FINISHED: _lives(done), **version()}
    params = _equal([view.params for view in views])
    return RunView(
        study=cell.study,
        name=notes.title(cell, method),
        identity=("row", cell.row),
        status=status,
        start=start,
        end=None if status == "RUNNING" else start + _duration(views),
        params={name: value for name, value in params.items() if name != SEED},
        tags=tags | _overloaded(done),
        points=list(_points(done)),
        dataset=views[0].dataset,
    )


def _equal(several: Sequence[dict[str, str]]) -> dict[str, str]:
    """What all of them say alike."""
    first, *others = several
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in others)}


def _points(done: Sequence[Metrics]) -> Iterator[Point]:
    """Mean and spread as they were whenever another seed had finished: MLflow only adds, and shows the latest."""
    for count in range(1, len(done) + 1):
        some = done[:count]
        quantities: dict[str, list[float | None]] = {
            some[0].metric: [result.final for result in some],
            f"best_{some[0].metric}": [result.best for result in some],
            "agreement": [result.agreement for result in some],
            "cost_seconds": [result.cost.end_to_end for result in some],
            "seconds": [result.seconds.end_to_end for result in some],
        }
        values: dict[str, float | None] = {"seeds": count}
        for name, found in quantities.items():
            summary = summarise([value for value in found if value is not None], count)
            values |= {f"mean/{name}": summary.mean, f"sd/{name}": summary.sd}
        # Records know full seconds: a millisecond each keeps the order of seeds that finished in the same one.
        yield from points.at_the_end(values, points.milliseconds(some[-1].finished) + count)


def _lives(done: Sequence[Metrics]) -> str:
    """Which results are in the means, in the order of their coming: where it only grows, so do the points."""
    return "".join(f"{result.finished} seed {result.seed}; " for result in done)[:LONGEST]


def _duration(views: Sequence[RunView]) -> int:
    """Milliseconds that a seed took in the mean."""
    took = [view.end - view.start for view in views if view.end is not None]
    return round(sum(took) / len(took))


def _overloaded(done: Sequence[Metrics]) -> dict[str, str]:
    return {"overloaded": "yes" if any(result.overloaded for result in done) else "no"} if done else {}
