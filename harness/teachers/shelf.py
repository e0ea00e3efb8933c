"""The shelf of trained teachers: what is kept there, and whether it is still what its record says.

Importing this module does not import torch; `load` and `put` do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from harness import networks
from harness.data import identity
from harness.data.own import OwnData
from harness.errors import UserError
from harness.machine import facts
from harness.store import atomic, checking, occupancy
from harness.store.checksums import sha256
from harness.store.layout import Results, TeacherFolder
from harness.store.records import Imported, Normalisation, TeacherRecord
from harness.teachers import public
from harness.terminal import say

if TYPE_CHECKING:
    import torch
    from torch import nn

    from harness.data.dataset import Dataset
    from harness.data.recipe import Recipe
    from methods.base.task import Task


FLIPS = 2
"""Test images of which a teacher may think otherwise on another device: sums are added in another order there. Our
choice, as the next."""
ROUNDING = 0.1
"""The same in percent, where test images are many."""


class Replaced(UserError):
    """Another teacher stands where this one stood when it was asked for."""


def find(folder: TeacherFolder, network: str | None = None, own: OwnData | None = None) -> TeacherRecord:
    """The record of a teacher. Raises UserError with the command that makes one unless one is there for these data.

    Args:
        folder: of the teacher.
        network: what it is to be, if that is known.
        own: one's own images that it is to have learned from; those that it did learn from if None.
    """
    if not folder.record.exists():
        described = "; --configfile FILE names what describes the images" if own else ""
        raise UserError(f"{folder.record}: no teacher; {how_to_make(folder, network)}{described}")
    record = checking.teacher(folder)
    if reason := identity.outdated(record, own):
        raise UserError(f"{folder.record}: {reason}\n  {again(folder, record)}")
    return record


def how_to_make(folder: TeacherFolder, network: str | None = None) -> str:
    """What to type for a teacher that is not there; ``network`` is what it is of, where that is known."""
    if known := public.named(folder.dataset, folder.name):
        return f"take it: dkd teachers get {known.name}{folder.elsewhere}"
    command = folder.command(network)
    made = f"take it from a file: {command} --import FILE" if folder.own else f"train it: {command}"
    return f"{made}{folder.elsewhere}"


def again(folder: TeacherFolder, record: TeacherRecord) -> str:
    """What to type for a teacher that is there and shall be made anew."""
    known = public.named(folder.dataset, folder.name)
    if known and record.imported and record.imported.source:
        return f"take it again: dkd teachers get {known.name} --replace{folder.elsewhere}"
    described = " --configfile FILE" if record.own else ""
    command = f"{folder.command(record.network)} --replace{described}"
    if record.imported:
        return f"take it again: {command} --import {record.imported.file}{folder.elsewhere}"
    return f"train it again, with the --set of before, if any: {command}{folder.elsewhere}"


@contextmanager
def alone(folder: TeacherFolder, report: Callable[[str], object]) -> Iterator[None]:
    """Hold the teacher's lock, waiting while another process does, and tidy up behind those that were killed."""
    with occupancy.hold(folder.lock, f"teacher {folder.dataset}/{folder.name}", report):
        for file in folder.torn():
            file.unlink()
        yield


def require_current(folder: TeacherFolder, record: TeacherRecord, own: OwnData | None = None) -> None:
    """Raise Replaced if another teacher than the record's stands there by now."""
    now = find(folder, own=own)
    if now.identity != record.identity:
        raise Replaced(
            f"teacher {folder.dataset}/{folder.name} was replaced meanwhile: "
            f"{record.value:.2f} % by {now.value:.2f} %, sha256 {record.identity[:8]} by {now.identity[:8]}"
        )


def verify(folder: TeacherFolder, record: TeacherRecord) -> None:
    """Raise UserError if the weights are missing or not the record's, or if the teacher is below its floor.

    Raises Replaced instead if another teacher, with a record of its own, stands there by now.
    """
    if not folder.weights.exists():
        raise UserError(f"{folder.weights}: missing, though its record is there; {again(folder, record)}")
    found = sha256(folder.weights)
    if found != record.sha256:
        require_current(folder, record)
        raise UserError(
            f"{folder.weights}: sha256 is {found}, {folder.record.name} says {record.sha256}; {again(folder, record)}"
        )
    check_floor(f"{folder.record}: teacher", record.value, record.floor, again(folder, record))


