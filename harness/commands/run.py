"""`dkd run`: one cell in this process, several in a process each."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness import start
from harness.commands import listing, status
from harness.errors import UserError
from harness.grid import settings
from harness.grid.cell import Cell
from harness.grid.grid import find
from harness.run.runner import run_cell
from harness.store import checking
from harness.store.layout import Results
from harness.teachers.shelf import borrow, how_to_make
from harness.terminal import say
from harness.wording import count


def run(
    pattern: str,
    configfile: Path | None,
    *,
    changes: Sequence[str] = (),
    results: Path,
    out: Path | None = None,
    plan_key: str | None = None,
    concurrent: int = 1,
) -> int:
    """Run the cells that match, or resume them, or copy back what is already done; gives the exit status.

    Args:
        pattern: which cells are meant (`harness/grid/pattern.py`).
        configfile: of the grid; the default one, and then all of the project's, if None.
        changes: options of the method, ``key=value`` each; they need ``out``.
        results: where the teachers are, and the results go.
        out: where the results go instead.
        plan_key: of the only cell, as the workflow computed it.
        concurrent: how many cells may run at the same time on this machine; recorded.

    Of several cells one that ends with an error does not keep the others from running. Raises UserError.
    """
    if changes and not out:
        raise UserError("--set needs --out DIR: results with other options do not belong into the grid's folder")
    if out and out.resolve() == results.resolve():
        raise UserError(f"--out {out} is the results folder itself: name another for results with other options")
    parsed, found = settings.parse(list(changes)), find(pattern, configfile, results)
    if plan_key and (len(found) != 1 or changes):
        raise UserError(f"--plan-key belongs to one cell as it stands in the grid; {pattern} names {len(found)}")
    if len(found) > 1:
        say(_plan(found, None if out else results))
        for problem in _without_teacher([cell for _, cell in found], Results(results)):
            say(problem, err=True)
        _check_options([settings.apply(parsed, cell) for _, cell in found])
        options = _options(changes, results, out, concurrent)
        return _each([[cell.name, "--configfile", str(file), *options] for file, cell in found])
    cell = settings.apply(parsed, found[0][1])
    if out:
        borrow(cell.dataset, cell.pair.teacher, source=results, target=out)
    else:
        _tell_ended(cell, results)
    run_cell(cell, results=out or results, plan_key=plan_key, concurrent=concurrent)
    return 0


def _tell_ended(cell: Cell, results: Path) -> None:
    """Say what a cell has come to, if it has a result: nothing else will be said of it."""
    (known,) = status.of_grid([cell], results)
    if known.state in ("done", "failed", "diverged"):
        again = "" if known.state == "done" else "; `dkd retry` lets it run again"
        say(f"{cell.name}: {known.state}: {known.detail}{again}")


def _check_options(cells: Sequence[Cell]) -> None:
    """Raise ConfigError for a wrong option, before a process is started for every cell that has it."""
    from harness.run.assemble import method_config  # it takes PyTorch: one cell alone is told as soon without it

    for cell in {(cell.study, cell.dataset, cell.pair, cell.label, cell.scale): cell for cell in cells}.values():
        method_config(cell)


def _plan(found: Sequence[tuple[Path, Cell]], results: Path | None) -> str:
    """What is about to run: how many cells of which files, and how long, as far as ``results`` tell."""
    files = ", ".join(dict.fromkeys(str(file) for file, _ in found))
    told = [f"{count(len(found), 'cell')} of {files}"]
    if results:
        states = status.of_grid([cell for _, cell in found], results)
        told += [status.totals(states), listing.time_left(states, 1)]
    return "; ".join(filter(None, told))


def _without_teacher(cells: Sequence[Cell], results: Results) -> Iterator[str]:
    """Which cells will not run for want of a teacher, and what makes it."""
    teachers = Counter((cell.dataset, cell.pair.teacher, cell.teacher_network) for cell in cells)
    for (dataset, name, network), wanting in teachers.items():
        folder = results.teacher(dataset, name)
        if checking.teacher_identity(folder) is None:
            yield f"note: {count(wanting, 'cell')} will not run: no {folder.record}; {how_to_make(folder, network)}"


def _options(changes: Sequence[str], results: Path, out: Path | None, concurrent: int) -> list[str]:
    given = [argument for change in changes for argument in ("--set", change)] + (["--out", str(out)] if out else [])
    return [*given, "--results", str(results), "--concurrent", str(concurrent)]


def _each(commands: Sequence[Sequence[str]]) -> int:
    """Run them one after the other; the first status that is not 0."""
    # A process of its own gives a cell the start-up and the peak of memory that it has in the workflow, and the lease
    # of its card ends with it.
    failed = list(_failures(commands))
    for name, ended in failed:
        killed = f": killed by {signal.Signals(-ended).name}" if ended < 0 else ""
        say(f"error: {name} did not come to its end{killed}", err=True)
    # A process that was killed is the machine's trouble.
    return max(1, failed[0][1]) if failed else 0


def _failures(commands: Sequence[Sequence[str]]) -> Iterator[tuple[str, int]]:
    for command in commands:
        whole = [sys.executable, "-m", "harness", "run", *command]
        if status := subprocess.run(whole, env=start.environment(), check=False).returncode:
            yield command[0], status
