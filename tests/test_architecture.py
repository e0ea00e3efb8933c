"""Imports go down only, the bench names no method, and every fact has one owner."""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import architecture

ROOT = Path(__file__).parent.parent
LAYOUT = "harness/store/layout.py"
WRITERS = {
    "harness/store/atomic.py": "the owner",
    "harness/engine/checkpoint.py": "fills the temporary file that the owner gives it",
    "harness/machine/notes.py": "says in a lease's lock, outside results/, who holds it",
    "harness/data/make_digits.py": "a script that no command calls",
}


def sources(folder: str) -> list[str]:
    found = sorted(file.relative_to(ROOT).as_posix() for file in (ROOT / folder).rglob("*.py"))
    assert found
    return found


def tree(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"))


def texts(module: ast.Module) -> Iterator[str]:
    """String constants of a file, without docstrings."""
    skipped = {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Expr)}
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            yield node.value


def test_imports_go_down_only() -> None:
    assert architecture.problems(ROOT) == []


def test_nothing_is_allowed_that_is_not_used() -> None:
    assert architecture.unused(ROOT) == []


@pytest.mark.parametrize(
    ("file", "line", "problem"),
    [
        ("methods/base/task.py", "from methods.parts import losses", "methods.base.task imports methods.parts.losses"),
        ("methods/parts/views.py", "import methods.dafl", "methods.parts.views imports methods.dafl"),
        ("methods/dafl.py", "from methods.dfad import DFAD", "methods.dafl imports methods.dfad"),
        ("methods/dafl.py", "from harness import errors", "methods.dafl imports harness.errors"),
        (
            "harness/store/records.py",
            "from harness.grid import keys",
            "harness.store.records imports harness.grid.keys",
        ),
        (
            "harness/engine/clock.py",
            "from harness.run import runner",
            "harness.engine.clock imports harness.run.runner",
        ),
        ("harness/run/run.py", "import methods.ssd_kd", "harness.run.run imports methods.ssd_kd"),
        (
            "harness/reporting/text.py",
            "from harness.data import cifar",
            "harness.reporting.text imports harness.data.cifar",
        ),
        (
            "harness/tracking/view.py",
            "import harness.grid.keys",
            "harness.tracking.view imports harness.grid.keys",
        ),
        ("harness/store/layout.py", "from harness.store import reading", "circle: harness.store.layout"),
    ],
    ids=lambda value: value if str(value).endswith(".py") else "",
)
def test_a_planted_import_is_found(tmp_path: Path, file: str, line: str, problem: str) -> None:
    for folder in ("harness", "methods"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "*.npz"))
    with (tmp_path / file).open("a", encoding="utf-8") as source:
        source.write(f"\n\ndef _planted() -> None:\n    {line}\n")
    assert [found for found in architecture.problems(tmp_path) if found.startswith(problem)]


@pytest.mark.parametrize("file", sources("methods"))
def test_methods_know_nothing_of_the_bench(file: str) -> None:
    forbidden = {"harness", "mlflow", "snakemake", "pandas", "tests"}
    assert not [name for name in packages(file) if name in forbidden]


@pytest.mark.parametrize("file", [*sources("harness/reporting"), *sources("harness/store"), *sources("harness/grid")])
def test_records_grids_and_reports_need_no_torch(file: str) -> None:
    assert not packages(file) & {"torch", "torchvision"}


def packages(file: str) -> set[str]:
    """Top-level packages that a file imports."""
    found = set()
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize("file", sources("harness"))
def test_the_bench_names_no_method(file: str) -> None:
    names = {path.stem for path in (ROOT / "methods").glob("*.py")} - {"__init__", "references"}
    names |= {name.replace("_", "-") for name in names}
    # The examples of the configuration's documentation are no choices that the bench makes.
    examples = {"dafl", "ssd-kd"} if file == "harness/grid/study.py" else set()
    assert not set(texts(tree(file))) & names - examples


@pytest.mark.parametrize("file", sorted({*sources("harness")} - WRITERS.keys()))
def test_one_module_alone_writes(file: str) -> None:
    """The others call it, or write through what it gives them."""
    calls = [node for node in ast.walk(tree(file)) if isinstance(node, ast.Call)]
    names = [ast.unparse(call.func) for call in calls]
    assert not {"os.fsync", "os.rename", "os.replace"} & set(names)
    assert not [
        name for name in names if re.search(r"\.(rename|write_text|write_bytes|touch)$", name) and not is_ours(name)
    ]
    modes = [text for call in calls if ast.unparse(call.func).endswith("open") for text in constants(call)]
    assert not [mode for mode in modes if re.fullmatch(r"[rwa+bt]*[wa][rwa+bt]*", mode)]


def is_ours(name: str) -> bool:
    return name.startswith("atomic.")


def constants(call: ast.Call) -> list[str]:
    return [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]


def folders_and_files() -> set[str]:
    """Every name under results/ that layout.py spells."""
    spelled = [
        node.right for node in ast.walk(tree(LAYOUT)) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
    ]
    names = {node.value for node in spelled if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert {"metrics.json", "teacher.safetensors", "runs", ".stamps"} <= names
    return names


@pytest.mark.parametrize("file", sorted({*sources("harness")} - {LAYOUT}))
def test_one_module_alone_spells_names_under_results(file: str) -> None:
    module, names = tree(file), folders_and_files()
    joined = [node.right for node in ast.walk(module) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)]
    assert not [node for node in joined if isinstance(node, ast.Constant) and node.value in names]
    files = [name for name in names if "." in name[1:]]
    assert not [text for text in texts(module) for name in files if re.search(rf"(^|[\s/]){re.escape(name)}\b", text)]


@pytest.mark.parametrize(
    "file", [ROOT / "Snakefile", *sorted((ROOT / "workflow/rules").glob("*.smk"))], ids=lambda f: f.name
)
def test_the_workflow_spells_none_of_them(file: Path) -> None:
    code = "\n".join(line.partition("#")[0] for line in file.read_text(encoding="utf-8").splitlines())
    files = [name for name in folders_and_files() if "." in name]
    assert not [name for name in files if name in code]
    assert "/runs/" not in code and "/teachers/" not in code and "/ready" not in code


@pytest.mark.parametrize("file", sorted({*sources("harness")} - {LAYOUT, "harness/__init__.py"}))
def test_one_module_alone_takes_paths_apart(file: str) -> None:
    code = ast.unparse(tree(file))
    assert not re.search(r"\.parents\[|\.parent\.parent|path\.parts\b|split\('/'|partition\('--'", code)


@pytest.mark.parametrize("file", sources("harness"))
def test_one_module_alone_asks_the_driver(file: str) -> None:
    module = tree(file)
    asks = "pynvml" in packages(file) or "nvidia-smi" in set(texts(module))
    assert not asks or file == "harness/machine/nvml.py"


@pytest.mark.parametrize("file", [*sources("harness"), *sources("methods")])
def test_one_module_alone_says_what_n_is(file: str) -> None:
    products = [ast.unparse(node) for node in ast.walk(tree(file)) if isinstance(node, ast.BinOp)]
    assert not [text for text in products if "reference_size" in text] or file == "methods/base/task.py"


@pytest.mark.parametrize("file", sources("harness"))
def test_the_evaluator_alone_opens_the_test_set(file: str) -> None:
    opens = [
        node for node in ast.walk(tree(file)) if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".test")
    ]
    assert not opens or file == "harness/engine/evaluate.py"
