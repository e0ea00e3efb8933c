import errno
import importlib
import json
import re
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from harness import VERSION, cli
from harness.commands import completion
from harness.errors import UserError
from harness.store import atomic
from harness.teachers.normalisation import Asked
from harness.teachers.renaming import KeyRules
from tests import factory
from tests.harness.conftest import Command

CONFIG = """
study: toy
dataset: digits
pairs: [{teacher: wrn10_1, student: cnn3_16}]
scales: [10]
seeds: [0, 1]
methods: {scratch: {}}
"""
CELL = "toy/digits/wrn10_1--cnn3_16/scratch/scale-10/seed-0"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "toy.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


def stand_in(monkeypatch: pytest.MonkeyPatch, name: str, **functions: Any) -> None:
    """Replace a module of harness/ that imports torch, wherever a command may look for it."""
    module = types.SimpleNamespace(**functions)
    package, _, last = f"harness.{name}".rpartition(".")
    monkeypatch.setitem(sys.modules, f"{package}.{last}", module)
    monkeypatch.setattr(importlib.import_module(package), last, module, raising=False)


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The calls that `dkd run` makes."""
    calls = []
    monkeypatch.setattr("harness.commands.run.run_cell", lambda cell, **more: calls.append((cell, more)))
    return calls


def test_run_with_settings_leaves_the_grid_alone(dkd: Command, file: Path, ran: list[Any], tmp_path: Path) -> None:
    teacher = tmp_path / "results/teachers/digits/wrn10_1"
    atomic.write_bytes(teacher / "teacher.json", b"record")
    atomic.write_bytes(teacher / "teacher.safetensors", b"weights")
    places = ["--results", tmp_path / "results", "--out", tmp_path / "out"]
    settings = ["--set", "gamma=1", "--set", "diversity=false", "--set", "name=a=b"]
    assert dkd("run", CELL, "--configfile", file, *settings, *places)[0] == 0
    ((cell, more),) = ran
    assert dict(cell.options) == {"gamma": 1, "diversity": False, "name": "a=b"}
    assert cell.preset is None
    assert more["results"] == tmp_path / "out"
    dkd("run", CELL, "--configfile", file, "--set", "preset=smoke", *places)
    assert (ran[1][0].preset, dict(ran[1][0].options)) == ("smoke", {})
    assert (tmp_path / "out/teachers/digits/wrn10_1/teacher.safetensors").read_bytes() == b"weights"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--set", "gamma=1"], "--set needs --out DIR"),
        (["--set", "gamma", "--out", "x"], "--set gamma: write it as key=value"),
        (["--set", "gamma=[1", "--out", "x"], "--set gamma=[1: the value is not valid YAML"),
        (["--set", "gamma=1", "--out", "x", "--plan-key", "k"], "--plan-key belongs to one cell"),
    ],
)
def test_bad_settings_are_refused(dkd: Command, file: Path, ran: list[Any], arguments: list[str], problem: str) -> None:
    code, _, errors = dkd("run", CELL, "--configfile", file, *arguments)
    assert (code, ran) == (2, [])
    assert problem in errors


def test_a_plan_key_belongs_to_one_cell(dkd: Command, file: Path, ran: list[Any], tmp_path: Path) -> None:
    code, _, errors = dkd("run", "toy/*", "--configfile", file, "--plan-key", "abc")
    assert (code, ran) == (2, [])
    assert "toy/* names 2" in errors
    assert dkd("run", CELL, "--configfile", file, "--plan-key", "abc", "--results", tmp_path)[0] == 0
    assert ran[0][1]["plan_key"] == "abc"


def test_results_of_other_options_stay_out_of_the_grids_folder(
    dkd: Command, file: Path, ran: list[Any], tmp_path: Path
) -> None:
    (tmp_path / "results").mkdir()
    for out in (tmp_path / "results", tmp_path / "results/../results"):
        places = ["--results", tmp_path / "results", "--out", out]
        code, _, errors = dkd("run", CELL, "--configfile", file, "--set", "gamma=1", *places)
        assert (code, ran) == (2, [])
        assert "is the results folder itself" in errors


@pytest.mark.parametrize("command", [[], ["run"], ["list"], ["teachers"], ["teachers", "get"]])
def test_short_and_long_help_are_one(dkd: Command, command: list[str]) -> None:
    short, long = dkd(*command, "-h"), dkd(*command, "--help")
    assert short == long
    assert short[0] == 0
    assert f"Usage: {' '.join(['dkd', *command])}" in short[1]


@pytest.mark.parametrize("command", ["run", "validate"])
def test_bounds_of_an_option_are_numbers_that_people_read(dkd: Command, command: str) -> None:
    _, said, _ = dkd(command, "--help")
    assert "1<=x<=65536" in re.sub(r"[\s│]+", "", said)


def test_the_version_names_the_code(dkd: Command) -> None:
    code, said, _ = dkd("--version")
    assert code == 0
    assert said.startswith(f"dkd-bench {VERSION}")
    assert "Python 3." in said


def test_the_shell_completes_parts_of_names(
    dkd: Command, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert completion.cells("scr", file) == ["scratch"]
    assert completion.cells("scratch/", file) == ["scratch/scale-10"]
    assert completion.cells("scale-10/s", file) == ["scale-10/seed-0", "scale-10/seed-1"]
    assert completion.cells("x", file) == []
    assert completion.cells("", file.with_name("missing.yaml")) == []
    monkeypatch.setenv("_DKD_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", f"dkd list --configfile {file} scratch/")
    monkeypatch.setenv("COMP_CWORD", "4")
    assert dkd()[1].split() == ["scratch/scale-10"]


MAKES = {"train-teacher", "validate", "import", "teachers get"}
"""Commands that a results folder may begin with."""


def reading() -> dict[str, list[str]]:
    """Every other command with --results, and whatever it must be given beside."""
    group = typer.main.get_group(cli.app)
    found = {}
    for name, command in group.commands.items():
        if any(option.name == "results" for option in command.params) and name not in MAKES:
            taken = [option for option in command.params if option.param_type_name == "argument" and option.required]
            found[name] = [name, *["x"] * len(taken)]
    return found


@pytest.mark.parametrize("name", reading())
def test_a_wrong_results_folder_is_one_error_everywhere(
    dkd: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "results").mkdir()
    monkeypatch.chdir(tmp_path)
    expected = (
        f"error: {tmp_path}/resluts: no such results folder\n  did you mean: results\n"
        "  name one that is there (--results DIR); `dkd train-teacher`, `snakemake` and `dkd import` make one\n"
    )
    assert dkd(*reading()[name], "--results", "resluts") == (2, "", expected)
    assert [path.name for path in tmp_path.rglob("*")] == ["results"]


def test_where_nobody_began_what_is_asked_for_can_be_listed(
    dkd: Command, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, output, errors = dkd("list", "--configfile", file)
    assert (code, output.splitlines()[-1]) == (0, "2 cells: 2 waiting")
    assert errors == f"note: nothing is there yet: {tmp_path}/results (--results names another folder)\n"
    assert dkd("trace", "x")[0] == 2
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    "command", [["list"], ["retry"], ["prune"], ["trace", "x"], ["run", CELL], ["train-teacher", "digits", "wrn10_1"]]
)
def test_a_file_is_no_results_folder(dkd: Command, tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "results").write_bytes(b"")
    code, _, errors = dkd(*command, "--results", tmp_path / "results")
    assert (code, errors) == (2, f"error: {tmp_path}/results: a folder is wanted, and this is none\n")


@pytest.mark.parametrize(
    "command",
    [
        ["list", "--results"],
        ["import", ".", "--results"],
        ["train-teacher", "digits", "wrn10_1", "--results"],
        ["report", "--out"],
        ["publish", "--out"],
        ["submit", "--out"],
        ["run", CELL, "--out"],
    ],
)
@pytest.mark.parametrize("place", ["file", "file/below"])
def test_where_a_file_stands_no_folder_is_made(dkd: Command, tmp_path: Path, command: list[str], place: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    factory.write(tmp_path / "results", factory.metrics())
    rest = ["--results", tmp_path / "results"] if command[-1] == "--out" else []
    code, _, errors = dkd(*command, tmp_path / place, *rest)
    assert (code, errors) == (2, f"error: {tmp_path}/file: a folder is wanted, and this is none\n")


@pytest.mark.parametrize(
    "arguments",
    [
        *[["run", CELL, "--concurrent", value] for value in ("0", "-1", "65537", "1e3", "nan")],
        *[["ui", "--port", value] for value in ("0", "65536", "-1", "http")],
        *[["list", text] for text in ("a\x00b", "\x1b[2J", "a\nb", "\x7f")],
        ["report", "--only", "colour=red"],
        ["report", "--only", "method"],
    ],
)
def test_arguments_beyond_their_bounds(
    dkd: Command, ran: list[Any], file: Path, tmp_path: Path, arguments: list[str]
) -> None:
    factory.write(tmp_path, factory.metrics("scratch"))
    beside = {"report": ["--results", tmp_path], "run": ["--configfile", file]}.get(arguments[0], [])
    code, output, errors = dkd(*arguments, *beside)
    assert (code, output, ran) == (2, "", [])
    assert arguments[0] != "run" or "--concurrent" in errors
    assert errors.replace("\n", "").isprintable()


def raising(error: BaseException) -> Callable[..., None]:
    def function(*arguments: Any, **more: Any) -> None:
        raise error

    return function


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (UserError("no teacher"), 2, "error: no teacher\n"),
        (
            OSError(errno.ENOSPC, "No space left on device", "results/a/metrics.json"),
            1,
            "disk full: results/a/metrics.json",
        ),
        (OSError(errno.ESTALE, "Stale file handle", "results/a"), 1, "no longer knows an open file: results/a"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), 1, "error: out of memory: RuntimeError: Def"),
        (MemoryError(), 1, "error: out of memory: MemoryError\n  what was finished is unharmed"),
        (UserError("a\x1b[31m\nb"), 2, "error: a\\x1b[31m\nb\n"),
        (UserError("x" * 10_000_000), 2, "letters left out"),
        (ModuleNotFoundError("No module named 'torch'", name="torch"), 1, "torch is not installed on "),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_trouble_is_told_without_a_traceback(
    dkd: Command, file: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, text: str
) -> None:
    monkeypatch.setattr("harness.commands.run.run_cell", raising(error))
    found, _, errors = dkd("run", CELL, "--configfile", file)
    assert found == code
    assert text in errors
    assert "Traceback" not in errors
    assert len(errors) < 5000


def test_our_own_mistakes_keep_their_traceback(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.commands.run.run_cell", raising(ZeroDivisionError("ours")))
    monkeypatch.setattr(sys, "argv", ["dkd", "run", CELL, "--configfile", str(file)])
    with pytest.raises(ZeroDivisionError):
        cli.main()


def test_an_unknown_cell_names_the_nearest(dkd: Command, file: Path) -> None:
    code, _, errors = dkd("run", CELL.replace("scratch", "scrach"), "--configfile", file)
    assert code == 2
    assert f"did you mean: {CELL}" in errors


def test_train_teacher(dkd: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    calls = []
    stand_in(monkeypatch, "teachers.train", train=lambda *arguments, **more: calls.append((arguments, more)))
    taken = types.SimpleNamespace(value=91.5, name="wrn10_1+theirs")
    stand_in(monkeypatch, "teachers.foreign", take=lambda *arguments, **more: calls.append((arguments, more)) or taken)
    assert dkd("train-teacher", "digits", "wrn10_1", "--replace", "--results", tmp_path)[0] == 0
    given = {"results": tmp_path, "replace": True, "changes": {}, "backbone": None, "verify_data": True, "name": None}
    assert calls == [(("digits", "wrn10_1"), given)]
    weights = [
        "--import",
        tmp_path / "w.pt",
        "--name",
        "theirs",
        "--rename",
        "^a=b",
        "--set",
        "floor=0.0",
        "--no-verify",
    ]
    learned = ["--mean", ".3", "--std", ".2"]
    code, output, _ = dkd("train-teacher", "digits", "wrn10_1", *weights, *learned, "--results", tmp_path)
    assert (code, output) == (0, f"teacher digits/wrn10_1+theirs: 91.50 %, from {tmp_path}/w.pt\n")
    given = {"results": tmp_path, "replace": False, "changes": {"floor": 0.0}, "verify_data": False, "name": "theirs"}
    asked = {"rules": KeyRules(None, [], ["^a=b"], False), "normalisation": Asked(None, ".3", ".2")}
    assert calls[1:] == [(("digits", "wrn10_1", tmp_path / "w.pt"), given | asked)]
    code, _, errors = dkd("train-teacher", "digits", "wrn10-1")
    assert (code, len(calls)) == (2, 2)
    assert "did you mean: wrn10_1" in errors


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--import", "w.pt", "--backbone", "b.pt"], "--import takes a whole teacher, --backbone starts the training"),
        (["--rename", "a=b"], "--key, --rename, --drop and --in-order are for the keys of a file that --import names"),
        (["--drop", "a"], "--key, --rename, --drop and --in-order are for"),
        (["--key", "a"], "--key, --rename, --drop and --in-order are for"),
        (["--set", "epochs"], "--set epochs: write it as key=value"),
        (["--set", "epoch=3"], "did you mean: epochs"),
        (["--set", "lr=-1.0"], "recipe.lr: -1.0: "),
        (["--set", "epochs=3", "--import", "w.pt"], "--set epochs: nothing is trained here"),
        (["--import", "."], "--import .: a folder, not a file"),
        (["--import", "nothing.pt"], "--import nothing.pt: no such file"),
        (["--backbone", "nothing.pt"], "--backbone nothing.pt: "),
    ],
)
def test_what_train_teacher_cannot_do_is_said_before_any_work(
    dkd: Command, tmp_path: Path, options: list[str], expected: str
) -> None:
    code, output, errors = dkd("train-teacher", "digits", "wrn10_1", *options, "--results", tmp_path)
    assert (code, output) == (2, "")
    assert errors.startswith("error: ")
    assert expected in errors


def test_validate_and_check(dkd: Command, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    stand_in(monkeypatch, "commands.validate", validate=lambda path, concurrent: calls.append((path, concurrent)) or [])
    stand_in(monkeypatch, "commands.contract", check=calls.append)
    assert dkd("validate", "--configfile", file, "--results", "there")[0] == 0
    assert dkd("validate", "--configfile", file, "--results", "there", "--concurrent", "3")[0] == 0
    assert dkd("check", "mine.py")[0] == 0
    assert calls == [(file, 1), (file, 3), "mine.py"]


def test_list_and_stale(dkd: Command, file: Path, tmp_path: Path) -> None:
    result = factory.metrics("scratch")
    factory.write(tmp_path, result)
    code, output, _ = dkd("list", "--configfile", file, "--results", tmp_path)
    assert code == 0
    place, row, total = output.splitlines()
    assert place == "toy/digits/wrn10_1--cnn3_16"
    assert row.startswith("  stale  0/2  scratch/scale-10  seed 0 stale: ")
    assert total == "2 cells: 1 waiting, 1 stale"
    code, output, _ = dkd("list", "--cells", "--configfile", file, "--results", tmp_path)
    assert output.splitlines()[0].startswith(f"stale    {CELL}  ")
    code, output, _ = dkd("list", "--configfile", file, "--results", tmp_path, "--stale")
    assert (code, output) == (0, f"{tmp_path}/{CELL}/metrics.json\n")
    _, output, _ = dkd("list", "--configfile", file, "--results", tmp_path, "--estimate")
    assert "left, judged by operations: 2 cells, about " in output


@pytest.mark.parametrize("other", ["--stale", "--estimate", "--cells"])
def test_what_is_watched_is_rows(dkd: Command, file: Path, tmp_path: Path, other: str) -> None:
    code, output, errors = dkd("list", "--watch", other, "--configfile", file, "--results", tmp_path)
    assert (code, output) == (2, "")
    assert "--watch shows rows" in errors


@pytest.mark.parametrize("others", [("--stale", "--estimate"), ("--estimate", "--cells"), ("--cells", "--stale")])
def test_a_list_shows_one_thing(dkd: Command, file: Path, tmp_path: Path, others: tuple[str, str]) -> None:
    code, output, errors = dkd("list", *others, "--configfile", file, "--results", tmp_path)
    assert (code, output) == (2, "")
    assert "--stale, --estimate and --cells show something else each: give one of them" in errors


def test_files_of_one_dataset_are_not_taken_for_another(dkd: Command) -> None:
    code, output, errors = dkd("prepare", "digits", "--from", "a", "--splits", "b", "--classes", "c")
    assert (code, output) == (2, "")
    assert "--from, --splits and --classes are for nyuv2: digits is made without them" in errors


def test_retry_and_prune_say_what_they_removed(dkd: Command, tmp_path: Path) -> None:
    failed = factory.metrics("dafl", status="failed", reason="boom", final=None)
    factory.write(tmp_path, failed)
    assert dkd("retry", "--results", tmp_path)[1] == f"{failed.cell}\n1 cell will run again\n"
    factory.write(tmp_path, factory.metrics("cmi", key="0" * 16))
    (tmp_path / factory.metrics("cmi").cell / "metrics.json").unlink()
    factory.write(tmp_path, factory.metrics("cmi"))
    old, totals = dkd("prune", "--dry-run", "--results", tmp_path)[1].splitlines()
    assert old.strip() == f"0.0 MiB  {tmp_path}/{factory.metrics('cmi').cell}/runs/{'0' * 16}"
    assert totals == "1 run, would free 0.0 MiB"
    assert "1 run, freed 0.0 MiB" in dkd("prune", "--results", tmp_path)[1]
    assert dkd("prune", "--dry-run", "--results", tmp_path)[1] == "0 runs, would free 0.0 MiB\n"


def test_report_passes_its_filters(dkd: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    calls = []

    def render(results: Path, out: Path, **more: Any) -> list[Path]:
        calls.append((results, out, more))
        return [out / "index.html"]

    monkeypatch.setattr("harness.reporting.report.render", render)
    code, output, _ = dkd("report", "--results", tmp_path, "--out", "there", "--only", "method=ssd-kd,dafl", "--mixed")
    assert (code, output) == (0, "there/index.html\n")
    ((results, _, more),) = calls
    assert (results, more) == (tmp_path, {"only": {"method": ["ssd-kd,dafl"]}, "mixed": True, "overloaded": False})
    assert dkd("report", "--results", tmp_path, "--only", "method=ssd-kd", "--out", "reports")[0] == 2
    assert dkd("report", "--results", tmp_path, "--only", "method=ssd-kd") == (
        2,
        "",
        "error: --only: reports/ is for the whole report: --out DIR names a folder for a part of it\n",
    )
    code, _, errors = dkd("report", "--only", "ssd-kd", "--results", tmp_path)
    assert code == 2
    assert "write it as column=value" in errors and "columns: study, dataset, teacher, student, label," in errors


HEAVY = ("torch", "pandas", "mlflow", "snakemake", "matplotlib", "scipy", "jinja2")
PROBE = """
import json, sys, types
import harness.cli
for arguments in json.loads(sys.argv[1]):
    if arguments[0] == "run":
        sys.modules["harness.run.runner"] = types.SimpleNamespace(run_cell=lambda *a, **k: None)
    sys.argv = ["dkd", *arguments]
    try:
        harness.cli.main()
    except SystemExit:
        print("loaded", *[name for name in %r if name in sys.modules])
