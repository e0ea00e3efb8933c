from __future__ import annotations

from pathlib import Path

import pytest

from harness.grid import grid, keys, paths, study
from harness.grid.cell import Cell
from harness.grid.study import Budget
from methods.base.files import File
from methods.base.pair import Pair


def cell(method: Path | str, **changes: object) -> Cell:
    """A cell of a method, by its name or its file."""
    path = Path(method)
    values = {
        "study": "s",
        "dataset": "digits",
        "pair": Pair.of("wrn10_1", "cnn3_16"),
        "teacher_network": "wrn10_1",
        "student_network": "cnn3_16",
        "label": "mine",
        "scale": 10.0,
        "seed": 0,
        "method": path.name,
        "outside": {"method": path} if path.suffix else {},
        "preset": None,
        "budget": Budget(),
        "options": {},
        "verify": True,
        "threads": 1,
        "device": "auto",
        "checkpoint_seconds": None,
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
        {"precision": "bf16"},
    ],
    ids=str,
)
def test_configuration_counts(tmp_path: Path, change: dict[str, object]) -> None:
    assert key(tmp_path / "mine.py", CODE, **change) != key(tmp_path / "mine.py", CODE)


@pytest.mark.parametrize("change", [{"device": "cuda"}, {"checkpoint_seconds": 1.0}, {"graphs": True}])
def test_where_and_how_often_it_is_saved_does_not_count(tmp_path: Path, change: dict[str, object]) -> None:
    assert key(tmp_path / "mine.py", CODE, **change) == key(tmp_path / "mine.py", CODE)


def test_sources_follow_imports_of_methods_networks_and_datasets_alone() -> None:
    found = set(keys.sources(grid.expand(study.load_study(paths.DEFAULT))[0]))
    assert {"methods/ssd_kd.py", "methods/parts/replay_buffer.py", "harness/networks/wrn.py"} <= found
    assert "methods/dafl.py" not in found
    assert {"harness/data/digits.py", "harness/data/dataset.py"} <= found
    assert not {"harness/data/cifar.py", "harness/data/files.py"} & found
    assert not [file for file in found if not file.startswith(("methods/", "harness/networks/", "harness/data/"))]


FILES = {
    "mine.py": "import helper\nfrom lib.losses import kl\ndef f():\n    from .later import RATE\n",
    "helper.py": "from methods.parts import losses\n",
    "lib/__init__.py": "",
    "lib/losses.py": "from . import more\nfrom ..helper import losses as kl\n",
    "lib/more.py": "",
    "later.py": "RATE = 0.1\n",
    "other.py": "RATE = 0.1\n",
}
IMPORTED = set(FILES) - {"other.py"}


def lay(folder: Path, **more: str) -> Path:
    """The files of a method that is spread over many; ``more`` is added to the ends, by stem."""
    for name, text in FILES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + more.get(file.stem, ""), encoding="utf-8")
    keys.forget()
    return folder / "mine.py"


def test_where_an_outside_file_lies_does_not_count(tmp_path: Path) -> None:
    here, there = (cell(lay(tmp_path / folder)) for folder in ("a", "b/c"))
    assert keys.plan_key(here) == keys.plan_key(there)
    assert keys.sources(here) == keys.sources(there)
    own = {name for name in keys.sources(here) if not name.startswith(("methods/", "harness/"))}
    assert own == {f"method/{name}" for name in IMPORTED}
    assert "methods/parts/losses.py" in keys.sources(here)
    assert keys.outside(there) == {f"method/{name}": tmp_path / "b/c" / name for name in IMPORTED}


@pytest.mark.parametrize("name", sorted(FILES))
def test_of_outside_files_the_code_of_all_that_are_imported_counts(tmp_path: Path, name: str) -> None:
    file = lay(tmp_path)
    before = keys.plan_key(cell(file))
    (tmp_path / name).write_text(FILES[name] + "# more\n", encoding="utf-8")
    keys.forget()
    assert keys.plan_key(cell(file)) == before
    (tmp_path / name).write_text(FILES[name] + "more = 1\n", encoding="utf-8")
    keys.forget()
    assert (keys.plan_key(cell(file)) != before) == (name in IMPORTED)


def test_what_outside_files_are_for_keeps_those_of_one_name_apart(tmp_path: Path) -> None:
    one, two = lay(tmp_path / "a"), lay(tmp_path / "b", helper="x = 1\n")
    found = keys.sources(cell(one, outside={"method": one, "student": two}))
    assert found["method/helper.py"] != found["student/helper.py"]


@pytest.mark.parametrize("where", ["options", "budget"])
def test_of_files_in_options_the_content_alone_counts(tmp_path: Path, where: str) -> None:
    def asked(name: str, content: bytes) -> str:
        keys.forget()
        (tmp_path / name).write_bytes(content)
        options = {"embeddings": File(tmp_path / name), "list": [File(tmp_path / name)]}
        return keys.plan_key(cell("fast", **{where: Budget(**options) if where == "budget" else options}))

    first = asked("a.npz", b"one")
    assert asked("b.npz", b"one") == first
    assert asked("a.npz", b"two") != first
    assert asked("a.npz", b"one") == first


@pytest.mark.parametrize("name", ["NUMBERS", "SCHEME"])
def test_numbers_and_scheme_count(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = key(tmp_path / "mine.py", CODE)
    monkeypatch.setattr(keys, name, getattr(keys, name) + 1)
    assert key(tmp_path / "mine.py", CODE) != before


def test_an_option_of_the_budget_is_not_one_of_the_label(tmp_path: Path) -> None:
    """They take different places: over the preset both, but one over the other."""
    options, budget = {"options": {"steps": 5}}, {"budget": Budget(steps=5)}
    assert key(tmp_path / "mine.py", CODE, **options) != key(tmp_path / "mine.py", CODE, **budget)


def test_the_cell_key_is_of_plan_and_teacher() -> None:
    found = {keys.cell_key(plan, teacher) for plan in ("a", "b", "1") for teacher in ("1", "2", "a")}
    assert len(found) == 9
