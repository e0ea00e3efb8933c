from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.reporting.rows import group
from harness.reporting.runs import load
from harness.reporting.tables import ablation
from harness.reporting.tables.table import Table
from harness.reporting.tables.variants import groups
from tests import factory

BASE = {"alpha": 0.6, "steps": 200}


def write(results: Path, label: str, config: Mapping[str, Any] = BASE, method: str = "m", **changes: Any) -> Path:
    result = factory.metrics(label, method=method, **({"device": "cuda"} | changes))
    return factory.write(results, result, config={**BASE, **config})


def build(results: Path) -> list[Table]:
    return ablation.tables(group(load(results)), {})


def lines(table: Table, block: int = 0) -> dict[str, list[str]]:
    return {line.title.text: [entry.text for entry in line.entries] for line in table.blocks[block].lines}


def test_three_labels_of_one_method_that_differ(tmp_path: Path) -> None:
    write(tmp_path, "m-a", {"alpha": 0.0})
    write(tmp_path, "other", method="other")
    assert build(tmp_path) == []
    write(tmp_path, "m")
    assert build(tmp_path) == []
    write(tmp_path, "m-b", {"alpha": 1.0})
    assert [table.name for table in build(tmp_path)] == ["ablation-m"]


def test_labels_with_the_same_options_are_no_ablation(tmp_path: Path) -> None:
    for label in ("m", "m-a", "m-b"):
        write(tmp_path, label)
    assert build(tmp_path) == []


def test_the_baseline_bears_the_methods_name_or_is_the_first(tmp_path: Path) -> None:
    for label, alpha in (("a-variant", 0.0), ("b-variant", 1.0), ("m", 0.6)):
        write(tmp_path / "named", label, {"alpha": alpha})
        write(tmp_path / "unnamed", f"{label}-x", {"alpha": alpha})
    (named,), (unnamed,) = (groups(group(load(tmp_path / name))) for name in ("named", "unnamed"))
    assert (named.baseline, unnamed.baseline) == ("m", "a-variant-x")
    assert named.rows[0].label == "m"


def test_options_of_every_type(tmp_path: Path) -> None:
    write(tmp_path, "m", {"on": True, "name": "a", "least": None, "widths": [1, 2], "gone": 1})
    write(tmp_path, "m-a", {"on": False, "name": "b", "least": 0.5, "widths": [1, 3]})
    write(tmp_path, "m-b", {"on": True, "name": "a", "least": None, "widths": [1, 2], "gone": 1, "alpha": 1e-6})
    (table,) = build(tmp_path)
    assert [entry.text for entry in table.blocks[0].columns[0].quantities] == [
        *("alpha", "gone", "least", "name", "on", "widths")
    ]
    assert lines(table)["m (baseline)"][:6] == ["0.6", "1", "none", "a", "on", "[1, 2]"]
    assert lines(table)["m-a"][:6] == ["", "–", "0.5", "b", "off", "[1, 3]"]
    assert lines(table)["m-b"][:6] == ["1e-06", "", "", "", "", ""]


def test_seeds_with_different_options_show_both(tmp_path: Path) -> None:
    for label in ("m", "m-a", "m-b"):
        write(tmp_path, label, {"alpha": 0.0 if label == "m-a" else 0.6}, seed=0)
        write(tmp_path, label, {"alpha": 1.0 if label == "m-a" else 0.6}, seed=1)
    assert lines(build(tmp_path)[0])["m-a"][0] == "0 / 1"


def test_without_the_baseline_there_is_no_difference(tmp_path: Path) -> None:
    write(tmp_path, "m", scale=100.0)
    write(tmp_path, "m-a", {"alpha": 0.0})
    write(tmp_path, "m-b", {"alpha": 1.0}, status="failed", reason="x", final=None)
    assert lines(build(tmp_path)[0]) == {
        "m (baseline)": ["0.6", "90.00", "", "–", "–"],
        "m-a": ["0", "–", "–", "90.00", "–"],
        "m-b": ["1", "–", "–", "– (0/1)", "–"],
    }


def test_a_seed_that_the_baseline_lacks_is_said(tmp_path: Path) -> None:
    write(tmp_path, "m", final=90.0)
    for label, alpha in (("m-a", 0.0), ("m-b", 1.0)):
        for seed, final in enumerate((91.0, 70.0)):
            write(tmp_path, label, {"alpha": alpha}, seed=seed, final=final)
    assert lines(build(tmp_path)[0])["m-a"][1:] == ["80.50 ± 14.85", "+1.00 (1/2)"]


def test_each_pair_has_its_own_options(tmp_path: Path) -> None:
    for student, alpha in (("s1", 0.6), ("s2", 0.7)):
        for label, own in (("m", alpha), ("m-a", 0.0), ("m-b", 1.0)):
            cell = f"toy/digits/wrn10_1--{student}/{label}/scale-10/seed-0"
            write(tmp_path, label, {"alpha": own}, student=student, cell=cell)
    (table,) = build(tmp_path)
    assert [lines(table, block)["m (baseline)"][0] for block in (0, 1)] == ["0.6", "0.7"]
