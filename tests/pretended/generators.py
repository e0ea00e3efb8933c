"""Randomness of the pretended card: generators that say they are its own, and draw what a CPU would."""

from __future__ import annotations

from typing import Any

import torch

from tests.pretended.device import DEVICE, MODULE, NAME
from tests.pretended.rules import MixedDevices

Host = torch.Generator
"""PyTorch's own class, which `Generator` stands for while the card is in use."""
_ours: dict[int, Generator] = {}
"""By the address of what PyTorch's operations are handed: they wrap it anew. Kept, so that none is used twice."""


class Generator(Host):
    """Makes a generator of the host, or of the card where that is asked for."""

    def __new__(cls, device: Any = "cpu") -> Any:
        made = Host.__new__(cls if torch.device(device).type == NAME else Host, "cpu")
        if isinstance(made, cls):
            _ours[made._cdata] = made
        return made

    @property
    def device(self) -> torch.device:
        return DEVICE


def of_card(generator: torch.Generator | None) -> bool:
    """Whether a generator that came with an operation belongs to the card."""
    return generator is not None and generator._cdata in _ours


def for_card(generator: torch.Generator | None) -> torch.Generator:
    """What an operation on the card draws from. Raises MixedDevices for a generator of the host."""
    if generator is None:
        return MODULE.default_generator
    if not of_card(generator):
        raise MixedDevices("a generator of the host draws for the card")
    return generator


def refuse_for_host(generator: torch.Generator | None) -> None:
    """Raise MixedDevices for a generator of the card, which an operation on the host is given."""
    if of_card(generator):
        raise MixedDevices("a generator of the card draws for the host")
