"""Teachers by network and by a name of their own: what a study says, what cells and presets make of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.grid import keys
from harness.grid.cell import Cell
from harness.grid.grid import load_grid, select
from harness.grid.study import load_study
from harness.run.assemble import method_config, preset_note
from tests.harness.grid.test_study import write

NAMED = {"network": "wrn10_1", "name": "cmi"}
BOTH = [{"teacher": "wrn10_1", "student": "cnn3_16"}, {"teacher": NAMED, "student": "cnn3_16"}]


def cells(folder: Path, **changes: object) -> list[Cell]:
    return load_grid(write(folder, **changes)).cells


def test_teachers_of_one_network_are_told_apart(tmp_path: Path) -> None:
    plain, named = cells(tmp_path, pairs=BOTH)
    assert (plain.name, named.name) == (
        "mine/digits/wrn10_1--cnn3_16/a/scale-10/seed-0",
        "mine/digits/wrn10_1+cmi--cnn3_16/a/scale-10/seed-0",
    )
    assert {(cell.teacher_network, cell.student_network) for cell in (plain, named)} == {("wrn10_1", "cnn3_16")}
    assert keys.plan_key(plain) != keys.plan_key(named)
    assert keys.sources(plain) == keys.sources(named)
    assert select([plain, named], {"teachers": "wrn10_1+cmi"}) == [named]
    assert select([plain, named], {"teachers": "wrn10_1"}) == [plain]


def test_a_study_without_names_is_as_short_as_before(tmp_path: Path) -> None:
    long = [{"teacher": {"network": "wrn10_1"}, "student": "cnn3_16"}]
    assert cells(tmp_path, pairs=long) == cells(tmp_path, pairs=BOTH[:1])


def test_presets_go_by_the_network(tmp_path: Path) -> None:
    pairs = [{"teacher": teacher, "student": "wrn16_1"} for teacher in ("wrn40_2", {"network": "wrn40_2", "name": "x"})]
    fast = {"fast-2": {"method": "fast", "preset": "fast-2"}}
    plain, named = cells(tmp_path, dataset="cifar10", pairs=pairs, methods=fast)
    assert method_config(plain) == method_config(named)
    assert preset_note(plain) == preset_note(named)


@pytest.mark.parametrize(
    ("teacher", "problem"),
    [
        (5, r"pairs\.0\.teacher: 5: the name of a network is wanted, or \{network: "),
        (None, r"pairs\.0\.teacher: null: the name of a network is wanted"),
        (["wrn10_1"], r"pairs\.0\.teacher: \['wrn10_1'\]: the name of a network is wanted"),
        ({"name": "cmi"}, r"pairs\.0\.teacher\.network: this key is missing"),
        ({**NAMED, "nmae": "x"}, r"pairs\.0\.teacher\.nmae: unknown key\n  valid choices: network, name\n.*name"),
        ({**NAMED, "network": "wrn10_l"}, r"pairs\.0\.teacher: unknown network: 'wrn10_l'[\s\S]*wrn10_1"),
        *[({**NAMED, "name": name}, r"pairs\.0\.teacher\.name: ") for name in ("", "a b", "../x", "-x", "x" * 81, 5)],
        ({**NAMED, "name": "a--b"}, r"pairs\.0\.teacher\.name: 'a--b': a teacher's name is without --"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_refused(tmp_path: Path, teacher: object, problem: str) -> None:
    with pytest.raises(ConfigError, match=rf"mine.yaml:\d+: {problem}"):
        load_study(write(tmp_path, pairs=[{"teacher": teacher, "student": "cnn3_16"}]))


@pytest.mark.parametrize("names", [("cmi", "cmi"), ("cmi", "CMI")])
def test_two_teachers_in_one_folder_are_refused(tmp_path: Path, names: tuple[str, str]) -> None:
    pairs = [{"teacher": {**NAMED, "name": name}, "student": "cnn3_16"} for name in names]
    with pytest.raises(ConfigError, match=r"pairs"):
        load_study(write(tmp_path, pairs=pairs))
