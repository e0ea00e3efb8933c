"""What is wrong with a file of weights that is not a network's: the first differences, and whose it may be instead."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from harness import networks
from harness.teachers import layouts
from harness.teachers.reading import Reading, closest, ordered
from harness.teachers.renaming import SHOWN, listed
from harness.wording import some

State = Mapping[str, Tensor]
Shapes = Mapping[str, torch.Size]

STATISTICS = ("running_mean", "running_var")
"""Of batch norm: what it normalises by once a network is trained."""
REMEDY = "--rename pattern=replacement renames the file's keys, --drop pattern leaves some out"


def in_names(names: Mapping[str, str], weights: State, wanted: State, network: str) -> str:
    """Why a file's names are a network's in no layout: whose they are instead, or what is missing and left over."""
    reading = closest(names, wanted, network)
    if reading.missing and not reading.left_over and all(name.endswith(STATISTICS) for name in reading.missing):
        return (
            f"{listed(reading.missing)} not in it: batch norm cannot do without its means and variances; "
            "save model.state_dict(), not the parameters alone"
        )
    if other := _other(names, weights, network):
        return other
    lines = [*_differences(reading, network), *layouts.telltales(network, list(names))]
    if (in_order := ordered(names, weights, wanted)) is not None:
        lines.append(_pairs(in_order))
    return "\n  ".join([*lines, REMEDY] if reading.left_over else lines)


def _differences(reading: Reading, network: str) -> list[str]:
    if not reading.found:
        tried = "; ".join(map(str, layouts.of(network)))
        return [f"{listed(reading.left_over)}, none of which is of {network}", f"tried: {tried}"]
    lines = [f"not the keys of {network}; nearest is {reading.layout}"]
    if reading.missing:
        lines.append(f"not in the file: {listed(reading.missing)}")
    if reading.left_over:
        lines.append(f"not in that layout: {listed(reading.left_over)}")
    return lines


def _pairs(reading: Reading) -> str:
    pairs = [f"{key} = {name}" for name, key in reading.found.items() if key != name]
    shown = ", ".join(pairs[:SHOWN]) + ", ..." * (len(pairs) > SHOWN)
    return f"shapes agree one to one, in this order: {shown}; --in-order takes them so, and the accuracy tells whether"


def in_shapes(
    reading: Reading, names: Mapping[str, str], weights: State, wanted: State, *, network: str, dataset: str
) -> str:
    """Which tensors have the names but not the shapes of a network's, and what that means; empty if all have both."""
    given, expected = _shapes(reading, weights, wanted)
    lines = [
        f"{reading.found[name]} has shape {tuple(given[name])}, not {tuple(expected[name])}"
        for name in reading.found
        if given[name] != expected[name]
    ]
    if not lines:
        return ""
    other = [_other(names, weights, network)] if _body(given) != _body(expected) else []
    return "\n  ".join(filter(None, [*other, *some(lines, SHOWN), *_meaning(given, expected, dataset)]))


def _meaning(given: Shapes, expected: Shapes, dataset: str) -> Iterator[str]:
    """What the sizes of the first and the last tensor say; nothing if they have not even the same dimensions."""
    (first, *_), last = given, list(given)[-1]
    if len(given[first]) != len(expected[first]) or len(given[last]) != len(expected[last]):
        return
    if given[last] != expected[last]:
        yield f"the file has {given[last][0]} classes, {dataset} has {expected[last][0]}"
    if given[first][1:2] != expected[first][1:2]:
        yield f"the file is for images of {given[first][1]} channels, {dataset} has {expected[first][1]}"
    if given[first][2:] != expected[first][2:]:
        yield "its stem is of another size, as for larger images: another network, whatever follows it"


def _other(names: Mapping[str, str], weights: State, network: str) -> str:
    """Which other network of ours the file is of, whatever the classes and channels; empty if of none."""
    for other in networks.names():
        wanted = _state(other)
        reading = closest(names, wanted, other)
        given, expected = _shapes(reading, weights, wanted)
        if other != network and reading.fits and _body(given) == _body(expected):
            return f"these are the keys of {other} in {reading.layout}, not of {network}"
    return ""


@functools.cache
def _state(network: str) -> State:
    """Names and shapes alone, without any values."""
    with torch.device("meta"):
        return networks.build(network, 1).state_dict()


def _shapes(reading: Reading, weights: State, wanted: State) -> tuple[Shapes, Shapes]:
    """Those in the file and those of the network, under our names."""
    return (
        {name: weights[key].shape for name, key in reading.found.items()},
        {name: wanted[name].shape for name in reading.found},
    )


def _body(shapes: Shapes) -> dict[str, tuple[int, ...]]:
    """Shapes without what a dataset decides: the channels that the first tensor takes, the classes of the last two."""
    first, classifier = next(iter(shapes), ""), list(shapes)[-2:]
    return {
        name: (*shape[:1], *shape[2:]) if name == first else shape[1:] if name in classifier else shape
        for name, shape in shapes.items()
    }
