"""Tables and runs as HTML: every printed number links to the runs behind it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any
from urllib.parse import quote

from harness.reporting import remarks, text
from harness.reporting.cells import Cell, Run
from harness.reporting.provenance import SHA_DIGITS, commit
from harness.reporting.table import Block, Entry, Table

SECONDS = (
    *("end_to_end", "seconds.startup", "seconds.synthesis", "seconds.distillation"),
    *("seconds.evaluation", "seconds.waiting", "seconds.lost"),
)
HEAD = (
    *("seed", "status", "last", "best", "end-to-end (s)", "start-up", "synthesis", "distillation"),
    *("evaluation", "waiting", "lost", "attempts", "plan key", "commit", "teacher", "device", "MLflow run", "folder"),
)


def table(content: Table) -> str:
    """A heading, the blocks, and the notes below them."""
    blocks = "".join(f"<h4>{escape(block.title)}</h4>{_grid(block)}" for block in content.blocks)
    footnotes = [f"<sup>{letter}</sup> {escape(note)}" for letter, note in content.footnotes.items()]
    return f"<h3>{escape(content.title)}</h3>{blocks}{notes([*footnotes, *map(escape, content.notes)])}"


def notes(lines: Iterable[str]) -> str:
    """A list of small lines of HTML."""
    return f'<ul class="notes">{"".join(f"<li>{line}</li>" for line in lines)}</ul>\n'


def runs(cells: Sequence[Cell]) -> str:
    """All runs of a study, one compact row each, under the cell they belong to."""
    head = "".join(f"<th>{name}" for name in HEAD)
    body = "".join(map(_cell, cells))
    return f'<div class="scroll"><table class="runs"><thead><tr>{head}</thead>\n{body}</table></div>\n'


def _grid(block: Block) -> str:
    titles = "".join(f"<th colspan={len(column.quantities)}>{_entry(column.title)}" for column in block.columns)
    quantities = "".join(f"<th>{_entry(quantity)}" for column in block.columns for quantity in column.quantities)
    rows = "".join(
        f"<tr><th>{_entry(row.title)}{''.join(f'<td>{_entry(entry)}' for entry in row.entries)}\n" for row in block.rows
    )
    head = f"<thead><tr><th>{titles}<tr><th>{quantities}</thead>"
    return f'<div class="scroll"><table class="result">{head}\n<tbody>{rows}</table></div>\n'


def _entry(entry: Entry) -> str:
    marks = f"<sup>{','.join(entry.marks)}</sup>" if entry.marks else ""
    printed = escape(entry.text)
    return (f'<a href="#{quote(entry.link)}">{printed}</a>' if entry.link else printed) + marks


def _cell(cell: Cell) -> str:
    configs = [json.loads(run["config"]) if run["config"] else {} for run in cell.runs]
    common = {name: value for name, value in configs[0].items() if all(c.get(name) == value for c in configs)}
    detail = f"<details><summary>config</summary><code>{escape(json.dumps(common))}</code></details>" if common else ""
    rows = "".join(_run(run, _own(config, common)) for run, config in zip(cell.runs, configs, strict=True))
    name = escape(cell.name)
    return f'<tbody id="{name}"><tr class="cell"><th colspan={len(HEAD)}>{name}{_preset(cell)}{detail}{rows}</tbody>\n'


def _preset(cell: Cell) -> str:
    """Which preset the label runs, and why its values are not published ones, if they are not."""
    names = list(dict.fromkeys(run["preset"] for run in cell.runs if run["preset"]))
    facts = [*(f"preset {name}" for name in names), *remarks.preset_notes(cell)]
    return f' <span class="preset">{escape("; ".join(facts))}</span>' if facts else ""


def _own(config: dict[str, Any], common: dict[str, Any]) -> str:
    """The part of a run's configuration that the other seeds do not share."""
    own = {name: value for name, value in config.items() if name not in common}
    return f" {json.dumps(own)}" if own else ""


def _run(run: Run, config: str) -> str:
    numbers = [_number(run[name], ".2f") for name in ("final", "best")] + [
        _number(run[name], ".1f") for name in SECONDS
    ]
    status = escape(run["status"]) if run["status"] == "done" else f'<span class="bad">{_lost(run)}</span>'
    facts = (run["plan_key"], commit(run), (run["teacher_sha256"] or "")[:SHA_DIGITS], run["device_name"])
    folder = f"seed-{run['seed']}" + (f"/runs/{run['key']}" if run["key"] else "")
    attempts = _number(run["attempts"], ".0f")
    return (
        f"<tr><td>{run['seed']}{escape(config)}<td>{status}"
        + "".join(f'<td class="num">{number}' for number in (*numbers, attempts))
        + "".join(f"<td>{escape(str(fact or ''))}" for fact in (*facts, run["mlflow_run_id"], folder))
        + "\n"
    )


def _lost(run: Run) -> str:
    return escape(f"{run['status']}: {run['reason'] or 'no reason recorded'}")


def _number(value: float | None, form: str) -> str:
    return text.NOTHING if value is None else format(value, form)
