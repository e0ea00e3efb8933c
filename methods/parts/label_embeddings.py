"""What a generator that starts from labels knows of a class: its number, the teacher's weights, chance, or a file."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from methods.base.files import File
from methods.base.method import Context

LabelEmbedding = Literal["one-hot", "classifier", "random"] | File
"""``one-hot``: the number alone. ``classifier``: the row of the teacher's last layer. ``random``: fixed at random.
A file is an npz: ``names``, texts [n], and ``embeddings``, numbers [n, E], one row a name, as of a text encoder."""

CLIP_WIDTH = 512
"""Numbers of CLIP's ViT-B/32 for a text, which NAYER takes; a random embedding has as many."""


class UnfitEmbeddings(ValueError):
    """A file that has no embedding for each of the task's classes."""


def label_embeddings(choice: LabelEmbedding, context: Context) -> Tensor:
    """The embeddings [classes, E], on the device, without gradient.

    Raises UnfitEmbeddings, or NoClassifier of a teacher that has no last linear layer.
    """
    classes, device = context.task.classes, context.device
    if isinstance(choice, File):
        return torch.from_numpy(_rows(choice, context.task.class_names)).to(device, torch.get_default_dtype())
    if choice == "classifier":
        return context.teacher.classifier.weight.detach()
    if choice == "random":
        random = context.random("label-embedding")
        return torch.randn(classes, CLIP_WIDTH, generator=random, device=random.device)
    return torch.eye(classes, device=device)


def _rows(file: File, wanted: tuple[str, ...]) -> Any:
    """The rows [classes, E] of the classes' names, in the task's order."""
    names, rows = _read(file)
    position = {name: row for row, name in enumerate(names)}
    if missing := [name for name in wanted if name not in position]:
        raise UnfitEmbeddings(
            f"label_embedding: {file.path.name} has nothing for {_some(missing)} of the task's {len(wanted)} classes "
            f"{_some(wanted)}; it names {_some(names)}"
        )
    return rows[[position[name] for name in wanted]]


def _read(file: File) -> tuple[list[str], Any]:
    """Names, and a row of finite numbers for each."""
    try:
        with np.load(file, allow_pickle=False) as found:
            names, rows = found["names"], found["embeddings"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        wanted = "an npz of numpy with names, texts [n], and embeddings, numbers [n, E]"
        raise UnfitEmbeddings(f"label_embedding: {file.path.name} is not {wanted}: {error}") from None
    if names.dtype.kind != "U" or rows.dtype.kind != "f" or rows.ndim != 2 or names.shape != rows.shape[:1]:
        kinds = f"names are {names.dtype.name} {list(names.shape)}, embeddings {rows.dtype.name} {list(rows.shape)}"
        raise UnfitEmbeddings(f"label_embedding: {file.path.name}: {kinds}, not texts [n] and numbers [n, E]")
    if not np.isfinite(rows).all():
        raise UnfitEmbeddings(f"label_embedding: {file.path.name} holds numbers that are not finite")
    return names.tolist(), rows


def _some(names: list[str] | tuple[str, ...], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(repr, names[:most])) + more
