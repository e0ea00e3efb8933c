"""A teacher with a normalisation of its own is asked as it was trained, once, whoever asks."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from torch import Tensor, nn

from harness import data, networks
from harness.commands import output, status, trace, verify
from harness.data.dataset import Dataset
from harness.data.recipe import Recipe, Teachers
from harness.engine.evaluate import Evaluator
from harness.errors import UserError
from harness.grid import grid, keys, study
from harness.reporting import rows, runs
from harness.reporting.tables import notes
from harness.run import runner
from harness.store import atomic, checking
from harness.store.layout import Results
from harness.store.reading import read
from harness.store.records import Manifest, Normalisation, TeacherRecord
from harness.teachers import foreign, shelf
from harness.teachers.measuring import measure
from harness.teachers.normalisation import KNOWN, Asked
from harness.teachers.normalised import Conversion, normalised
from methods.base.task import RealImages, Task
from methods.base.teacher import FrozenTeacher
from tests import small

CPU = torch.device("cpu")
OWN = Normalisation(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
GREY = Normalisation(mean=[0.3], std=[0.25])
PLACE = ("digits", "cnn3_16")


@pytest.fixture
def _double() -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def by(values: Normalisation | Task, images: Tensor) -> Tensor:
    """``images`` in [0, 1], normalised channel by channel, written out."""
    made = torch.empty_like(images)
    for channel, (mean, std) in enumerate(zip(values.mean, values.std, strict=True)):
        made[:, channel] = (images[:, channel] - mean) / std
    return made


@pytest.fixture
def images() -> Tensor:
    return torch.rand(6, 3, 32, 32, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.usefixtures("_double")
@pytest.mark.parametrize("name", ["resnet20", "wrn16_1", "deeplabv3_mobilenetv2"])
def test_all_that_a_teacher_gives_is_what_it_gives_to_inputs_of_its_own(name: str, images: Tensor) -> None:
    """To methods: logits, features, stages and the statistics that inversion matches."""
    bare = small.network(name, 1, small.CIFAR)
    asked = {"features": True, "stages": True, "statistics": True, "instance_means": True}
    found = FrozenTeacher(normalised(bare, small.CIFAR, OWN))(by(small.CIFAR, images), **asked)
    expected = FrozenTeacher(bare)(by(OWN, images), **asked)
    assert close(found.logits, expected.logits)
    assert close(found.features, expected.features)
    assert found.stages and expected.stages
    assert all(close(*stages) for stages in zip(found.stages, expected.stages, strict=True))
    assert close(found.instance_means, expected.instance_means)
    for statistic in ("mean", "variance"):
        assert close(getattr(found.statistics, statistic), getattr(expected.statistics, statistic))


def close(found: Tensor | None, expected: Tensor | None) -> bool:
    assert found is not None and expected is not None
    return torch.allclose(found, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.usefixtures("_double")
def test_gradients_reach_the_input_by_the_chain_rule(images: Tensor) -> None:
    bare = small.network("resnet20", 1, small.CIFAR)
    x, x_own = by(small.CIFAR, images).requires_grad_(), by(OWN, images).requires_grad_()
    (found,) = torch.autograd.grad(loss(FrozenTeacher(normalised(bare, small.CIFAR, OWN)), x), x)
    (expected,) = torch.autograd.grad(loss(FrozenTeacher(bare), x_own), x_own)
    for channel in range(3):
        assert close(found[:, channel], expected[:, channel] * small.CIFAR.std[channel] / OWN.std[channel])


def loss(teacher: FrozenTeacher, x: Tensor) -> Tensor:
    """What an inversion minimises: the task's loss and the distance of statistics."""
    output = teacher(x, statistics=True)
    assert output.statistics is not None
    distance = (output.statistics.mean - teacher.running.mean).square().sum()
    return -output.logits.log_softmax(dim=1)[:, 3].sum() + distance


def test_statistics_and_layers_are_those_of_the_network() -> None:
    bare = small.network("wrn16_1", 1, small.CIFAR)
    wrapped, plain = FrozenTeacher(normalised(bare, small.CIFAR, OWN)), FrozenTeacher(bare)
    assert (wrapped.channels, wrapped.batch_norms) == (plain.channels, plain.batch_norms)
    assert torch.equal(wrapped.classifier.weight, plain.classifier.weight)
    assert wrapped.nbytes == plain.nbytes
    assert torch.equal(wrapped.running.mean, plain.running.mean)


