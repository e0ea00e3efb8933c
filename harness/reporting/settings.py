"""What a page is divided into: pairs on a dataset, and each of them at its data scales."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.reporting.rows import Row, by_pair
from harness.store.layout import scale_text
from methods.base.pair import Pair


@dataclass(frozen=True)
class Setting:
    """A pair on a dataset at one data scale: the rows that compete."""

    rows: tuple[Row, ...]
    """At least one, in the order of the tables' lines."""

    @property
    def anchor(self) -> str:
        """What links lead to: the name of its rows without their label."""
        return f"{place(self.rows)}/scale-{self.scale}"

    @property
    def dataset(self) -> str:
        """What the teacher was trained on."""
        return self.rows[0].dataset

    @property
    def pair(self) -> Pair:
        """Teacher and student."""
        return self.rows[0].pair

    @property
    def scale(self) -> str:
        """Percent, as it is written everywhere."""
        return scale_text(self.rows[0].scale)


def settings(rows: Iterable[Row]) -> list[Setting]:
    """The settings of these rows: by study, dataset and pair, and then from the largest scale down."""
    return [
        Setting(tuple(row for row in own if row.scale == scale))
        for own in by_pair(rows)
        for scale in sorted({row.scale for row in own}, reverse=True)
    ]


def place(rows: Sequence[Row]) -> str:
    """Study, dataset and pair of the rows, as their folders are called."""
    return f"{rows[0].study}/{rows[0].dataset}/{rows[0].pair.folder}"
