"""What MLflow's pages open with: saved views for comparing runs by method and scale, and the links to them.

Pages open in the GenAI part unless the address says otherwise, and show neither params nor metrics unless a view does.
A saved view is a tag of the experiment, as the pages' own menu "Views" writes it; without it the runs are all there.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from typing import Any

KIND = {"mlflow.experimentKind": "custom_model_development"}
"""Tells MLflow versions that ask for it that the experiment holds training runs."""
OURS = "dkd.metrics"
"""The tag that tells the bench's experiments from those of others; it says which test metrics the views show."""
VIEW = "mlflow.sharedViewState."
"""Begins the tags that hold saved views."""

RUNS, MEANS = "dkd-runs", "dkd-means"
VIEWS = {RUNS: "runs by accuracy", MEANS: "means over seeds"}
"""A table with one run per line; charts of the means by label and scale."""


def shown(metrics: Sequence[str]) -> str:
    """The test metrics of a study, as its experiment's tag names them."""
    return ",".join(metrics)


def experiment_tags(metrics: Sequence[str]) -> dict[str, str]:
    """The tags of an experiment whose study has these test metrics, such as top1."""
    scores = [name for metric in metrics for name in (metric, f"best_{metric}")]
    columns = [
        *(f"params.`{name}`" for name in ("label", "scale", "seed", "pair")),
        *(f"metrics.`final/{name}`" for name in (*scores, "agreement", "cost_seconds", "seconds")),
    ]
    table = {"selectedColumns": columns, "columnOrder": columns, "orderByKey": f"metrics.`final/{metrics[0]}`"}
    keys = [{"mode": "param", "groupByData": name} for name in ("label", "scale")]
    groups = {"groupBy": {"aggregateFunction": "average", "groupByKeys": keys}}
    return {
        **KIND,
        VIEW + RUNS: _saved(VIEWS[RUNS], table),
        VIEW + MEANS: _saved(VIEWS[MEANS], table | groups),
        OURS: shown(metrics),  # the last: a kill before it lets the next sync write all of them again
    }


def link(server: str, experiment_id: str, view: str) -> str:
    """The address of a saved view."""
    page = f"{server}/#/experiments/{experiment_id}/runs?workflowType=machine_learning&viewStateShareKey={view}"
    return f"{page}&compareRunsMode=CHART" if view == MEANS else page


def _saved(name: str, state: dict[str, Any]) -> str:
    packed = base64.b64encode(zlib.compress(json.dumps(_DEFAULTS | state).encode())).decode()
    return json.dumps({"name": name, "createdAt": 0, "updatedAt": 0, "state": f"deflate;{packed}"})


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
"""State of the page as MLflow 3.17 stores it."""