def test_without_constants_of_its_own_a_network_stays_itself() -> None:
    bare = small.network("wrn16_1", 1, small.CIFAR)
    assert normalised(bare, small.CIFAR, None) is bare


def test_a_network_is_left_as_it_was_however_often_it_is_asked_otherwise() -> None:
    bare, x = small.network("wrn16_1", 1, small.CIFAR), torch.randn(2, 3, 32, 32)
    before = bare(x)
    first = normalised(bare, small.CIFAR, OWN)(x)
    assert torch.equal(normalised(bare, small.CIFAR, OWN)(x), first)
    assert torch.equal(bare(x), before)
    assert not torch.equal(first, before)


def imported(results: Path, asked: Asked, floor: float = 0.0) -> tuple[TeacherRecord, nn.Module]:
    """A teacher of the digits from a file, and its bare network."""
    bare = small.network("cnn3_16", 5)
    torch.save(bare.state_dict(), results / "foreign.pt")
    record = foreign.take(
        *PLACE,
        results / "foreign.pt",
        normalisation=asked,
        results=results,
        replace=True,
        changes={"floor": floor},
        report=lambda line: None,
    )
    return record, bare


def test_it_is_converted_once_from_import_to_evaluation(tmp_path: Path) -> None:
    digits = data.load("digits")
    record, bare = imported(tmp_path, Asked(mean="0.3", std="0.25"))
    assert record.normalisation == GREY
    test = digits.test()
    predicted = bare(by(GREY, test.images.double() / 255).float()).argmax(dim=1)
    assert record.value == pytest.approx(100 * (predicted == test.labels).double().mean().item())
    folder = Results(tmp_path).teacher(*PLACE)
    with safe_open(folder.weights, "pt") as weights:
        assert set(weights.keys()) == set(bare.state_dict())
    for _ in range(2):
        loaded = shelf.load(folder, read(folder.record, TeacherRecord), digits.task, CPU)
        hooks = [hook for module in loaded.modules() for hook in module._forward_pre_hooks.values()]
        assert [type(hook) for hook in hooks] == [Conversion]
        evaluator = Evaluator(digits, loaded, CPU)
        assert torch.equal(evaluator.predict(loaded).long(), predicted)
        assert evaluator.teacher == record.value


def test_a_teacher_that_is_measured_again_is_as_good_as_its_record_says(tmp_path: Path) -> None:
    """A borrowed copy too."""
    record, _ = imported(tmp_path, Asked("half"))
    shelf.borrow(*PLACE, source=tmp_path, target=tmp_path / "ours")
    for results in (tmp_path, tmp_path / "ours"):
        folder = Results(results).teacher(*PLACE)
        found = checking.teacher(folder, weights=True)
        assert found == record
        digits = data.load("digits")
        assert Evaluator(digits, shelf.load(folder, found, digits.task, CPU), CPU).teacher == record.value


def test_equal_weights_with_another_normalisation_are_another_teacher(tmp_path: Path) -> None:
    folder = Results(tmp_path).teacher(*PLACE)
    records = [imported(tmp_path, asked)[0] for asked in (Asked(), Asked("half"), Asked("none"))]
    assert len({record.sha256 for record in records}) == 1
    assert records[0].identity == records[0].sha256
    assert len({keys.cell_key("0" * 16, record.identity) for record in records}) == 3
    assert checking.teacher_identity(folder) == records[2].identity
    with pytest.raises(shelf.Replaced):
        shelf.require_current(folder, records[1])
    shelf.require_current(folder, records[2])


def test_a_record_whose_normalisation_is_for_other_images_is_refused(tmp_path: Path) -> None:
    record, _ = imported(tmp_path, Asked("half"))
    folder = Results(tmp_path).teacher(*PLACE)
    atomic.write(folder.record, record.model_copy(update={"normalisation": OWN}))
    with pytest.raises(UserError, match=r"teacher\.json: its normalisation has 3 means; images of digits have 1"):
        shelf.load(folder, read(folder.record, TeacherRecord), data.load("digits").task, CPU)