def require_as_recorded(folder: TeacherFolder, record: TeacherRecord, value: float, images: int) -> None:
    """Raise UserError if a teacher is not as good as its record says: equal weights are then another function.

    Args:
        folder: of the teacher.
        record: its record.
        value: what it reaches now, percent.
        images: on how many test images.
    """
    if abs(value - record.value) > max(ROUNDING, 100 * FLIPS / images):
        raise UserError(
            f"{folder.record}: it has {record.value:.2f} %, and {value:.2f} % were measured now: the code of "
            f"{record.network} changed since\n  take that back, or {again(folder, record)}"
        )


def load(folder: TeacherFolder, record: TeacherRecord, task: Task, device: torch.device) -> nn.Module:
    """The teacher's network, in evaluation mode, as it takes the task's inputs.

    Raises UserError if it is not intact or taught something else.
    Raises Replaced if another teacher stands there by now.
    """
    verify(folder, record)
    if (own := record.normalisation) and len(own.mean) != task.shape[0]:
        raise UserError(
            f"{folder.record}: its normalisation has {len(own.mean)} means; images of {record.dataset} have "
            f"{task.shape[0]}; {again(folder, record)}"
        )
    from harness.networks.weights import check_finite, load_weights
    from harness.teachers.normalised import normalised

    network = load_weights(networks.for_task(record.network, task), folder.weights)
    verify(folder, record)  # they may have been replaced between the look and the loading
    check_finite(network, str(folder.weights), again(folder, record))
    return normalised(network.to(device), task, own).eval()


def put(
    folder: TeacherFolder,
    network: str,
    model: nn.Module,
    dataset: Dataset,
    device: torch.device,
    recipe: Recipe,
    *,
    seconds: float = 0.0,
    imported: Imported | None = None,
    own: Normalisation | None = None,
) -> TeacherRecord:
    """Measure a teacher and keep it.

    Args:
        folder: where.
        network: what `harness.networks` builds for it.
        model: that, on ``device``, as it was trained: it takes inputs normalised by ``own``.
        dataset: what it was trained on.
        device: where it is measured.
        recipe: how it was trained, and its floor.
        seconds: how long that took.
        imported: where it comes from, if it was trained elsewhere.
        own: what its inputs are normalised by, if not by the task's mean and deviation.

    Raises UserError if its weights are not finite, or if it is below its floor: without one, no better than chance.
    """
    from harness.engine.evaluate import metric_name
    from harness.machine.devices import device_name
    from harness.networks.weights import check_finite, save_weights
    from harness.teachers.measuring import measure

    name = f"teacher {folder.dataset}/{folder.name}"
    check_finite(model, name, "nothing was stored; a smaller lr may help, if it was trained here")
    found = measure(name, model, dataset, device, own=own, floor=recipe.floor, imported=imported is not None)
    check_floor(name, found.value, found.floor, f"nothing was stored; {found.advice}")
    save_weights(model, folder.staged)
    record = TeacherRecord(
        dataset=folder.dataset,
        name=folder.name,
        network=network,
        sha256=sha256(folder.staged),
        metric=metric_name(dataset.task),
        value=found.value,
        floor=found.floor,
        recipe={} if imported else recipe.given,
        imported=imported,
        seconds=seconds,
        parameters=sum(p.numel() for p in model.parameters()),
        device_name=device_name(device),
        versions=facts.versions(),
        finished=facts.now(),
        data=dataset.identity,
        data_verified=dataset.verified,
        normalisation=own,
        own=dataset.own.model_dump(mode="json", exclude_none=True) if dataset.own else None,
    )
    _place(folder, lambda: atomic.write(folder.record, record))
    return record


def borrow(dataset: str, name: str, *, source: Path, target: Path) -> None:
    """Copy a teacher from one results folder to another, if it is there and not known yet."""
    theirs, ours = (Results(path).teacher(dataset, name) for path in (source, target))
    if not theirs.record.exists() or _equal(theirs.record, ours.record):
        return
    with alone(ours, say):
        if not _equal(theirs.record, ours.record):
            atomic.copy(theirs.weights, ours.staged)
            _place(ours, lambda: atomic.copy(theirs.record, ours.record))


def _place(folder: TeacherFolder, write_record: Callable[[], object]) -> None:
    """Put the staged weights in their place, then their record."""
    # Between the two there is no teacher: whoever is killed here leaves neither weights with the record of others, nor
    # a record with weights of others.
    folder.record.unlink(missing_ok=True)
    atomic.move(folder.staged, folder.weights)
    write_record()


def _equal(one: Path, other: Path) -> bool:
    return other.exists() and one.read_bytes() == other.read_bytes()


def check_floor(name: str, value: float, floor: float, advice: str) -> None:
    """Raise UserError if a teacher's metric, percent, is below its floor."""
    if value < floor:
        raise UserError(f"{name}: {value:.2f} % is below its floor of {floor:.2f} %; {advice}")
