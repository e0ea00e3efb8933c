"""Which figures a study has, their captions, and how they are all drawn."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from matplotlib.figure import Figure

from harness.reporting import names, text
from harness.reporting import profiles as summaries
from harness.reporting.figures.canvas import save, style
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


@dataclass(frozen=True)
class Kind:
    """A figure that every pair has."""

    caption: str
    draw: Callable[[Subject], Figure | None]
    """None where there is nothing to draw."""
    at_one_scale: bool = False
    of_classes: bool = False
    """Whether its caption says what the classes are called."""


KINDS = {
    "scale": Kind(
        "Accuracy after the last epoch and end-to-end cost against the data scale, means over the seeds. "
        "Bars: from the lowest to the highest seed. Dotted: the teacher. Grey: references. Hollow: the machine was "
        "overloaded in a seed or more.",
        lambda subject: scale(subject.rows, subject.styles),
    ),
    "real": Kind(
        "As the paper's figure 1: the student on N synthetic images against the student on N real ones (thick, grey), "
        "and the difference to each of these, seed by seed; bars: from the lowest to the highest seed. Above 0, "
        "synthetic images teach more. Hollow: more than N images are synthesised, renewed or fresh in every step (see "
        "the table of images).",
        lambda subject: against_real(subject.rows, subject.styles),
    ),
    "efficiency": Kind(
        "Accuracy after the last epoch against end-to-end cost: means over the seeds, bars from the lowest to the "
        "highest. Ringed: on the front of the methods at this scale. To be there every seed must exceed chance and all "
        "seeds of KD-noise (dotted), and no method may be more accurate at a cost that is not clearly higher.",
        lambda subject: efficiency(subject.rows, subject.styles, subject.overloaded),
    ),
    "operations": Kind(
        "Accuracy after the last epoch against counted operations, a cost that is the same on any machine; read as "
        "the figure of seconds.",
        lambda subject: operations(subject.rows, subject.styles),
    ),
    "synthetic": Kind(
        "As the paper's figure 2: classes and difficulty of the synthetic images, as the teacher sees them at the end "
        "of the run; means over the seeds. Percentages: the rarest and the most frequent class.",
        lambda subject: histograms(subject.near, subject.styles),
        at_one_scale=True,
        of_classes=True,
    ),
    "learning": Kind(
        "Accuracy while learning, over end-to-end cost: mean over the seeds, with their range as a band.",
        lambda subject: learning(subject.rows, subject.styles),
    ),
    "samples": Kind(
        "Synthetic images at the end of the run, one seed per label.",
        lambda subject: samples(subject.near),
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


def draw(rows: Sequence[Row], styles: dict[str, Look], out: Path, overloaded: bool = False) -> dict[str, list[Picture]]:
    """Draw all figures into ``<out>/<study>/figures``; figures without anything to show are left out.

    Args:
        rows: the rows of all studies.
        overloaded: whether fronts take in what ran on an overloaded machine.

    Returns:
        Study -> its pictures, kind by kind.
    """
    subjects = [Subject(own, focus(own), styles, out / own[0].study / "figures", overloaded) for own in by_pair(rows)]
    pictures: dict[str, list[Picture]] = _over_pairs(rows, styles, out)
    for subject, drawn in zip(subjects, _in_parallel(subjects), strict=True):
        pictures.setdefault(subject.rows[0].study, []).extend(drawn)
    return {study: sorted(drawn, key=rank) for study, drawn in pictures.items()}


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
        figure = profiles(found, styles)
        svg, png = save(figure, folder / text.stem(OVERALL, scale_text(found.scale)))
    caption = f"{found.pairs} pairs, {scale_text(found.scale)} % data. {ABOUT_PROFILES}"
    return Picture(OVERALL, None, None, caption, figure.get_figwidth(), svg, png)


def _in_parallel(subjects: Sequence[Subject]) -> list[list[Picture]]:
    """One process per core where there are several pairs: drawing takes nearly all of the time of a report."""
    # Where the system does not tell which cores are ours, forking is not safe with its libraries either (macOS).
    workers = min(len(subjects), len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1)
    if workers < 2:
        return [_draw(subject) for subject in subjects]
    with ProcessPoolExecutor(workers, mp_context=get_context("fork")) as pool:
        return list(pool.map(_draw, subjects))


def _draw(subject: Subject) -> list[Picture]:
    with style():
        drawn = [(name, kind.draw(subject)) for name, kind in KINDS.items()]
        return [_picture(subject, name, figure) for name, figure in drawn if figure]


def _picture(subject: Subject, name: str, figure: Figure) -> Picture:
    first, kind = subject.rows[0], KINDS[name]
    svg, png = save(figure, subject.folder / text.stem(name, first.dataset, first.pair.folder))
    at = f", {scale_text(subject.near[0].scale)} % data" if kind.at_one_scale else ""
    about = f"{names.dataset(first.dataset)}, {names.pair(first.pair)}{at}"
    caption = f"{about}. {kind.caption}"
    if kind.of_classes and (classes := class_names(subject.near)):
        caption += f" Classes: {text.some(classes)}."
    return Picture(name, first.dataset, first.pair, caption, figure.get_figwidth(), svg, png)
