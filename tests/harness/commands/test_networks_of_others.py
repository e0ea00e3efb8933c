"""The whole way of a user with networks of torchvision and of a file: validate, train, import, run, list, verify."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torchvision
import yaml

from harness.commands import status, stored, trace, verify
from harness.commands.validate import validate
from harness.errors import UserError
from harness.grid import keys
from harness.grid.cell import Cell
from harness.grid.grid import load_grid
from harness.run.runner import run_cell
from harness.store.layout import Results
from harness.teachers import foreign, train

NETWORK = "torchvision:shufflenet_v2_x0_5"
NETS = """
from torch import nn

def tiny(classes, channels):
    return nn.Sequential(
        nn.Conv2d(channels, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, classes),
    )

def bare(classes, channels):
    return nn.Sequential(
        nn.Conv2d(channels, 8, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, classes)
    )
"""
FREE = {"floor": 0.0}


def write(folder: Path, pairs: list[dict[str, object]], methods: dict[str, dict[str, str]]) -> Path:
    (folder / "nets.py").write_text(NETS, encoding="utf-8")
    study = {"study": "mine", "dataset": "digits", "device": "cpu", "scales": [1], "seeds": [0]}
    budget = {"steps": 200, "epochs": 1, "batch": 8}
    file = folder / "mine.yaml"
    file.write_text(yaml.safe_dump({**study, "pairs": pairs, "methods": methods, "budget": budget}), encoding="utf-8")
    return file


def checkpoint(folder: Path) -> Path:
    model = torchvision.models.get_model("shufflenet_v2_x0_5", num_classes=10)
    model.conv1[0] = torch.nn.Conv2d(1, 24, 3, 2, 1, bias=False)
    torch.save({"state_dict": {f"module.{key}": value for key, value in model.state_dict().items()}}, folder / "a.pth")
    return folder / "a.pth"


def test_from_validation_to_verification(tmp_path: Path) -> None:
    said: list[str] = []
    named = {"network": NETWORK, "name": "theirs"}
    pairs = [{"teacher": NETWORK, "student": "nets.py:tiny"}, {"teacher": named, "student": NETWORK}]
    cells = validate(write(tmp_path, pairs, {"fast": {"preset": "smoke"}}), said.append)
    assert [line for line in said if line.startswith(f"mine.yaml: {NETWORK}: 56 batch-norm layers; features 1024; ")]
    assert [
        line for line in said if line.endswith("nets.py:tiny: 1 batch-norm layers; features 16; stages 8×8×8, 16×4×4")
    ]

    results = tmp_path / "results"
    missing = [cell.detail for cell in status.of_grid(cells, results)]
    assert missing[0] == "its teacher is not trained"
    assert missing[1].endswith(f"dkd train-teacher digits {NETWORK} --name theirs --import FILE --results {results}")
    changes = {**FREE, "epochs": 1, "images": 64}
    trained = train.train("digits", NETWORK, results=results, changes=changes, report=said.append)
    taken = foreign.take("digits", NETWORK, checkpoint(tmp_path), name="theirs", results=results, changes=FREE)
    assert (trained.network, taken.name) == (NETWORK, "torchvision.shufflenet_v2_x0_5+theirs")

    assert [_run(cell, results) for cell in cells] == ["done", "done"]
    assert [cell.state for cell in status.of_grid(cells, results)] == ["done", "done"]
    outcomes = list(verify.verify(results))
    assert [outcome.state for outcome in outcomes] == ["verified", "verified"], outcomes
    (second,) = stored.runs(results, "torchvision.shufflenet_v2_x0_5+theirs--torchvision.shufflenet_v2_x0_5")
    facts = str(list(trace.describe(second)))
    assert "imported from a.pth" in facts
    assert f"student {NETWORK}" in facts

    (tmp_path / "nets.py").unlink()
    assert next(iter(verify.verify(results, "*tiny*"))).detail.startswith("its student is not known here: ")


def _run(cell: Cell, results: Path) -> str:
    return str(run_cell(cell, results=results).status)


@pytest.mark.parametrize("method", ["deepinversion", "dfq", "ssd-kd"])
def test_a_teacher_without_batch_norm_is_refused_by_methods_that_match_it(tmp_path: Path, method: str) -> None:
    said: list[str] = []
    file = write(tmp_path, [{"teacher": "nets.py:bare", "student": "cnn3_16"}], {"mine": {"method": method}})
    with pytest.raises(UserError, match=r"methods\.mine cannot work on nets\.bare → cnn3_16: .*no batch-norm layers"):
        validate(file, said.append)
    assert any("nets.py:bare: no batch norm, so no method can match its statistics" in line for line in said)
    assert not Results(tmp_path / "results").path.exists()


def test_where_none_is_needed_such_a_teacher_is_taken(tmp_path: Path) -> None:
    file = write(tmp_path, [{"teacher": "nets.py:bare", "student": "cnn3_16"}], {"dfad": {}, "kd-noise": {}})
    assert len(validate(file, lambda _: None)) == 2


def test_a_teacher_whose_code_changed_does_not_teach(tmp_path: Path) -> None:
    study = write(tmp_path, [{"teacher": "nets.py:tiny", "student": "cnn3_16"}], {"kd-noise": {}})
    results, nets = tmp_path / "results", tmp_path / "nets.py"
    network = load_grid(study).cells[0].teacher_network
    taught = train.train("digits", network, results=results, changes={**FREE, "epochs": 3}, report=lambda _: None)
    changed = NETS.replace("nn.Conv2d(8, 16, 3, padding=1), nn.ReLU()", "nn.Conv2d(8, 16, 3, padding=1), nn.Tanh()")
    nets.write_text(changed, encoding="utf-8")
    keys.forget()
    with pytest.raises(UserError, match=f"it has {taught.value:.2f} %, and .* the code of .*tiny changed since"):
        _run(load_grid(study).cells[0], results)
    assert not list(results.glob("mine/*/*/*/*/*/metrics.json"))
    nets.write_text(NETS, encoding="utf-8")
    keys.forget()
    assert _run(load_grid(study).cells[0], results) == "done"
