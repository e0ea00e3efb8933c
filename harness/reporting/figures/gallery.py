"""Which figures a study has, their captions, and how they are all drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

from matplotlib.figure import Figure

from harness.machine import cores
from harness.reporting import names, text
from harness.reporting import profiles as summaries
from harness.reporting.figures.canvas import COLUMN_WIDTH, TEXT_WIDTH, save, style
from harness.reporting.figures.efficiency import efficiency, operations
from harness.reporting.figures.learning import learning
from harness.reporting.figures.look import Look
from harness.reporting.figures.profiles import SHOWN, profiles
from harness.reporting.figures.real import against_real
from harness.reporting.figures.samples import samples
from harness.reporting.figures.scale import scale
from harness.reporting.figures.synthetic import class_names, focus, histograms
from harness.reporting.rows import Row, by_pair
from harness.store.layout import scale_text
from harness.terminal import progress
from methods.base.pair import Pair


@dataclass(frozen=True)
class Subject:
    """What there is to draw of one pair on one dataset."""

    rows: Sequence[Row]
    near: Sequence[Row]
    """The rows of the scale at which synthetic images are shown."""
    styles: dict[str, Look]
    folder: Path
    """Where its figures go."""
    overloaded: bool = False
    """Whether fronts take in what ran on an overloaded machine."""
    width: float = TEXT_WIDTH
    """Of a figure, in inches."""


@dataclass(frozen=True)
class Picture:
    """A figure on disk and what it shows."""

    kind: str
    dataset: str | None
    pair: Pair | None
    """None, like its dataset, of a figure that is of all pairs."""
    caption: str
    inches: float
    """Its width in print."""
    svg: Path
    png: Path
    pdf: Path
    column: Path
    """A pdf of the width of one column of a paper, the others being as wide as both."""

    @property
    def files(self) -> tuple[Path, ...]:
        """All of its files."""
        return self.svg, self.png, self.pdf, self.column


@dataclass(frozen=True)
class Kind:
    """A figure that every pair has."""

    caption: str
    draw: Callable[[Subject], Figure | None]
    """None where there is nothing to draw."""
    at_one_scale: bool = False
    of_classes: bool = False
    """Whether its caption says what the classes are called."""


PALE = " Where there are many methods, all but the six most accurate ones are pale."
KINDS = {
    "scale": Kind(
        "Accuracy after the last epoch and end-to-end cost against the data scale, means over the seeds. "
        "Bars: from the lowest to the highest seed. Dotted: the teacher. Black and dark grey: references. Hollow: the "
        "machine was overloaded in a seed or more. Beside methods of several scales those of one are left out." + PALE,
        lambda subject: scale(subject.rows, subject.styles, subject.width),
    ),
    "real": Kind(
        "As the paper's figure 1: the student on N synthetic images against the student on N real ones (thick), "
        "and the difference to each of these, seed by seed; bars: from the lowest to the highest seed. Above 0, "
        "synthetic images teach more. Hollow: more than N images are synthesised, renewed or fresh in every step (see "
        "the table of images)." + PALE,
        lambda subject: against_real(subject.rows, subject.styles, subject.width),
    ),
    "efficiency": Kind(
        "Accuracy after the last epoch against end-to-end cost: means over the seeds, bars from the lowest to the "
        "highest. Ringed: on the front of the methods at this scale. To be there every seed must exceed chance and all "
        "seeds of KD-noise (dotted), and no method may be more accurate at a cost that is not clearly higher." + PALE,
        lambda subject: efficiency(subject.rows, subject.styles, subject.overloaded, subject.width),
    ),
    "operations": Kind(
        "Accuracy after the last epoch against counted operations, a cost that is the same on any machine; read as "
        "the figure of seconds.",
        lambda subject: operations(subject.rows, subject.styles, subject.width),
    ),
    "synthetic": Kind(
        "As the paper's figure 2: classes and difficulty, as the teacher sees them, of the images that the student "
        "draws from at the end of the run: synthetic ones, and for references real ones or noise. Means over the "
        "seeds. Percentages: the rarest and the most frequent class.",
        lambda subject: histograms(subject.near, subject.styles, subject.width),
        at_one_scale=True,
        of_classes=True,
    ),
    "learning": Kind(
        "Accuracy while learning, over end-to-end cost: mean over the seeds, with their range as a band." + PALE,
        lambda subject: learning(subject.rows, subject.styles, subject.width),
    ),
    "samples": Kind(
        "The images that the student draws from at the end of the run, of one seed per label: synthetic ones, and for "
        "references real ones or noise.",
        lambda subject: samples(subject.near, subject.width),
        at_one_scale=True,
        of_classes=True,
    ),
}
"""Name -> kind of figure, the most telling first."""

OVERALL = "profiles"
"""The kind of figure that a study has for all pairs at a data scale."""
ABOUT_PROFILES = (
    "Performance profiles: the share of pairs on which a method costs at most so many times what the cheapest one "
    "costs, and is at most so many points below the most accurate one. A student that is no better than one "
    f"of noise is within no cost. Of many methods, the {SHOWN} of the lowest mean ranks."
)


Task = tuple[Subject, str]
"""A kind of figure of one pair."""


def draw(rows: Sequence[Row], styles: dict[str, Look], out: Path, overloaded: bool = False) -> dict[str, list[Picture]]:
    """Draw all figures into ``<out>/<study>/figures``; figures without anything to show are left out.

    Args:
        rows: the rows of all studies.
        overloaded: whether fronts take in what ran on an overloaded machine.

    Returns:
        Study -> its pictures, kind by kind.
    """
    subjects = [Subject(own, focus(own), styles, out / own[0].study / "figures", overloaded) for own in by_pair(rows)]
    tasks = [(subject, name) for subject in subjects for name in KINDS]
    pictures: dict[str, list[Picture]] = _over_pairs(rows, styles, out)
    drawn = progress(_in_parallel(tasks), len(tasks), "drawing figures")
    for (subject, _), picture in zip(tasks, drawn, strict=True):
        pictures[subject.rows[0].study] += [picture] if picture else []
    return {study: sorted(own, key=rank) for study, own in pictures.items()}


def rank(picture: Picture) -> int:
    """Place of a picture's kind among all kinds; what is of all pairs comes first."""
    return [OVERALL, *KINDS].index(picture.kind)


