"""Studies with networks that are not the bench's: where files are looked for, what keys stand for, and no torch."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.grid import keys
from harness.grid.grid import load_grid
from harness.grid.study import load_study
from tests.harness.grid.test_study import write

TORCHVISION = [{"teacher": "torchvision:resnet18:small", "student": "torchvision:resnet18"}]


def key(file: Path) -> str:
    keys.forget()
    return keys.plan_key(load_grid(file).cells[0])


def with_nets(folder: Path, code: str = "def small(classes, channels): ...\n", name: str = "nets.py:small") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "nets.py").write_text(code, encoding="utf-8")
    return write(folder, pairs=[{"teacher": "wrn10_1", "student": name}])


def test_a_file_is_looked_for_beside_the_configuration(tmp_path: Path) -> None:
    (cell,) = load_grid(with_nets(tmp_path / "a")).cells
    assert cell.student_network == f"{tmp_path}/a/nets.py:small"
    assert cell.pair.folder == "wrn10_1--nets.small"
    with pytest.raises(ConfigError, match=rf"pairs\.0\.student: 'net\.py': no such file; .*{tmp_path}/a/net\.py"):
        load_study(with_nets(tmp_path / "a", name="net.py:small"))


def test_the_key_stands_for_what_the_file_says(tmp_path: Path) -> None:
    before = key(with_nets(tmp_path))
    assert key(with_nets(tmp_path, "def small(classes, channels): ...  # as before\n")) == before
    assert key(with_nets(tmp_path, "def small(classes, channels): return 1\n")) != before


def test_the_key_stands_for_the_packages_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, ours = write(tmp_path, pairs=TORCHVISION), write(tmp_path, "ours.yaml")
    before, unmoved = key(file), key(ours)
    monkeypatch.setattr(importlib.metadata, "version", lambda name: f"99 of {name}")
    assert key(file) != before
    assert key(ours) == unmoved


def test_two_networks_of_one_name_are_refused(tmp_path: Path) -> None:
    with_nets(tmp_path / "a")
    with_nets(tmp_path / "b")
    pairs = [{"teacher": "wrn10_1", "student": f"{folder}/nets.py:small"} for folder in "ab"]
    with pytest.raises(
        ConfigError, match=r"pairs\.1: .*/b/nets\.py:small and .*/a/nets\.py:small have one name, nets\.small"
    ):
        load_study(write(tmp_path, pairs=pairs))


def test_listing_needs_no_torch(tmp_path: Path) -> None:
    file = write(tmp_path, pairs=TORCHVISION)
    code = (
        "import sys; from pathlib import Path; from harness.grid import grid, keys\n"
        f"cell, = grid.load_grid(Path({str(file)!r})).cells; keys.plan_key(cell); print(cell.name)\n"
        "assert not {'torch', 'torchvision'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    assert "/torchvision.resnet18.small--torchvision.resnet18/" in done.stdout
