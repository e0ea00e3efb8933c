"""How good a teacher is on the test set, and what may help one from elsewhere that is not good enough."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from harness.data.dataset import Dataset
from harness.engine.evaluate import Evaluator
from harness.store.records import Normalisation
from harness.teachers import normalisation
from harness.teachers.normalised import normalised
from harness.terminal import say


@dataclass(frozen=True)
class Measured:
    """A teacher's metric, and what it has to reach, in percent."""

    value: float
    floor: float
    advice: str
    """What to do if it does not reach that."""


def measure(
    name: str,
    network: nn.Module,
    dataset: Dataset,
    device: torch.device,
    *,
    own: Normalisation | None,
    floor: float | None,
    imported: bool,
) -> Measured:
    """Measure a network that takes inputs normalised by ``own``, or by the task's (None).

    Args:
        name: whose words these are.
        network: as it was trained, on ``device``.
        dataset: whose test set is used.
        device: where it is measured.
        own: its normalisation.
        floor: percent; None for what chance may give.
        imported: whether it was trained elsewhere: if it is below its floor, other normalisations are tried.
    """
    evaluator = Evaluator(dataset, normalised(network, dataset.task, own), device)
    floor = evaluator.chance if floor is None else floor
    advice = "look at its recipe, or set the floor: --set floor=0"
    if imported and evaluator.teacher < floor:
        say(f"{name}: {evaluator.teacher:.2f} % on the test set; measuring what other normalisations would give")
        advice = f"--set floor=0 takes it as it is\n  {_otherwise(network, evaluator, own)}"
    return Measured(evaluator.teacher, floor, advice)


def _otherwise(network: nn.Module, evaluator: Evaluator, own: Normalisation | None) -> str:
    """What the network would reach with inputs normalised by other known constants, the best first."""
    found = {
        name: evaluator(normalised(network, evaluator.task, other)).metric
        for name, other in normalisation.others(evaluator.task, own)
    }
    (best, value), *rest = sorted(found.items(), key=lambda item: -item[1])
    return f"with --normalisation {best} it would be {value:.2f} %" + "".join(f", {name} {v:.2f} %" for name, v in rest)
