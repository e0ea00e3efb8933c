"""Networks that calculate in bfloat16, and nothing else does: neither losses nor optimizers notice."""

from __future__ import annotations

import copy
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from methods.base.method import ModuleT


def lowered(network: ModuleT, device: torch.device) -> ModuleT:
    """``network`` on ``device``, with the same weights and names, its forward pass under autocast.

    Convolutions and products take and give bfloat16; weights, their gradients and batch-norm statistics stay fp32, and
    so does whatever the pass returns. The module that is given stays as it was.
    """
    made, plain = copy.copy(network), type(network)
    made.__class__ = type(plain.__name__, (Lowered, plain), {"__module__": plain.__module__, "_type": device.type})
    return made


class Lowered(nn.Module):
    """Goes before a network's own class."""

    active: ClassVar[bool] = True
    """False while networks calculate as they are."""
    _type: ClassVar[str]
    """Of the device."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the network returns, in fp32."""
        if not Lowered.active:
            return super().forward(*args, **kwargs)
        # No cache of weights: each is used once a pass, and a captured graph must not hold one of another pass.
        with torch.autocast(self._type, torch.bfloat16, cache_enabled=False):
            return tree_map(_full, super().forward(*args, **kwargs))


def _full(value: Any) -> Any:
    return value.float() if isinstance(value, Tensor) and value.dtype == torch.bfloat16 else value
