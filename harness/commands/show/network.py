"""A network: its size, what it shows of the inside, the teachers of it on the shelf. Imports torch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn

from harness import networks
from harness.commands.output import Line, columns
from harness.commands.show import names
from harness.teachers.public import TEACHERS
from methods.base.inside import look_inside
from methods.base.names import network_name, network_of

CLASSES, CHANNELS, SIDE = 10, 3, 32
"""Of the task that a network is shown for: that of CIFAR-10."""


def describe(name: str, results: Path) -> Iterator[Line]:
    """All about a network."""
    yield f"network {name}"
    yield columns([("what", names.network(name)), *_facts(name)], indent=2)
    found = [(teacher, about) for teacher, about in names.teachers(results).items() if _is_of(teacher, name)]
    yield f"teachers in {results}" if found else f"no teacher of it in {results}: dkd train-teacher DATASET {name}"
    yield columns(found, indent=2)
    if public := [(one.name, names.public(one)) for one in TEACHERS if one.network == name]:
        yield "public teachers"
        yield columns(public, indent=2)


def _is_of(teacher: str, network: str) -> bool:
    """Whether ``dataset/network+name``, or one without such a name, is of this network."""
    return network_of(teacher.partition("/")[2]) == network_name(network)


def _facts(name: str) -> Iterator[tuple[str, str]]:
    with torch.device("meta"):  # shapes are enough: nothing is initialised or calculated
        network = networks.build(name, CLASSES, CHANNELS).eval()
        image = torch.zeros(1, CHANNELS, SIDE, SIDE)
    yield "file", str(networks.file(name) or f"harness/networks/{networks.source(name).name}")
    yield "parameters", f"{sum(weights.numel() for weights in network.parameters()):,} for {CLASSES} classes"
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    yield "batch norm", f"{len(norms)} layers, {sum(norm.num_features for norm in norms):,} channels"
    with torch.no_grad():
        inside = look_inside(network, image)
    yield "answer", f"{_shape(inside.logits)}, for an image of {CHANNELS} × {SIDE} × {SIDE}"
    yield "features", _shape(inside.features)
    yield "stages", ", ".join(map(_shape, inside.stages))


def _shape(answer: torch.Tensor) -> str:
    """Without the batch."""
    return " × ".join(map(str, answer.shape[1:]))
