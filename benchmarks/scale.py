"""How long the commands that look at all results take: on a made-up results folder of many cells.

    PYTHONPATH=. python benchmarks/scale.py FOLDER [--cells 10000] [--plans 1000 5000] [--skip sync]

Writes the folder (well-formed records of digits cells that nobody ran) and prints seconds and peak memory of each
command as a Markdown table. Memory is that of the largest single process of the command.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import yaml

from harness.grid import grid, keys
from harness.grid.cell import Cell
from harness.machine import memory
from harness.store import atomic
from tests import factory

ROOT = Path(__file__).parent.parent
SCALES, SEEDS, LABELS = [100, 20, 10, 5, 1], list(range(20)), [f"method-{index}" for index in range(20)]
PAIRS = [("wrn10_1", student) for student in ("cnn3_16", "wrn16_1", "wrn16_2", "wrn40_1", "wrn40_2")]


def study(folder: Path, cells: int) -> Path:
    """A configuration of about so many cells, five at least."""
    pairs = PAIRS[: max(1, cells // len(SCALES))]
    seeds = SEEDS[: max(1, cells // (len(pairs) * len(SCALES)))]
    labels = LABELS[: max(1, cells // (len(pairs) * len(SCALES) * len(seeds)))]
    content = {
        "study": "large",
        "dataset": "digits",
        "pairs": [{"teacher": teacher, "student": student} for teacher, student in pairs],
        "scales": SCALES,
        "seeds": seeds,
        "methods": {label: {"method": "kd-noise"} for label in labels},
    }
    file = folder / f"large-{cells}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return file


def write(results: Path, cells: list[Cell]) -> None:
    """A finished result for every cell, under the key that it has now."""
    for dataset, teacher in {(cell.dataset, cell.pair.teacher) for cell in cells}:
        record = factory.teacher(dataset, teacher)
        atomic.write(results / "teachers" / dataset / teacher / "teacher.json", record)
    for index, cell in enumerate(cells):
        if (results / cell.name).exists():
            continue
        plan = keys.plan_key(cell)
        result = factory.metrics(
            cell.label,
            cell.scale,
            cell.seed,
            cell=cell.name,
            key=keys.cell_key(plan, factory.TEACHER_SHA),
            plan_key=plan,
            study=cell.study,
            dataset=cell.dataset,
            teacher=cell.pair.teacher,
            student=cell.pair.student,
            method=cell.method,
            device="cuda",
            final=60 + 30 * (cell.scale / 100) ** 0.2 + index % 7,
        )
        factory.write(results, result)


def measure(*command: str) -> tuple[float, int, int]:
    """Seconds, bytes of the largest process, exit code."""
    start = time.perf_counter()
    pid = os.spawnvp(os.P_NOWAIT, command[0], list(command))
    _, status, usage = os.wait4(pid, 0)
    return time.perf_counter() - start, memory.peak(usage), os.waitstatus_to_exitcode(status)


def main() -> None:
    """Write, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cells", type=int, default=10_000)
    parser.add_argument("--plans", type=int, nargs="*", default=[1000, 5000])
    parser.add_argument("--skip", nargs="*", default=[], help="commands to leave out: list, sync, report")
    chosen = parser.parse_args()
    folder = chosen.folder.resolve()
    results, file = folder / "results", study(folder, chosen.cells)
    cells = grid.load_grid(file).cells
    write(results, cells)
    os.chdir(ROOT)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    dkd = sys.executable, "-m", "harness"
    place = "--results", str(results)
    commands = {
        "list": (*dkd, "list", "--configfile", str(file), *place),
        "sync": (*dkd, "sync", *place),
        "sync, nothing new": (*dkd, "sync", *place),
        "report": (*dkd, "report", *place, "--out", str(folder / "reports")),
    }
    print("| command | cells | seconds | MiB |\n|---|---:|---:|---:|", flush=True)
    shown = os.dup(1)
    os.dup2(2, 1)

    def line(name: str, count: int, *command: str) -> None:
        seconds, size, code = measure(*command)
        text = f"| {name} | {count:,} | {seconds:.1f} | {size / 2**20:.0f} |" + (f" exit {code}" if code else "")
        os.write(shown, f"{text}\n".encode())

    for name, command in commands.items():
        if name.split(",")[0] not in chosen.skip:
            line(f"dkd {name}", len(cells), *command)
    for plan in chosen.plans:
        plans = study(folder / "plans", plan)
        snakemake = sys.executable, "-m", "snakemake", "-n", "--quiet", "--cores", "2", "--configfile", str(plans)
        line("snakemake -n", len(grid.load_grid(plans).cells), *snakemake, "--config", f"results={folder}/none")


if __name__ == "__main__":
    main()
