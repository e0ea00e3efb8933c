"""The table of the ablation on CIFAR-10 in docs/ssd-kd.md, calculated again from the committed records."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from statistics import fmean, stdev

from harness import ROOT

ROWS = {
    "no module": "none",
    "no priority sampling (α = 0)": "no-priority",
    "β = 0": "beta-0",
    "no difficulty (γ = 0)": "no-difficulty",
    "difficulty without the other two": "only-difficulty",
    "priority sampling without the other two": "only-priority",
    "weights by their mean": "weight-mean",
    "γ = 5": "gamma-5",
    "γ = 1": "gamma-1",
    "diversity without the other two": "only-diversity",
    "no diversity": "no-diversity",
    "first priority by the maximum": "first-max",
    "α = 1": "alpha-1",
    "replacing the oldest": "replace-oldest",
    "β = 1": "beta-1",
    "order by φ": "order-phi",
}
STUDENT = {3: 4.3027}
"""n -> the 97.5 % quantile of Student's t with n - 1 degrees of freedom, of a statistical table."""


def records() -> dict[str, dict[int, list[float]]]:
    """Label -> seed -> accuracies, wherever they ran; of other studies SSD-KD as it stands."""
    found: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for file in (ROOT / "results/reference").glob("*/*/cifar10/*/*/scale-10/seed-*/metrics.json"):
        run = json.loads(file.read_text(encoding="utf-8"))
        if run["study"].startswith("ablation") or run["label"] == "ssd-kd":
            found[run["label"]][run["seed"]].append(run["final"])
    return found


def signed(value: float, digits: int) -> str:
    return f"{value:+.{digits}f}".replace("-", "−")


def expected(own: dict[int, list[float]], base: dict[int, list[float]]) -> list[str]:
    every = [final for finals in own.values() for final in finals]
    over = [fmean(finals) - fmean(base[seed]) for seed, finals in own.items()]
    mean, sd, n = fmean(over), stdev(over), len(over)
    half = STUDENT[n] * sd / math.sqrt(n)
    return [
        str(len(every)),
        f"{fmean(every):.2f}",
        f"{signed(mean, 2)} ± {sd:.2f} ({n})",
        f"{signed(mean - half, 1)} to {signed(mean + half, 1)}",
    ]


def test_every_row_is_that_of_the_records() -> None:
    text = (ROOT / "docs/ssd-kd.md").read_text(encoding="utf-8").partition("## The ablation on CIFAR-10")[2]
    lines = [[cell.strip() for cell in line.strip("| ").split("|")] for line in text.splitlines() if line[:2] == "| "]
    written = {name: [cell.replace(" seeds)", ")") for cell in cells] for name, *cells in lines if name in ROWS}
    found = records()
    assert written == {name: expected(found[label], found["ssd-kd"]) for name, label in ROWS.items()}
