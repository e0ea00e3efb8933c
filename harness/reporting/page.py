"""The page: every study's tables, figures and runs in one file that needs nothing else."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from pathlib import Path
from urllib.parse import quote

from harness.reporting import html
from harness.reporting.cells import Cell
from harness.reporting.gallery import KINDS, Picture
from harness.reporting.table import Table

EMBEDDED = 8 * 2**20
"""Bytes of figures inside the page; the figures after that are linked, so that it still opens at once."""

REM_PER_INCH = 5.6
"""Two figures of the width of a paper fit side by side."""

PROTOCOL = (
    "The headline is the last epoch, mean ± sample standard deviation over the seeds. The best epoch, selected on the "
    "test set, is shown apart.",
    "Time counts start-up (imports, compilation), synthesis and distillation, the teacher's forward passes included. "
    "It leaves out evaluation, waiting for a lock or a GPU, checkpoints, and work lost to a kill.",
    "(2/3) means that two of three seeds count; a seed that failed, diverged or cannot be read is named in a footnote.",
    "Every number in a table leads to the runs behind it.",
)


@dataclass(frozen=True)
class Section:
    """What the page shows of one study."""

    study: str
    cells: Sequence[Cell]
    tables: Sequence[Table]
    pictures: Sequence[Picture]


def page(sections: Sequence[Section], folder: Path) -> str:
    """The whole page as HTML.

    Args:
        folder: where the page will lie; links to figures are relative to it.
    """
    css = resources.files("harness.reporting").joinpath("page.css").read_text(encoding="utf-8")
    embedded = _embedded(sections)
    body = "".join(_section(section, embedded, folder) for section in sections)
    links = "".join(f'<a href="#study-{escape(section.study)}">{escape(section.study)}</a>' for section in sections)
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Data-free knowledge distillation</title><style>\n{css}</style>\n"
        f'<h1>Data-free knowledge distillation</h1><p class="lead">{_summary(sections)}</p>\n<nav>{links}</nav>\n'
        f"{html.notes(map(escape, PROTOCOL))}{body}</html>\n"
    )


def _summary(sections: Sequence[Section]) -> str:
    counts = Counter(run["status"] for section in sections for cell in section.cells for run in cell.runs)
    studies = "1 study" if len(sections) == 1 else f"{len(sections)} studies"
    states = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    return f"{studies}, {counts.total()} runs: {states}."


def _section(section: Section, embedded: set[Path], folder: Path) -> str:
    tables = "".join(map(html.table, section.tables))
    figures = "".join(_figure(picture, embedded, folder) for picture in section.pictures)
    return (
        f'<section id="study-{escape(section.study)}"><h2>{escape(section.study)}</h2>{tables}'
        + (f'<h3>Figures</h3><div class="figures">{figures}</div>' if figures else "")
        + f"<h3>Runs</h3>{html.runs(section.cells)}</section>\n"
    )


def _embedded(sections: Sequence[Section]) -> set[Path]:
    """The files that go into the page: kind by kind through all studies, the most telling kind first."""
    pictures = [picture for section in sections for picture in section.pictures]
    left, chosen = EMBEDDED, set()
    for picture in sorted(pictures, key=lambda picture: list(KINDS).index(picture.kind)):
        left -= _source(picture).stat().st_size
        if left < 0:
            break
        chosen.add(_source(picture))
    return chosen


def _source(picture: Picture) -> Path:
    """The svg, but for figures made of pixels, of which the smaller file shows as much."""
    return picture.png if picture.kind == "samples" else picture.svg


def _figure(picture: Picture, embedded: set[Path], folder: Path) -> str:
    paths = (picture.svg, picture.png)
    files = " ".join(f'<a href="{quote(path.relative_to(folder).as_posix())}">{path.suffix[1:]}</a>' for path in paths)
    caption = f"<figcaption>{escape(picture.caption)} {files}</figcaption>"
    source = _source(picture)
    if source not in embedded:
        return f'<figure class="linked">{caption}</figure>\n'
    kind = "image/svg+xml" if source.suffix == ".svg" else "image/png"
    data = base64.b64encode(source.read_bytes()).decode()
    image = f'<img alt="{escape(picture.caption)}" src="data:{kind};base64,{data}">'
    return f'<figure style="width:{picture.inches * REM_PER_INCH:.1f}rem">{image}{caption}</figure>\n'
