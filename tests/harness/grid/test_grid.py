"""Grids: what a study becomes, how several become one, and which cells are meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ConfigError, UserError
from harness.grid.grid import Grid, expand, find, load_grid, select
from harness.grid.study import load_study
from tests.harness.grid.test_study import write


def test_several_datasets_share_the_rest(tmp_path: Path) -> None:
    cells = expand(load_study(write(tmp_path, dataset=["digits", "digits-tuning"])))
    assert [cell.name for cell in cells] == [
        "mine/digits/wrn10_1--cnn3_16/a/scale-10/seed-0",
        "mine/digits-tuning/wrn10_1--cnn3_16/a/scale-10/seed-0",
    ]


def test_a_label_is_its_method_unless_it_says_another(tmp_path: Path) -> None:
    cells = expand(load_study(write(tmp_path, methods={"a": {"method": "ssd-kd", "gamma": 1.0}, "kd-real": {}})))
    assert [(cell.label, cell.method, dict(cell.options)) for cell in cells] == [
        ("a", "ssd-kd", {"gamma": 1.0}),
        ("kd-real", "kd-real", {}),
    ]


def test_included_studies_are_one_grid(tmp_path: Path) -> None:
    write(tmp_path, "first.yaml", study="first"), write(tmp_path, "second.yaml", study="second", seeds=[0, 1])
    file = tmp_path / "both.yaml"
    file.write_text("include: [first.yaml, second.yaml]\n", encoding="utf-8")
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
    file.write_text("include: [mine.yaml, second.yaml]\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=problem):
        _ = load_grid(file).recipes


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("include: [mine.yaml]\nstudy: both\n", r"both\.yaml:1: include: a list of files, and no other key beside it"),
        ("include: []\n", r"both\.yaml:1: include: a list of files"),
        ("include: [there/mine.yaml]\n", r"both\.yaml:1: include\.0: 'there/mine\.yaml'"),
    ],
)
def test_a_collection_has_files_beside_it_and_no_other_keys(tmp_path: Path, content: str, problem: str) -> None:
    file = tmp_path / "both.yaml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=problem):
        load_grid(file)


def grid(folder: Path) -> Grid:
    pairs = [{"teacher": "wrn10_1", "student": student} for student in ("cnn3_16", "wrn10_1")]
    return load_grid(write(folder, pairs=pairs, scales=[10, 2.5], seeds=[0, 1], methods={"fast": {}, "cmi": {}}))


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, 16),
        ({"methods": "fast"}, 8),
        ({"scales": 10}, 8),
        ({"scales": "2.5,10"}, 16),
        ({"students": "wrn10_1", "seeds": [1]}, 4),
        ({"teachers": "wrn10_1"}, 16),
        ({"methods": ["fast", "cmi"], "scales": 2.5, "seeds": "0", "students": "cnn3_16"}, 2),
    ],
)
def test_a_selection(tmp_path: Path, filters: dict[str, object], expected: int) -> None:
    assert len(select(grid(tmp_path).cells, filters)) == expected


@pytest.mark.parametrize(
    ("filters", "problem"),
    [
        ({"method": "fast"}, r"--config method: no such selection[\s\S]*did you mean: methods"),
        ({"methods": "fats"}, r"--config methods=fats: not in the grid[\s\S]*did you mean: fast"),
    ],
)
def test_a_selection_of_what_is_not_there(tmp_path: Path, filters: dict[str, object], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        select(grid(tmp_path).cells, filters)


def test_cells_are_found_by_pattern(tmp_path: Path) -> None:
    write(tmp_path, seeds=[0, 1])
    found = find("mine/*/seed-1", tmp_path / "mine.yaml")
    assert [(file.name, cell.name) for file, cell in found] == [
        ("mine.yaml", "mine/digits/wrn10_1--cnn3_16/a/scale-10/seed-1")
    ]
    with pytest.raises(UserError, match=r"no cell matches 'other/\*' in .*mine.yaml \(2 cells\)"):
        find("other/*", tmp_path / "mine.yaml")


def test_without_a_file_the_default_grid_is_looked_through_and_then_all_studies() -> None:
    """Those that only include others would show their cells twice."""
    assert {file.name for file, _ in find("*/kd-real/scale-100/seed-0")} == {"digits.yaml"}
    names = [cell.name for _, cell in find("*/wrn40_2--wrn16_1/kd-real/scale-100/seed-0")]
    assert {"cifar/cifar10/wrn40_2--wrn16_1/kd-real/scale-100/seed-0"} < set(names)
    assert len(set(names)) == len(names)
