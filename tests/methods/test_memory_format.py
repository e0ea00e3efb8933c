"""Whole methods in channels_last: no convolution of theirs answers in another format."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from methods.parts.generators import KINDS
from tests import small


class Formats(TorchDispatchMode):
    """Notes the shapes of what convolutions return, forward and backward, in another format."""

    def __init__(self) -> None:
        super().__init__()
        self.convolutions, self.others = 0, set[tuple[str, tuple[int, ...]]]()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if "convolution" in (name := func.overloadpacket.__name__):
            self.convolutions += 1
            found = (out,) if isinstance(out, Tensor) else out[:1]
            self.others |= {(name, tuple(x.shape)) for x in found if x is not None and not _is_last(x)}
        return out


def _is_last(x: Tensor) -> bool:
    return x.is_contiguous(memory_format=torch.channels_last)


GENERATORS = [("dafl", {"generator": kind}) for kind in KINDS if not kind.startswith("dcgan")]
"""The others make images of 16 pixels at least."""


METHODS = [(name, dict[str, Any]()) for name in sorted({name for name, _ in small.presets()})]


@pytest.mark.parametrize(("name", "options"), [*METHODS, *GENERATORS])
def test_every_convolution_answers_in_channels_last(name: str, options: dict[str, Any]) -> None:
    method = small.build(name, small.context(*small.agreeing_pair()), **options)
    with Formats() as seen:
        method.synthesise(0)
        method.begin_round(method.schedule.warmup, 1)
        method.distill_step()
    assert seen.convolutions > 0
    assert not seen.others
