"""Reference results on one device, resumable: as many cells as fit into the time, and at the end their records alone.

    python benchmarks/reference.py --minutes 9 --results OUT/results --records OUT/records

Give it again to go on: finished cells are skipped, a stopped one resumes from its checkpoint, and so does the teacher's
training. The first cells are those of reference.yaml in the order of FIRST; then one of them runs a second time in a
folder of its own, to see how far a repetition on the same device is from the first; then those of ssd-kd-table1.yaml.
Records are small: no weights, no checkpoints. Committed under results/reference/<device>/, they render by
`dkd report --results results/reference/<device>`.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness import config
from harness.config import Cell

ROOT = Path(__file__).parent.parent
REFERENCE, TABLE = (ROOT / "workflow/config" / name for name in ("reference.yaml", "ssd-kd-table1.yaml"))
FIRST = ("ssd-kd/scale-10", "kd-real/scale-10", "kd-real/scale-100", "fast-2/scale-100", "dafl-cmi/scale-100")
AGAIN = "ssd-kd/scale-10/seed-0"
RECORDS = ("metrics.json", "events.jsonl", "manifest.json", "teacher.json", "samples.png")
GRACE = 20.0
"""Seconds before the end in which nothing new is started."""


@dataclass(frozen=True)
class Task:
    """A command, and the file that says it is done."""

    command: tuple[str, ...]
    result: Path


def tasks(results: Path, only_first: bool = False) -> Iterator[Task]:
    """Everything there is to do, in order; the teacher of a cell comes before its first cell."""
    cells = config.load_grid(REFERENCE).cells
    first = [
        cell for seed in (0, 1, 2) for part in FIRST for cell in cells if cell.name.endswith(f"{part}/seed-{seed}")
    ]
    again = next(cell for cell in cells if cell.name.endswith(AGAIN))
    for cell in first[: len(FIRST)]:
        yield from _cell(cell, REFERENCE, results)
    yield from _cell(again, REFERENCE, results, results.with_name(f"{results.name}-again"))
    for cell in first[len(FIRST) :]:
        yield from _cell(cell, REFERENCE, results)
    if not only_first:
        for cell in config.load_grid(TABLE).cells:
            yield from _cell(cell, TABLE, results)


def _cell(cell: Cell, file: Path, results: Path, out: Path | None = None) -> Iterator[Task]:
    dkd = (sys.executable, "-m", "harness")
    place = results / cell.teacher_folder
    teacher = *dkd, "train-teacher", cell.dataset, place.name, "--results", str(results)
    yield Task(teacher if cell.verify else (*teacher, "--no-verify"), place / "teacher.json")
    command = *dkd, "run", cell.name, "--configfile", str(file), "--results", str(results)
    elsewhere = ("--out", str(out)) if out else ()
    yield Task((*command, *elsewhere), (out or results) / cell.name / "metrics.json")


def run(results: Path, seconds: float, only_first: bool) -> bool:
    """Work for at most so many seconds; whether everything is done."""
    end, complete = time.monotonic() + seconds, True
    for task in tasks(results, only_first):
        if task.result.exists():
            continue
        if (left := end - time.monotonic()) < GRACE:
            return False
        print("==", *task.command[3:], flush=True)
        try:
            subprocess.run(task.command, cwd=ROOT, timeout=left, check=True)
        except subprocess.TimeoutExpired:
            return False
        except subprocess.CalledProcessError as error:
            print("==", error, flush=True)
            complete = False
    return complete


def collect(results: Path, records: Path) -> int:
    """Copy the records of finished cells, of their teachers, and of the repetition; how many files."""
    copied = 0
    for source, target in ((results, records), (results.with_name(f"{results.name}-again"), records / "again")):
        done = {path.parent for path in source.glob("*/*/*/*/*/*/metrics.json")}
        files = [path for path in source.rglob("*") if path.name in RECORDS]
        for path in files:
            if "teachers" in path.parts or done & set(path.parents):
                place = target / path.relative_to(source)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, place)
                copied += 1
    return copied


def main() -> None:
    """Run, then collect what is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--records", type=Path, required=True)
    parser.add_argument("--only-first", action="store_true", help="leave out ssd-kd-table1.yaml")
    chosen = parser.parse_args()
    complete = run(chosen.results.resolve(), 60 * chosen.minutes, chosen.only_first)
    print(f"{'everything is done' if complete else 'not everything is done: give it again to go on'}; "
          f"{collect(chosen.results.resolve(), chosen.records)} records in {chosen.records}")  # fmt: skip


if __name__ == "__main__":
    main()
