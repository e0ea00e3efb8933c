"""The page: every study's tables, figures and runs in one file that needs nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.reporting import text
from harness.reporting.figures.gallery import Picture
from harness.reporting.headline import headline
from harness.reporting.leaderboard import boards
from harness.reporting.page.illustrations import chosen, illustration
from harness.reporting.page.listing import HEAD, listing
from harness.reporting.rows import Row
from harness.reporting.tables import notes
from harness.reporting.tables.table import Table
from harness.reporting.trust import trust
from harness.store.layout import scale_text

PROTOCOL = (
    "The headline is the last epoch, mean ± sample standard deviation over the seeds. The best epoch, selected on the "
    "test set, is shown apart.",
    "Cost counts start-up (imports, compilation), synthesis and distillation, the teacher's forward passes included. "
    "It leaves out evaluation, waiting for a lock or a GPU, checkpoints, and work lost to a kill.",
    "(2/3) means that two of three seeds count; a seed that failed, diverged or cannot be read is named in a footnote.",
    "Every number in a table leads to the runs behind it.",
)


@dataclass(frozen=True)
class Section:
    """What the page shows of one study."""

    study: str
    rows: Sequence[Row]
    tables: Sequence[Table]
    pictures: Sequence[Picture]


def page(sections: Sequence[Section], folder: Path) -> str:
    """The whole page as HTML.

    Args:
        folder: where the page will lie; links to figures are relative to it.
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
    templates.filters["illustration"] = lambda picture: illustration(picture, embedded, folder)
    templates.filters["listing"] = listing
    templates.filters |= {"boards": boards, "headline": headline, "trust": trust, "scale": scale_text}
    templates.globals["text"] = text
    templates.filters["anchor"] = lambda name: quote(text.line(name))
    return templates.get_template("page.html").render(
        summary=_summary(sections), protocol=PROTOCOL, sections=sections, head=HEAD
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
    states = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    return f"{studies}, {counts.total()} runs: {states}."
