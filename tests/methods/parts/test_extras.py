"""Labels and features that travel with images: they come back with theirs, through any source and after a kill."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from harness.commands.contract import contract_problems
from harness.engine import checkpoint
from methods.parts.composed import Synthesised
from methods.parts.modulation import Modulation
from methods.parts.replay_buffer import ReplayBuffer
from methods.parts.sources import Batch, GrowingPool
from methods.ssd_kd import SSDKDConfig
from tests import small
from tests.methods.test_no_sync import Watch, run, watch  # noqa: F401 - a fixture

CAPACITY = 65
PHI = Modulation(gamma=2.0)


def pool() -> GrowingPool:
    return GrowingPool(given(), small.ONE_ROUND)


def buffer() -> ReplayBuffer:
    return ReplayBuffer(SSDKDConfig(), given(), small.ONE_ROUND, PHI)


def given() -> Any:
    return small.context(*small.agreeing_pair(), scale=1.0, reference_size=CAPACITY, pad=0, flip=False)


def admit(source: Any, first: int, count: int, call: int) -> None:
    """Images number ``first`` and on, each grey in its number, with the number and what else can be told from it."""
    numbers = torch.arange(first, first + count)
    images = (numbers[:, None, None, None] / 255).expand(-1, 1, 8, 8) + 0.5 / 255
    extras = {"label": numbers, "features": numbers[:, None, None].float().expand(-1, 2, 3) * -1.5}
    source.admit(images, call, extras)


def number(batch: Batch) -> list[int]:
    """Of each image, read from its pixels."""
    greys = batch.x[:, 0, 0, 0] * small.DIGITS.std[0] + small.DIGITS.mean[0]
    return [round(grey * 255) for grey in greys.tolist()]


def assert_together(source: Any, draws: int, index: int = 0) -> set[int]:
    source.begin_round(draws, 16, index)
    seen: set[int] = set()
    for _ in range(draws):
        batch = source.draw()
        assert batch.extras["label"].tolist() == number(batch)
        assert batch.extras["label"].dtype == torch.int64
        expected = [[[-1.5 * value] * 3] * 2 for value in number(batch)]
        assert batch.extras["features"].tolist() == expected
        seen |= set(number(batch))
    return seen


@pytest.mark.parametrize("make", [pool, buffer])
def test_what_an_image_came_with_is_drawn_with_it(make: Any) -> None:
    source = make()
    for call in range(3):  # the last batch is cut, or replaces a quarter of the buffer
        admit(source, 40 * call, 40, call)
    seen = assert_together(source, 40)
    assert len(seen) > 50
    assert any(value > CAPACITY for value in seen) == (make is buffer)


@pytest.mark.parametrize("make", [pool, buffer])
def test_it_is_kept_in_a_checkpoint(make: Any, tmp_path: Path) -> None:
    source, again = make(), make()
    admit(source, 0, 40, 0)
    checkpoint.save(tmp_path / "checkpoint", source.state_dict())
    again.load_state_dict(checkpoint.load(tmp_path / "checkpoint", small.CPU))
    for each in (source, again):
        admit(each, 40, 40, 1)
        assert_together(each, 20, index=1)
    drawn = []
    for each in (source, again):
        each.begin_round(1, 16, 2)
        drawn.append(each.draw())
    assert torch.equal(drawn[0].x, drawn[1].x)
    assert all(torch.equal(drawn[0].extras[name], drawn[1].extras[name]) for name in ("label", "features"))


def test_a_copy_of_a_state_is_not_the_source_itself() -> None:
    source, other = pool(), pool()
    admit(source, 0, 40, 0)
    other.load_state_dict(source.state_dict())
    admit(other, 90, 20, 1)
    other.extras.stored["label"].zero_()  # type: ignore[index]
    assert_together(source, 10)


@pytest.mark.parametrize("make", [pool, buffer])
def test_images_alone_stay_alone(make: Any) -> None:
    source = make()
    source.admit(torch.rand(20, 1, 8, 8), 0)
    source.begin_round(1, 16, 0)
    assert source.draw().extras == {}


@pytest.mark.parametrize(("first", "then"), [({"label"}, {"labels"}), ({"label"}, set()), (set(), {"label"})])
def test_what_comes_with_the_first_images_comes_with_all(first: set[str], then: set[str]) -> None:
    source = pool()
    source.admit(torch.rand(4, 1, 8, 8), 0, {name: torch.zeros(4) for name in first})
    with pytest.raises(ValueError, match="the first came with"):
        source.admit(torch.rand(4, 1, 8, 8), 1, {name: torch.zeros(4) for name in then})


def test_every_image_has_a_row() -> None:
    with pytest.raises(ValueError, match="'label' has 3 rows for 4 images"):
        Synthesised(torch.rand(4, 1, 8, 8), {}, {"label": torch.zeros(3)})


LABELLED = '''
from torch.nn import functional as F

import torch
from methods.parts.composed import Synthesised
from methods.parts.distiller import Distilled, Distiller, soft_targets
from methods.parts.fixed_images import AllAtOnce
from methods.parts.pool_method import PoolMethod


class Noise:
    """Noise with labels in two calls."""

    def __init__(self, context):
        self.context = context

    def synthesise(self, call):
        random = self.context.random("noise", call)
        images = torch.rand(40, *self.context.task.shape, generator=random, device=random.device)
        label = torch.randint(self.context.task.classes, (40,), generator=random, device=random.device)
        return Synthesised(images, {}, {"label": label})

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass


class Labels(Distiller):
    """Learns the labels that the images came with."""

    def step(self, batch):
        prediction = self.student(batch.x)
        loss = F.cross_entropy(prediction, batch.extras["label"])
        self.update(loss)
        return Distilled({"ce": loss.detach()}, prediction.detach(), prediction.detach())


class Labelled(PoolMethod):
    """Noise and its labels."""

    name = "labelled"

    def __init__(self, config, context):
        super().__init__(config.model_copy(update={"inversion_batch": 40}), context)
        self.distiller = Labels(self.config, context, self.schedule, soft_targets(1.0))

    def make_inverter(self):
        return Noise(self.context)
'''


@pytest.fixture
def labelled(tmp_path: Path) -> str:
    file = tmp_path / "labelled.py"
    file.write_text(LABELLED, encoding="utf-8")
    return str(file)


def test_a_method_that_learns_from_labels_keeps_the_contract(labelled: str) -> None:
    assert contract_problems(labelled) == []


def test_labels_lost_in_a_kill_are_noticed(labelled: str) -> None:
    text = Path(labelled).read_text(encoding="utf-8")
    forgetful = """
    def load_state_dict(self, state):
        super().load_state_dict(state)
        self.source.extras.stored["label"].zero_()
"""
    Path(labelled).write_text(text + forgetful, encoding="utf-8")
    assert any("after a resume" in problem for problem in contract_problems(labelled))


def test_nothing_reads_the_device(watch: Watch) -> None:  # noqa: F811 - the fixture
    class Numbered:
        """Noise with labels."""

        def synthesise(self, call: int) -> Synthesised:
            images: Tensor = torch.rand(16, *small.DIGITS.shape)
            return Synthesised(images, {}, {"label": torch.arange(16)})

    for name in ("fast", "ssd-kd"):
        method = small.build(name, small.context(*small.agreeing_pair(), scale=0.2))
        method.inverter = Numbered()
        run(method, watch)
