"""The losses that a method returns: checked as they come, averaged on the device until an epoch ends."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import torch

from harness.engine.failures import MethodFailed
from harness.errors import one_line
from methods.base.method import Losses, RoundLosses

NAME = re.compile(r"\w[\w .-]*(?:/\w[\w .-]*)*", re.ASCII)
"""Names of losses that every store takes, MLflow's included."""
LENGTH, NAMES = 40, 40
"""Letters of a name, and names of a phase: they stand in every event, and all events must stay readable."""


@dataclass
class Means:
    """Sums of named 0-dim tensors, on the device until somebody asks."""

    sums: dict[str, torch.Tensor] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, losses: list[Losses]) -> None:
        """Add the losses of several calls. Raises MethodFailed if there are more than NAMES names."""
        for name in dict.fromkeys(name for entry in losses for name in entry):
            values = torch.stack([entry[name].detach().double() for entry in losses if name in entry])
            self.sums[name] = self.sums.get(name, 0.0) + values.sum()
            self.counts[name] = self.counts.get(name, 0) + len(values)
        if len(self.sums) > NAMES:
            raise MethodFailed(f"its losses have more than {NAMES} names, such as {next(reversed(self.sums))!r}")

    def take(self) -> dict[str, float]:
        """The means, read from the device; starts again from nothing."""
        means = {name: float(total) / self.counts[name] for name, total in self.sums.items()}
        self.sums, self.counts = {}, {}
        return means


def check(losses: object) -> RoundLosses:
    """The losses of a round, if they are what the contract asks for. Raises MethodFailed with what is wrong."""
    if not isinstance(losses, RoundLosses):
        raise MethodFailed(f"round returned {_kind(losses)}, not RoundLosses")
    for verb, calls in (("synthesise", losses.synthesis), ("distill_step", losses.distillation)):
        for call in calls:
            if not isinstance(call, dict):
                raise MethodFailed(f"{verb} returned {_kind(call)}, not a dictionary of named 0-dim tensors")
            for name, value in call.items():
                _check(verb, name, value)
    return losses


def _check(verb: str, name: object, value: object) -> None:
    if not (isinstance(name, str) and len(name) <= LENGTH and NAME.fullmatch(name)):
        raise MethodFailed(
            f"{verb} names a loss {one_line(repr(name), LENGTH)}: a name is letters, digits, blanks and _ . - /, "
            f"at most {LENGTH} of them, and starts with a letter or digit"
        )
    if not isinstance(value, torch.Tensor) or value.dim() or value.is_complex():
        raise MethodFailed(f"{verb} returned {_kind(value)} as the loss {name!r}, not a 0-dim tensor")
    if value.requires_grad:
        raise MethodFailed(f"{verb} returned the loss {name!r} with its graph, whose memory would be held; detach it")


def _kind(value: object) -> str:
    """What a value is, in few words."""
    if isinstance(value, torch.Tensor):
        return f"a {str(value.dtype).removeprefix('torch.')} tensor of shape {list(value.shape)}"
    return one_line("None" if value is None else f"{type(value).__name__} {value!r}", 80)
