"""Trains a teacher, from its beginning or from its last checkpoint."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from harness.data.dataset import Dataset, nested_subset
from harness.data.recipe import Recipe
from harness.engine import checkpoint
from harness.engine.randomness import Streams, global_randomness
from harness.errors import ConfigError
from harness.store.layout import TeacherFolder
from methods.base.schedule import decay
from methods.base.task import RealImages, ignored
from methods.parts.images import Normaliser
from methods.parts.optimizers import set_learning_rate
from methods.parts.views import Views, random_windows

CHECKPOINT_SECONDS = 60.0
PARTS = 40
"""Epochs of a training that is given in steps, at most: equal parts of it, after which the rate falls and a line is
told."""


class Fit:
    """One network in training.

    Args:
        network: freshly initialised, on ``device``.
        dataset: its training part is used, its test part never.
        recipe: how.
        device: where everything lives.
        file: of the checkpoint.
        origin: what the network is made of; a checkpoint of another origin is not gone on from.
    """

    def __init__(
        self, network: nn.Module, dataset: Dataset, recipe: Recipe, device: torch.device, file: Path, origin: str
    ) -> None:
        self.network, self.recipe, self.device, self.file = network.train(), recipe, device, file
        self.task, self.real = dataset.task, _on(device, dataset, recipe)
        self.streams = Streams(recipe.seed, device)
        self.optimizer = torch.optim.SGD(
            network.parameters(), recipe.lr, momentum=recipe.momentum, weight_decay=recipe.weight_decay
        )
        self.normalise = Normaliser(self.task, device)
        self.views = Views.of(self.task)
        self.epochs = recipe.epochs or min(PARTS, recipe.steps or 0)
        self.epoch, self.seconds = 0, 0.0
        teacher = TeacherFolder(file.parent)
        trained = {name: value for name, value in recipe.given.items() if name != "floor"}
        self._identity = f"{teacher.dataset}/{teacher.name}, data {dataset.identity}, {origin}, {trained}"

    def run(self, report: Callable[[str], object]) -> nn.Module:
        """All remaining epochs; returns the network in evaluation mode."""
        self._resume(report)
        saved = time.monotonic()
        while self.epoch < self.epochs:
            start = time.perf_counter()
            loss = self._train_epoch()
            self.seconds += time.perf_counter() - start
            self.epoch += 1
            left = self.seconds / self.epoch * (self.epochs - self.epoch)
            part = "part" if self.recipe.steps else "epoch"
            report(f"{part} {self.epoch}/{self.epochs}, loss {loss:.4f}, {left:.0f} s left")
            if time.monotonic() - saved >= CHECKPOINT_SECONDS or self.epoch == self.epochs:
                self._save()
                saved = time.monotonic()
        return self.network.eval()

    def _train_epoch(self) -> float:
        """One pass over the images, or an equal part of the recipe's steps; returns the mean loss."""
        random = self.streams.random("teacher", self.epoch)
        share = decay(self.epoch, self.epochs, self.recipe.milestones)
        set_learning_rate(self.optimizer, self.recipe.lr * share)
        batches = self._batches(random)
        total = torch.zeros((), device=self.device)
        with global_randomness(random):
            for slots in batches:
                total += self._step(*self._batch(slots, random)) * len(slots)
        return float(total / sum(map(len, batches)))

    def _batches(self, random: torch.Generator) -> list[Tensor]:
        """Numbers of images, batch by batch; in an epoch or a part every image comes once before one comes again."""
        n, batch, steps = len(self.real.images), self.recipe.batch, self.recipe.steps
        if steps is None:
            batches = torch.randperm(n, generator=random, device=self.device).split(batch)
            # Batch norm has nothing to normalise over a single image: the one that is left has its turn next time.
            return [slots for slots in batches if len(slots) > 1 or min(batch, n) == 1]
        batch = min(batch, n)
        needed = batch * ((self.epoch + 1) * steps // self.epochs - self.epoch * steps // self.epochs)
        passes = [torch.randperm(n, generator=random, device=self.device) for _ in range(-(-needed // n))]
        return list(torch.cat(passes)[:needed].split(batch))

    def _step(self, x: Tensor, labels: Tensor) -> Tensor:
        loss = focal_loss(self.network(x), labels, self.recipe.focal)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def _batch(self, slots: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Augmented inputs and labels: padded crops, or windows of images larger than the task's."""
        images, labels = self.real.images[slots], self.real.labels[slots]
        if not self.task.dense:
            return self.normalise(self.views.augment(images.float() / 255, random)), labels
        images, labels = random_windows(images, labels, self.task.shape[1:], self.task.flip, random)
        return self.normalise(images.float() / 255), labels.long()

    def _save(self) -> None:
        state = {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()}
        checkpoint.save(self.file, {**state, "epoch": self.epoch, "seconds": self.seconds, "training": self._identity})

    def _resume(self, report: Callable[[str], object]) -> None:
        state = checkpoint.load(self.file, self.device)
        if state is None or state.get("training") != self._identity:
            return
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.epoch, self.seconds = state["epoch"], state["seconds"]
        report(f"resumed after epoch {self.epoch}")


def focal_loss(logits: Tensor, labels: Tensor, gamma: float) -> Tensor:
    """mean((1 - p_y)^γ · cross entropy), 0-dim; ignored pixels count 0 but stay in the mean, as in DFAD's code.

    Args:
        logits: [B, classes] or [B, classes, H, W].
        labels: int64 [B] or [B, H, W].
        gamma: 0 is the plain cross entropy.
    """
    loss = F.cross_entropy(logits, labels, reduction="none", ignore_index=ignored(labels))
    return (loss if not gamma else (1 - (-loss).exp()) ** gamma * loss).mean()


def _on(device: torch.device, dataset: Dataset, recipe: Recipe) -> RealImages:
    real = dataset.train()
    if recipe.images is not None:
        if recipe.images > len(real.images):
            raise ConfigError("recipe.images", f"{recipe.images}: there are {len(real.images)} training images")
        real = nested_subset(real, recipe.images)
    return RealImages(real.images.to(device), real.labels.to(device))
