"""Methods from their beginning to their end, and again with a kill in between: engine, evaluator, checkpoints.

Their steps are the same throughout, as a graph needs them. A method with a planted mistake of any kind fails as it
would on a card.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import methods
from harness.commands import contract
from harness.engine.sequence import difference
from tests import small
from tests.methods.test_fixed_sequence import STEPS, make, watched
from tests.pretended.device import DEVICE
from tests.pretended.machine import WatchedClock


@pytest.fixture(autouse=True)
def on_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """The contract test takes the card, and reads nothing in a phase to tell of images that are out of range."""
    monkeypatch.setattr(contract, "CPU", DEVICE)
    monkeypatch.setattr(contract, "_watch_range", lambda method: None)


@pytest.mark.parametrize("name", methods.names())
def test_every_method_goes_on_after_a_kill(name: str) -> None:
    smoke = {"preset": "smoke"} if "smoke" in methods.load(name).presets else {}
    assert contract.contract_problems(name, {**smoke, "steps": 80, "epochs": 2}) == []


@pytest.mark.parametrize("name", [name for name in methods.names() if "smoke" in methods.load(name).presets])
def test_one_step_stands_for_all(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also with the optimizers that a card has, which count and move on it."""
    pair = [made.to(DEVICE) for made in small.agreeing_pair()]
    monkeypatch.setattr(small, "agreeing_pair", lambda: pair)
    monkeypatch.setattr(small, "CPU", DEVICE)
    method, clock = make(name, "smoke"), WatchedClock(DEVICE)
    records = watched(method)
    for index in range(method.schedule.rounds):
        method.round(index, clock)
    assert [difference(records[1], later) for later in records[2:]] == [None] * (STEPS - 2)


METHOD = """
import torch
from methods.references import KDNoise

class Mistaken(KDNoise):
    name = "mistaken"
    def distill_step(self):
        losses = super().distill_step()
        {mistake}
        return losses
"""


@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        ("self.context.student(torch.zeros(8, *self.context.task.shape))", "MixedDevices: convolution takes tensors"),
        ("losses['kd'] = losses['kd'] + torch.ones(1).sum(0, keepdim=True)", "MixedDevices: add takes tensors of"),
        (
            "torch.rand(2, generator=torch.Generator(), device=self.context.device)",
            "MixedDevices: a generator of the host draws for the card",
        ),
        (
            "torch.rand(2, generator=self.context.random('noise'))",
            "MixedDevices: a generator of the card draws for the host",
        ),
        ("losses['kd'].item()", "Waits: _local_scalar_dense in distillation"),
        ("assert losses['kd'] == losses['kd']", "Waits: _local_scalar_dense in distillation"),
        ("losses['kd'] + torch.tensor(1.0, device=self.context.device)", "Waits: _to_copy between host and card in"),
    ],
)
def test_a_planted_mistake_is_caught(mistake: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "mistaken.py"
    file.write_text(METHOD.format(mistake=mistake), encoding="utf-8")
    (problem,) = contract.contract_problems(str(file), {"steps": 40, "epochs": 1, "batch": 8})
    assert problem.startswith(told)
