"""Steps from gradients that `torch.autograd.grad` returned, so that nothing else collects any; the best of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def apply_gradients(
    optimizer: torch.optim.Optimizer,
    parameters: Sequence[Tensor],
    gradients: Sequence[Tensor],
    largest_norm: float | None = None,
) -> None:
    """One step of ``optimizer`` on ``parameters``, with gradients of the same shapes [...] in the same order.

    The norm of all gradients together is limited to ``largest_norm``, if that is given.
    """
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = _laid_out_like(parameter, gradient)
    if largest_norm is not None:
        nn.utils.clip_grad_norm_(parameters, largest_norm)
    optimizer.step()


def _laid_out_like(parameter: Tensor, gradient: Tensor) -> Tensor:
    """The gradient in its parameter's order of memory: fused optimizers go through both as they lie, unasked."""
    same = gradient.stride() == parameter.stride()
    return gradient if same else torch.empty_like(parameter, requires_grad=False).copy_(gradient)


class Best:
    """The tensors that came with the smallest loss so far, found without reading it; the first of equals wins."""

    def __init__(self) -> None:
        self._loss: Tensor | None = None
        self._kept: tuple[Tensor, ...] = ()

    @torch.no_grad()
    def offer(self, loss: Tensor, *tensors: Tensor) -> None:
        """Keep ``tensors`` if ``loss`` (0-dim) is strictly smaller than all before."""
        if self._loss is None:
            self._loss, self._kept = loss.detach(), tuple(tensor.detach() for tensor in tensors)
            return
        better = loss < self._loss
        self._loss = torch.where(better, loss, self._loss)
        self._kept = tuple(torch.where(better, new, old) for new, old in zip(tensors, self._kept, strict=True))

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """The best ones, in the order and of the shapes [...] of an offer. Raises LookupError if there was none."""
        if self._loss is None:
            raise LookupError("nothing was offered")
        return self._kept