def _over_pairs(rows: Sequence[Row], styles: dict[str, Look], out: Path) -> dict[str, list[Picture]]:
    """Study -> the figures of all of its pairs, for those with enough of them."""
    studies: dict[str, list[Row]] = {}
    for row in rows:
        studies.setdefault(row.study, []).append(row)
    found = {study: summaries.profiles(own) for study, own in studies.items()}
    return {study: [_overall(each, styles, out / study / "figures") for each in own] for study, own in found.items()}


def _overall(found: summaries.Profiles, styles: dict[str, Look], folder: Path) -> Picture:
    with style():
        figure, narrow = (profiles(found, styles, width) for width in (TEXT_WIDTH, COLUMN_WIDTH))
        files = _save(figure, narrow, folder / text.stem(OVERALL, scale_text(found.scale)))
    caption = f"{found.pairs} pairs, {scale_text(found.scale)} % data. {ABOUT_PROFILES}"
    return Picture(OVERALL, None, None, caption, figure.get_figwidth(), *files)


def _in_parallel(tasks: Sequence[Task]) -> Iterator[Picture | None]:
    """One process per core: drawing takes nearly all of the time of a report."""
    workers = min(len(tasks), cores.for_processes())
    if workers < 2:
        yield from map(_draw, tasks)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("fork")) as pool:
        yield from pool.map(_draw, tasks)


def _draw(task: Task) -> Picture | None:
    subject, name = task
    with style():
        figure = KINDS[name].draw(subject)
        narrow = KINDS[name].draw(replace(subject, width=COLUMN_WIDTH)) if figure else None
        return _picture(subject, name, figure, narrow) if figure and narrow else None


def _picture(subject: Subject, name: str, figure: Figure, narrow: Figure) -> Picture:
    first, kind = subject.rows[0], KINDS[name]
    files = _save(figure, narrow, subject.folder / text.stem(name, first.dataset, first.pair.folder))
    at = f", {scale_text(subject.near[0].scale)} % data" if kind.at_one_scale else ""
    about = f"{names.dataset(first.dataset)}, {names.pair(first.pair)}{at}"
    caption = f"{about}. {kind.caption}"
    if kind.of_classes and (classes := class_names(subject.near)):
        caption += f" Classes: {text.some(classes)}."
    return Picture(name, first.dataset, first.pair, caption, figure.get_figwidth(), *files)


def _save(figure: Figure, narrow: Figure, stem: Path) -> list[Path]:
    """The files of a figure at the width of a page and at that of a column, as `Picture` has them."""
    return [*save(figure, stem), *save(narrow, stem.with_name(f"{stem.name}-column"), ["pdf"])]
