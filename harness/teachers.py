"""Teachers: trained once per dataset and network, known by the sha256 of their weights, never retrained silently."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from harness import data, gpus, provenance, records, storage
from harness.assemble import build_network, choose_device, load_weights, save_weights
from harness.data.dataset import Dataset
from harness.errors import ConfigError, UserError
from harness.evaluate import measure, metric_name
from harness.records import TeacherRecord
from harness.rng import Streams
from methods.parts.augment import Views
from methods.parts.images import Normaliser
from methods.parts.schedule import half_cosine


@dataclass(frozen=True)
class Recipe:
    """SGD with cosine learning rate, random crops, cross entropy."""

    epochs: int
    batch: int
    lr: float
    weight_decay: float
    floor: float
    """A teacher below this top-1 accuracy, percent, is refused."""
    momentum: float = 0.9
    seed: int = 0


RECIPES = {
    "digits": Recipe(epochs=40, batch=128, lr=0.1, weight_decay=5e-4, floor=98.5),
    "digits-tuning": Recipe(epochs=40, batch=128, lr=0.1, weight_decay=5e-4, floor=98.0),
}
"""By dataset. The digits' are our choice."""


def folder(results: Path, dataset: str, network: str) -> Path:
    """Where a teacher lives."""
    return results / "teachers" / dataset / network


def train(
    dataset: str, network: str, *, results: Path, replace: bool = False, report: Callable[[str], object] = print
) -> TeacherRecord:
    """Train a teacher, unless there is one already; ``replace`` trains anew.

    Raises UserError if the teacher ends below its floor, which it then is not stored, or if an existing one is damaged.
    """
    place = folder(results, dataset, network)
    if not replace and (place / "teacher.json").exists():
        return verify(place)
    recipe = _recipe(dataset)
    torch.set_num_threads(1)  # the thread count changes the last bits, and so the sha256
    if cards := gpus.visible():
        gpus.lease(cards, name=f"teacher {dataset}/{network}")
    loaded, device = data.load(dataset), choose_device("auto")
    started = time.perf_counter()
    model = fit(network, loaded, recipe, device, report)
    seconds = time.perf_counter() - started
    value = measure(model, loaded.task, loaded.test(), device)
    _check_floor(f"teacher {dataset}/{network}", value, recipe.floor, "nothing was stored; look at its recipe")
    save_weights(model, place / "teacher.safetensors")
    record = TeacherRecord(
        dataset=dataset,
        network=network,
        sha256=storage.sha256(place / "teacher.safetensors"),
        metric=metric_name(loaded.task),
        value=value,
        floor=recipe.floor,
        recipe=asdict(recipe),
        seconds=seconds,
        parameters=sum(p.numel() for p in model.parameters()),
        versions=provenance.versions(),
        finished=provenance.now(),
    )
    storage.write(place / "teacher.json", record)
    report(f"teacher {dataset}/{network}: {value:.2f} % in {seconds:.0f} s")
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
    verify(place)
    return load_weights(build_network(network, task_of), place / "teacher.safetensors").to(device).eval()


def fit(
    network: str, dataset: Dataset, recipe: Recipe, device: torch.device, report: Callable[[str], object]
) -> nn.Module:
    """Train ``network`` from scratch on the training part; returns it in evaluation mode."""
    streams, task, real = Streams(recipe.seed, device), dataset.task, dataset.train()
    images, labels = real.images.to(device), real.labels.to(device)
    views = Views(task.shape[1], task.shape[2], task.pad, task.flip)
    normalise = Normaliser(task, device)
    model = streams.build("teacher-init", lambda: build_network(network, dataset)).train()
    optimizer = torch.optim.SGD(
        model.parameters(), recipe.lr, momentum=recipe.momentum, weight_decay=recipe.weight_decay
    )
    for epoch in range(recipe.epochs):
        optimizer.param_groups[0]["lr"] = recipe.lr * half_cosine(epoch, recipe.epochs)
        generator = streams.generator("teacher", epoch)
        order = torch.randperm(len(images), generator=generator, device=device)
        loss = torch.zeros((), device=device)
        for slots in order.split(recipe.batch):
            x = normalise(views.augment(images[slots].float() / 255, generator))
            loss = F.cross_entropy(model(x), labels[slots])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        report(f"teacher {network}: epoch {epoch + 1}/{recipe.epochs}, loss {loss.item():.4f}")
    return model.eval()


def _recipe(dataset: str) -> Recipe:
    if dataset not in RECIPES:
        raise ConfigError(dataset, "no recipe for a teacher on this dataset", dataset, RECIPES)
    return RECIPES[dataset]


def _check_floor(name: str, value: float, floor: float, advice: str) -> None:
    if value < floor:
        raise UserError(f"{name}: {value:.2f} % is below its floor of {floor:.2f} %; {advice}")
