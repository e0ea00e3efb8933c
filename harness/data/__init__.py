"""Datasets by name, and one's own images by their description. Listing them needs no torch; `load` does.

A file of this folder registers its datasets: its dictionary DATASETS maps names to functions of (folder, verify). The
images lie in the folder ``data``, or in the one that the environment variable DKD_DATA names: what `dkd prepare NAME`
downloads or makes, or what was there before (docs/add-a-dataset.md).
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from harness.data import identity
from harness.data.catalogue import folder, names, places, source
from harness.data.own import OwnData
from harness.errors import UserError

if TYPE_CHECKING:
    from harness.data.dataset import Dataset
    from methods.base.task import RealImages, Task

__all__ = ["folder", "load", "names", "source"]


def load(dataset: str | OwnData, verify: bool = True) -> Dataset:
    """A dataset: its description at once, its images when asked for, which are checked against its Task then.

    Args:
        dataset: one of `names`, or one's own images, which are read at once where they say what their Task is.
        verify: whether files must have their official checksums.

    Raises UserError if its Task makes no sense, or if one's own images cannot be used.
    """
    from harness.data import contract

    if isinstance(dataset, OwnData):
        made = _own(dataset)
    else:
        made = importlib.import_module(f"harness.data.{source(dataset).stem}").DATASETS[dataset](folder(), verify)
    verified = identity.verified(dataset, verify)
    contract.check_task(str(dataset), made.task)
    return dataclasses.replace(
        made,
        train=partial(_read, dataset, "training", made.task, made.train),
        test=partial(_read, dataset, "test", made.task, made.test),
        verified=verified,
        own=dataset if isinstance(dataset, OwnData) else None,
        identity=identity.of(dataset, verified),
    )


def _own(own: OwnData) -> Dataset:
    from harness.data import own_copy, own_dataset

    read = partial(own_copy.read, own)
    return own_dataset.dataset(own, read()) if own.trained else own_dataset.told(own, read)


def _read(dataset: str | OwnData, part: str, task: Task, read: Callable[[], RealImages]) -> RealImages:
    from harness.data import contract

    real = read()
    contract.check_images(str(dataset), part, real, task)
    if isinstance(dataset, str) and identity.contents(dataset, verify=False) is None:
        there = ", ".join(str(folder() / place) for place in places(dataset))
        raise UserError(
            f"dataset {dataset}: its images come from elsewhere than {there}, so nobody would notice when they change\n"
            f"  say in {source(dataset)} where they lie: FILES = {{{dataset!r}: [a folder or file below {folder()}]}}; "
            "[] if its code makes them"
        )
    return real
