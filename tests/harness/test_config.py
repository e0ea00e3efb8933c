"""Configuration files: what is refused, and how several become one grid."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from harness.config import CONFIGS, grid, load, load_grid
from harness.errors import ConfigError, UserError
from harness.recipes import recipe_for

STUDY = {
    "study": "mine",
    "dataset": "digits",
    "pairs": [{"teacher": "wrn10_1", "student": "cnn3_16"}],
    "scales": [10],
    "seeds": [0],
    "methods": {"a": {"method": "ssd-kd"}},
}


def write(folder: Path, name: str = "mine.yaml", **changes: object) -> Path:
    file = folder / name
    file.write_text(yaml.safe_dump({**STUDY, **changes}))
    return file


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"methods": {"a": {"method": "ssd-kd"}, "A": {"method": "fast"}}}, r"methods\.A: the same folder as a"),
        ({"methods": {"Scratch": {"method": "fast"}}, "references": ["scratch"]}, r"methods\.Scratch: the same folder"),
        (
            {"methods": {"kd-real": {}}, "references": ["kd-real"]},
            r"references\.0: kd-real is also a label",
        ),
        ({"methods": {"../a": {"method": "fast"}}}, r"methods\.\.\./a: a label is letters"),
        ({"study": "../elsewhere"}, "study: '../elsewhere'"),
        ({"study": "a/b"}, "study: 'a/b'"),
        ({"seeds": [0, 1, 0]}, "seeds: the same value stands twice"),
        ({"scales": [10, 10.0]}, "scales: the same value stands twice"),
        ({"scales": [0]}, r"scales\.0: 0 is not a data scale"),
        ({"dataset": ["digits", "digits"]}, "datasets: the same value stands twice"),
        ({"dataset": "digit"}, "dataset: unknown dataset: 'digit'"),
        ({"methods": {"a": {"method": "sdd-kd"}}}, r"methods\.a\.method: unknown method: 'sdd-kd'"),
        ({"methods": {}}, "methods: nothing to run"),
    ],
)
def test_refused(tmp_path: Path, changes: dict[str, object], problem: str) -> None:
    with pytest.raises(ConfigError, match=f"mine.yaml: {problem}"):
        load(write(tmp_path, **changes))


@pytest.mark.parametrize("twice", ["seeds: [1]", "methods:\n  b: {method: fast, method: cmi}"])
def test_a_key_that_stands_twice_is_refused(tmp_path: Path, twice: str) -> None:
    file = write(tmp_path)
    file.write_text(file.read_text() + twice + "\n")
    with pytest.raises(UserError, match=r"stands twice[\s\S]*line"):
        load(file)


def test_several_datasets_share_the_rest(tmp_path: Path) -> None:
    cells = grid(load(write(tmp_path, dataset=["digits", "digits-tuning"])))
    assert [cell.name for cell in cells] == [
        "mine/digits/wrn10_1--cnn3_16/a/scale-10/seed-0",
        "mine/digits-tuning/wrn10_1--cnn3_16/a/scale-10/seed-0",
    ]


def test_included_studies_are_one_grid(tmp_path: Path) -> None:
    write(tmp_path, "first.yaml", study="first"), write(tmp_path, "second.yaml", study="second", seeds=[0, 1])
    file = tmp_path / "both.yaml"
    file.write_text("include: [first.yaml, second.yaml]\n")
    assert [cell.study for cell in load_grid(file).cells] == ["first", "second", "second"]


@pytest.mark.parametrize(
    ("second", "problem"),
    [
        ({"study": "mine"}, "two studies have the same name and a cell in common"),
        ({"study": "other", "threads": 2}, "the studies differ in threads: 1, 2"),
        ({"study": "other", "recipe": {"epochs": 1}}, "two studies differ in the teachers of digits"),
    ],
)
def test_studies_that_do_not_fit_together(tmp_path: Path, second: dict[str, object], problem: str) -> None:
    write(tmp_path), write(tmp_path, "second.yaml", **second)
    file = tmp_path / "both.yaml"
    file.write_text("include: [mine.yaml, second.yaml]\n")
    with pytest.raises(ConfigError, match=problem):
        _ = load_grid(file).recipes


def test_a_collection_has_no_other_keys(tmp_path: Path) -> None:
    file = tmp_path / "both.yaml"
    file.write_text("include: [mine.yaml]\nstudy: both\n")
    with pytest.raises(ConfigError, match=r"both\.yaml: include: a list of files, and no other key beside it"):
        load_grid(file)


def test_recipes_are_changed_by_name() -> None:
    assert recipe_for("digits", "wrn10_1", {"epochs": 3}).epochs == 3
    assert recipe_for("cifar10", "wrn40_2", {}).floor == pytest.approx(94.37)
    assert recipe_for("nyuv2", "deeplabv3_resnet50", {}).floor == pytest.approx(48.7)
    with pytest.raises(ConfigError, match=r"recipe\.epoch: [\s\S]*did you mean: epochs"):
        recipe_for("digits", "wrn10_1", {"epoch": 3})
    with pytest.raises(ConfigError, match=r"recipe\.floor: 101"):
        recipe_for("digits", "wrn10_1", {"floor": 101.0})


@pytest.mark.parametrize("file", sorted(CONFIGS.glob("*.yaml")), ids=lambda file: file.stem)
def test_the_configurations_that_come_with_the_bench_can_be_read(file: Path) -> None:
    cells = load_grid(file).cells
    assert len({cell.name for cell in cells}) == len(cells) > 0
