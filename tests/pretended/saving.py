"""Tensors of the pretended card in files of `torch.save`: their storages are marked as lying on it, as a card's are."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from tests.pretended.device import NAME


def reduced(held: Tensor) -> tuple[Any, ...]:
    """What a tensor of the card, with this content, is pickled as."""
    storage = held.untyped_storage()
    _mark(storage)
    typed = torch.storage.TypedStorage(wrap_storage=storage, dtype=held.dtype, _internal=True)
    return rebuilt, (typed, held.storage_offset(), tuple(held.shape), held.stride())


def rebuilt(storage: Any, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Tensor:
    """The tensor, on the card if that is where its storage was put."""
    from tests.pretended.tensors import OnCard

    held = torch._utils._rebuild_tensor(storage, offset, shape, strides)
    return OnCard(held) if _place(storage._untyped_storage) else held


def _mark(storage: Any) -> Any:
    storage.on_card = True
    return storage


def _place(storage: Any) -> str | None:
    return f"{NAME}:0" if getattr(storage, "on_card", False) else None


# before PyTorch's own, of which the first, the CPU's, would claim these storages
torch.serialization.register_package(
    0, _place, lambda storage, place: _mark(storage) if place.startswith(NAME) else None
)
torch.serialization.add_safe_globals([rebuilt])
