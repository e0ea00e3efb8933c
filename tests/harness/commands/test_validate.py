from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from torch import Tensor, nn

import methods
from harness import networks
from harness.commands.validate import validate
from harness.errors import ConfigError, UserError
from harness.run import cost

STUDY = """
study: other
dataset: digits
pairs: [{{teacher: wrn10_1, student: cnn3_16}}]
scales: [1]
seeds: [0]
methods: {{ssd-kd: {options}}}
"""

TOGETHER = """
from pydantic import model_validator
from methods.references import KDNoise, MethodConfig

class Config(MethodConfig):
    low: float = 1.0
    high: float = 2.0

    @model_validator(mode="after")
    def ordered(self):
        if self.low > self.high:
            raise ValueError("low is above high")
        return self

class Mine(KDNoise):
    name = "mine"
    Config = Config
"""


@pytest.fixture
def other_networks() -> Iterator[None]:
    """A test that changes what a network's name means: others must not meet what was built of it."""
    cost.forget()
    yield
    cost.forget()


def write(folder: Path, options: str) -> Path:
    file = folder / "mine.yaml"
    file.write_text(STUDY.format(options=options), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("{gama: 1.0}", r"mine\.yaml:\d+: methods\.ssd-kd\.gama: unknown key[\s\S]*did you mean: gamma"),
        ("{gamma: much}", r"mine\.yaml:\d+: methods\.ssd-kd\.gamma: 'much'"),
        ("{gamma: -1.0}", r"methods\.ssd-kd\.gamma: -1\.0: Input should be greater than or equal to 0"),
        ("{replacement: newest}", r"methods\.ssd-kd\.replacement: 'newest': Input should be 'lowest' or 'oldest'"),
        ("{preset: smok}", r"methods\.ssd-kd\.preset: ssd-kd has no preset 'smok'[\s\S]*did you mean: smoke"),
        ("{preset: adi}", r"methods\.ssd-kd\.preset: ssd-kd has no preset 'adi'; it is one of deepinversion"),
        (
            "{preset: tuned}",
            r"preset: ssd-kd has no preset 'tuned'; for other datasets and pairs: .*\n  valid choices: smoke",
        ),
        (
            "{preset: fast-2}",
            r"preset: ssd-kd's preset 'fast-2' has no values for wrn10_1 → cnn3_16 on digits[\s\S]*smoke",
        ),
    ],
)
def test_bad_options_name_file_key_value_and_choices(tmp_path: Path, options: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        validate(write(tmp_path, options))


def test_two_values_that_do_not_go_together(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(TOGETHER, encoding="utf-8")
    file = write(tmp_path, f"{{method: {tmp_path / 'mine.py'}, low: 3.0}}")
    with pytest.raises(ConfigError, match=r"mine\.yaml:\d+: methods\.ssd-kd: .*'low': 3.0.*: low is above high"):
        validate(file)


def test_a_bad_option_of_the_budget_is_not_blamed_on_the_label(tmp_path: Path) -> None:
    file = write(tmp_path, "{gamma: 1.0}")
    file.write_text(file.read_text(encoding="utf-8") + "budget: {gama: 1.0}\n", encoding="utf-8")
    expected = r"mine\.yaml:\d+: budget\.gama, for methods\.ssd-kd: unknown key[\s\S]*did you mean: gamma"
    with pytest.raises(ConfigError, match=expected):
        validate(file)
    file.write_text(file.read_text(encoding="utf-8").replace("gamma: 1.0", "gama: 1.0"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"mine\.yaml:\d+: methods\.ssd-kd\.gama: unknown key"):
        validate(file)


def test_a_scale_with_few_images_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    assert len(validate(write(tmp_path, "{}"), said.append)) == 1
    assert said[1] == "mine.yaml: scale 1 leaves 13 images, fewer than 32"


@pytest.mark.parametrize(
    ("options", "scale", "said"),
    [
        ("{rounds: 3, warmup: 1, inversion_batch: 64}", 100, "192 images for 1297 slots at scale 100: not filled"),
        ("{rounds: 2, warmup: 1}", 10, "66 images for 130 slots at scale 10: not filled"),
        ("{rounds: 6, warmup: 1}", 100, None),
        ("{method: fast, inversion_batch: 8}", 100, None),
    ],
)
def test_a_buffer_that_is_never_full_is_said(tmp_path: Path, options: str, scale: int, said: str | None) -> None:
    """Rounds times the batch, which is a quarter of the slots or 32 at least, against the slots."""
    file, lines = write(tmp_path, options), list[str]()
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("scales: [1]", f"scales: [{scale}]"), encoding="utf-8")
    validate(file, lines.append)
    assert [line for line in lines if "slots" in line] == ([f"mine.yaml: methods.ssd-kd: {said}"] if said else [])


def three_seeds(folder: Path) -> Path:
    file = write(folder, "{preset: smoke}")
    file.write_text(file.read_text(encoding="utf-8").replace("seeds: [0]", "seeds: [0, 1, 2]"), encoding="utf-8")
    return file


@pytest.mark.parametrize(("concurrent", "said"), [(1, False), (2, True)])
def test_memory_that_cells_at_once_lack_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, concurrent: int, said: bool
) -> None:
    monkeypatch.setattr("harness.machine.memory.available", lambda: 1024**3)
    monkeypatch.setattr("harness.machine.cores.available", lambda: 8)
    lines = list[str]()
    validate(three_seeds(tmp_path), lines.append, concurrent)
    assert (
        any("2 cells at once" in line and line.endswith("for 1 of them: type snakemake --cores 1") for line in lines)
        == said
    )


def test_a_recipe_of_more_images_than_there_are_is_refused_where_it_stands(tmp_path: Path) -> None:
    file = write(tmp_path, "{}")
    file.write_text(file.read_text(encoding="utf-8") + "recipe: {images: 1298}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"mine\.yaml:8: recipe\.images: 1298: digits has 1297 to train on"):
        validate(file, print)


@pytest.mark.parametrize(("concurrent", "said"), [(1, False), (2, False), (3, True), (64, True)])
def test_more_cells_at_once_than_cores_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, concurrent: int, said: bool
) -> None:
    monkeypatch.setattr("harness.machine.cores.available", lambda: 2)
    lines = list[str]()
    validate(three_seeds(tmp_path), lines.append, concurrent)
    assert ("mine.yaml: 3 cells at once want 3 cores, there are 2 to use: type snakemake --cores 2" in lines) == said


class WithoutBatchNorm(nn.Module):
    """A linear network with the interface of all others."""

    def __init__(self, classes: int, channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(64 * channels, classes)

    def forward(self, x: Tensor, return_features: bool = False) -> Tensor | tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        logits: Tensor = self.linear(x.flatten(1))
        return (logits, x.flatten(1), (x, x)) if return_features else logits


NEED_STATISTICS = ("cmi", "cpnet", "deepinversion", "dfq", "fast", "nayer", "spaceshipnet", "ssd-kd")


@pytest.mark.usefixtures("other_networks")
@pytest.mark.parametrize("name", [*NEED_STATISTICS, "dafl", "dfad", "zskt", *methods.REFERENCES])
def test_a_teacher_without_batch_norm_is_refused_before_training_where_its_statistics_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    build = networks.build
    monkeypatch.setattr(
        networks,
        "build",
        lambda network, *shape: (WithoutBatchNorm if network == "wrn10_1" else partial(build, network))(*shape),
    )
    file = write(tmp_path, "{}" if name in methods.REFERENCES else "{preset: smoke}")
    file.write_text(file.read_text(encoding="utf-8").replace("ssd-kd", name), encoding="utf-8")
    if name not in NEED_STATISTICS:
        assert len(validate(file)) == 1
        return
    with pytest.raises(
        UserError, match=f"methods.{name} cannot work on wrn10_1 → cnn3_16: NoBatchNorm: the teacher has no batch-norm"
    ):
        validate(file)


class Plain(nn.Module):
    """A network as people have it: images to logits, and nothing else."""

    def __init__(self, classes: int, channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(64 * channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.linear(x.flatten(1))
        return logits


@pytest.mark.parametrize("network", ["wrn10_1", "cnn3_16"])
def test_a_network_without_features_is_refused_once_and_with_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network: str
) -> None:
    build = networks.build
    monkeypatch.setattr(
        networks, "build", lambda name, *shape: (Plain if name == network else partial(build, name))(*shape)
    )
    expected = rf"networks/\w+\.py: {network}: TypeError: .*return_features.*\n  docs/bring-a-network\.md"
    with pytest.raises(UserError, match=expected):
        validate(write(tmp_path, "{}"))


BROKEN = [
    ("import nonexistent_package", "ModuleNotFoundError: No module named 'nonexistent_package'"),
    ("def broken(:", "cannot be read as Python: invalid syntax"),
    ("import sys; sys.exit(0)", "SystemExit: 0"),
    ("def f(): f()\nf()", "RecursionError: maximum recursion depth exceeded"),
    ("raise KeyError('\x1b[2J')", "KeyError: "),
    ("x = 1", "expected one subclass of methods.base.method.Method"),
]


@pytest.mark.parametrize(("code", "problem"), BROKEN, ids=[code[:20] for code, _ in BROKEN])
def test_a_method_that_cannot_be_imported_is_told(tmp_path: Path, code: str, problem: str) -> None:
    method = tmp_path / "mine.py"
    method.write_text(code, encoding="utf-8")
    file = write(tmp_path, f"{{method: {method}}}")
    with pytest.raises(UserError) as refused:
        validate(file)
    assert problem in str(refused.value)
    assert "mine.py" in str(refused.value)
    assert str(refused.value).replace("\n", "").isprintable()


def test_a_broken_method_does_not_hide_what_is_wrong_with_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = methods.load

    def broken(name: str) -> object:
        if name == "dafl":
            raise methods.BrokenContract("dafl.py: cannot be imported")
        return load(name)

    monkeypatch.setattr(methods, "load", broken)
    with pytest.raises(ConfigError, match=r"ssd-kd has no preset 'adi'; it is one of deepinversion"):
        validate(write(tmp_path, "{preset: adi}"))


READS = """
import torch
from methods.references import KDNoise

class Reads(KDNoise):
    name = "reads"

    def __init__(self, config, context):
        super().__init__(config, context)
        found = torch.arange(4, device=context.device)
        if len(found[found > 1]) != {wanted}:
            raise ValueError("not as many as it wants")
"""


def test_a_method_whose_constructor_reads_numbers_is_built_with_numbers(tmp_path: Path) -> None:
    """Shapes alone, with which others are built, have none."""
    method = tmp_path / "reads.py"
    file = write(tmp_path, "{method: " + str(method) + "}")
    method.write_text(READS.format(wanted=2), encoding="utf-8")
    assert len(validate(file)) == 1


def test_a_method_that_refuses_the_numbers_it_reads_is_told(tmp_path: Path) -> None:
    method = tmp_path / "refuses.py"
    file = write(tmp_path, "{method: " + str(method) + "}")
    method.write_text(READS.format(wanted=3), encoding="utf-8")
    with pytest.raises(UserError, match="cannot work on wrn10_1 → cnn3_16: ValueError: not as many as it wants"):
        validate(file)


def test_known_methods_are_built_of_shapes_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def built(*_: object) -> None:
        raise AssertionError("built with numbers")

    monkeypatch.setattr("harness.commands.validate.build_method", built)
    file = write(tmp_path, "{preset: smoke}")
    study = file.read_text(encoding="utf-8").split("methods:")[0]
    labels = {name: {} if name in methods.REFERENCES else {"preset": "smoke"} for name in methods.names()}
    file.write_text(f"{study}methods: {labels}\n", encoding="utf-8")
    assert len(validate(file)) == len(labels)
