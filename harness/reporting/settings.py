"""What a page is divided into: pairs on a dataset, and each of them at its data scales."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.reporting import names
from harness.reporting.rows import Row, by_pair
from harness.store.layout import scale_text
from methods.base.pair import Pair


@dataclass(frozen=True)
class Part:
    """A pair on a dataset."""

    rows: tuple[Row, ...]
    """At least one, in the order of the tables' lines."""

    @property
    def anchor(self) -> str:
        """What links lead to: study, dataset and pair, as their folders are called."""
        return f"{self.rows[0].study}/{self.dataset}/{self.pair.folder}"

    @property
    def dataset(self) -> str:
        """What the teacher was trained on."""
        return self.rows[0].dataset

    @property
    def pair(self) -> Pair:
        """Teacher and student."""
        return self.rows[0].pair

    @property
    def title(self) -> str:
        """As printed."""
        return f"{names.dataset(self.dataset)}, {names.pair(self.pair)}"

    @property
    def settings(self) -> list[Setting]:
        """It at its data scales, from the largest down."""
        scales = sorted({row.scale for row in self.rows}, reverse=True)
        return [Setting(tuple(row for row in self.rows if row.scale == scale), self) for scale in scales]

    @property
    def fullest(self) -> Setting:
        """The setting at which most rows have a number, of several the one of the largest scale."""
        return max(self.settings, key=lambda setting: sum(bool(row.done) for row in setting.rows))


@dataclass(frozen=True)
class Setting(Part):
    """A pair on a dataset at one data scale: the rows that compete."""

    part: Part
    """The pair at all its scales."""

    @property
    def anchor(self) -> str:
        """What links lead to: the name of its rows without their label."""
        return f"{super().anchor}/scale-{self.scale}"

    @property
    def scale(self) -> str:
        """Percent, as it is written everywhere."""
        return scale_text(self.rows[0].scale)

    @property
    def title(self) -> str:
        """As printed."""
        return f"{super().title}, {self.scale} % data"


def parts(rows: Iterable[Row]) -> list[Part]:
    """The pairs of these rows: by study, dataset and pair."""
    return [Part(tuple(own)) for own in by_pair(rows)]


def settings(rows: Iterable[Row]) -> list[Setting]:
    """The settings of these rows: pair by pair, and then from the largest scale down."""
    return [setting for part in parts(rows) for setting in part.settings]
