"""One's own images in a configuration: read beside it, refused with file, line and key, and found by name."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.data import identity
from harness.data.own import OwnData
from harness.errors import ConfigError
from harness.grid import grid, keys
from tests.pictures import draw

STUDY = """\
study: mine
dataset: {dataset}
pairs: [{{teacher: wrn10_1, student: cnn3_16}}]
scales: [100]
seeds: [0]
methods: {{kd-real: {{}}}}
"""


def write(folder: Path, dataset: str, name: str = "mine.yaml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(STUDY.format(dataset=dataset), encoding="utf-8")
    return folder / name


def plan(path: Path) -> str:
    identity.forget()
    return keys.plan_key(grid.load_grid(path).cells[-1])


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DKD_DATA", str(tmp_path / "data"))


def test_a_path_goes_from_the_file_that_says_it(tmp_path: Path) -> None:
    path = write(tmp_path / "a", "[digits, {name: shapes, folder: ../pictures}]")
    digits, shapes = grid.load_grid(path).cells
    assert (digits.own, digits.data, shapes.dataset) == (None, "digits", "shapes")
    assert shapes.own == OwnData(name="shapes", folder=str(tmp_path / "pictures")) == shapes.data
    assert shapes.name == "mine/shapes/wrn10_1--cnn3_16/kd-real/scale-100/seed-0"


def test_the_key_takes_the_content_and_not_the_place(tmp_path: Path) -> None:
    draw(tmp_path / "a" / "pictures", range(2))
    before = plan(write(tmp_path / "a", "{name: shapes, folder: pictures}"))
    shutil.copytree(tmp_path / "a" / "pictures", tmp_path / "elsewhere")
    assert plan(write(tmp_path / "b", "{name: shapes, folder: ../elsewhere}")) == before
    assert plan(write(tmp_path / "b", "{name: shapes, folder: ../elsewhere, flip: false}")) != before
    draw(tmp_path / "elsewhere", [5], ["dot"])
    assert plan(write(tmp_path / "b", "{name: shapes, folder: ../elsewhere}")) != before


def test_a_grid_is_listed_where_its_images_are_not(tmp_path: Path) -> None:
    path = write(tmp_path, "{name: shapes, folder: nowhere}")
    assert keys.data(grid.load_grid(path).cells[0]) is None
    assert len(plan(path)) == keys.LENGTH


@pytest.mark.parametrize(
    ("dataset", "problem"),
    [
        ("{name: shapes}", r"mine.yaml:2: dataset: .*either folder or npz"),
        ("{folder: pictures}", r"mine.yaml:2: dataset.name: this key is missing"),
        (
            "{name: shapes, folder: pictures, sise: 32}",
            r"mine.yaml:2: dataset.sise: unknown key[\s\S]*did you mean: size",
        ),
        ("{name: shapes, folder: pictures, size: 30}", r"mine.yaml:2: dataset.size: 30: .*multiples of 4: 28 or 32"),
        ("{name: digits, folder: pictures}", r"mine.yaml:2: dataset.name: 'digits': the bench has a dataset"),
        ("[digits, {name: a, folder: p, pad: x}]", r"mine.yaml:2: dataset.1.pad: 'x': a whole number"),
        ("[{name: a, folder: p}, {name: a, folder: q}]", r"mine.yaml:2: dataset: the same value stands twice"),
        ("{name: shapes, folder: ''}", r"mine.yaml:2: dataset.folder"),
        ("shapes", r"mine.yaml:2: dataset: unknown dataset: 'shapes'"),
        ("7", r"mine.yaml:2: dataset: 7: the name of a dataset is wanted, \{name: NAME, folder: PATH\}"),
    ],
)
def test_mistakes_are_told_with_line_and_key(tmp_path: Path, dataset: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        grid.load_grid(write(tmp_path, dataset))


def test_two_studies_describe_one_name_alike(tmp_path: Path) -> None:
    write(tmp_path, "{name: shapes, folder: pictures}")
    other = write(tmp_path, "{name: shapes, folder: pictures, size: 16}", "other.yaml")
    both = tmp_path / "both.yaml"
    both.write_text("include: [mine.yaml, other.yaml]\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"other\.yaml:2: dataset: shapes is described otherwise"):
        grid.load_grid(both)
    text = STUDY.format(dataset="{name: shapes, folder: pictures}").replace("study: mine", "study: other")
    other.write_text(text, encoding="utf-8")
    assert set(grid.load_grid(both).own) == {"shapes"}


def test_a_dataset_is_found_by_its_name(tmp_path: Path) -> None:
    path = write(tmp_path, "{name: shapes, folder: pictures}")
    assert grid.find_dataset("digits") == grid.find_dataset("digits", path) == "digits"
    assert grid.find_dataset("shapes", path) == OwnData(name="shapes", folder=str(tmp_path / "pictures"))
    with pytest.raises(ConfigError, match=r"unknown dataset; images of your own .* add --configfile FILE"):
        grid.find_dataset("shapes")
    with pytest.raises(ConfigError, match=r"unknown dataset\n[\s\S]*did you mean: shapes"):
        grid.find_dataset("shape", path)
