"""The files of a table: what the report writes, and what the page copies."""

from __future__ import annotations

from harness.reporting.tables.latex import to_latex
from harness.reporting.tables.markdown import to_markdown
from harness.reporting.tables.table import Table

KINDS = {"tex": "LaTeX", "csv": "CSV", "md": "Markdown"}
"""Ending of a file -> what a person calls it."""


def files(table: Table, study: str) -> dict[str, str]:
    """Name -> content, a file for each of ``KINDS``."""
    contents = {"tex": to_latex(table, study), "csv": table.csv, "md": to_markdown(table)}
    return {f"{table.name}.{kind}": contents[kind] for kind in KINDS}
