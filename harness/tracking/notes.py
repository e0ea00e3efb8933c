"""Descriptions and names, as MLflow's pages show them: Markdown that follows from the records alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.reporting import names
from harness.reporting.stats import summarise
from harness.store.layout import CellName, scale_text
from harness.store.records import Metrics
from harness.wording import count

MOST_SEEDS = 50
"""Seeds that a description lists: MLflow keeps 5000 letters of it."""


def title(cell: CellName, method: str | None, seed: int | None = None) -> str:
    """Name of a run, or of a row where no seed is given: what tells it from its neighbours comes first."""
    which = "" if seed is None else f", seed {seed}"
    label = names.label(cell.label, method)
    return f"{label}, {scale_text(cell.scale)} %{which} ({names.pair(cell.pair)}, {names.dataset(cell.dataset)})"


def of_run(cell: CellName, result: Metrics | None, status: str) -> str:
    """What a run came to."""
    where = f"Seed {cell.seed} of {_place(cell, result)}."
    if result is None:
        return f"{where}\n\nNot finished: {status.lower()}."
    if result.final is None:
        return f"{where}\n\n{result.status.capitalize()}: {result.reason}"
    return f"{where}\n\n{_numbers(result)}\n\n`dkd trace {cell}` says where it comes from.{_warning([result])}"


def of_row(cell: CellName, results: Mapping[int, Metrics | None]) -> str:
    """The seeds of a row beside one another; ``results`` by seed, None for what has not finished."""
    done = [result for result in results.values() if result and result.final is not None]
    known = next((result for result in results.values() if result), None)
    head = f"{_place(cell, known)}: {len(done)} of {count(len(results), 'seed')} done."
    metric, unit = (known.metric, known.clock) if known else ("top1", "s")
    table = [f"| seed | {metric} % | {unit} | |", "|---|---:|---:|---|"]
    table += [_line(seed, result) for seed, result in list(results.items())[:MOST_SEEDS]]
    mean = [_mean(done)] if len(done) > 1 else []
    return "\n\n".join([head, *mean, "\n".join(table)]) + _warning(done)


def of_study(study: str, rows: int, links: Mapping[str, str]) -> str:
    """What an experiment holds, and where its comparison is; ``links`` by what they show."""
    lines = "\n".join(f"- [{what}]({address})" for what, address in links.items())
    return (
        f"Study {study} of dkd-bench: {count(rows, 'row')}, each a method on a pair at a data scale; its seeds are"
        f" child runs.\n\n{lines}\n\nmean/… and sd/… are over the seeds of a row; cost_seconds are CPU s on a"
        " processor, GPU s on a card. The records under results/ are the source of all this: `dkd sync` writes it"
        " from them."
    )


def _place(cell: CellName, result: Metrics | None) -> str:
    label = names.label(cell.label, result.method if result else None)
    images = f" ({result.images:,} images)" if result else ""
    return (
        f"{label} on {names.dataset(cell.dataset)}, {names.pair(cell.pair)}, "
        f"{scale_text(cell.scale)} % of the data{images}"
    )


def _numbers(result: Metrics) -> str:
    cost, unit = result.cost, result.clock
    return (
        f"**{result.final:.2f} % {result.metric}** after the last epoch; the teacher has {result.teacher_metric:.2f}, "
        f"both agree on {result.agreement:.2f} %.\n\n"
        f"**{cost.end_to_end:.2f} {unit}** end to end: {cost.startup:.2f} start-up, {cost.synthesis:.2f} synthesis, "
        f"{cost.distillation:.2f} distillation."
    )


def _line(seed: int, result: Metrics | None) -> str:
    if result is None:
        return f"| {seed} | | | not finished |"
    final = "" if result.final is None else f"{result.final:.2f}"
    return f"| {seed} | {final} | {result.cost.end_to_end:.2f} | {result.status} |"


def _mean(done: Sequence[Metrics]) -> str:
    final = summarise([result.final for result in done if result.final is not None], len(done))
    cost = summarise([result.cost.end_to_end for result in done], len(done))
    return (
        f"**{final.mean:.2f} ± {final.sd:.2f} % {done[0].metric}**, {cost.mean:.2f} ± {cost.sd:.2f} {done[0].clock}: "
        "mean and sample standard deviation over the seeds that are done."
    )


def _warning(results: Sequence[Metrics]) -> str:
    if not any(result.overloaded for result in results):
        return ""
    return "\n\nThe machine had much else to do meanwhile: these seconds say little about the method."
