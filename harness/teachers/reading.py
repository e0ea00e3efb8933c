"""A file's names as a network's: looked up in every layout that is known for it, below every prefix that they have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from harness.teachers.layouts import Layout, of

COUNTER = "num_batches_tracked"
"""Of batch norm: files from before 2018 have none, and nothing depends on it once a network is trained."""
IN_ORDER = Layout(("in-order",))
"""Not known: only the order of its tensors was gone by."""


@dataclass(frozen=True)
class Reading:
    """A file's names, read in one layout.

    Attributes:
        layout: the one.
        prefix: before every name of the layout, such as DataParallel's ``module.``.
        found: name in our network -> key in the file.
        missing: what the layout has and the file has not, counters aside.
        left_over: keys of the file that the layout has not.
    """

    layout: Layout
    prefix: str
    found: Mapping[str, str]
    missing: Sequence[str] = ()
    left_over: Sequence[str] = ()

    @property
    def fits(self) -> bool:
        """Whether all names of file and network have found each other."""
        return not (self.missing or self.left_over)


def closest(names: Mapping[str, str], wanted: Mapping[str, Tensor], network: str) -> Reading:
    """The reading that finds most of a network's tensors: all of them, where the file is in a known layout.

    Args:
        names: name, as the user's patterns made it -> key in the file.
        wanted: name in our network -> tensor.
        network: what it is called.
    """
    readings = (_read(names, wanted, layout, prefix) for layout in of(network) for prefix in _prefixes(names))
    return max(readings, key=lambda reading: (len(reading.found), reading.fits))


def ordered(names: Mapping[str, str], weights: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> Reading | None:
    """The n-th tensor of the file for the n-th of the network, if all their shapes agree; counters aside."""
    theirs = [key for name, key in names.items() if not name.endswith(COUNTER)]
    ours = [name for name in wanted if not name.endswith(COUNTER)]
    if [weights[key].shape for key in theirs] != [wanted[name].shape for name in ours]:
        return None
    return Reading(IN_ORDER, "", dict(zip(ours, theirs, strict=True)))


def _prefixes(names: Mapping[str, str]) -> Iterator[str]:
    """None, and all that end at a dot and stand before a quarter of the names or more: copies may lie side by side."""
    yield ""
    counts = Counter(name[: i + 1] for name in names for i, sign in enumerate(name) if sign == ".")
    yield from (prefix for prefix, count in counts.items() if 4 * count >= len(names))


def _read(names: Mapping[str, str], wanted: Mapping[str, Tensor], layout: Layout, prefix: str) -> Reading:
    spelled = {name: f"{prefix}{layout.spell(name)}" for name in wanted}
    found = {name: names[theirs] for name, theirs in spelled.items() if theirs in names}
    missing = [theirs for name, theirs in spelled.items() if name not in found and not name.endswith(COUNTER)]
    used = set(found.values())
    return Reading(layout, prefix, found, missing, [key for key in names.values() if key not in used])
