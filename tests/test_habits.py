"""Habits that ruff's rules do not see: files in the locale's encoding, assertions that check input, unsafe loading."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("harness", "methods", "docs", "benchmarks", "tests")
FILES = sorted(file.relative_to(ROOT).as_posix() for folder in FOLDERS for file in (ROOT / folder).rglob("*.py"))
SHIPPED = [file for file in FILES if not file.startswith("tests/")]
WORKFLOW = [ROOT / "Snakefile", *sorted((ROOT / "workflow/rules").glob("*.smk"))]
BINARY = ("os.open", "Image.open", "Experiment.open", "tarfile.open", "tokenize.open", "webbrowser.open")
"""Calls that are named like the one that opens text."""


def calls(source: str) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))


def locale_decides(call: ast.Call) -> bool:
    """Whether a call reads or writes text without saying in which encoding."""
    function, given = ast.unparse(call.func), {keyword.arg for keyword in call.keywords}
    if "encoding" in given or function in BINARY:
        return False
    if re.search(r"(^|\.)(open|fdopen|NamedTemporaryFile)$", function):
        modes = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
        return not any(
            isinstance(mode, ast.Constant) and re.fullmatch("[rwax+]*b[rwax+]*", str(mode.value)) for mode in modes
        )
    return function.endswith(("read_text", "write_text")) or bool({"text", "universal_newlines"} & given)


def narrows(test: ast.expr) -> bool:
    """Whether a condition only tells the type checker what is known."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return all(map(narrows, test.values))
    none = isinstance(test, ast.Compare) and ast.unparse(test).endswith(" is not None")
    return none or (isinstance(test, ast.Call) and ast.unparse(test.func) == "isinstance")


@pytest.mark.parametrize("file", FILES)
def test_text_is_utf8_wherever_it_is_read_or_written(file: str) -> None:
    assert not [ast.unparse(call) for call in calls((ROOT / file).read_text(encoding="utf-8")) if locale_decides(call)]


@pytest.mark.parametrize("file", WORKFLOW, ids=lambda file: file.name)
def test_and_in_the_workflow(file: Path) -> None:
    lines = file.read_text(encoding="utf-8").splitlines()
    assert not [
        line for line in lines if re.search(r"read_text\(|write_text\(|\bopen\(", line) and "encoding=" not in line
    ]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("path.read_text()", True),
        ("open(path)", True),
        ("path.open('a')", True),
        ("os.fdopen(3, 'w')", True),
        ("subprocess.run(command, text=True)", True),
        ("path.read_text(encoding='utf-8')", False),
        ("path.open('rb')", False),
        ("open(path, mode='wb')", False),
        ("subprocess.run(command)", False),
    ],
)
def test_what_is_wrong_is_seen(text: str, wrong: bool) -> None:
    assert any(map(locale_decides, calls(text))) == wrong


@pytest.mark.parametrize("file", SHIPPED)
def test_assertions_narrow_types_and_check_nothing(file: str) -> None:
    found = ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8")))
    assert not [ast.unparse(node) for node in found if isinstance(node, ast.Assert) and not narrows(node.test)]


@pytest.mark.parametrize("file", SHIPPED)
def test_nothing_that_is_read_is_executed(file: str) -> None:
    for call in calls((ROOT / file).read_text(encoding="utf-8")):
        if ast.unparse(call.func) == "torch.load":
            assert "weights_only=True" in ast.unparse(call)


@pytest.mark.parametrize("file", SHIPPED)
def test_exemptions_carry_their_reason(file: str) -> None:
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if "noqa" in line and not re.search(r"# noqa: [A-Z0-9, ]+ +(- |\()\w", line)]
