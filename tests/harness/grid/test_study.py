"""Configuration files: what is refused, what is taken from a base, and what goes over what."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import yaml

from harness import ROOT
from harness.errors import ConfigError, UserError
from harness.grid import paths, settings
from harness.grid.grid import expand, load_grid
from harness.grid.paths import CONFIGS, configs, default
from harness.grid.study import Budget, load_study
from harness.run.assemble import method_config

STUDY = {
    "study": "mine",
    "dataset": "digits",
    "pairs": [{"teacher": "wrn10_1", "student": "cnn3_16"}],
    "scales": [10],
    "seeds": [0],
    "methods": {"a": {"method": "ssd-kd"}},
}


def write(folder: Path, name: str = "mine.yaml", **changes: object) -> Path:
    file = folder / name
    file.write_text(yaml.safe_dump({**STUDY, **changes}), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"methods": {"a": {"method": "ssd-kd"}, "A": {"method": "fast"}}}, r"methods\.a: the same folder as A"),
        ({"graphs": True, "device": "cpu"}, r"graphs: graphs are for GPUs, and device is cpu"),
        ({"methods": {"scratch": {}, "Scratch": {"method": "fast"}}}, r"methods\.scratch: the same folder as Scratch"),
        ({"methods": {"../a": {"method": "fast"}}}, r"methods\.\.\./a: a label is letters"),
        ({"study": "../elsewhere"}, "study: '../elsewhere'"),
        ({"study": "a/b"}, "study: 'a/b'"),
        ({"study": "my study"}, "study: 'my study': a name is letters, digits and . _ . - after .*, at most 80 in all"),
        ({"seeds": [0, 1, 0]}, "seeds: the same value stands twice: 0"),
        ({"scales": [10, 10.0]}, "scales: the same value stands twice: 10"),
        ({"scales": [0]}, r"scales\.0: 0: Input should be greater"),
        ({"pairs": [*STUDY["pairs"], *STUDY["pairs"]]}, "pairs: the same value stands twice"),  # type: ignore[misc]
        ({"dataset": ["digits", "digits"]}, "dataset: the same value stands twice: digits"),
        ({"dataset": "digit"}, "dataset: unknown dataset: 'digit'"),
        ({"methods": {"a": {"method": "sdd-kd"}}}, r"methods\.a\.method: unknown method: 'sdd-kd'"),
        ({"methods": {"sdd-kd": {}}}, r"methods\.sdd-kd: unknown method: 'sdd-kd'[\s\S]*did you mean: ssd-kd"),
        ({"methods": {"a": {"method": "ssd-kd", "preset": 2}}}, r"methods\.a\.preset: 2: "),
        ({"methods": {}}, "methods: nothing to run"),
        ({"budget": {"steps": 0}}, r"budget\.steps: 0: Input should be greater"),
        ({"budget": {"batch": "many"}}, r"budget\.batch: 'many': "),
        ({"budget": {"preset": "smoke"}}, r"budget: .*preset belongs to a label"),
        ({"seeds": [0, -1]}, r"seeds\.1: -1: "),
        ({"metods": {}}, r"metods: unknown key[\s\S]*did you mean: methods"),
        ({"pairs": [{"teacher": "wrn10_1", "pupil": "cnn3_16"}]}, r"pairs\.0\.(pupil: unknown key|student)"),
        *[({"threads": value}, f"threads: {value}: ") for value in (0, 1025, 10**11)],
        *[({"checkpoint_seconds": value}, "checkpoint_seconds: ") for value in (0, -1.0, 1e9)],
        *[({"budget": {name: value}}, rf"budget\.{name}: ") for name, value in (("steps", 2 * 10**9), ("steps", 1e20))],
        *[({"budget": {name: 10**7}}, rf"budget\.{name}: 10000000: ") for name in ("epochs", "batch")],
        *[({"scales": [10, value]}, r"scales\.1: ") for value in (0.00001, -1, 100.1, True, "10")],
        ({"precision": "fp16"}, r"precision: 'fp16': Input should be 'fp32', 'tf32' or 'bf16'"),
        ({"precision": "tf32", "device": "cpu"}, r"precision: a CPU has no tf32\n  valid choices: fp32, bf16"),
        ({"scales": [33.33333, 5, 33.333330]}, "scales: the same value stands twice: 33.33333"),
        *[({"seeds": [value]}, r"seeds\.0: ") for value in (2**31, 10**18, 0.5, "0")],
        *[({"study": name}, "study: ") for name in ("teachers", "Teachers", "reference", "mlflow.db", "index.html")],
        *[({"study": name}, "study: ") for name in ("x" * 81, ".x", "-x", "x y", "é", "x\n", "", 5, None)],
        *[({"methods": {name: {"method": "fast"}}}, "methods") for name in ("x" * 81, ".x", "-x", "x y", "é", "a$b")],
        *[({"dataset": value}, "dataset: ") for value in ([], 5, [1], None)],
        ({"dataset": {"digits": 1}}, r"dataset\.name: this key is missing"),
        *[({key: []}, f"{key}: ") for key in ("pairs", "scales", "seeds")],
        *[({key: None}, f"{key}: ") for key in ("pairs", "scales", "seeds", "methods", "device", "threads")],
        ({"methods": {"a": {"method": "x" * 300 + ".py"}}}, r"methods\.a\.method: .*: no file can have this path"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_refused(tmp_path: Path, changes: dict[str, object], problem: str) -> None:
    with pytest.raises(ConfigError, match=rf"mine.yaml:\d+: {problem}"):
        load_study(write(tmp_path, **changes))


def test_cells_without_end_are_refused_before_any_is_made(tmp_path: Path) -> None:
    changes = {"seeds": list(range(1000)), "scales": [n / 20 for n in range(1, 1001)]}
    with pytest.raises(ConfigError, match=r"mine\.yaml: 1,000,000 cells: a study has 100,000 at most"):
        load_study(write(tmp_path, **changes))


@pytest.mark.parametrize("name", ["on", "1", "null", "2026-01-01", "012", "1e3", "x" * 80])
def test_names_that_yaml_would_take_for_something_else(tmp_path: Path, name: str) -> None:
    file = write(tmp_path)
    content = file.read_text(encoding="utf-8").replace("  a:\n", f"  {name}:\n")
    file.write_text(content, encoding="utf-8")
    assert list(load_study(file).methods) == [name]


def test_nothing_behind_a_label_or_a_mapping_is_nothing_of_its_own(tmp_path: Path) -> None:
    found = load_study(write(tmp_path, methods={"kd-real": None}, budget=None, recipe=None))
    assert (found.methods["kd-real"].options, found.budget.options, found.recipe) == ({}, {}, {})


def test_an_option_that_is_not_finite_is_no_number(tmp_path: Path) -> None:
    """YAML refuses it already; options also come from presets and from Python."""
    (cell,) = expand(load_study(write(tmp_path)))
    for value in (float("inf"), float("nan")):
        with pytest.raises(ConfigError, match=r"--set: methods\.a\.gamma: (inf|nan): Input should be a finite number"):
            method_config(settings.apply({"gamma": value}, cell))


def test_a_value_of_the_base_is_found_in_the_bases_file(tmp_path: Path) -> None:
    write(tmp_path, "low.yaml", methods={"a": {"method": "ssd-kd", "gamma": "1"}})
    (tmp_path / "mine.yaml").write_text("extends: low.yaml\nstudy: above\nbudget:\n  lr: '1'\n", encoding="utf-8")
    (cell,) = expand(load_study(tmp_path / "mine.yaml"))
    with pytest.raises(ConfigError, match=r"low\.yaml:4: methods\.a\.gamma: '1': a number"):
        method_config(dataclasses.replace(cell, budget=Budget()))
    with pytest.raises(ConfigError, match=r"mine\.yaml:4: budget\.lr, for methods\.a: '1': a number"):
        method_config(dataclasses.replace(cell, options={}))


def test_bases_upon_one_another_come_to_an_end(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"{number}.yaml").write_text(f"extends: {number + 1}.yaml\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="more than 10 studies that extend one another"):
        load_study(tmp_path / "0.yaml")


def test_configurations_are_those_of_the_folder_or_else_of_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert configs() == ROOT / "workflow/config"
    (tmp_path / "workflow/config").mkdir(parents=True)
    assert configs() == Path("workflow/config")
    assert default() == Path("workflow/config/digits.yaml")


def test_without_any_configurations_it_is_said_where_they_were_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(paths, "ROOT", tmp_path / "site-packages")
    with pytest.raises(UserError, match=f"neither {tmp_path}/workflow/config nor {tmp_path}/site-packages/workflow"):
        configs()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"defaults": {"steps": 100}}, ("mine.yaml:", ": defaults:", "`budget`", "over presets")),
        ({"base": "low.yaml"}, ("mine.yaml:", ": base:", "`extends`")),
        ({"references": ["kd-real"]}, ("mine.yaml:", ": references:", "`methods`", "kd-real: {}")),
    ],
)
def test_keys_of_earlier_versions_are_told_the_new_words(
    tmp_path: Path, changes: dict[str, object], words: tuple[str, ...]
) -> None:
    write(tmp_path, **changes)
    (tmp_path / "above.yaml").write_text("extends: mine.yaml\nstudy: above\n", encoding="utf-8")
    for file in ("mine.yaml", "above.yaml"):
        with pytest.raises(ConfigError) as error:
            load_study(tmp_path / file)
        assert all(word in str(error.value) for word in words)


@pytest.mark.parametrize("twice", ["seeds: [1]", "methods:\n  b: {method: fast, method: cmi}"])
def test_a_key_that_stands_twice_is_refused(tmp_path: Path, twice: str) -> None:
    file = write(tmp_path)
    file.write_text(file.read_text(encoding="utf-8") + twice + "\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"mine\.yaml:\d+: \S+: the key '\w+' stands twice"):
        load_study(file)


def test_a_base_gives_the_keys_that_are_not_given(tmp_path: Path) -> None:
    """Keys as wholes: a mapping is replaced, not merged."""
    write(tmp_path, "lowest.yaml", budget={"steps": 100, "epochs": 2}, device="cpu", threads=2)
    (tmp_path / "middle.yaml").write_text(
        "extends: lowest.yaml\nstudy: middle\nseeds: [3, 4]\nthreads: 3\n", encoding="utf-8"
    )
    (tmp_path / "top.yaml").write_text(
        "extends: middle.yaml\nstudy: top\nscales: [20]\nbudget: {steps: 50}\n", encoding="utf-8"
    )
    lowest, middle, top = (load_study(tmp_path / f"{name}.yaml") for name in ("lowest", "middle", "top"))
    assert (middle.study, middle.device, middle.threads, middle.seeds) == ("middle", "cpu", 3, [3, 4])
    assert (middle.scales, middle.budget.options) == ([10.0], {"steps": 100, "epochs": 2})
    assert (top.study, top.device, top.threads, top.seeds) == ("top", "cpu", 3, [3, 4])
    assert (top.scales, top.budget.options) == ([20.0], {"steps": 50})
    assert lowest.methods == middle.methods == top.methods
    assert [cell.name for cell in expand(top)] == [
        f"top/digits/wrn10_1--cnn3_16/a/scale-20/seed-{seed}" for seed in (3, 4)
    ]


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"mine.yaml": "extends: mine.yaml\n"}, r"mine.yaml:1: extends: mine.yaml cannot extend itself"),
        (
            {"mine.yaml": "extends: a.yaml\n", "a.yaml": "extends: b.yaml\n", "b.yaml": "extends: a.yaml\n"},
            r"b.yaml:1: extends: a.yaml cannot extend itself",
        ),
        (
            {"mine.yaml": "extends: nowhere.yaml\n"},
            r"mine.yaml:1: extends: 'nowhere.yaml': no such file; .* and /.*/workflow/config/nowhere\.yaml",
        ),
        ({"mine.yaml": "extends: [a.yaml]\n"}, r"mine\.yaml:1: extends: \['a\.yaml'\]"),
        (
            {"mine.yaml": "extends: there/a.yaml\n"},
            r"mine.yaml:1: extends: 'there/a.yaml': no such file; .*/there/a\.yaml\n",
        ),
        ({"mine.yaml": "extends: .\n"}, "/[^:]+: a folder: name a YAML file"),
        ({"mine.yaml": "extends: ''\n"}, "mine.yaml:1: extends: ''"),
        ({"mine.yaml": "extends: a.yaml\n", "a.yaml": "just text\n"}, r"a\.yaml: "),
        ({"mine.yaml": "extends: a.yaml\n", "a.yaml": "study: a\nseed: [1]\n"}, r"a\.yaml:2: seed: unknown key"),
    ],
)
def test_bases_that_cannot_be_used(tmp_path: Path, files: dict[str, str], problem: str) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=problem):
        load_study(tmp_path / "mine.yaml")


METHOD = """
from methods.base.presets import Preset
from methods.references import KDNoise

