"""Reports from a results folder alone: nothing is run again, nothing but records is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.errors import UserError
from harness.reporting import columns, findings, runs
from harness.reporting.figures import gallery
from harness.reporting.figures.look import Look, looks
from harness.reporting.page.page import Section, page
from harness.reporting.rows import Row, group
from harness.reporting.tables import ablation, paper, profiles, standard
from harness.reporting.tables.files import files
from harness.reporting.tables.mixture import check
from harness.store import place
from harness.store.atomic import write_bytes

TABLES = (standard.tables, profiles.tables, paper.tables, ablation.tables)
"""What gives the tables of a study, in their order on the page."""


def render(
    results: Path,
    out: Path,
    only: Mapping[str, Sequence[str]] = {},
    mixed: bool = False,
    overloaded: bool = False,
) -> list[Path]:
    """Write the reports of the studies in ``results``: the same records give the same files.

    Args:
        results: a results folder.
        out: gets ``<study>/tables/*.{md,tex,csv}``, ``<study>/figures/*.{svg,png,pdf}``, ``<study>/records.jsonl``,
            ``<study>/findings.md`` where the paper's claims can be asked about, and ``index.html``.
        only: column of the frame -> accepted values; other runs are left out.
        mixed: accept tables that mix teachers, versions of the code or devices, and mark their rows.
        overloaded: let fronts take in what ran on an overloaded machine.

    Returns:
        The files written, the page last.

    Raises:
        UserError: there is nothing to report, or a table would be mixed.
        ConfigError: ``only`` names something that is not there.
    """
    selected = columns.select(runs.load(results), only)
    if not selected:
        lacking = " with this filter" if only else place.elsewhere(results)
        raise UserError(f"{results}: no results to report{lacking}")
    if out.resolve() == results.resolve():
        raise UserError(f"--out {out} is the results folder: name another for the report")
    rows = group(selected)
    # One look per label over all studies, so that figures of several can stand side by side.
    styles = looks(rows)
    sections = _sections(rows, styles, mixed, overloaded, out)
    written = [path for section in sections for picture in section.pictures for path in picture.files]
    for section in sections:
        written += _write_tables(out / section.study / "tables", section)
        written.append(_write_records(out / section.study / "records.jsonl", section.rows))
        written += _write_findings(out / section.study / "findings.md", section.rows)
    write_bytes(out / "index.html", page(sections, styles, out, overloaded, only).encode(errors="replace"))
    return [*written, out / "index.html"]


def _sections(rows: Sequence[Row], styles: dict[str, Look], mixed: bool, overloaded: bool, out: Path) -> list[Section]:
    """One of each study, the largest first: that is what the page opens with."""
    runs = Counter(run.metrics.study for row in rows for run in row.recorded)
    ordered = sorted({row.study for row in rows}, key=lambda study: (-runs[study], study))
    studies = {name: [row for row in rows if row.study == name] for name in ordered}
    # A mixture is refused before anything is drawn or written.
    odd = {name: check(own, mixed) for name, own in studies.items()}
    pictures = gallery.draw(rows, styles, out, overloaded)
    return [
        Section(name, own, [table for tables in TABLES for table in tables(own, odd[name])], pictures[name])
        for name, own in studies.items()
    ]


def _write_tables(folder: Path, section: Section) -> list[Path]:
    found = [files(table, section.study) for table in section.tables]
    contents = {folder / name: content for own in found for name, content in own.items()}
    for path, content in contents.items():
        write_bytes(path, content.encode(errors="replace"))
    return list(contents)


def _write_records(path: Path, rows: Sequence[Row]) -> Path:
    """Keep the metrics of all runs, a line each, in name order: what somebody else's runs can be compared with."""
    records = sorted((run.metrics for row in rows for run in row.recorded), key=lambda metrics: metrics.cell)
    write_bytes(path, "".join(f"{metrics.model_dump_json()}\n" for metrics in records).encode())
    return path


def _write_findings(path: Path, rows: Sequence[Row]) -> list[Path]:
    if not (found := findings.findings(rows)):
        return []
    write_bytes(path, findings.to_markdown(found).encode(errors="replace"))
    return [path]
