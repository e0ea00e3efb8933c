"""Which figures a study has, and their captions."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from harness.reporting import figures, real, samples, synthetic
from harness.reporting.cells import PAIR, Cell, by_pair
from harness.reporting.frame import curves
from harness.reporting.look import Look, save, style


@dataclass(frozen=True)
class Pair:
    """What there is to draw of one teacher-student pair."""

    cells: Sequence[Cell]
    runs: pd.DataFrame
    """The rows of the frame that are done."""
    near: Sequence[Cell]
    """The cells of the scale at which synthetic images are shown."""
    styles: dict[str, Look]
    folder: Path
    """Where its figures go."""


@dataclass(frozen=True)
class Picture:
    """A figure on disk and what it shows."""

    kind: str
    caption: str
    inches: float
    """Its width in print."""
    svg: Path
    png: Path


@dataclass(frozen=True)
class Kind:
    """A figure that every pair has."""

    caption: str
    draw: Callable[[Pair], Figure | None]


KINDS = {
    "scale": Kind(
        "Accuracy after the last epoch and end-to-end time against the data scale. "
        "Bars: sample standard deviation over the seeds. Dotted: the teacher. Grey: references.",
        lambda pair: figures.scale(pair.cells, pair.styles),
    ),
    "real": Kind(
        "As the paper's figure 1: the student on N synthetic images against the student on N real ones (thick, grey), "
        "and the difference to each of these, seed by seed; bars: sample standard deviation. Above 0, synthetic images "
        "teach more. Hollow: more than N images are synthesised, renewed or fresh in every step (see the table of "
        "images).",
        lambda pair: real.against_real(pair.cells, pair.styles),
    ),
    "efficiency": Kind(
        "Accuracy after the last epoch against end-to-end time, means over the seeds; larger marks for larger data "
        "scales. Filled: on the Pareto front of the methods, references left out.",
        lambda pair: figures.efficiency(pair.cells, pair.styles),
    ),
    "synthetic": Kind(
        "As the paper's figure 2: classes and difficulty of the synthetic images, as the teacher sees them at the end "
        "of the run; means over the seeds. Percentages: the rarest and the most frequent class.",
        lambda pair: synthetic.histograms(pair.near, pair.styles),
    ),
    "learning": Kind(
        "Accuracy while learning, over end-to-end time: mean over the seeds, with their range as a band.",
        lambda pair: figures.learning(pair.cells, curves(pair.runs), pair.styles),
    ),
    "samples": Kind(
        "Synthetic images at the end of the run, one seed per label.",
        lambda pair: samples.samples(pair.near),
    ),
}
"""Name -> kind of figure, the most telling first."""

AT_ONE_SCALE = ("synthetic", "samples")


def draw(cells: Sequence[Cell], frame: pd.DataFrame, styles: dict[str, Look], out: Path) -> dict[str, list[Picture]]:
    """Draw all figures into ``<out>/<study>/figures``; figures without anything to show are left out.

    Args:
        cells: the cells of all studies.
        frame: their runs, whatever their status.

    Returns:
        Study -> its pictures, kind by kind.
    """
    runs = dict(list(frame[frame["status"] == "done"].groupby(list(PAIR))))
    pairs = [
        Pair(own, runs.get(where, frame.iloc[:0]), synthetic.focus(own), styles, out / where[0] / "figures")
        for where, own in by_pair(cells).items()
    ]
    pictures: dict[str, list[Picture]] = {}
    for pair, drawn in zip(pairs, _in_parallel(pairs), strict=True):
        pictures.setdefault(pair.cells[0].study, []).extend(drawn)
    ranks = list(KINDS)
    return {study: sorted(drawn, key=lambda picture: ranks.index(picture.kind)) for study, drawn in pictures.items()}


def _in_parallel(pairs: Sequence[Pair]) -> list[list[Picture]]:
    """One process per core where there are several pairs: drawing takes nearly all of the time of a report."""
    workers = min(len(pairs), len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1)
    if workers < 2:
        return [_draw_pair(pair) for pair in pairs]
    with ProcessPoolExecutor(workers, mp_context=get_context("fork")) as pool:
        return list(pool.map(_draw_pair, pairs))


def _draw_pair(pair: Pair) -> list[Picture]:
    first = pair.cells[0]
    pictures = []
    with style():
        for name, kind in KINDS.items():
            figure = kind.draw(pair)
            if figure is None:
                continue
            svg, png = save(figure, pair.folder / f"{name}-{first.dataset}-{first.teacher}--{first.student}")
            at = f", {pair.near[0].scale:g} % data" if name in AT_ONE_SCALE else ""
            caption = f"{first.dataset}, {first.pair}{at}. {kind.caption}"
            pictures.append(Picture(name, caption, figure.get_figwidth(), svg, png))
    return pictures
