"""Teachers: trained once per dataset and name, known by the sha256 of their weights, never retrained silently."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from harness import code, data, networks
from harness.data.dataset import Dataset
from harness.data.own import OwnData
from harness.data.recipe import Recipe
from harness.engine import compiler, evaluate, precision
from harness.engine.randomness import Streams
from harness.errors import UserError
from harness.machine.devices import lease_device
from harness.networks.forward import check_answer
from harness.store.checksums import sha256
from harness.store.layout import Results, TeacherFolder
from harness.store.records import TeacherRecord
from harness.teachers import contents, shelf, unwrap
from harness.teachers.fit import Fit
from harness.terminal import say
from methods.base.names import network_name, teacher_name

BUILDS = ("harness.networks", "methods")
"""Imports of modules below these are followed where a network's code is asked for."""


def train(
    dataset: str | OwnData,
    network: str,
    *,
    name: str | None = None,
    results: Path,
    replace: bool = False,
    changes: Mapping[str, Any] | None = None,
    backbone: Path | None = None,
    verify_data: bool = True,
    report: Callable[[str], object] = say,
) -> TeacherRecord:
    """Train a teacher, unless there is one already; a training that was stopped goes on from its checkpoint.

    Args:
        dataset: what to train on: the name of a dataset, or one's own images.
        network: what to train.
        name: what tells it from other teachers of this network; with one, something must differ from the usual.
        results: where teachers live.
        replace: train anew even if there is one.
        changes: fields of the recipe that shall differ.
        backbone: file with ImageNet weights, for networks that can start from some.
        verify_data: whether the dataset's files must have their official checksums.
        report: takes lines for the person.

    Raises UserError if the teacher ends below its floor and is not stored, or if an existing one is damaged.
    """
    folder = Results(results).teacher(str(dataset), teacher_name(network_name(network), name))
    loaded = data.load(dataset, verify_data)
    recipe = loaded.teachers.recipe_for(network, changes or {})
    if backbone:
        contents.check("--backbone", backbone)
    if not replace and folder.record.exists():
        return _known(folder, loaded.own, report)
    if name and not (changes or backbone):
        raise UserError(
            f"{folder.path}: no teacher, and one with a name is not trained like those without\n"
            f"  {shelf.how_to_make(folder, network)}, or train it otherwise: --set KEY=VALUE"
        )
    for note in loaded.notes:
        report(f"{dataset}: {note}")
    evaluate.check(loaded)
    with shelf.alone(folder, report):
        # Asked again under the lock: the process that held it until now may have trained this very teacher.
        if not replace and folder.record.exists():
            return _known(folder, loaded.own, report)
        return _trained(folder, network, loaded, recipe, backbone, report)


def _known(folder: TeacherFolder, own: OwnData | None, report: Callable[[str], object]) -> TeacherRecord:
    """The teacher that is there. Raises UserError if it is damaged."""
    record = shelf.find(folder, own=own)
    shelf.verify(folder, record)
    report(f"teacher {folder.dataset}/{folder.name}: there already, {record.value:.2f} %; --replace makes it anew")
    return record


def _trained(
    folder: TeacherFolder,
    network: str,
    dataset: Dataset,
    recipe: Recipe,
    backbone: Path | None,
    report: Callable[[str], object],
) -> TeacherRecord:
    """Train it, or go on from its checkpoint, and put it on the shelf. Raises UserError if it is below its floor."""
    title = f"teacher {folder.dataset}/{folder.name}"
    compiler.defer()
    precision.apply()
    torch.set_num_threads(1)  # the thread count changes the last bits, and so the sha256
    device = lease_device("auto", title)
    model = Streams(recipe.seed, device).build("teacher-init", lambda: _start(network, dataset, backbone, report))
    fit = Fit(model, dataset, recipe, device, folder.training, _origin(network, backbone))
    fit.run(lambda line: report(f"{title}: {line}"))
    record = shelf.put(folder, network, model, dataset, device, recipe, seconds=fit.seconds)
    fit.file.unlink(missing_ok=True)
    report(f"{title}: {record.value:.2f} % in {fit.seconds:.0f} s")
    return record


def _origin(network: str, backbone: Path | None) -> str:
    """What a fresh network is made of: hashes of its code, and of the file that its backbone comes from."""
    starts = [file for file in (networks.source(network), networks.file(network)) if file]
    files = {found for start in starts for found in code.closure(start, BUILDS)}
    start = sha256(backbone) if backbone else "none"
    return f"{network} of {sorted(code.hashes(files).values())}, backbone {start}"


def _start(network: str, dataset: Dataset, backbone: Path | None, report: Callable[[str], object]) -> nn.Module:
    """A fresh network, its backbone from a file if one is given. Raises UserError if the file does not fit."""
    model = networks.for_task(network, dataset.task)
    check_answer(model, network, dataset.task)
    if backbone is not None:
        try:
            weights = unwrap.weights_in(contents.read(backbone), None, lambda line: report(f"{backbone}: {line}"))
            networks.load_backbone(network, model, weights)
        except (UserError, ValueError) as error:
            raise UserError(f"--backbone {backbone}: {error}") from None
    return model
