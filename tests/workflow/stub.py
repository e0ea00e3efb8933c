"""Stands for `python -m harness` in workflow tests: the same files and exit codes, no torch, no training.

Appends one line per piece of real work to $STUB_LOG. A cell whose name contains $STUB_FAIL exits with status 1; one that
contains $STUB_HANG never ends.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from harness import keys, records
from tests import factory


def note(text: str) -> None:
    with open(os.environ["STUB_LOG"], "a") as log:
        log.write(text + "\n")


def option(name: str) -> str:
    return sys.argv[sys.argv.index(name) + 1]


def run(cell: str, results: Path) -> None:
    key = keys.cell_key(option("--plan-key"), factory.TEACHER_SHA)
    run_folder = results / cell / "runs" / key
    if not (run_folder / "metrics.json").exists():
        if os.environ.get("STUB_FAIL", "-") in cell:
            sys.exit(1)
        if os.environ.get("STUB_HANG", "-") in cell:
            note(f"hang {cell}")
            time.sleep(600)
        note(f"run {cell}")
        records.write(run_folder / "metrics.json", factory.metrics(cell=cell, key=key))
    records.copy(run_folder / "metrics.json", results / cell / "metrics.json")


def train_teacher(dataset: str, network: str, results: Path) -> None:
    place = results / "teachers" / dataset / network / "teacher.json"
    if not place.exists():
        note(f"teacher {network}")
        records.write(place, factory.teacher(dataset, network))


def main() -> None:
    assert "torch" not in sys.modules
    command, results = sys.argv[1], Path(option("--results"))
    if command == "run":
        run(sys.argv[2], results)
    elif command == "train-teacher":
        train_teacher(sys.argv[2], sys.argv[3], results)
    elif command == "report":
        records.write_bytes(Path(option("--out")) / "index.html", b"report")


main()
