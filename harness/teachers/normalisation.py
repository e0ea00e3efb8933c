"""How the images were normalised that a teacher from elsewhere learned from. Importing this does not import torch.

A teacher's own constants stand in its record; `harness/teachers/normalised.py` converts where the teacher is asked.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import ConfigError, UserError
from harness.explain import brief
from harness.store.records import Normalisation

if TYPE_CHECKING:
    from methods.base.task import Task

TASK = "task"
"""Name of the dataset's own, which every teacher that is trained here learns with."""


@dataclass(frozen=True)
class Known:
    """Constants that people use, for images in [0, 1]: one number for every channel alike, or one each."""

    mean: tuple[float, ...]
    std: tuple[float, ...]
    source: str

    def of(self, channels: int) -> Normalisation | None:
        """For images of so many channels; None if they are for another number."""
        mean, std = (values * channels if len(values) == 1 else values for values in (self.mean, self.std))
        return Normalisation(mean=list(mean), std=list(std)) if len(mean) == channels else None


KNOWN = {
    "imagenet": Known((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), "torchvision's models; akamaster's on CIFAR-10"),
    "cifar10": Known((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010), "kuangliu/pytorch-cifar, CMI, Fast-Datafree"),
    "cifar10-pixels": Known(
        (125.3 / 255, 123.0 / 255, 113.9 / 255),
        (63.0 / 255, 62.1 / 255, 66.7 / 255),
        "szagoruyko/wide-residual-networks, hendrycks/outlier-exposure: the deviation of all pixels",
    ),
    "cifar100": Known((0.5071, 0.4867, 0.4408), (0.2675, 0.2565, 0.2761), "mdistiller, CMI, Fast-Datafree"),
    "half": Known((0.5,), (0.5,), "images in [-1, 1]"),
    "none": Known((0.0,), (1.0,), "images in [0, 1], as torchvision's ToTensor leaves them"),
}
"""Name -> constants."""


@dataclass(frozen=True)
class Asked:
    """What a person says of a teacher's normalisation: a known name, or means and deviations, as texts."""

    name: str | None = None
    mean: str | None = None
    std: str | None = None

    def of(self, dataset: str, task: Task) -> Normalisation | None:
        """The constants, None for the dataset's own. Raises UserError if images of ``dataset`` cannot have them."""
        if not (self.name or self.mean or self.std):
            return None
        if self.name and (self.mean or self.std):
            raise UserError("--normalisation names means and deviations, --mean and --std give them: one or the other")
        found = self._known(dataset, task) if self.name else self._given(dataset, task)
        return None if found == own(task) else found

    def _known(self, dataset: str, task: Task) -> Normalisation:
        name = self.name or ""
        if name == TASK:
            return own(task)
        if name not in KNOWN:
            raise ConfigError(f"--normalisation {brief(name)}", "not known", name, (*KNOWN, TASK))
        if (found := KNOWN[name].of(task.shape[0])) is None:
            channels = len(KNOWN[name].mean)
            raise UserError(f"--normalisation {name}: for images of {channels} channels; {_channels(dataset, task)}")
        return found

    def _given(self, dataset: str, task: Task) -> Normalisation:
        if not (self.mean and self.std):
            raise UserError("--mean and --std belong together: give both, such as --mean .5,.5,.5 --std .5,.5,.5")
        mean, std = _numbers("--mean", self.mean), _numbers("--std", self.std)
        for option, text, values in (("--mean", self.mean, mean), ("--std", self.std, std)):
            if len(values) != task.shape[0]:
                many = "1 number" if len(values) == 1 else f"{len(values)} numbers"
                raise UserError(f"{option} {brief(text)}: {many}; {_channels(dataset, task)}")
        if min(std) <= 0:
            raise UserError(f"--std {brief(self.std)}: a deviation is above 0")
        return Normalisation(mean=mean, std=std)


def own(task: Task) -> Normalisation:
    """The task's."""
    return Normalisation(mean=list(task.mean), std=list(task.std))


def others(task: Task, tried: Normalisation | None) -> Iterator[tuple[str, Normalisation | None]]:
    """The known ones that a task's images can have, by name, but for the one that was tried."""
    seen = [tried or own(task)]
    for name, found in ((TASK, own(task)), *((name, known.of(task.shape[0])) for name, known in KNOWN.items())):
        if found and found not in seen:
            seen.append(found)
            yield name, None if name == TASK else found


def _numbers(option: str, given: str) -> list[float]:
    """Numbers between commas, each in [0, 1]."""
    try:
        values = [float(part) for part in given.split(",")]
    except ValueError:
        raise UserError(f"{option} {brief(given)}: write numbers between commas, such as .485,.456,.406") from None
    if wrong := [value for value in values if not (math.isfinite(value) and 0 <= value <= 1)]:
        hint = ": divide by 255" if all(0 <= value <= 255 for value in values) else ""
        raise UserError(f"{option} {brief(given)}: {wrong[0]:g} is not in [0, 1], as images are here{hint}")
    return values


def _channels(dataset: str, task: Task) -> str:
    channels = task.shape[0]
    return f"images of {dataset} have {'1 channel' if channels == 1 else f'{channels} channels'}"