class Brightness(nn.Module):
    """Tells ten levels of brightness apart, if images come to it normalised by ``own``, and is mistaken otherwise."""

    def __init__(self, own: Normalisation) -> None:
        super().__init__()
        self.own = own
        self.levels = nn.Parameter(torch.arange(10) / 9)

    def forward(self, x: Tensor) -> Tensor:
        mean, std = (torch.tensor(values)[:, None, None] for values in (self.own.mean, self.own.std))
        return -(self.levels - (x * std + mean).mean(dim=(1, 2, 3))[:, None]).abs()


def levels() -> Dataset:
    """A hundred images, each of one brightness."""
    labels = torch.arange(100) % 10
    images = (labels * 255 // 9).to(torch.uint8)[:, None, None, None].expand(100, 3, 4, 4)
    task = dataclasses.replace(small.CIFAR, shape=(3, 4, 4))
    real = RealImages(images, labels)
    return Dataset(
        task, Teachers(Recipe(epochs=1, batch=1, lr=1, weight_decay=0)), train=lambda: real, test=lambda: real
    )


def test_what_other_normalisations_would_give_is_said_with_the_best_one_first() -> None:
    made = KNOWN["half"].of(3)
    assert made is not None
    found = measure("teacher", Brightness(made), levels(), CPU, own=OWN, floor=90.0, imported=True)
    assert found.value < 90
    assert "\n  with --normalisation half it would be 100.00 %, " in found.advice
    others = {name: float(value) for name, value in named(found.advice)}
    assert set(others) == {"task", *KNOWN} - {"imagenet", "half"}
    assert list(others.values()) == sorted(others.values(), reverse=True)
    again = measure("teacher", Brightness(made), levels(), CPU, own=made, floor=90.0, imported=True)
    assert (again.value, "it would be" in again.advice) == (100.0, False)
    trained = measure("teacher", Brightness(made), levels(), CPU, own=None, floor=90.0, imported=False)
    assert "it would be" not in trained.advice


def named(advice: str) -> list[tuple[str, str]]:
    """Name and percent of all but the best."""
    parts = advice.split(" it would be ")[1].split(", ")[1:]
    return [(name, value) for name, value, _ in (part.split(" ") for part in parts)]


def test_an_import_below_its_floor_stores_nothing_and_says_what_would_help(tmp_path: Path) -> None:
    expected = r"is below its floor of 99\.00 %; nothing was stored; --set floor=0 takes it as it is\n  with --normal"
    with pytest.raises(UserError, match=expected):
        imported(tmp_path, Asked(), floor=99.0)
    assert not [file for file in (tmp_path / "teachers/digits/cnn3_16").iterdir() if file.name != "lock"]


def test_without_a_word_on_normalisation_what_is_taken_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    torch.save(networks.build("cnn3_16", 10, 1).state_dict(), tmp_path / "foreign.pt")
    foreign.take(*PLACE, tmp_path / "foreign.pt", results=tmp_path, changes={"floor": 0}, report=said.append)
    assert any("digits's own normalisation; --normalisation names another" in line for line in said)


STUDY = """
study: t
dataset: digits
device: cpu
pairs: [{teacher: cnn3_16, student: cnn3_16}]
scales: [5]
seeds: [0]
budget: {steps: 24, epochs: 2, batch: 8}
methods: {kd-noise: {}}
"""


def test_a_run_says_with_what_its_teacher_learned_wherever_it_is_looked_up(tmp_path: Path) -> None:
    """Manifest, key, `dkd verify`, `dkd trace` and the tables' footnote."""
    teacher, _ = imported(tmp_path, Asked(mean="0.3", std="0.25"))
    (tmp_path / "t.yaml").write_text(STUDY, encoding="utf-8")
    (cell,) = grid.expand(study.load_study(tmp_path / "t.yaml"))
    metrics = runner.run_cell(cell, results=tmp_path)
    assert metrics.key == keys.cell_key(keys.plan_key(cell), teacher.identity)
    assert metrics.teacher_sha256 == teacher.identity != teacher.sha256
    (outcome,) = verify.verify(tmp_path)
    assert outcome.state == "verified"
    (folder,) = Results(tmp_path).runs()
    assert read(folder.manifest, Manifest).teacher_normalisation == GREY
    words = "normalised by mean 0.3, deviation 0.25"
    assert any(words in line for line in output.lines(trace.describe(folder), terminal=False))
    (row,) = rows.group(runs.load(tmp_path))
    assert any(words in note for note in notes.provenance([row]))
    imported(tmp_path, Asked("half"))
    assert status.of_grid([cell], tmp_path)[0].state == "stale"
