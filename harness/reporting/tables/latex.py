"""Tables in LaTeX, for a document that loads booktabs and graphicx."""

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


BOLD = (
    "Bold: the first rank of a column, methods that Welch's test over the seeds cannot tell from the leader included; "
    "nothing that chance or noise reaches."
)
UNKNOWN = 0x180
"""From here on LaTeX needs packages for letters; those of western and central Europe are before it."""


PACKAGES = "% needs \\usepackage{booktabs,graphicx}; graphicx keeps a table within the text's width\n"
NUMBER = re.compile(r"(?P<whole>[+\u2212]?[\d,]+)(?P<rest>.*)", re.DOTALL)
"""What is printed, before and from its decimal point."""
WIDE = 6
"""With more numbers side by side than this a table takes both columns of a page."""


def to_latex(table: Table, study: str) -> str:
    """The table as an environment per block: numbers stand by their decimal points, in bold what leads a column.

    It is as wide as the text, or as both of its columns, if it is wider by itself. Captions name the study and labels
    begin with it, so that the tables of several studies stand in one paper.
    """
    return PACKAGES + "\n".join(_block(table, block, study, place) for place, block in enumerate(table.blocks, 1))


def _block(table: Table, block: Block, study: str, place: int) -> str:
    numbers = sum(len(column.quantities) for column in block.columns)
    kind = "table*" if numbers > WIDE else "table"
    name = re.sub(r"[^\w-]", "-", f"{study}-{table.name}")
    lines = [
        rf"\begin{{{kind}}}",
        r"\centering\small",
        rf"\caption{{{_tex(f'{table.title}: {block.title} (study {study})')}.}}",
        rf"\label{{tab:{name}-{place}}}",
        r"\sbox0{%",
        rf"\begin{{tabular}}{{l{'r@{}l' * numbers}}}",
        r"\toprule",
        *_head(block),
        r"\midrule",
        *(_line([_entry(line.title), *map(_number, line.entries)]) for line in block.lines),
        r"\bottomrule",
        r"\end{tabular}}%",
        r"\ifdim\wd0>\linewidth\resizebox{\linewidth}{!}{\usebox0}\else\usebox0\fi",
        r"\par\smallskip\footnotesize\raggedright",
        *(rf"\textsuperscript{{{letter}}}~{_tex(note)}." for letter, note in table.footnotes.items()),
        *map(_tex, _said(table, block)),
        rf"\end{{{kind}}}",
    ]
    return "\n".join(lines) + "\n"


def _said(table: Table, block: Block) -> list[str]:
    """What stands below: also what bold means, where something is."""
    bold = any(entry.best for line in block.lines for entry in line.entries)
    return [*([BOLD] if bold else []), *table.notes]


def _head(block: Block) -> tuple[str, str, str]:
    """The titles of the columns, a rule under each, and their quantities."""
    titles = [_over(2 * len(column.quantities), column.title) for column in block.columns]
    quantities = [_over(2, quantity) for column in block.columns for quantity in column.quantities]
    return _line(["", *titles]), _rules(block), _line(["", *quantities])


def _rules(block: Block) -> str:
    """A rule under every title; the first column of the grid belongs to none."""
    ends = list(itertools.accumulate((2 * len(column.quantities) for column in block.columns), initial=1))
    spans = zip(block.columns, ends, ends[1:], strict=False)
    return " ".join(rf"\cmidrule(lr){{{before + 1}-{end}}}" for column, before, end in spans if column.title.text)


def _line(entries: list[str]) -> str:
    return " & ".join(entries) + r" \\"


def _over(columns: int, entry: Entry) -> str:
    return rf"\multicolumn{{{columns}}}{{c}}{{{_entry(entry)}}}"


def _number(entry: Entry) -> str:
    """In two columns, which meet at the decimal point."""
    parts = NUMBER.fullmatch(entry.text)
    if not parts:
        return _over(2, entry)
    whole, rest = _tex(parts["whole"]), _tex(parts["rest"])
    if entry.best:
        whole, rest = rf"\textbf{{{whole}}}", rf"\textbf{{{rest}}}"
    return f"{whole} & {rest}{_marks(entry)}"


def _entry(entry: Entry) -> str:
    return _tex(entry.text) + _marks(entry)


def _marks(entry: Entry) -> str:
    return rf"\textsuperscript{{{','.join(entry.marks)}}}" if entry.marks else ""


def _tex(printed: str) -> str:
    # Two hyphens of a name would become a dash.
    letters = re.sub("-(?=-)", "-\0", text.line(printed))
    return "".join(_TEX.get(letter) or _letter(letter) for letter in letters)


def _letter(character: str) -> str:
    """Letters that no LaTeX knows by itself stand as their number."""
    return character if ord(character) < UNKNOWN else f"{{[}}U+{ord(character):04X}{{]}}"
