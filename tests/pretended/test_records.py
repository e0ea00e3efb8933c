"""From a teacher's training to a verified result on the pretended card: all that is kept comes through files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from harness import networks
from harness.commands import verify
from harness.grid import grid, study
from harness.machine import devices, gpus
from harness.run import runner, session
from harness.store.records import Metrics, TeacherRecord, Verification
from harness.teachers import fit, foreign, train
from tests.pretended.device import DEVICE

RECIPE = {"epochs": 3, "floor": 0.0, "batch": 256}
STUDY = """
study: t
dataset: digits
device: auto
pairs: [{teacher: cnn3_16, student: cnn3_16}]
scales: [5]
seeds: [0]
methods: {ssd-kd: {preset: smoke, steps: 80, epochs: 2, batch: 8}}
"""


@pytest.fixture(autouse=True)
def found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bench finds the card, and its records, which know no such device, take it for one of CUDA's."""
    monkeypatch.setattr(gpus, "visible", lambda: [])
    monkeypatch.setattr(devices, "choose_device", lambda wanted: DEVICE)
    monkeypatch.setattr(session, "Metrics", lambda **values: Metrics(**values | {"device": "cuda"}))
    monkeypatch.setattr(verify, "Verification", lambda **values: Verification(**values | {"device": "cuda"}))


def teach(results: Path, report: Any = lambda line: None) -> TeacherRecord:
    return train.train("digits", "cnn3_16", results=results, changes=RECIPE, report=report)


def test_a_training_goes_on_after_a_kill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit, "CHECKPOINT_SECONDS", 0.0)
    said: list[str] = []

    def report(line: str) -> None:
        said.append(line)
        if "epoch 2/3" in line and len(said) < 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        teach(tmp_path / "killed", report)
    whole, resumed = teach(tmp_path / "whole"), teach(tmp_path / "killed", report)
    assert any("resumed after epoch 1" in line for line in said)
    assert (resumed.sha256, resumed.value) == (whole.sha256, whole.value)


def test_a_teacher_from_elsewhere_a_run_and_its_verification(tmp_path: Path) -> None:
    torch.save(networks.build("cnn3_16", 10, 1).state_dict(), tmp_path / "weights.pt")
    foreign.take("digits", "cnn3_16", tmp_path / "weights.pt", results=tmp_path, changes={"floor": 0.0})
    (tmp_path / "t.yaml").write_text(STUDY, encoding="utf-8")
    (cell,) = grid.expand(study.load_study(tmp_path / "t.yaml"))
    found = runner.run_cell(cell, results=tmp_path)
    assert (found.status, found.reason) == ("done", None)
    assert found.flops is not None and found.flops.distillation > 0
    assert found.energy_joules is not None
    assert sum(found.class_counts or []) == found.images
    (outcome,) = verify.verify(tmp_path)
    assert outcome.state == "verified", outcome.detail
