from __future__ import annotations

from pathlib import Path

import pytest

from harness import config, keys
from harness.config import Cell


def cell(path: Path, **changes: object) -> Cell:
    values = {
        "study": "s",
        "dataset": "digits",
        "verify": True,
        "teacher": "wrn10_1",
        "student": "cnn3_16",
        "label": "mine",
        "method": str(path),
        "defaults": {},
        "options": {},
        "scale": 10.0,
        "seed": 0,
        "threads": 1,
        "device": "auto",
        "checkpoint_seconds": 300.0,
    }
    return Cell(**(values | changes))  # type: ignore[arg-type]


def key(path: Path, text: str, **changes: object) -> str:
    path.write_text(text)
    for cached in (keys.code_hash, keys._closure, keys._sources):
        cached.cache_clear()
    return keys.plan_key(cell(path, **changes))


CODE = "from methods.base import Method\nRATE = 0.1\ndef f():\n    return RATE\n"


def test_comments_docstrings_and_layout_do_not_count(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    plain = key(file, CODE)
    assert (
        key(file, '"""Doc."""\n# why\n' + CODE.replace("    return RATE", '    """Doc."""\n\n    return (RATE)'))
        == plain
    )
    assert key(file, CODE.replace("0.1", "0.2")) != plain
    assert key(file, CODE) == plain


@pytest.mark.parametrize(
    "change", [{"seed": 1}, {"scale": 20.0}, {"threads": 2}, {"options": {"x": 1}}, {"label": "b"}, {"verify": False}]
)
def test_configuration_counts(tmp_path: Path, change: dict[str, object]) -> None:
    assert key(tmp_path / "mine.py", CODE, **change) != key(tmp_path / "mine.py", CODE)


@pytest.mark.parametrize("change", [{"device": "cuda"}, {"checkpoint_seconds": 1.0}])
def test_where_and_how_often_it_is_saved_does_not_count(tmp_path: Path, change: dict[str, object]) -> None:
    assert key(tmp_path / "mine.py", CODE, **change) == key(tmp_path / "mine.py", CODE)


def test_sources_follow_imports_of_methods_alone() -> None:
    found = set(keys.sources(config.grid(config.load(config.DEFAULT))[0]))
    assert {"methods/ssd_kd.py", "methods/parts/replay_buffer.py", "harness/networks/wrn.py"} <= found
    assert "methods/dafl.py" not in found
    assert "harness/engine.py" not in found


def test_teacher_changes_the_cell_key() -> None:
    assert keys.cell_key("a", "1") != keys.cell_key("a", "2")
