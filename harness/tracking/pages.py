"""What MLflow's pages open with: saved views for comparing runs by method and scale, and the links to them.

Pages open in the GenAI part unless the address says otherwise, and show neither params nor metrics unless a view does.
A saved view is a tag of the experiment, as the pages' own menu "Views" writes it; without it the runs are all there.
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

KIND = {"mlflow.experimentKind": "custom_model_development"}
"""Tells MLflow versions that ask for it that the experiment holds training runs."""

RUNS, MEANS = "dkd-runs", "dkd-means"
VIEWS = {RUNS: "runs by accuracy", MEANS: "means over seeds"}
"""A table with one run per line; charts of the means by label and scale."""


def experiment_tags() -> dict[str, str]:
    """The tags that every experiment carries."""
    columns = [
        *(f"params.`{name}`" for name in ("label", "scale", "seed", "pair")),
        *(f"metrics.`final/{name}`" for name in ("top1", "best_top1", "agreement", "seconds")),
    ]
    table = {"selectedColumns": columns, "columnOrder": columns, "orderByKey": "metrics.`final/top1`"}
    keys = [{"mode": "param", "groupByData": name} for name in ("label", "scale")]
    groups = {"groupBy": {"aggregateFunction": "average", "groupByKeys": keys}}
    return {
        **KIND,
        f"mlflow.sharedViewState.{RUNS}": _saved(VIEWS[RUNS], table),
        f"mlflow.sharedViewState.{MEANS}": _saved(VIEWS[MEANS], table | groups),
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
