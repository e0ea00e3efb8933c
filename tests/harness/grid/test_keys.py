from __future__ import annotations

from pathlib import Path

import pytest

from harness.grid import grid, keys, study
from harness.grid.cell import Cell
from harness.grid.study import Budget
from methods.base.pair import Pair


def cell(path: Path, **changes: object) -> Cell:
    values = {
        "study": "s",
        "dataset": "digits",
        "pair": Pair.of("wrn10_1", "cnn3_16"),
        "teacher_network": "wrn10_1",
        "student_network": "cnn3_16",
        "label": "mine",
        "scale": 10.0,
        "seed": 0,
        "method": str(path),
        "preset": None,
        "budget": Budget(),
        "options": {},
        "verify": True,
        "threads": 1,
        "device": "auto",
        "checkpoint_seconds": 300.0,
    }
    return Cell(**(values | changes))  # type: ignore[arg-type]


def key(path: Path, text: str, **changes: object) -> str:
    path.write_text(text, encoding="utf-8")
    keys.forget()
    return keys.plan_key(cell(path, **changes))


CODE = "from methods.base.method import Method\nRATE = 0.1\ndef f():\n    return RATE\n"


def test_comments_docstrings_and_layout_do_not_count(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    plain = key(file, CODE)
    assert (
        key(file, '"""Doc."""\n# why\n' + CODE.replace("    return RATE", '    """Doc."""\n\n    return  RATE'))
        == plain
    )
    assert key(file, CODE.replace("0.1", "0.2")) != plain
    assert key(file, CODE) == plain


@pytest.mark.parametrize(
    "change",
    [
        {"study": "t"},
        {"dataset": "digits-tuning"},
        {"pair": Pair.of("wrn10_1", "wrn10_1")},
        {"label": "b"},
        {"scale": 20.0},
        {"seed": 1},
        {"preset": "smoke"},
        {"budget": Budget(steps=5)},
        {"budget": Budget(x=1)},  # type: ignore[call-arg]
        {"options": {"x": 1}},
        {"verify": False},
        {"threads": 2},
    ],
    ids=str,
)
def test_configuration_counts(tmp_path: Path, change: dict[str, object]) -> None:
    assert key(tmp_path / "mine.py", CODE, **change) != key(tmp_path / "mine.py", CODE)


@pytest.mark.parametrize("change", [{"device": "cuda"}, {"checkpoint_seconds": 1.0}])
def test_where_and_how_often_it_is_saved_does_not_count(tmp_path: Path, change: dict[str, object]) -> None:
    assert key(tmp_path / "mine.py", CODE, **change) == key(tmp_path / "mine.py", CODE)


def test_sources_follow_imports_of_methods_networks_and_datasets_alone() -> None:
    found = set(keys.sources(grid.expand(study.load_study(study.DEFAULT))[0]))
    assert {"methods/ssd_kd.py", "methods/parts/replay_buffer.py", "harness/networks/wrn.py"} <= found
    assert "methods/dafl.py" not in found
    assert {"harness/data/digits.py", "harness/data/dataset.py"} <= found
    assert not {"harness/data/cifar.py", "harness/data/files.py"} & found
    assert not [file for file in found if not file.startswith(("methods/", "harness/networks/", "harness/data/"))]


def test_numbers_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = key(tmp_path / "mine.py", CODE)
    monkeypatch.setattr(keys, "NUMBERS", keys.NUMBERS + 1)
    assert key(tmp_path / "mine.py", CODE) != before


def test_an_option_of_the_budget_is_not_one_of_the_label(tmp_path: Path) -> None:
    """They take different places: over the preset both, but one over the other."""
    options, budget = {"options": {"steps": 5}}, {"budget": Budget(steps=5)}
    assert key(tmp_path / "mine.py", CODE, **options) != key(tmp_path / "mine.py", CODE, **budget)


def test_teacher_changes_the_cell_key() -> None:
    assert keys.cell_key("a", "1") != keys.cell_key("a", "2")
