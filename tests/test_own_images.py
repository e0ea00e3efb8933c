"""A folder of one's own, from the first look to the report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harness.commands import doctor, status, stored, validate, verify
from harness.data import identity, own_copy, prepare
from harness.grid import grid
from harness.grid.cell import Cell
from harness.reporting.report import render
from harness.run.runner import run_cell
from harness.store import checking
from harness.store.layout import Results
from harness.store.records import Metrics
from harness.teachers import train
from tests.pictures import CLASSES, draw, pixels

STUDY = """\
study: mine
dataset: {name: shapes, folder: pictures}
device: cpu
pairs: [{teacher: cnn3_16, student: cnn3_16}]
scales: [100]
seeds: [0]
budget: {steps: 60, epochs: 2, batch: 16}
methods: {kd-real: {}}
"""


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DKD_DATA", str(tmp_path / "data"))
    draw(tmp_path / "pictures", range(20))
    (tmp_path / "mine.yaml").write_text(STUDY, encoding="utf-8")
    forget()
    return tmp_path / "mine.yaml"


def forget() -> None:
    identity.forget()
    own_copy._of.cache_clear()


def state(study: Path, results: Path) -> status.CellStatus:
    forget()
    (found,) = status.of_grid(grid.load_grid(study).cells, results)
    return found


def test_a_folder_from_the_first_look_to_the_report(study: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    said: list[str] = []
    prepare.prepare(grid.find_dataset("shapes", study), report=said.append)
    assert [f"shapes: {label}: 16 to train, 4 to test" for label in CLASSES] == said[:3]
    assert "48 + 12 images of 8 × 8, RGB" in said[3]
    validate.validate(study, said.append)

    cell = _trained(study, results)
    metrics = run_cell(cell, results=results)
    assert (metrics.status, metrics.data_verified) == ("done", "by your hash")
    assert metrics.class_names == list(CLASSES)
    assert state(study, results).state == "done"
    _shown(results, metrics, tmp_path / "reports")

    (tmp_path / "pictures").rename(tmp_path / "moved")
    study.write_text(STUDY.replace("pictures", "moved"), encoding="utf-8")
    assert state(study, results).state == "done"
    image = pixels("dot", 0)
    image[0, 0] ^= 1
    Image.fromarray(np.asarray(image)).save(tmp_path / "moved" / "dot" / "0.png")
    found = state(study, results)
    assert found.state == "stale"
    assert "its teacher must be trained again: it learned from other data: the images of shapes" in found.detail
    assert "the dataset's files changed" in found.detail


def _trained(study: Path, results: Path) -> Cell:
    """The cell, after its teacher was trained by the default recipe."""
    (cell,) = grid.load_grid(study).cells
    record = train.train(cell.data, "cnn3_16", results=results, report=lambda _: None)
    assert (record.recipe["steps"], record.data_verified) == (1000, "by your hash")
    assert record.value > 90
    assert record.own is not None
    return cell


def _shown(results: Path, metrics: Metrics, reports: Path) -> None:
    """What reports and commands say of the images."""
    (outcome,) = verify.verify(results)
    assert outcome.state == "verified", outcome.detail
    page = render(results, reports)[-1].read_text(encoding="utf-8")
    assert "Classes: bar, dot, frame." in page
    assert "shapes, by your hash" in page
    (run,) = stored.runs(results, metrics.key)
    manifest = checking.evidence(run, metrics).manifest
    assert manifest.data is not None
    assert manifest.data[:12] in page
    checks = {check.what: check.found for check in doctor.datasets(results)}
    assert checks["shapes"] == "complete; your own, known by your hash alone"
    assert checking.teacher(Results(results).teacher("shapes", "cnn3_16")).dataset == "shapes"
