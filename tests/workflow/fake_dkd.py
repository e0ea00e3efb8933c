"""Stands in for `python -m harness` under Snakemake: leaves the same files behind, trains nothing, imports no torch.

Every expensive call is a line of calls.txt in the folder $STUB. What has the text of its file `fail` in its name fails,
that of `stumble` does so twice and that of `refuse` with status 2; that of `hang` writes the file `hanging` and waits.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from pathlib import Path

from harness.grid import keys
from harness.store import atomic, reading
from harness.store.records import TeacherRecord
from methods.base.names import teacher_name
from tests import factory

STUB = Path(os.environ["STUB"])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("command")
    parser.add_argument("names", nargs="*")
    for option in ("--configfile", "--results", "--out", "--plan-key", "--concurrent", "--name", "--set"):
        parser.add_argument(option)
    options = parser.parse_args()
    results = Path(options.results)
    match options.command:
        case "validate" | "sync":
            _log(options.command)
        case "train-teacher":
            _train_teacher(results, options.names[0], teacher_name(options.names[1], options.name))
        case "run":
            _run(results, options.names[0], options.plan_key)
        case "report":
            _log("report")
            Path(options.out).mkdir(exist_ok=True)
            (Path(options.out) / "index.html").write_text("report", encoding="utf-8")


def _train_teacher(results: Path, dataset: str, name: str) -> None:
    place = results / "teachers" / dataset / name / "teacher.json"
    if place.exists():
        return
    _log("train-teacher")
    _trouble("train-teacher", f"teachers/{dataset}/{name}")
    atomic.write(place, factory.teacher(dataset, name))


def _run(results: Path, cell: str, plan: str) -> None:
    *_, label, scale, seed = cell.split("/")
    teacher = reading.read(next(results.glob("teachers/*/*/teacher.json")), TeacherRecord)
    finished = results / cell / "runs" / keys.cell_key(plan, teacher.identity) / "metrics.json"
    if not finished.exists():
        _log(call := f"{label}/{scale}/{seed}")
        _trouble(call, cell)
        if _asked_to("hang", cell):
            (STUB / "hanging").touch()
            time.sleep(600)
        atomic.write(finished, factory.metrics(label))
    shutil.copyfile(finished, results / cell / "metrics.json")


def _trouble(call: str, name: str) -> None:
    """End with the status that was asked for."""
    calls = (STUB / "calls.txt").read_text(encoding="utf-8").splitlines().count(call)
    if _asked_to("fail", name) or (_asked_to("stumble", name) and calls < 3):
        sys.exit("as asked to")
    if _asked_to("refuse", name):
        sys.exit(2)


def _asked_to(what: str, cell: str) -> bool:
    return (STUB / what).exists() and (STUB / what).read_text(encoding="utf-8") in cell


def _log(line: str) -> None:
    with (STUB / "calls.txt").open("a", encoding="utf-8") as calls:
        calls.write(line + "\n")


if __name__ == "__main__":
    main()
