"""Tables in GitHub's Markdown."""

from __future__ import annotations

import re

from harness.reporting import text
from harness.reporting.tables.table import Block, Entry, Table


def to_markdown(table: Table) -> str:
    """The table in GitHub's Markdown: one grid per block, footnotes and notes below."""
    parts = [f"# {_escape(table.title)}"]
    parts += [f"## {_escape(block.title)}\n\n{_grid(block)}" for block in table.blocks]
    if table.footnotes:
        parts.append("\n".join(f"- <sup>{letter}</sup> {_escape(note)}" for letter, note in table.footnotes.items()))
    parts.append("\n".join(f"- {_escape(note)}" for note in table.notes))
    return "\n\n".join(parts) + "\n"


def _grid(block: Block) -> str:
    head = [_head(column.title, quantity) for column in block.columns for quantity in column.quantities]
    body = [[_entry(line.title), *map(_entry, line.entries)] for line in block.lines]
    grid = [["", *head], ["---", *["---:"] * len(head)], *body]
    return "\n".join(f"| {' | '.join(entries)} |" for entries in grid)


def _head(title: Entry, quantity: Entry) -> str:
    printed = _entry(quantity)
    return f"{_entry(title)}: {printed}" if title.text else printed


def _entry(entry: Entry) -> str:
    marks = f" <sup>{','.join(entry.marks)}</sup>" if entry.marks else ""
    return _escape(entry.text) + marks


def _escape(printed: str) -> str:
    # An underscore within a word is printed as it is, so that names of networks stay readable in the file.
    return re.sub(r"[\\|*<>`\[\]$~#]|&(?=#?\w+;)|(?<!\w)_|_(?!\w)", r"\\\g<0>", text.line(printed))
