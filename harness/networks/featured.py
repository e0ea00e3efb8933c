"""Any classifier of images as the bench wants it: ``forward(x, return_features=True)`` gives features and stages too.

The network stays what it is, with the names of its weights; only its class gets a forward pass that listens. It listens
to modules by name and for one pass alone: so nothing is left behind, copies work, and modules may be exchanged for
others meanwhile, as `FrozenTeacher` does with batch norms.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

from torch import Tensor, nn


class NotAdaptable(ValueError):
    """A network without a classifier from which features could be taken."""


def featured(network: nn.Module, classes: int) -> nn.Module:
    """The same network, whose forward pass takes ``return_features``; unchanged if it takes that already.

    *Classifier*: the last linear layer, or, where there is none, the last 1×1 convolution to as many channels as there
    are classes. *Features* [B, F]: its input, pooled if it has pixels. *Stages*: what `_Listener` hears before it.

    Raises NotAdaptable if there is no classifier.
    """
    if "return_features" in inspect.signature(type(network).forward).parameters:
        return network
    network._classifier = _classifier(network, classes)  # type: ignore[assignment]
    plain = type(network)
    network.__class__ = type(plain.__name__, (_Featured, plain), {"__module__": plain.__module__})
    return network


class _Featured(nn.Module):
    """Goes before the network's own class."""

    _classifier: str

    def forward(self, x: Tensor, return_features: bool = False) -> Any:
        """Logits [B, classes] of ``x`` [B, C, H, W]; with ``return_features`` also features [B, F] and stages."""
        if not return_features:
            return super().forward(x)
        listener = _Listener()
        with ExitStack() as hooks:
            for name in _units(self, self._classifier):
                hook = self.get_submodule(name).register_forward_hook(listener.hear)
                hooks.callback(hook.remove)
            classifier = self.get_submodule(self._classifier)
            hooks.callback(classifier.register_forward_pre_hook(listener.end).remove)
            logits = super().forward(x)
        return logits, listener.features, tuple(listener.stages)


class _Listener:
    """What one pass says of features and stages.

    A stage is the last activation [B, C, H, W] of a resolution, as the network's units give them: its children, and the
    children of those that are a plain `nn.Sequential`. Where the stem, all units before the first block, has the
    resolution of that block, it is a stage of its own, as in the networks of the bench. A block is a unit with two
    convolutions or more. Pooling is no unit; what follows global pooling or the classifier is none of any stage.
    """

    def __init__(self) -> None:
        self.features: Tensor | None = None
        self.stages: list[Tensor] = []
        self._in_stem, self._ended = True, False

    def hear(self, unit: nn.Module, _inputs: object, output: object) -> None:
        """A unit has answered."""
        if self._ended or not isinstance(output, Tensor) or output.dim() != 4:
            return
        if _pools(unit):
            self._ended = _pools_all(unit)
            return
        starts = self._in_stem and _is_block(unit)
        self._in_stem = self._in_stem and not starts
        if self.stages and not starts and self.stages[-1].shape[2:] == output.shape[2:]:
            self.stages.pop()
        self.stages.append(output)

    def end(self, _classifier: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        """The classifier is asked."""
        given, self._ended = inputs[0], True
        self.features = given.mean(dim=(2, 3)) if given.dim() == 4 else given


def _units(network: nn.Module, classifier: str, prefix: str = "") -> Iterator[str]:
    """Names of the modules whose outputs may end a stage."""
    for name, child in network.named_children():
        path = f"{prefix}{name}"
        if type(child) is nn.Sequential:
            yield from _units(child, classifier, f"{path}.")
        elif path != classifier:
            yield path


def _is_block(unit: nn.Module) -> bool:
    return sum(isinstance(module, nn.Conv2d) for module in unit.modules()) > 1


def _pools(unit: nn.Module) -> bool:
    return "Pool" in type(unit).__name__


def _pools_all(unit: nn.Module) -> bool:
    """Whether a pooling unit is the head's: torchvision's are adaptive, timm's say that they select."""
    return "Adaptive" in type(unit).__name__ or "Global" in type(unit).__name__


def _classifier(network: nn.Module, classes: int) -> str:
    """Name of the layer that gives the logits. Raises NotAdaptable."""
    linear = _last(network, lambda module: isinstance(module, nn.Linear))
    heads = _last(
        network,
        lambda module: (
            isinstance(module, nn.Conv2d) and module.out_channels == classes and set(module.kernel_size) == {1}
        ),
    )
    if not (found := linear or heads):
        raise NotAdaptable("it has neither a linear layer nor a 1×1 convolution to the classes: no features")
    return found


def _last(network: nn.Module, fits: Callable[[nn.Module], bool]) -> str | None:
    return next((name for name, module in reversed(list(network.named_modules())) if fits(module)), None)