"""
LIGHT = [["list"], ["teachers"], ["retry"], ["prune", "--dry-run"], ["trace", "nothing"]]
LIGHT += [["compare", "abcd", "abcd"], ["import", "nowhere"], ["run", CELL]]
TAKE_FILES = ("list", "run")


def test_commands_import_only_what_they_use(file: Path, tmp_path: Path) -> None:
    """All in one new Python: whatever one of them loads, the later ones find loaded."""
    (tmp_path / "results").mkdir()
    allowed = [(command, set[str]()) for command in LIGHT]
    allowed += [(["report"], {"pandas", "matplotlib", "jinja2"})]
    allowed += [(["sync"], {"mlflow", "pandas", "matplotlib", "scipy", "jinja2"})]
    commands = [
        [*command, "--results", str(tmp_path / "results"), *(["--configfile", str(file)] * (command[0] in TAKE_FILES))]
        for command, _ in allowed
    ]
    probe = [sys.executable, "-c", PROBE % (HEAVY,), json.dumps(commands)]
    done = subprocess.run(probe, capture_output=True, encoding="utf-8", check=True)
    loaded = [set(line.split()[1:]) for line in done.stdout.splitlines() if line.startswith("loaded")]
    for (command, expected), found in zip(allowed, loaded, strict=True):
        assert found <= expected, command


HOME_PATHS = [
    ("list", "--results", "~/there"),
    ("list", "--configfile", "~/mine.yaml"),
    ("report", "--out", "~/pages", "--results", "."),
    ("import", "~/colleague"),
    ("train-teacher", "digits", "wrn10_1", "--import", "~/w.pt"),
    ("train-teacher", "digits", "wrn10_1", "--backbone", "~/w.pt"),
    ("run", CELL, "--out", "~/there"),
    ("prepare", "nyuv2", "--from", "~/a", "--splits", "~/b", "--classes", "~/c"),
]


@pytest.mark.parametrize("arguments", HOME_PATHS, ids=lambda arguments: " ".join(arguments[:3]))
def test_no_folder_is_called_tilde(
    dkd: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "workflow/config").mkdir(parents=True)
    (tmp_path / "workflow/config/digits.yaml").write_text(CONFIG, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    stand_in(monkeypatch, "teachers.train", train=lambda *_, **more: _refuse(more["backbone"]))
    stand_in(monkeypatch, "teachers.foreign", take=lambda *given, **_: _refuse(given[2]))
    dkd(*arguments)
    assert not (tmp_path / "~").exists()
    monkeypatch.setattr(Path, "expanduser", raising(RuntimeError("Could not determine home directory.")))
    code, _, errors = dkd(*arguments)
    assert code == 2
    assert "no home is known for ~" in errors


def _refuse(path: Path) -> None:
    assert "~" not in str(path)
    raise UserError("far enough")


def test_data_lie_at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from harness import data

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DKD_DATA", "~/images")
    assert data.folder() == tmp_path / "images"


def test_results_of_a_group_are_not_dropped_in_silence(dkd: Command, tmp_path: Path) -> None:
    code, _, errors = dkd("teachers", "--results", tmp_path, "get", "akamaster-resnet20")
    assert (code, errors) == (2, f"error: --results {tmp_path}: write it behind get\n")


@pytest.mark.parametrize("name", sorted(typer.main.get_group(cli.app).commands))
def test_every_commands_help_says_what_its_status_means(name: str, dkd: Command) -> None:
    code, out, _ = dkd(name, "--help")
    said = " ".join(out.split())
    assert code == 0
    assert "Status: 0 done, 1 the machine's trouble, 2 what you can put right" in said
    assert ("1 also if" in said) == (name in ("verify", "import", "doctor", "compare", "submit"))
    assert ("3 if some runs" in said) == (name == "sync")
