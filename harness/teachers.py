"""Teachers: trained once per dataset and network, known by the sha256 of their weights, never retrained silently."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from harness import data, gpus, networks, provenance, records, storage
from harness.assemble import build_network, choose_device, load_weights, save_weights
from harness.data.dataset import Dataset
from harness.errors import UserError
from harness.evaluate import measure, metric_name
from harness.fit import Fit
from harness.foreign import load_foreign
from harness.recipes import Recipe, recipe_for
from harness.records import TeacherRecord
from harness.rng import Streams


def folder(results: Path, dataset: str, network: str) -> Path:
    """Where a teacher lives."""
    return results / "teachers" / dataset / network


def train(
    dataset: str,
    network: str,
    *,
    results: Path,
    replace: bool = False,
    changes: Mapping[str, Any] | None = None,
    backbone: Path | None = None,
    verify_data: bool = True,
    report: Callable[[str], object] = print,
) -> TeacherRecord:
    """Train a teacher, unless there is one already; a training that was stopped goes on from its checkpoint.

    Args:
        dataset: what to train on.
        network: what to train.
        results: where teachers live.
        replace: train anew even if there is one.
        changes: fields of the recipe that shall differ.
        backbone: file with ImageNet weights, for networks that can start from some.
        verify_data: whether the dataset's files must have their official checksums.
        report: takes lines for the person.

    Raises UserError if the teacher ends below its floor, which it then is not stored, or if an existing one is damaged.
    """
    place = folder(results, dataset, network)
    if not replace and (place / "teacher.json").exists():
        return verify(place)
    recipe = recipe_for(dataset, network, changes or {})
    torch.set_num_threads(1)  # the thread count changes the last bits, and so the sha256
    if cards := gpus.visible():
        gpus.lease(cards, name=f"teacher {dataset}/{network}")
    loaded, device = data.load(dataset, verify_data), choose_device("auto")
    model = Streams(recipe.seed, device).build("teacher-init", lambda: start(network, loaded, backbone))
    fit = Fit(model, loaded, recipe, device, place / "training.pt")
    fit.run(lambda line: report(f"teacher {dataset}/{network}: {line}"))
    record = store(place, model, loaded, device, recipe, fit.seconds, (dataset, network))
    fit.file.unlink(missing_ok=True)
    report(f"teacher {dataset}/{network}: {record.value:.2f} % in {fit.seconds:.0f} s")
    return record


def take(
    dataset: str,
    network: str,
    file: Path,
    *,
    renamings: Sequence[str] = (),
    results: Path,
    replace: bool = False,
    changes: Mapping[str, Any] | None = None,
    verify_data: bool = True,
) -> TeacherRecord:
    """Store a checkpoint that was trained elsewhere as the teacher, after measuring it.

    Raises UserError if there is a teacher already, if the file does not fit, or if it is below its floor.
    """
    place = folder(results, dataset, network)
    if not replace and (place / "teacher.json").exists():
        raise UserError(
            f"{place}: there is a teacher already; --replace takes the new one, and its results become stale"
        )
    recipe = recipe_for(dataset, network, changes or {})
    loaded, device = data.load(dataset, verify_data), choose_device("auto")
    model = load_foreign(build_network(network, loaded), file, renamings).to(device).eval()
    return store(place, model, loaded, device, recipe, 0.0, (dataset, network), storage.sha256(file))


def start(network: str, dataset: Dataset, backbone: Path | None) -> nn.Module:
    """A fresh network, its backbone from a file if one is given. Raises UserError if the file does not fit."""
    model = build_network(network, dataset)
    if backbone is not None:
        try:
            networks.load_backbone(network, model, backbone)
        except (OSError, ValueError) as error:
            raise UserError(f"--backbone {backbone}: {error}") from None
    return model


def store(
    place: Path,
    model: nn.Module,
    dataset: Dataset,
    device: torch.device,
    recipe: Recipe,
    seconds: float,
    name: tuple[str, str],
    imported: str | None = None,
) -> TeacherRecord:
    """Measure a teacher and write weights and record; ``imported`` is the sha256 of the file it comes from.

    Raises UserError if it is below its floor.
    """
    value = measure(model, dataset.task, dataset.test(), device)
    advice = "nothing was stored; look at its recipe, or set the floor"
    _check_floor(f"teacher {'/'.join(name)}", value, recipe.floor, advice)
    save_weights(model, place / "teacher.safetensors")
    record = TeacherRecord(
        dataset=name[0],
        network=name[1],
        sha256=storage.sha256(place / "teacher.safetensors"),
        metric=metric_name(dataset.task),
        value=value,
        floor=recipe.floor,
        recipe=recipe.model_dump() if imported is None else {"imported": imported},
        seconds=seconds,
        parameters=sum(p.numel() for p in model.parameters()),
        versions=provenance.versions(),
        finished=provenance.now(),
        data_verified=dataset.verified,
    )
    storage.write(place / "teacher.json", record)
    return record


def verify(place: Path) -> TeacherRecord:
    """The record of a stored teacher. Raises UserError if weights are missing, changed, or below the floor."""
    record = records.read(place / "teacher.json", TeacherRecord)
    weights = place / "teacher.safetensors"
    again = f"train it again: dkd train-teacher {record.dataset} {record.network} --replace"
    if not weights.exists():
        raise UserError(f"{weights}: missing, though teacher.json is there; {again}")
    found = storage.sha256(weights)
    if found != record.sha256:
        raise UserError(f"{weights}: sha256 is {found}, teacher.json says {record.sha256}; {again}")
    _check_floor(f"{place}/teacher.json: teacher", record.value, record.floor, again)
    return record


def load(results: Path, dataset: str, network: str, task_of: Dataset, device: torch.device) -> nn.Module:
    """A stored teacher's network, in evaluation mode. Raises UserError if it is not there or not intact."""
    place = folder(results, dataset, network)
    record = verify(place)
    if (record.dataset, record.network) != (dataset, network):
        raise UserError(
            f"{place}/teacher.json: a teacher {record.network} on {record.dataset}, which cannot teach here; "
            f"train one: dkd train-teacher {dataset} {network} --replace"
        )
    return load_weights(build_network(network, task_of), place / "teacher.safetensors").to(device).eval()


def _check_floor(name: str, value: float, floor: float, advice: str) -> None:
    if value < floor:
        raise UserError(f"{name}: {value:.2f} % is below its floor of {floor:.2f} %; {advice}")
