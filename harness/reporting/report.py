"""Reports from a results folder alone: nothing is run again, nothing but records is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.errors import UserError
from harness.reporting import formats, gallery, look
from harness.reporting.ablation import ablations
from harness.reporting.cells import group
from harness.reporting.frame import load
from harness.reporting.page import Section, page
from harness.reporting.paper import paper
from harness.reporting.provenance import check
from harness.reporting.table import Table
from harness.reporting.tables import tables
from harness.storage import write_bytes

TABLES = (tables, paper, ablations)
"""What gives the tables of a study, in their order on the page."""


def render(
    results: Path,
    out: Path,
    only: Mapping[str, Sequence[str]] = {},
    mixed: bool = False,
    study: str | None = None,
) -> list[Path]:
    """Write the reports of the studies in ``results``: the same records give the same files.

    Args:
        results: a results folder.
        out: gets ``<study>/tables/*.{md,tex,csv}``, ``<study>/figures/*.{svg,png}`` and ``index.html``.
        only: column of the frame -> accepted values; other runs are left out.
        mixed: accept tables that mix teachers, versions of the code or devices, and mark their cells.
        study: this study alone.

    Returns:
        The files written, the page last.

    Raises:
        UserError: there is nothing to report, or a table would be mixed.
        ConfigError: ``only`` or ``study`` names something that is not there.
    """
    frame = load(results, {**only, **({"study": [study]} if study else {})})
    if frame.empty:
        raise UserError(f"{results}: no results to report" + (" with this filter" if only or study else ""))
    cells = group(frame)
    studies = {name: [cell for cell in cells if cell.study == name] for name in sorted(set(frame["study"]))}
    odd = {name: check(own, mixed) for name, own in studies.items()}
    styles = look.looks(cells)
    pictures = gallery.draw(cells, frame, styles, out)
    sections = [
        Section(name, own, [table for kind in TABLES for table in kind(own, odd[name])], pictures[name])
        for name, own in studies.items()
    ]
    written = [path for drawn in pictures.values() for picture in drawn for path in (picture.svg, picture.png)]
    for section in sections:
        written += _write_tables(out / section.study / "tables", section.tables)
    write_bytes(out / "index.html", page(sections, out).encode())
    return [*written, out / "index.html"]


def _write_tables(folder: Path, tables: Sequence[Table]) -> list[Path]:
    files = {}
    for table in tables:
        files[folder / f"{table.name}.md"] = formats.markdown(table)
        files[folder / f"{table.name}.tex"] = formats.latex(table)
        files[folder / f"{table.name}.csv"] = table.csv
    for path, content in files.items():
        write_bytes(path, content.encode())
    return list(files)
