"""The trials on CIFAR-10 in docs/tuning.md, and what was chosen by them, against the committed records."""

from __future__ import annotations

import json
from collections import defaultdict
from statistics import fmean, stdev
from typing import Any

import pytest
import yaml

from harness import ROOT

TUNED = {"ssd-kd": "SSD-KD", "fast-2": "Fast-2"}
"""Label -> as the table names it."""


def methods(study: str) -> dict[str, dict[str, Any]]:
    return yaml.safe_load((ROOT / f"workflow/config/{study}.yaml").read_text(encoding="utf-8"))["methods"]


def trials() -> dict[str, list[float]]:
    """Label of a trial -> accuracies of its seeds."""
    found, seeds = defaultdict(list), defaultdict(set)
    for file in (ROOT / "results/reference").glob("*/cifar10-tuning/*/*/*/scale-10/seed-*/metrics.json"):
        run = json.loads(file.read_text(encoding="utf-8"))
        found[run["label"]].append(run["final"])
        seeds[run["label"]].add(run["seed"])
    assert set(found) == set(methods("cifar10-tuning")), "equally many trials of each method"
    assert all(of == {100, 101, 102} for of in seeds.values()), "other seeds than those that are reported"
    return found


def test_the_table_is_that_of_the_records() -> None:
    text = (ROOT / "docs/tuning.md").read_text(encoding="utf-8").partition("## The digits")[0]
    lines = [
        [cell.strip(" *") for cell in line.strip("| ").split("|")] for line in text.splitlines() if line[:2] == "| "
    ]
    (_, *columns), *rows = lines
    assert columns == list(TUNED.values())
    found = trials()
    for name, *written in rows:
        own = [found[f"{label}-{name[0]}"] for label in TUNED]
        assert written == [f"{fmean(finals):.2f} ± {stdev(finals):.2f}" for finals in own]
    assert len(rows) * len(TUNED) == len(found)


@pytest.mark.parametrize("label", TUNED)
def test_the_tuned_row_has_the_values_of_the_best_trial(label: str) -> None:
    found = {trial: fmean(finals) for trial, finals in trials().items() if trial.startswith(label)}
    assert methods("cifar10-cpu")[f"{label}-tuned"] == methods("cifar10-tuning")[max(found, key=found.__getitem__)]
