"""Configuration files: what is refused, what is taken from a base, and what goes over what."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from harness.errors import ConfigError, UserError
from harness.grid.grid import expand, load_grid
from harness.grid.study import CONFIGS, Budget, load_study
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
        ({"methods": {"a": {"method": "ssd-kd"}, "A": {"method": "fast"}}}, r"methods\.A: the same folder as a"),
        ({"methods": {"scratch": {}, "Scratch": {"method": "fast"}}}, r"methods\.Scratch: the same folder as scratch"),
        ({"methods": {"../a": {"method": "fast"}}}, r"methods\.\.\./a: a label is letters"),
        ({"study": "../elsewhere"}, "study: '../elsewhere'"),
        ({"study": "a/b"}, "study: 'a/b'"),
        ({"seeds": [0, 1, 0]}, "seeds: the same value stands twice"),
        ({"scales": [10, 10.0]}, "scales: the same value stands twice"),
        ({"scales": [0]}, r"scales\.0: 0 is not a data scale"),
        ({"pairs": [*STUDY["pairs"], *STUDY["pairs"]]}, "pairs: the same value stands twice"),  # type: ignore[misc]
        ({"dataset": ["digits", "digits"]}, "datasets: the same value stands twice"),
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
    ],
)
def test_refused(tmp_path: Path, changes: dict[str, object], problem: str) -> None:
    with pytest.raises(ConfigError, match=f"mine.yaml: {problem}"):
        load_study(write(tmp_path, **changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"defaults": {"steps": 100}}, ("mine.yaml: defaults:", "`budget`", "over presets")),
        ({"references": ["kd-real"]}, ("mine.yaml: references:", "`methods`", "kd-real: {}")),
    ],
)
def test_keys_of_earlier_versions_are_told_the_new_words(
    tmp_path: Path, changes: dict[str, object], words: tuple[str, ...]
) -> None:
    write(tmp_path, **changes)
    (tmp_path / "above.yaml").write_text("base: mine.yaml\nstudy: above\n", encoding="utf-8")
    for file in ("mine.yaml", "above.yaml"):
        with pytest.raises(ConfigError) as error:
            load_study(tmp_path / file)
        assert all(word in str(error.value) for word in words)


@pytest.mark.parametrize("twice", ["seeds: [1]", "methods:\n  b: {method: fast, method: cmi}"])
def test_a_key_that_stands_twice_is_refused(tmp_path: Path, twice: str) -> None:
    file = write(tmp_path)
    file.write_text(file.read_text(encoding="utf-8") + twice + "\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"stands twice[\s\S]*line"):
        load_study(file)


def test_a_base_gives_the_keys_that_are_not_given(tmp_path: Path) -> None:
    """Keys as wholes: a mapping is replaced, not merged."""
    write(tmp_path, "lowest.yaml", budget={"steps": 100, "epochs": 2}, device="cpu", threads=2)
    (tmp_path / "middle.yaml").write_text(
        "base: lowest.yaml\nstudy: middle\nseeds: [3, 4]\nthreads: 3\n", encoding="utf-8"
    )
    (tmp_path / "top.yaml").write_text(
        "base: middle.yaml\nstudy: top\nscales: [20]\nbudget: {steps: 50}\n", encoding="utf-8"
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
        ({"mine.yaml": "base: mine.yaml\n"}, "mine.yaml: base: mine.yaml cannot be the base of itself"),
        (
            {"mine.yaml": "base: a.yaml\n", "a.yaml": "base: b.yaml\n", "b.yaml": "base: a.yaml\n"},
            "b.yaml: base: a.yaml cannot be the base of itself",
        ),
        ({"mine.yaml": "base: nowhere.yaml\n"}, r"nowhere\.yaml: no such file"),
        ({"mine.yaml": "base: [a.yaml]\n"}, r"mine\.yaml: base: \['a\.yaml'\]"),
        ({"mine.yaml": "base: there/a.yaml\n"}, "mine.yaml: base: 'there/a.yaml'"),
        ({"mine.yaml": "base: ''\n"}, "mine.yaml: base: ''"),
        ({"mine.yaml": "base: a.yaml\n", "a.yaml": "just text\n"}, r"a\.yaml: "),
        ({"mine.yaml": "base: a.yaml\n", "a.yaml": "study: a\nseed: [1]\n"}, r"a\.yaml: "),
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
    study = load_study(write(tmp_path, budget={"steps": None, "epochs": 3, "clip": None}))
    assert study.budget.options == {"epochs": 3, "clip": None}  # an option of a method may well be null


def test_a_mistake_in_the_budget_is_not_told_as_the_labels(tmp_path: Path) -> None:
    methods = {"kd-noise": {}, "ssd-kd": {"rounds": 0}}
    noise, other = expand(load_study(write(tmp_path, methods=methods, budget={"rounds": 100})))
    with pytest.raises(ConfigError, match=r"mine\.yaml: methods\.kd-noise: budget\.rounds: unknown key"):
        method_config(noise, "mine.yaml")
    with pytest.raises(ConfigError, match=r"mine\.yaml: methods\.ssd-kd\.rounds: 0: "):
        method_config(other, "mine.yaml")


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
