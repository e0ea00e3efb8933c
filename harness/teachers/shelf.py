"""The shelf of trained teachers: what is kept there, and whether it is still what its record says.

Importing this module does not import torch; `load` and `put` do.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness import networks
from harness.errors import UserError
from harness.machine import facts
from harness.store import atomic, reading
from harness.store.checksums import sha256
from harness.store.layout import Results, TeacherFolder
from harness.store.records import TeacherRecord

if TYPE_CHECKING:
    import torch
    from torch import nn

    from harness.data.dataset import Dataset
    from harness.data.recipe import Recipe
    from methods.base.task import Task


def find(folder: TeacherFolder) -> TeacherRecord:
    """The record of a teacher. Raises UserError with the command that trains one if there is none."""
    if not folder.record.exists():
        train = f"train it: dkd train-teacher {folder.dataset} {folder.network}"
        raise UserError(f"{folder.record}: no teacher; {train}")
    return reading.read(folder.record, TeacherRecord)


def verify(folder: TeacherFolder, record: TeacherRecord) -> None:
    """Raise UserError if the weights are missing or not the record's, or if the teacher is below its floor."""
    again = f"train it again: dkd train-teacher {folder.dataset} {folder.network} --replace"
    if not folder.weights.exists():
        raise UserError(f"{folder.weights}: missing, though its record is there; {again}")
    found = sha256(folder.weights)
    if found != record.sha256:
        raise UserError(f"{folder.weights}: sha256 is {found}, {folder.record.name} says {record.sha256}; {again}")
    check_floor(f"{folder.record}: teacher", record.value, record.floor, again)


def load(folder: TeacherFolder, record: TeacherRecord, task: Task, device: torch.device) -> nn.Module:
    """The teacher's network, in evaluation mode. Raises UserError if it is not intact or taught something else."""
    verify(folder, record)
    if (record.dataset, record.network) != (folder.dataset, folder.network):
        raise UserError(
            f"{folder.record}: a teacher {record.network} on {record.dataset}, which cannot teach here; "
            f"train one: dkd train-teacher {folder.dataset} {folder.network} --replace"
        )
    from harness.networks.weights import load_weights

    return load_weights(networks.for_task(folder.network, task), folder.weights).to(device).eval()


def put(
    folder: TeacherFolder,
    model: nn.Module,
    dataset: Dataset,
    device: torch.device,
    recipe: Recipe,
    *,
    seconds: float = 0.0,
    imported: str | None = None,
) -> TeacherRecord:
    """Measure a teacher and keep it; ``imported`` is the sha256 of the file it comes from.

    Raises UserError if it is below its floor.
    """
    from harness.engine.evaluate import measure, metric_name
    from harness.networks.weights import save_weights

    value = measure(model, dataset, device)
    advice = "nothing was stored; look at its recipe, or set the floor"
    check_floor(f"teacher {folder.dataset}/{folder.network}", value, recipe.floor, advice)
    save_weights(model, folder.weights)
    record = TeacherRecord(
        dataset=folder.dataset,
        network=folder.network,
        sha256=sha256(folder.weights),
        metric=metric_name(dataset.task),
        value=value,
        floor=recipe.floor,
        recipe=recipe.model_dump() if imported is None else {"imported": imported},
        seconds=seconds,
        parameters=sum(p.numel() for p in model.parameters()),
        versions=facts.versions(),
        finished=facts.now(),
        data_verified=dataset.verified,
    )
    atomic.write(folder.record, record)
    return record


def borrow(dataset: str, network: str, *, source: Path, target: Path) -> None:
    """Copy a teacher from one results folder to another, if it is there."""
    theirs, ours = (Results(path).teacher(dataset, network) for path in (source, target))
    if theirs.record.exists():
        atomic.copy(theirs.weights, ours.weights)  # the record last, since it vouches for the weights
        atomic.copy(theirs.record, ours.record)


def check_floor(name: str, value: float, floor: float, advice: str) -> None:
    """Raise UserError if a teacher's metric, percent, is below its floor."""
    if value < floor:
        raise UserError(f"{name}: {value:.2f} % is below its floor of {floor:.2f} %; {advice}")
