"""The page: every study's tables, figures and runs in one file that needs nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.reporting import names, text
from harness.reporting.figures.gallery import Picture
from harness.reporting.figures.look import Look
from harness.reporting.headline import headline, yardsticks
from harness.reporting.leaderboard import board
from harness.reporting.page import listing
from harness.reporting.page.charts import charts
from harness.reporting.page.illustrations import chosen, illustration
from harness.reporting.page.packed import pack
from harness.reporting.page.script import script
from harness.reporting.rows import Row
from harness.reporting.settings import Part, parts, settings
from harness.reporting.tables import notes
from harness.reporting.tables.files import KINDS, files
from harness.reporting.tables.table import Table
from harness.reporting.trust import trust
from harness.store.layout import scale_text
from harness.wording import count

PROTOCOL = (
    "The headline is the last epoch, mean ± sample standard deviation over the seeds. The best epoch, selected in "
    "hindsight on the images that it is measured on, is shown apart.",
    "Cost counts start-up (imports, compilation), synthesis and distillation, the teacher's forward passes included. "
    "It leaves out evaluation, waiting for a lock or a GPU, checkpoints, and work lost to a kill.",
    "(2/3) means that two of three seeds count; a seed that failed, diverged or cannot be read is named in a footnote.",
    "Every number in a table leads to the runs behind it. A click on a heading sorts.",
)

COPIED = 2**19
"""Bytes of what the page copies, at most; the csv files beyond that are links alone."""


@dataclass(frozen=True)
class Section:
    """What the page shows of one study."""

    study: str
    rows: Sequence[Row]
    tables: Sequence[Table]
    pictures: Sequence[Picture]

    @property
    def parts(self) -> list[Part]:
        """It pair by pair."""
        return parts(self.rows)

    def pictures_of(self, part: Part | None) -> list[Picture]:
        """The figures of a pair, or those over pairs."""
        pair = (part.dataset, part.pair) if part else (None, None)
        return [picture for picture in self.pictures if (picture.dataset, picture.pair) == pair]


def page(
    sections: Sequence[Section],
    styles: Mapping[str, Look],
    folder: Path,
    overloaded: bool = False,
    only: Mapping[str, Sequence[str]] = {},
) -> str:
    """The whole page as HTML.

    Args:
        styles: label -> its look, as in the figures.
        folder: where the page will lie; links to figures and runs are relative to it.
        overloaded: whether fronts take in what ran on an overloaded machine.
        only: the filter that chose what it shows, see `report.render`.
    """
    embedded = chosen([picture for section in sections for picture in section.pictures])
    templates = Environment(
        loader=PackageLoader("harness.reporting.page", package_path=""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_printable,
    )
    templates.filters |= {
        "illustration": lambda picture: illustration(picture, embedded, folder),
        "runs": lambda setting: listing.runs(setting, folder),
        "anchor": lambda name: quote(text.line(name)),
        "plain": text.line,
        "choices": _choices,
        "board": board,
        "headline": headline,
        "yardsticks": yardsticks,
        "trust": trust,
        "filenames": lambda table: [(f"{table.name}.{kind}", title) for kind, title in KINDS.items()],
    }
    templates.globals["text"] = text
    drawn = [charts(setting, styles, overloaded) for section in sections for setting in settings(section.rows)]
    return templates.get_template("page.html").render(
        summary=" ".join([_summary(sections), *_filtered(only)]),
        protocol=PROTOCOL,
        sections=sections,
        texts=_texts(sections),
        charts=pack({name: chart for found in drawn for name, chart in found.items()}),
        script=script(),
    )


def _printable(value: object) -> object:
    """What a template prints, with nothing in it that is not printed; markup stays as it is."""
    return text.line(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _summary(sections: Sequence[Section]) -> str:
    rows = [row for section in sections for row in section.rows]
    studies = "1 study" if len(sections) == 1 else f"{len(sections)} studies"
    if waits := notes.progress(rows):
        return f"{studies}: {waits}"
    counts = Counter(run.status for row in rows for run in row.runs)
    states = ", ".join(f"{number} {status}" for status, number in sorted(counts.items()))
    return f"{studies}, {count(counts.total(), 'run')}: {states}."


def _filtered(only: Mapping[str, Sequence[str]]) -> list[str]:
    """What a filter let through, in a sentence."""
    chosen = "; ".join(f"{column} = {', '.join(values)}" for column, values in only.items())
    return [f"A part of the results: {chosen}."] if only else []


def _texts(sections: Sequence[Section]) -> str:
    """What the page copies, packed: the tables' files, by study and name; where these are too long, without the csv."""
    texts = {
        f"{section.study}/{name}": content
        for section in sections
        for table in section.tables
        for name, content in files(table, section.study).items()
    }
    packed = pack(texts)
    short = {name: content for name, content in texts.items() if not name.endswith(".csv")}
    return packed if len(packed) <= COPIED else pack(short)


def _choices(sections: Sequence[Section]) -> list[tuple[str, list[tuple[str, str]]]]:
    """What the page can be narrowed to: kind, and value and title of each; kinds with a choice alone."""
    found = [setting for section in sections for setting in settings(section.rows)]
    scales = sorted({setting.rows[0].scale for setting in found}, reverse=True)
    kinds = {
        "Dataset": {setting.dataset: names.dataset(setting.dataset) for setting in found},
        "Pair": {setting.pair.folder: names.pair(setting.pair) for setting in found},
        "Scale": {scale_text(scale): f"{scale_text(scale)} %" for scale in scales},
    }
    return [(kind, list(values.items())) for kind, values in kinds.items() if len(values) > 1]
