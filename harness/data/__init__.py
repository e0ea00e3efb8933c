"""Datasets by name. Listing them needs no torch; `load` does.

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
from harness.data.catalogue import folder, names, official, places, source
from harness.errors import UserError

if TYPE_CHECKING:
    from harness.data.dataset import Dataset
    from methods.base.task import RealImages, Task

__all__ = ["folder", "load", "names", "source"]


def load(name: str, verify: bool = True) -> Dataset:
    """A dataset: its description at once, its images when asked for, which are checked against its Task then.

    Args:
        name: one of `names`.
        verify: whether files must have their official checksums.

    Raises UserError if its Task makes no sense.
    """
    from harness.data import contract

    made: Dataset = importlib.import_module(f"harness.data.{source(name).stem}").DATASETS[name](folder(), verify)
    contract.check_task(name, made.task)
    verified = verify and official(name)
    return dataclasses.replace(
        made,
        train=partial(_read, name, "training", made.task, made.train),
        test=partial(_read, name, "test", made.task, made.test),
        verified=verified,
        identity=identity.of(name, verified),
    )


def _read(name: str, part: str, task: Task, read: Callable[[], RealImages]) -> RealImages:
    from harness.data import contract

    real = read()
    contract.check_images(name, part, real, task)
    if identity.contents(name, verify=False) is None:
        there = ", ".join(str(folder() / place) for place in places(name))
        raise UserError(
            f"dataset {name}: its images come from elsewhere than {there}, so nobody would notice when they change\n"
            f"  say in {source(name)} where they lie: FILES = {{{name!r}: [a folder or file below {folder()}]}}; "
            "[] if its code makes them"
        )
    return real
