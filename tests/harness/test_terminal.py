"""Whatever a record, a name or a message holds: it is printed under every locale, and the terminal obeys none of it."""

from __future__ import annotations

import ast
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness import ROOT, terminal
from harness.commands import output
from harness.errors import UserError
from harness.grid import grid, keys, paths
from tests import factory
from tests.harness.conftest import Command

HOSTILE = "a\x1b[31mred\x1b]0;title\x07 \x9b2J\u202etxt.exe\u2066\u2028b\udcffc\rover\x00"
"""Colours, a window's title, an erased screen, text turned round, a line separator, half a character, a line again."""
SHOWN = r"a\x1b[31mred\x1b]0;title\x07 \x9b2J\u202etxt.exe\u2066\u2028b\udcffc\rover\x00"


@pytest.mark.parametrize("text", ["ü × Δ → ± 漢字 🙂", "two\nlines", ""])
def test_what_can_be_seen_is_said_as_it_is(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    terminal.say(text)
    assert capsys.readouterr().out == f"{text}\n"


@pytest.mark.parametrize("err", [False, True])
def test_what_would_be_obeyed_is_shown(err: bool, capsys: pytest.CaptureFixture[str]) -> None:
    terminal.say(HOSTILE, err=err)
    assert capsys.readouterr()[err] == f"{SHOWN}\n"


@pytest.mark.parametrize("watched", [True, False])
def test_neither_in_columns_nor_in_lines(watched: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    lines = list(output.lines([HOSTILE, output.columns([("x", HOSTILE), ("two\nlines", "")])], terminal=watched))
    assert lines[0] == SHOWN
    assert SHOWN in lines[1]
    assert len(lines) == 3, "an entry of two lines could pass for two entries"


def test_nor_in_errors(dkd: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def hostile(*_: object) -> None:
        raise UserError(HOSTILE)

    monkeypatch.setattr(grid, "find", hostile)
    assert dkd("list", "x")[2] == f"error: {SHOWN}\n"


@pytest.mark.parametrize("encoding", ["ascii", "iso-8859-1", "cp1252", "utf-8"])
def test_every_encoding_shows_every_text(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    terminal.prepare()
    terminal.say("10 ± 1 → ü 漢 \udcff")
    expected = {
        "ascii": r"10 +/- 1 -> \xfc \u6f22 \udcff",
        "iso-8859-1": r"10 ± 1 -> ü \u6f22 \udcff",
        "cp1252": r"10 ± 1 -> ü \u6f22 \udcff",
        "utf-8": r"10 ± 1 → ü 漢 \udcff",
    }[encoding]
    assert stream.buffer.getvalue().decode(encoding) == expected + "\n"  # type: ignore[attr-defined]


STATE = "epoch 12/200  10.40 %  0:02:05 left"
NAME = "cifar10/cifar10/wrn40_2--wrn16_1/ssd-kd/scale-10/seed-0"


@pytest.mark.parametrize("columns", [120, 80, 40, 20])
def test_the_last_line_fits(columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    line = terminal.LastLine()
    assert line.watched
    for done in (0.0, 0.5, 1.0):
        line.show(done, STATE, NAME)
        drawn = capsys.readouterr().out.removeprefix("\r\x1b[2K")
        assert len(drawn) < columns
        if columns >= 40:
            assert STATE in drawn
        if columns >= 80:
            assert drawn.count("━") == 24 * done
            assert drawn.endswith(NAME if columns == 120 else "…scale-10/seed-0")
    line.clear()
    assert capsys.readouterr().out == "\r\x1b[2K"


def test_a_shared_terminal_is_never_drawn_over(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv(terminal.SHARED, "1")
    line = terminal.LastLine()
    line.show(0.5, STATE, NAME)
    line.clear()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("watched", [True, False])
def test_long_work_says_how_far_it_is_and_how_long_the_rest_takes(
    watched: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = iter(range(0, 10_000, 20))  # seconds: a look at the clock every 20
    monkeypatch.setattr(terminal.time, "monotonic", lambda: next(now))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: watched)
    assert list(terminal.progress("abcd", 4, "letters")) == list("abcd")
    states = [state.strip("━─ ") for state in capsys.readouterr().out.split("\r\x1b[2K")]
    # It begins at 0 s and looks three times an item: with one done at 100 s, with two at 160 s, with three at 220 s.
    shown = ["0/4  letters", "1/4  0:05:00 left  letters", "2/4  0:02:40 left  letters", "3/4  0:01:13 left  letters"]
    assert states == (["", *shown, ""] if watched else [""])


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["sync", "--results", "{}"], "MLflow: rows of toy"),
        (["import", "{}", "--results", "other"], "importing runs"),
        (["doctor", "--results", "{}"], "reading records"),
        (["submit", "--check", "{}"], "checking cells"),
        (["report", "--results", "{}", "--out", "out"], "drawing figures"),
        (["compare", "ssd-kd", "fast", "--results", "{}"], "reading runs"),
        (["list", "--estimate", "--configfile", str(ROOT / "workflow/config/smoke.yaml")], "counting operations"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_commands_that_go_over_all_records_show_it(
    command: list[str], told: str, dkd: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = tmp_path / "results"
    for label in ("ssd-kd", "fast"):
        factory.write(results, factory.metrics(label))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    _, out, _ = dkd(*(part.format(results) for part in command))
    assert told in out
    assert out.rpartition(told)[2].startswith("\r\x1b[2K")  # taken away before what the command has to say


def test_one_module_alone_speaks() -> None:
    """All others hand it their text: `output` cleans what it lays out, and echoes it with colours."""
    allowed = {"harness/terminal.py": {"write"}, "harness/cli.py": {"echo"}}
    for file in sorted((ROOT / "harness").rglob("*.py")):
        name = file.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            spoken = ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""
            if spoken in ("print", "typer.echo", "sys.stdout.write", "sys.stderr.write", "click.echo"):
                assert spoken.rpartition(".")[2] in allowed.get(name, set()), f"{name}: {spoken}"


@pytest.fixture(scope="module")
def locales(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """Name -> environment of a locale that has few letters."""
    found = {"C": {"LC_ALL": "C"}}
    folder = tmp_path_factory.mktemp("locales")
    if shutil.which("localedef"):
        command = ["localedef", "-i", "en_US", "-f", "ISO-8859-1", str(folder / "en_US.ISO-8859-1")]
        if not subprocess.run(command, capture_output=True, check=False).returncode:
            found["Latin-1"] = {"LC_ALL": "en_US.ISO-8859-1", "LOCPATH": str(folder)}
    return found


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A done cell, one that failed, and one whose record was given a message that no terminal should obey."""
    folder = tmp_path_factory.mktemp("narrow")
    factory.write(folder, factory.metrics("ssd-kd"))
    factory.write(folder, factory.metrics("dafl", status="failed", reason="ü→", final=None, best=None))
    broken = factory.write(folder, factory.metrics("cmi", status="failed", reason="PLACE", final=None, best=None))
    hostile = json.dumps(HOSTILE.replace("\udcff", "ü→"))  # a record is UTF-8, which has no halves of characters
    for record in broken.rglob("metrics.json"):
        record.write_text(record.read_text(encoding="utf-8").replace('"PLACE"', hostile), encoding="utf-8")
    return folder


SPEAK = """
import sys
from harness import cli
for line in sys.stdin.read().splitlines():
    sys.argv = ["dkd", *line.split()]
    try:
        cli.main()
    except SystemExit as ended:
        assert ended.code in (None, 0, 1), (line, ended.code)
from harness.grid import grid, keys, paths
print("keys", *sorted({keys.plan_key(cell) for cell in grid.load_grid(paths.DEFAULT).cells}))
"""


@pytest.mark.parametrize("name", ["C", "Latin-1"])
def test_commands_under_a_narrow_locale(
    locales: dict[str, dict[str, str]], name: str, results: Path, tmp_path: Path
) -> None:
    if name not in locales:
        pytest.skip("localedef makes no such locale here")
    commands = [
        "list",
        "list kd-noise --estimate",
        "trace dafl",
        "trace cmi",
        "doctor",
        f"report --out {tmp_path} --mixed",
    ]
    narrow = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", **locales[name]}
    done = subprocess.run(
        [sys.executable, "-c", SPEAK],
        input="".join(f"{command} --results {results}\n" for command in commands).encode(),
        cwd=ROOT,
        env={key: value for key, value in os.environ.items() if not key.startswith("LC_")} | narrow,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode("latin-1")
    assert b"Traceback" not in done.stderr
    assert b"\x1b" not in done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].decode().split()[1:] == sorted(
        {keys.plan_key(cell) for cell in grid.load_grid(ROOT / paths.DEFAULT).cells}
    )
