"""Tables as Markdown and as LaTeX (booktabs)."""

from __future__ import annotations

import itertools
import re

from harness.reporting.table import Block, Entry, Table

_TEX = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "→": r"$\rightarrow$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "–": "--",
    "−": "$-$",
    "Δ": r"$\Delta$",
    "…": r"\ldots{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}


def markdown(table: Table) -> str:
    """The table in GitHub's Markdown: one grid per block, footnotes and notes below."""
    parts = [f"# {table.title}"]
    parts += [f"## {block.title}\n\n{_markdown_grid(block)}" for block in table.blocks]
    if table.footnotes:
        parts.append("\n".join(f"- <sup>{letter}</sup> {_escape(note)}" for letter, note in table.footnotes.items()))
    parts.append("\n".join(f"- {_escape(note)}" for note in table.notes))
    return "\n\n".join(parts) + "\n"


def latex(table: Table) -> str:
    """The table as a ``table`` environment per block, for a document that loads booktabs."""
    return "\n".join(_latex_block(table, block) for block in table.blocks)


def _markdown_grid(block: Block) -> str:
    head = [_markdown_head(column.title, quantity) for column in block.columns for quantity in column.quantities]
    rows = [[_markdown_entry(row.title), *map(_markdown_entry, row.entries)] for row in block.rows]
    lines = [["", *head], ["---", *["---:"] * len(head)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _markdown_head(title: Entry, quantity: Entry) -> str:
    printed = _markdown_entry(quantity)
    return f"{_markdown_entry(title)}: {printed}" if title.text else printed


def _markdown_entry(entry: Entry) -> str:
    marks = f" <sup>{','.join(entry.marks)}</sup>" if entry.marks else ""
    return _escape(entry.text) + marks


def _escape(printed: str) -> str:
    return re.sub(r"[\\|*<`\[]|(?<!\w)_|_(?!\w)", r"\\\g<0>", printed)


def _latex_block(table: Table, block: Block) -> str:
    titles = [
        rf"\multicolumn{{{len(column.quantities)}}}{{c}}{{{_latex_entry(column.title)}}}" for column in block.columns
    ]
    quantities = [_latex_entry(quantity) for column in block.columns for quantity in column.quantities]
    rows = [_latex_row([_latex_entry(row.title), *map(_latex_entry, row.entries)]) for row in block.rows]
    footnotes = [rf"\textsuperscript{{{letter}}}~{_tex(note)}." for letter, note in table.footnotes.items()]
    lines = [
        r"\begin{table}",
        r"\centering\small",
        rf"\caption{{{_tex(f'{table.title}: {block.title}')}.}}",
        rf"\begin{{tabular}}{{l{'r' * len(quantities)}}}",
        r"\toprule",
        _latex_row(["", *titles]),
        _latex_rules(block),
        _latex_row(["", *quantities]),
        r"\midrule",
        *rows,
        r"\bottomrule",
        r"\end{tabular}",
        r"\par\smallskip\footnotesize\raggedright",
        *footnotes,
        *map(_tex, table.notes),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _latex_rules(block: Block) -> str:
    """A rule under every title."""
    ends = list(itertools.accumulate((len(column.quantities) for column in block.columns), initial=1))
    spans = zip(block.columns, ends, ends[1:], strict=False)
    return " ".join(rf"\cmidrule(lr){{{before + 1}-{end}}}" for column, before, end in spans if column.title.text)


def _latex_row(entries: list[str]) -> str:
    return " & ".join(entries) + r" \\"


def _latex_entry(entry: Entry) -> str:
    marks = rf"\textsuperscript{{{','.join(entry.marks)}}}" if entry.marks else ""
    return _tex(entry.text) + marks


def _tex(printed: str) -> str:
    return "".join(_TEX.get(character, character) for character in printed)
