"""Passes through networks on shapes alone: each kind is carried out once, and afterwards told from memory.

All methods ask the same teacher and train the same student: what a pass returns, the operations of its way forward and
back, and what autograd keeps, follow from the network and the shape of its input.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import TreeSpec, tree_flatten, tree_unflatten

from harness.engine.shapes import META, Counter

Call = Callable[..., Any]


class Passes:
    """A network's calls, found once for every kind.

    Args:
        call: of the network, with the images [B, C, H, W] first; what it returns is made of tensors.
        network: what learns by it, in training or in evaluation mode; None for a frozen one.
    """

    def __init__(self, call: Call, network: nn.Module | None = None) -> None:
        self._call, self._network = call, network
        self._known: dict[Hashable, _Pass] = {}

    def __call__(self, x: Tensor, *args: Any, **wanted: Any) -> Any:
        """What the network returns for ``x``, without going through it again."""
        learning: list[Tensor] = []
        mode: Hashable = None
        if self._network is not None:
            mode = tuple(module.training for module in self._network.modules())
            learning = [weight for weight in self._network.parameters() if weight.requires_grad]
        graph = torch.is_grad_enabled(), x.requires_grad, len(learning)
        key = x.shape, x.stride(), x.dtype, graph, mode, repr((args, wanted))
        if key not in self._known:
            self._known[key] = _Pass.of(lambda given: self._call(given, *args, **wanted), x, learning)
        return self._known[key].again(x)

    def __deepcopy__(self, memo: dict[int, Any]) -> Passes:
        return Passes(copy.deepcopy(self._call, memo), copy.deepcopy(self._network, memo))


@contextmanager
def kept_by_autograd() -> Iterator[dict[int, int]]:
    """What it keeps of a block for the way back: bytes by storage, weights left out."""
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        owner = tensor if tensor._base is None else tensor._base
        if not isinstance(owner, nn.Parameter):
            kept[_storage(tensor)] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        yield kept


def _storage(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


def _new(like: Any) -> Any:
    if not isinstance(like, Tensor):
        return like
    return torch.empty_strided(like.shape, like.stride(), dtype=like.dtype, device=META)


@dataclass
class _Pass:
    """One kind of call."""

    x: Tensor
    weights: Sequence[Tensor]
    returned: Sequence[Tensor | None]
    spec: TreeSpec
    operations: int
    saved: Sequence[int]
    """Which of ``x`` and what is returned autograd keeps; x is -1."""
    kept: int
    """Bytes beside these."""
    backward: dict[tuple[bool, ...], tuple[int, int, list[bool]]] = field(default_factory=dict)
    """By which of the returned have a gradient: operations to that of x, those to the weights beside them, and which
    weights get one."""

    @classmethod
    def of(cls, call: Call, x: Tensor, weights: Sequence[Tensor]) -> _Pass:
        """Carried out."""
        mine = x.detach().requires_grad_(x.requires_grad)
        with Counter.active().apart() as counted, kept_by_autograd() as kept:
            leaves, spec = tree_flatten(call(mine))
        places = {_storage(one): place for place, one in enumerate([mine, *leaves], -1) if isinstance(one, Tensor)}
        saved = [place for storage, place in places.items() if storage in kept]
        beside = sum(size for storage, size in kept.items() if storage not in places)
        return cls(mine, weights, leaves, spec, counted.total, saved, beside)

    def again(self, x: Tensor) -> Any:
        """The same call, of ``x`` in place of the tensor that it was found with."""
        Counter.active().total += self.operations
        if not torch.is_grad_enabled() or not (self.x.requires_grad or self.weights):
            return tree_unflatten([_new(one) for one in self.returned], self.spec)
        use = _Use(self)
        learned = _Weights.apply(use, *self.weights) if self.weights else None
        outputs = iter(_Images.apply(use, x, learned))
        made = [next(outputs) if isinstance(one, Tensor) else one for one in self.returned]
        return tree_unflatten(made, self.spec)

    def gradients(self, given: tuple[bool, ...]) -> tuple[int, int, list[bool]]:
        """An entry of `backward`."""
        if given not in self.backward:
            outputs = [one for one in self.returned if isinstance(one, Tensor)]
            reached = [one for one, wanted in zip(outputs, given, strict=True) if wanted and one.requires_grad]
            images, _ = self._back(reached, [self.x] if self.x.requires_grad else [])
            inputs = [self.x, *self.weights] if self.x.requires_grad else list(self.weights)
            both, found = self._back(reached, inputs) if self.weights else (images, [])
            self.backward[given] = images, both - images, found[len(inputs) - len(self.weights) :]
        return self.backward[given]

    def _back(self, outputs: list[Tensor], inputs: list[Tensor]) -> tuple[int, list[bool]]:
        if not outputs or not inputs:
            return 0, [False] * len(inputs)
        gradients = [torch.empty_like(one) for one in outputs]
        with Counter.active().apart() as counted:
            found = torch.autograd.grad(outputs, inputs, gradients, retain_graph=True, allow_unused=True)
        return counted.total, [one is not None for one in found]


@dataclass
class _Use:
    """One call, on its way back: both parts of it must know which of the returned have a gradient."""

    kind: _Pass
    given: tuple[bool, ...] = ()


class _Images(torch.autograd.Function):
    """From the images and what stands for the weights to all that is returned."""

    @staticmethod
    def forward(ctx: Any, use: _Use, x: Tensor, learned: Tensor | None) -> tuple[Tensor, ...]:
        ctx.use = use
        ctx.set_materialize_grads(False)
        kind = use.kind
        places = [one for one in kind.returned if isinstance(one, Tensor)]
        made = {id(one): _new(one) for one in places}
        ctx.mark_non_differentiable(*(made[id(one)] for one in places if not one.requires_grad))
        saved = [x if place < 0 else made[id(kind.returned[place])] for place in kind.saved]
        ctx.save_for_backward(*saved, torch.empty(kind.kept, dtype=torch.uint8, device=META))
        return tuple(made[id(one)] for one in places)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[None, Tensor | None, Tensor | None]:
        use = ctx.use
        use.given = tuple(gradient is not None for gradient in gradients)
        operations, _, _ = use.kind.gradients(use.given)
        Counter.active().total += operations
        of_images = _new(use.kind.x) if ctx.needs_input_grad[1] else None
        return None, of_images, torch.empty((), device=META) if ctx.needs_input_grad[2] else None


class _Weights(torch.autograd.Function):
    """From the weights to what stands for them: their gradients are only calculated where somebody asks."""

    @staticmethod
    def forward(ctx: Any, use: _Use, *weights: Tensor) -> Tensor:
        ctx.use = use
        return torch.empty((), device=META)

    @staticmethod
    def backward(ctx: Any, _: Tensor) -> tuple[Tensor | None, ...]:
        use = ctx.use
        _, operations, reached = use.kind.gradients(use.given)
        Counter.active().total += operations
        of_weights = zip(use.kind.weights, reached, strict=True)
        return None, *(_new(weight) if found else None for weight, found in of_weights)
