"""What the pages open with: a saved view per scale, which compares rows by accuracy, and a link to each."""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path
from typing import Any

import pytest

from harness.tracking import pages, serve, sync
from harness.tracking.pages import Contents
from tests import factory
from tests.harness.tracking.test_sync import client

TWO = Contents(metrics=("miou", "top1"), scales=(2.5, 10.0), pairs=3, rows=4)


def state(tags: dict[str, str], view: str) -> dict[str, Any]:
    """A saved view as MLflow 3.17 reads it: packed, below a name. 3.5 reads the same as it is."""
    saved = json.loads(tags[f"mlflow.sharedViewState.{view}"])
    found: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(saved["state"].removeprefix("deflate;"))))
    assert found.items() <= saved.items()
    return found


def test_a_view_compares_the_rows_of_its_scale() -> None:
    found = state(pages.experiment_tags(TWO), "dkd-scale-2.5")
    assert found["searchFilter"] == "tags.kind = 'row' and params.scale = '2.5'"
    assert (found["orderByKey"], found["orderByAsc"]) == ("metrics.`mean/miou`", False)
    columns = found["selectedColumns"]
    assert columns[:4] == ["params.`pair`", "params.`dataset`", "metrics.`mean/miou`", "metrics.`sd/miou`"]
    assert {"metrics.`mean/top1`", "metrics.`mean/cost_seconds`", "metrics.`seeds`"} <= set(columns)
    assert found["columnOrder"] == columns
    assert set(found["columnWidths"]) == set(columns)


def test_one_pair_needs_no_column() -> None:
    found = state(pages.experiment_tags(Contents(("top1",), (10.0,), pairs=1, rows=1)), "dkd-scale-10")
    assert not [column for column in found["selectedColumns"] if column.startswith("params")]


def test_what_is_saved_is_listed_with_the_largest_scale_first() -> None:
    others = {"mlflow.sharedViewState.abc": "somebody's", "owner": "somebody"}
    listed = ["dkd-scale-10", "dkd-scale-2.5", "dkd-seeds"]
    assert list(pages.saved(pages.experiment_tags(TWO) | others)) == listed
    assert pages.saved(pages.experiment_tags(TWO))["dkd-scale-2.5"] == "2.5 % of the data"


def test_experiments_follow_their_studies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Views of scales that are gone, and of earlier versions, go; what the experiment says of itself stays true."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    results = tmp_path / "results"
    factory.write(
        results, factory.metrics(metric="miou", dataset="nyuv2", cell="seg/nyuv2/a--b/ssd-kd/scale-10/seed-0")
    )
    factory.write(results, factory.metrics(scale=5.0))
    sync.sync(results)
    api = client(results)
    toy, seg = (api.get_experiment_by_name(name) for name in ("toy", "seg"))
    assert state(seg.tags, "dkd-scale-10")["orderByKey"] == "metrics.`mean/miou`"
    assert toy.tags["mlflow.experimentKind"] == "custom_model_development"
    assert "1 row," in toy.tags["mlflow.note.content"]
    assert pages.link("", toy.experiment_id, "dkd-scale-5") in toy.tags["mlflow.note.content"]
    api.set_experiment_tag(toy.experiment_id, "mlflow.sharedViewState.dkd-means", "of an earlier version")
    api.set_experiment_tag(toy.experiment_id, "mlflow.sharedViewState.abc", '{"name": "somebody\'s"}')
    factory.write(results, factory.metrics(scale=20.0))
    sync.sync(results)
    tags = api.get_experiment_by_name("toy").tags
    views = sorted(name.removeprefix("mlflow.sharedViewState.") for name in tags if "sharedViewState" in name)
    assert views == ["abc", "dkd-scale-20", "dkd-scale-5", "dkd-seeds"]
    listed = serve.links(results, 5055)
    server = "http://127.0.0.1:5055/#/experiments"
    assert listed[0][0].endswith(("20 % of the data", ": 10 % of the data"))
    assert ("toy: 5 % of the data", pages.link("http://127.0.0.1:5055", toy.experiment_id, "dkd-scale-5")) in listed
    assert all(url.startswith(server) for _, url in listed)