class Mine(KDNoise):
    name = "mine"
    presets = {"slow": Preset({"lr": 0.3, "epochs": 5, "batch": 16, "temperature": 7.0})}
"""


def test_the_label_goes_over_the_budget_and_the_budget_over_the_preset(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(METHOD, encoding="utf-8")
    label = {"method": str(tmp_path / "mine.py"), "preset": "slow", "batch": 64, "temperature": 2.0}
    budget = {"epochs": 7, "batch": 32, "weight_decay": 0.5}
    (cell,) = expand(load_study(write(tmp_path, methods={"mine": label}, budget=budget)))
    assert (cell.preset, dict(cell.options)) == ("slow", {"batch": 64, "temperature": 2.0})
    found = method_config(cell).model_dump()
    expected = {"steps": 80_000, "lr": 0.3, "epochs": 7, "batch": 64, "temperature": 2.0, "weight_decay": 0.5}
    assert {name: found[name] for name in expected} == expected


def test_what_a_budget_does_not_give_is_the_presets(tmp_path: Path) -> None:
    assert Budget().options == Budget(steps=None).options == {}
    found = load_study(write(tmp_path, budget={"steps": None, "epochs": 3, "clip": None}))
    assert found.budget.options == {"epochs": 3, "clip": None}  # an option of a method may well be null


def test_a_mistake_in_the_budget_is_not_told_as_the_labels(tmp_path: Path) -> None:
    methods = {"kd-noise": {}, "ssd-kd": {"rounds": 0}}
    noise, other = expand(load_study(write(tmp_path, methods=methods, budget={"rounds": 100})))
    with pytest.raises(ConfigError, match=r"mine\.yaml:\d+: budget\.rounds, for methods\.kd-noise: unknown key"):
        method_config(noise)
    with pytest.raises(ConfigError, match=r"mine\.yaml:\d+: methods\.ssd-kd\.rounds: 0: "):
        method_config(other)


def test_a_cell_cannot_be_changed(tmp_path: Path) -> None:
    (cell,) = expand(load_study(write(tmp_path, methods={"ssd-kd": {"gamma": 1.0}})))
    with pytest.raises(TypeError):
        cell.options["gamma"] = 2.0  # type: ignore[index]
    with pytest.raises(AttributeError):
        cell.seed = 1  # type: ignore[misc]


@pytest.mark.parametrize("file", sorted(CONFIGS.glob("*.yaml")), ids=lambda file: file.stem)
def test_the_configurations_that_come_with_the_bench_can_be_read(file: Path) -> None:
    cells = load_grid(file).cells
    assert len({cell.name for cell in cells}) == len(cells) > 0
