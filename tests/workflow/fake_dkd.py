"""Stands in for `python -m harness` under Snakemake: leaves the same files behind, and trains nothing.

It imports nothing of the bench, since it is started a hundred times: what it leaves are copies of the records
teacher.json and metrics.json in the folder $STUB. Every expensive call is a line of calls.txt there. What has the text
of the file `fail` in its name fails, that of `stumble` does so twice and that of `refuse` with status 2; that of `hang`
writes the file `hanging` and waits.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from hashlib import sha256
from pathlib import Path

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
            _train_teacher(results, options.names[0], "+".join(filter(None, [options.names[1], options.name])))
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
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(STUB / "teacher.json", place)


def _run(results: Path, cell: str, plan: str) -> None:
    *_, label, scale, seed = cell.split("/")
    teacher = next(results.glob("teachers/*/*/teacher.json")).read_text(encoding="utf-8")
    finished = results / cell / "runs" / sha256(f"{plan} {teacher}".encode()).hexdigest() / "metrics.json"
    if not finished.exists():
        _log(call := f"{label}/{scale}/{seed}")
        _trouble(call, cell)
        if _asked_to("hang", cell):
            (STUB / "hanging").touch()
            time.sleep(600)
        finished.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(STUB / "metrics.json", finished)
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
