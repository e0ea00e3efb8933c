"""From the tensors of a file to the state of a network: names by the layouts that are known for it, then shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from harness.errors import UserError
from harness.teachers import layouts, misfits
from harness.teachers.reading import COUNTER, IN_ORDER, Reading, closest, ordered
from harness.teachers.renaming import AS_THEY_ARE, KeyRules, renamed


@dataclass(frozen=True)
class Match:
    """A file's tensors under the names of a network, and the layout in which they were read: None if it is ours."""

    state: dict[str, Tensor]
    layout: str | None


def match(
    weights: Mapping[str, Tensor],
    wanted: Mapping[str, Tensor],
    *,
    network: str,
    dataset: str,
    rules: KeyRules = AS_THEY_ARE,
    say: Callable[[str], object],
) -> Match:
    """``weights`` under the names of ``wanted``, a network's state; counters that the file lacks are left out.

    Args:
        weights: name in the file -> tensor.
        wanted: name in the network -> tensor.
        network: what it is called: its layouts are tried, on names as the user's rules leave them.
        dataset: the one whose classes the network tells apart.
        rules: the user's, for the file's keys.
        say: told what was done beyond the user's rules.

    Raises UserError that names keys which are missing, left over, fall together, or differ in shape or kind.
    """
    names = renamed(list(weights), rules)
    reading = closest(names, wanted, network)
    if not reading.fits and rules.in_order:
        reading = ordered(names, weights, wanted) or reading
    if not reading.fits:
        raise UserError(misfits.in_names(names, weights, wanted, network))
    if reading.layout.refusal:
        raise UserError(f"in {reading.layout}, whose {network} is another: {reading.layout.refusal}")
    if problem := misfits.in_shapes(reading, names, weights, wanted, network=network, dataset=dataset):
        raise UserError(problem)
    found = {name: weights[key] for name, key in reading.found.items()}
    _check_kinds(reading, found, wanted)
    for line in _told(reading, found, wanted):
        say(line)
    return Match(found, reading.layout.name)


def _told(reading: Reading, found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> list[str]:
    lines = []
    if reading.prefix:
        lines.append(f"left out before every key: {reading.prefix}")
    if reading.layout is IN_ORDER:
        lines.append("taken in its order, one tensor after the other")
    elif reading.layout is not layouts.OWN:
        lines.append(f"read in {reading.layout}")
    if reading.layout.caution:
        lines.append(f"beware: {reading.layout.caution}")
    if counters := [name for name in wanted if name not in found]:
        lines.append(f"has none of {len(counters)} counters {COUNTER}; nothing depends on them")
    if kinds := {value.dtype for name, value in found.items() if value.dtype != wanted[name].dtype}:
        lines.append(f"converted from {', '.join(sorted(map(_kind, kinds)))}")
    return lines


def _check_kinds(reading: Reading, found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    for name, given in found.items():
        if wanted[name].is_floating_point() and not (given.is_floating_point() and _is_plain(given)):
            kind = _kind(given.dtype)
            raise UserError(f"{reading.found[name]} is {kind}, not plain floating-point numbers: import it unquantised")


def _is_plain(tensor: Tensor) -> bool:
    return str(tensor.layout) == "torch.strided" and not tensor.is_meta


def _kind(dtype: object) -> str:
    return str(dtype).removeprefix("torch.")
