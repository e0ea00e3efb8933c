"""Tables in LaTeX, for a document that loads booktabs."""

from __future__ import annotations

import itertools
import re

from harness.reporting import text
from harness.reporting.tables.table import Block, Entry, Table

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
    "\0": "{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    "[": "{[}",  # after the end of a line it would open an option, and the star would change its meaning
    "]": "{]}",
    "*": "{*}",
}


UNKNOWN = 0x180
"""From here on LaTeX needs packages for letters; those of western and central Europe are before it."""


def to_latex(table: Table) -> str:
    """The table as a ``table`` environment per block, for a document that loads booktabs."""
    return "\n".join(_block(table, block) for block in table.blocks)


def _block(table: Table, block: Block) -> str:
    numbers = sum(len(column.quantities) for column in block.columns)
    lines = [
        r"\begin{table}",
        r"\centering\small",
        rf"\caption{{{_tex(f'{table.title}: {block.title}')}.}}",
        rf"\begin{{tabular}}{{l{'r' * numbers}}}",
        r"\toprule",
        *_head(block),
        r"\midrule",
        *(_line([_entry(line.title), *map(_entry, line.entries)]) for line in block.lines),
        r"\bottomrule",
        r"\end{tabular}",
        r"\par\smallskip\footnotesize\raggedright",
        *(rf"\textsuperscript{{{letter}}}~{_tex(note)}." for letter, note in table.footnotes.items()),
        *map(_tex, table.notes),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _head(block: Block) -> tuple[str, str, str]:
    """The titles of the columns, a rule under each, and their quantities."""
    titles = [rf"\multicolumn{{{len(column.quantities)}}}{{c}}{{{_entry(column.title)}}}" for column in block.columns]
    quantities = [_entry(quantity) for column in block.columns for quantity in column.quantities]
    return _line(["", *titles]), _rules(block), _line(["", *quantities])


def _rules(block: Block) -> str:
    """A rule under every title; the first column of the grid belongs to none."""
    ends = list(itertools.accumulate((len(column.quantities) for column in block.columns), initial=1))
    spans = zip(block.columns, ends, ends[1:], strict=False)
    return " ".join(rf"\cmidrule(lr){{{before + 1}-{end}}}" for column, before, end in spans if column.title.text)


def _line(entries: list[str]) -> str:
    return " & ".join(entries) + r" \\"


def _entry(entry: Entry) -> str:
    marks = rf"\textsuperscript{{{','.join(entry.marks)}}}" if entry.marks else ""
    return _tex(entry.text) + marks


def _tex(printed: str) -> str:
    # Two hyphens of a name would become a dash.
    letters = re.sub("-(?=-)", "-\0", text.line(printed))
    return "".join(_TEX.get(letter) or _letter(letter) for letter in letters)


def _letter(character: str) -> str:
    """Letters that no LaTeX knows by itself stand as their number."""
    return character if ord(character) < UNKNOWN else f"{{[}}U+{ord(character):04X}{{]}}"
