"""NAYER's inversion against a loop over rows, steps and batches; its lives, and what a batch starts with."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from methods import nayer
from methods.parts.losses import Objective
from methods.parts.noisy_inverter import Lives, cycled_classes
from tests import small
from tests.methods import slow
from tests.methods.parts import toy

BN, OH, ADV, MOMENTUM, LR, STEPS = 10.0, 0.5, 1.33, 0.9, 0.02, 3


@pytest.mark.parametrize(
    ("classes", "batch", "ordered"), [(10, 400, 400), (100, 256, 200), (30, 8, 0)], ids=["even", "rest", "too many"]
)
def test_classes_come_in_cycles_and_random_ones_last(classes: int, batch: int, ordered: int) -> None:
    y = cycled_classes(classes, batch, torch.Generator().manual_seed(0)).tolist()
    assert y[:ordered] == [i % classes for i in range(ordered)]
    assert len(y) == batch
    assert all(0 <= c < classes for c in y)
    assert y[ordered:] == [] or y[ordered:] != sorted(y[ordered:])


def test_lives_are_the_published_ones() -> None:
    """400 batches: 20 epochs of 10, then 100 of 2; the generator is constructed in every tenth epoch."""
    published, call = [], 0
    for epoch in range(120):
        if epoch % 10 == 0:
            published.append(call)
        call += 10 if epoch < 20 else 2
    lives = Lives(early=2, late=10, warmup=200, calls=400)
    assert [call for call in range(400) if lives.begins(call)] == published == [0, 100, *range(200, 400, 20)]
    assert sorted({lives.at(call) for call in range(400)}) == list(range(12))


@pytest.mark.parametrize(("warmup", "calls"), [(62, 125), (12, 25), (1, 2), (0, 1), (3, 7)])
def test_lives_keep_their_share_of_fewer_calls(warmup: int, calls: int) -> None:
    """In units of published epochs, 20 before the warm-up's end and 100 after it."""

    def epoch(call: int) -> float:
        return 20 * call / warmup if call < warmup else 20 + 100 * (call - warmup) / (calls - warmup)

    lives = Lives(2, 10, warmup, calls)
    for call in range(calls):
        assert lives.begins(call) == (call == 0 or epoch(call) // 10 > epoch(call - 1) // 10)


class Loop:
    """NAYER on a toy body, from the description of its official code: one linear layer a cycle, one row at a time."""

    def __init__(self, method: Any, teacher: nn.Module, student: nn.Module) -> None:
        self.context, self.teacher, self.student = method.context, teacher, student
        self.lives = method.inverter.lives
        self.toy = toy.Toy(self.context.task, method.config.nz)
        self.average: slow.Statistics | None = None

    def start(self) -> None:
        """What is constructed: batch norm's scale and shift, and the toy's two numbers."""
        self.kept = [nn.Parameter(value) for value in (torch.ones(10), torch.zeros(10), *map(torch.tensor, (0.8, 0.1)))]

    def batch(self, call: int, count: int, adversarial: bool) -> Tensor:
        if self.lives.begins(call):
            self.start()
        nz, layers = len(self.toy.basis), -(-count // 10)
        draws = torch.empty(layers, 10, nz).normal_(generator=self.context.random("noisy-layers", call))
        noisy = [[nn.Parameter(draw.clone()), nn.Parameter(torch.zeros(nz))] for draw in draws]
        random = self.context.random("inversion", call)
        rest = torch.randint(10, (count % 10,), generator=random).tolist()
        y = [i % 10 for i in range(count - len(rest))] + rest
        adam = torch.optim.Adam([*self.kept, *itertools.chain(*noisy)], lr=LR, betas=(0.5, 0.999))
        best, images = float("inf"), torch.empty(0)
        for _ in range(STEPS):
            x = self.made(y, noisy)
            views = torch.randint(2 * 9, (count,), generator=random).tolist()  # pad 1, flip
            v = torch.stack([slow.crop(image, view, 1) for image, view in zip(x, views, strict=True)])
            task = self.context.task
            loss, found = self.loss(slow.normalised(v, task.mean, task.std), y, adversarial)
            if loss.item() < best:
                best, images = loss.item(), x.detach().clone()
            adam.zero_grad()
            loss.backward()
            adam.step()
        self.average = slow.move_average(self.average, found, MOMENTUM)
        return images

    def made(self, y: list[int], noisy: list[list[nn.Parameter]]) -> Tensor:
        scale, shift, a, b = self.kept
        e = torch.eye(10)[y]
        centred = e - e.sum(0) / len(y)
        e = scale * centred / ((centred**2).sum(0) / len(y) + 1e-5).sqrt() + shift
        z = torch.stack([row @ noisy[i // 10][0] + noisy[i // 10][1] for i, row in enumerate(e)])
        return toy.images(z, a, b, self.toy)

    def loss(self, v: Tensor, y: list[int], adversarial: bool) -> tuple[Tensor, slow.Statistics]:
        inputs, t = slow.batch_norm_inputs(self.teacher, v)
        found = slow.statistics(inputs)
        total = BN * slow.bn_loss(found, self.average, MOMENTUM) + OH * slow.mean(slow.cross_entropies(t, y))
        if adversarial:
            total = total - ADV * slow.masked_kl(t, self.student(v))
        return total, found


@pytest.mark.usefixtures("double")
def test_batches_equal_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six calls, three of them warm-up, with lives that begin at 0, 2, 3 and 5."""
    monkeypatch.setattr(nayer, "for_task", lambda task: toy.Toy)
    teacher, student = small.agreeing_pair()
    given = small.context(teacher, student, scale=1.0, reference_size=6 * 12, flip=True)
    weights = {
        "adv": ADV,
        "oh": OH,
        "bn": BN,
        "bn_momentum": MOMENTUM,
        "lr_g": LR,
        "inner_steps": STEPS,
        "inversion_batch": 12,
    }
    method = small.build("nayer", given, nz=4, warmup_lives=2, lives=2, **weights)
    assert (method.schedule.synthesis_rounds, method.schedule.warmup) == (6, 3)
    loop = Loop(method, teacher.requires_grad_(False), student)
    assert [call for call in range(6) if method.inverter.lives.begins(call)] == [0, 2, 3, 5]
    student.eval()
    for call in range(6):
        made = method.inverter.synthesise(call)
        assert ("adversarial" in made.losses) == (call >= 3)
        images = loop.batch(call, 12, adversarial=call >= 3)
        assert slow.distance(made.images, images) < 1e-8
    assert made.losses["adversarial"] < 0
    assert method.inverter.objective.bn_loss.commits == 6


def test_a_batch_starts_with_new_noisy_layers_and_what_the_last_one_left_of_the_others() -> None:
    given = small.context(small.network("wrn10_1", 1), small.network("cnn3_16", 2), scale=1.0, reference_size=8 * 16)
    method = small.build("nayer", given, lr_g=1e-6, warmup_lives=1, lives=1)

    def weights() -> dict[str, Tensor]:
        return {name: p.detach().clone() for name, p in method.inverter.generator.named_parameters()}

    assert method.schedule.warmup == 4
    before = weights()
    for call in range(8):
        method.synthesise(call)
        after = weights()
        moved = {name for name in after if (after[name] - before[name]).abs().max() > 1e-4}
        if call in (0, 4):  # what is drawn at the beginning of a life, batch norms' weights and shifts not among it
            assert moved >= {"noisy.weight", *(() if call == 0 else ("body.linear.weight", "body.body.0.weight"))}
        else:
            assert moved == {"noisy.weight"}
        before = after


class Told(nayer.NAYERInverter):
    """Its images are the number of their step, its losses are told."""

    losses: list[float]

    def look(self, y: Tensor, random: torch.Generator, adversarial: bool) -> tuple[Tensor, Objective]:
        images, found = super().look(y, random, adversarial)
        value = self.losses.pop(0)
        loss = found.loss * 0 + value
        return images * 0 + value, Objective(loss, found.parts, found.answer)


def test_every_batch_keeps_its_own_best_step() -> None:
    method = small.build("nayer")
    inverter = Told(method.config, method.context, method.lives)
    inverter.losses = [5.0, 3.0, 4.0, 9.0, 9.0, 8.0]
    assert [float(inverter.synthesise(call).images.unique()) for call in (0, 1)] == [3.0, 8.0]
