"""What MLflow's pages open with: saved views that compare the rows of a scale, and the links to them.

Pages open in the GenAI part unless the address says otherwise, and show neither params nor metrics unless a view does.
A saved view is a tag of the experiment, as the pages' own button "Share" writes it; without it the runs are all there.
MLflow documents the button and not the tag: docs/mlflow.md says which versions it was looked at in.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.store.layout import scale_text

KIND = {"mlflow.experimentKind": "custom_model_development"}
"""Tells MLflow versions that ask for it that the experiment holds training runs."""
OURS = "dkd.metrics"
"""The tag that tells the bench's experiments from those of others; it says which test metrics the views show."""
VIEW = "mlflow.sharedViewState."
"""Begins the tags that hold saved views."""
PREFIX, SEEDS = "dkd-", "dkd-seeds"
"""Begins the names of the bench's views; the one of all runs. A scale's is ``dkd-scale-10``."""
LETTER, EDGES = 7, 30
"""Pixels of a column, so that all of a comparison fits beside the pane that MLflow opens at a browser's first visit."""


@dataclass(frozen=True)
class Contents:
    """What a study has that its views need to know."""

    metrics: tuple[str, ...]
    """Test metrics, such as top1."""
    scales: tuple[float, ...]
    """Percent, ascending."""
    pairs: int
    """How many pairs and datasets are compared in one table."""
    rows: int


def views(contents: Contents) -> dict[str, str]:
    """The saved views, the comparison at the largest scale first: names to what they show."""
    scales = {
        f"{PREFIX}scale-{scale_text(scale)}": f"{scale_text(scale)} % of the data"
        for scale in reversed(contents.scales)
    }
    return {**scales, SEEDS: "every seed"}


def experiment_tags(contents: Contents) -> dict[str, str]:
    """The tags of an experiment whose study has these contents."""
    saved = {view: _saved(what, _state(contents, view)) for view, what in views(contents).items()}
    return {
        **KIND,
        **{VIEW + view: state for view, state in saved.items()},
        OURS: ",".join(contents.metrics),  # the last: a kill before it lets the next sync write all of them again
    }


def link(server: str, experiment_id: str, view: str) -> str:
    """The address of a saved view; below the server's own where ``server`` is empty."""
    return f"{server}/#/experiments/{experiment_id}/runs?workflowType=machine_learning&viewStateShareKey={view}"


def saved(tags: Mapping[str, str]) -> dict[str, str]:
    """The bench's views that an experiment with these tags has, in the order of `views`: names to what they show."""
    ours = {name.removeprefix(VIEW): text for name, text in tags.items() if name.startswith(VIEW + PREFIX)}
    named = {view: str(json.loads(text)["name"]) for view, text in ours.items()}
    return dict(sorted(named.items(), key=lambda item: (item[0] == SEEDS, -_scale(item[0]))))


def _scale(view: str) -> float:
    return 0.0 if view == SEEDS else float(view.removeprefix(f"{PREFIX}scale-"))


def _state(contents: Contents, view: str) -> dict[str, Any]:
    metrics, rows = contents.metrics, view != SEEDS
    where = ["pair", "dataset"] if contents.pairs > 1 else []
    if rows:
        params, spread = where, [f"{of}/{name}" for name in (*metrics, "cost_seconds") for of in ("mean", "sd")]
        numbers, order = [*spread, "seeds", "mean/agreement"], f"mean/{metrics[0]}"
    else:
        params = ["label", "scale", "seed", *where]
        scores = [name for metric in metrics for name in (metric, f"best_{metric}")]
        numbers, order = [f"final/{name}" for name in (*scores, "agreement", "cost_seconds")], f"final/{metrics[0]}"
    columns = [f"params.`{name}`" for name in params] + [f"metrics.`{name}`" for name in numbers]
    return {
        "searchFilter": f"tags.kind = 'row' and params.scale = '{scale_text(_scale(view))}'"
        if rows
        else "tags.kind = 'run'",
        "orderByKey": f"metrics.`{order}`",
        "selectedColumns": columns,
        "columnOrder": columns,
        "columnWidths": {column: EDGES + LETTER * len(column.split("`")[1]) for column in columns},
    }


def _saved(name: str, state: Mapping[str, Any]) -> str:
    """As newer versions want it, with a name and packed; and beside that, where versions before names look for it."""
    plain = {**_DEFAULTS, **state}
    packed = base64.b64encode(zlib.compress(json.dumps(plain).encode())).decode()
    return json.dumps({"name": name, "createdAt": 0, "updatedAt": 0, "state": f"deflate;{packed}", **plain})


_DEFAULTS: dict[str, Any] = {
    "searchFilter": "",
    "orderByAsc": False,
    "startTime": "ALL",
    "lifecycleFilter": "Active",
    "datasetsFilter": [],
    "modelVersionFilter": "All Runs",
    "columnWidths": {},
    "runsExpanded": {},
    "runsPinned": [],
    "runsHidden": [],
    "runsVisibilityMap": {},
    "runsHiddenMode": "SHOW_ALL",
    "viewMaximized": False,
    "runListHidden": False,
    "isAccordionReordered": False,
    "useGroupedValuesInCharts": True,
    "hideEmptyCharts": True,
    "groupBy": None,
    "groupsExpanded": {},
    "autoRefreshEnabled": True,
    "globalLineChartConfig": {"xAxisKey": "step", "lineSmoothness": 0, "selectedXAxisMetricKey": ""},
}
"""State of the page as MLflow stores it."""
