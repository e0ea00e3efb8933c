"""PRE-DFKD against its authors' loop, written out with plain networks and optimizers."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from methods.pre_dfkd import agreement
from tests import small
from tests.methods import slow

TEN = pytest.mark.usefixtures("double")
NZ = 16
"""Of the preset for smoke."""


def made(**more: Any) -> Any:
    return small.make("pre-dfkd", small.context(*small.agreeing_pair(), scale=1.0), small.options("pre-dfkd", **more))


def divergence(teacher: Tensor, student: Tensor) -> Tensor:
    """The authors' J: clamped softmaxes at temperature 3, summed in loops, over the number of all their elements."""
    total = torch.zeros(())
    for t, s in zip(teacher, student, strict=True):
        p, q = slow.probabilities(s, 3.0), slow.probabilities(t, 3.0)
        m, p, q = (one.clamp(0.01, 0.99) for one in ((p + q) / 2, p, q))
        total = total + sum(0.5 * m[c] * (2 * m[c].log() - p[c].log() - q[c].log()) for c in range(len(t)))
    return total / teacher.numel()


def sure(logits: Tensor) -> Tensor:
    """Cross entropy to the own prediction, and five times the negative entropy of the mean one to base 10."""
    mean = slow.mean_prediction(logits)
    return slow.mean(slow.cross_entropies(logits, slow.largest(logits))) + 5 * (mean * mean.log10()).sum()


def tuned(teacher: nn.Module, generator: nn.Module, start: Tensor) -> Tensor:
    """Latents after one step of an Adam of their own."""
    z, rows = start.clone().requires_grad_(), len(start)
    centred = z - z.sum(dim=0) / rows
    variance = (centred**2).sum(dim=0) / (rows - 1)
    loss = sure(teacher(generator(z))) + ((variance - 1) ** 2).mean() + ((z.sum(dim=0) / rows) ** 2).mean()
    z.grad = torch.autograd.grad(loss, z)[0]
    torch.optim.Adam([z], 0.02).step()
    return z.detach()


@TEN
def test_the_adversarial_term_is_a_mean_over_classes_too() -> None:
    random = torch.Generator().manual_seed(1)
    t, s = (4 * torch.randn(5, 10, generator=random) for _ in range(2))
    s.requires_grad_()
    slow.assert_same(agreement(t, s), 1 - divergence(t, s), s)


@TEN
def test_tuning_moves_every_latent_by_one_length() -> None:
    """Of three sets at once, each as if it were alone."""
    method = made()
    generator = method.memory.generator.eval()
    z = torch.randn(3, 2, NZ, generator=torch.Generator().manual_seed(1))
    found = method.memory.tuned(generator, torch.Generator().manual_seed(1), 3)
    for mine, start in zip(found, z, strict=True):
        assert torch.allclose(mine, tuned(small.agreeing_pair()[0], generator, start), rtol=0, atol=1e-9)
    assert (found - z).abs().flatten().tolist() == pytest.approx([0.02] * z.numel(), rel=1e-3)


def test_a_batch_is_1024_fresh_images_and_128_of_the_memory() -> None:
    method = made(batch=1024)
    method.begin_round(0, 1)
    latents = method.memory.tuned(method.memory.generator.eval(), torch.Generator().manual_seed(0), 1)[0]
    method.memory.tune(torch.Generator().manual_seed(0), 1)
    memory, novel = copy.deepcopy(method.memory.generator).eval(), copy.deepcopy(method.inverter.generator).train()
    before = copy.deepcopy(method.memory.generator.state_dict())
    x = method.source.draw().x
    assert x.shape == (1152, 1, 8, 8) and method.shown == 1152
    with torch.no_grad():
        z = torch.randn(1024, NZ, generator=method.context.random("live", 0))
        assert torch.equal(x[:1024], novel(z))
        assert torch.equal(x[1024:], memory(latents))
    assert torch.equal(method.source.fresh, x[:512])
    assert all(torch.equal(value, before[key]) for key, value in method.memory.generator.state_dict().items())


def test_the_memory_learns_from_itself_too_after_the_first_round_and_in_four_steps_of_a_round() -> None:
    method, rows = made(batch=64, steps=11, student_steps=6, epochs=1), []
    method.memory.encoder.register_forward_pre_hook(lambda _, inputs: rows.append(len(inputs[0])))
    for index in range(2):
        method.round(index, small.Stopwatch())
    assert rows == [32] * 4 + [40] * 4


def test_only_the_students_steps_are_distillation() -> None:
    method, watch = made(steps=3, student_steps=3, memory_steps=1, epochs=1), small.Stopwatch()
    losses = method.round(0, watch)
    novel, planned, tuning, student, learning = "synthesis", "distillation", "synthesis", "distillation", "synthesis"
    assert watch.phases == [novel, planned, tuning, student, learning, tuning, student, student]
    assert (len(losses.synthesis), len(losses.distillation)) == (1, 3)


@TEN
def test_rounds_are_the_authors_loop() -> None:
    """Two rounds: one without replay, and one with it."""
    method = made(steps=4, student_steps=2, memory_steps=1, epochs=1)
    loop = Loop(method)
    for index in range(2):
        loop.round(index, method.context.random)
        method.round(index, small.Stopwatch())
    for mine, theirs in (
        (method.inverter.generator, loop.novel),
        (method.memory.generator, loop.memory),
        (method.memory.encoder, loop.encoder),
        (method.context.student, loop.student),
    ):
        for name, value in theirs.state_dict().items():
            assert torch.allclose(mine.state_dict()[name], value, rtol=1e-6, atol=1e-8), name


class Loop:
    """Plain copies of a method's networks, and optimizers of PyTorch's own, at two student's steps a round."""

    def __init__(self, method: Any) -> None:
        self.teacher = small.agreeing_pair()[0]
        self.novel, self.memory = copy.deepcopy(method.inverter.generator), copy.deepcopy(method.memory.generator)
        self.encoder, self.student = copy.deepcopy(method.memory.encoder), copy.deepcopy(method.context.student)
        self.novel_adam = torch.optim.Adam(self.novel.parameters(), 0.02)
        self.memory_adam = torch.optim.Adam(self.memory.parameters(), 5e-4)
        self.encoder_adam = torch.optim.Adam(self.encoder.parameters(), 5e-4)
        self.sgd = torch.optim.SGD(self.student.parameters(), 0.1, momentum=0.9, weight_decay=5e-4)

    def round(self, index: int, randomness: Callable[[str, int], torch.Generator]) -> None:
        """At batches of 8 fresh and 2 remembered images."""
        self.student.train()
        logits, features, *_ = self.teacher(
            x := self.novel.train()(torch.randn(8, NZ, generator=randomness("latent", index))), return_features=True
        )
        against = 1 - divergence(logits.detach(), self.student(x))
        step(sure(logits) - 0.1 * features.abs().mean() + against, self.novel_adam)
        latents, random = torch.randn(2, 8, NZ, generator=randomness("live", index)), randomness("memory", index)
        for number, z in enumerate(latents):
            remembered = tuned(self.teacher, self.memory.eval(), torch.randn(2, NZ, generator=random))
            with torch.no_grad():
                fresh = self.novel(z)
                x = torch.cat([fresh, self.memory(remembered)])
            step((self.student(x) - self.teacher(x)).abs().sum() / 100, self.sgd)
            if number == 0:
                self.learn(fresh[:4], random, replay=index > 0)

    def learn(self, x: Tensor, random: torch.Generator, replay: bool) -> None:
        self.memory.train(), self.encoder.train()
        if replay:
            x = torch.cat(
                [x, self.memory(tuned(self.teacher, self.memory, torch.randn(2, NZ, generator=random))).detach()]
            )
        mean, log_variance = self.encoder(x)
        again = self.memory(mean + log_variance.exp().sqrt() * torch.randn(len(x), NZ, generator=random))
        normal = torch.distributions.Normal(mean, log_variance.exp().sqrt())
        kl = torch.distributions.kl_divergence(normal, torch.distributions.Normal(0.0, 1.0)).sum() / len(x)
        logits = (self.teacher(again) - self.teacher(x)).abs().sum() / (10 * len(x))
        step((again - x).abs().sum() / x.numel() + logits + 1e-5 * kl, self.memory_adam, self.encoder_adam)


def step(loss: Tensor, *optimizers: torch.optim.Optimizer) -> None:
    """One step of each down the gradient of a loss."""
    for one in optimizers:
        one.zero_grad()
    loss.backward()
    for one in optimizers:
        one.step()


def test_both_generators_begin_alike_but_for_the_spectral_norm() -> None:
    method = made(generator_width=32, nz=64)
    for generator, normalised in ((method.inverter.generator, 3), (method.memory.generator, 0)):
        named = dict(generator.named_parameters())
        weights = [value for name, value in named.items() if value.dim() > 1]
        assert len(weights) == 4 and sum("original" in name for name in named) == normalised
        assert all(value.abs().max() <= 0.08 for value in weights)
        deviation = torch.cat([value.detach().flatten() for value in weights]).std()
        assert deviation == pytest.approx(0.08 / math.sqrt(3), rel=0.05)
        assert not any(value.any() for name, value in named.items() if name.endswith("bias"))


def test_a_run_has_400_epochs_of_36_rounds_of_10_steps() -> None:
    schedule = small.build_full("pre-dfkd", "original", batch=2).schedule
    assert (schedule.rounds, schedule.synthesis_rounds, schedule.epochs) == (14_400, 14_400, 400)
    assert {schedule.steps_in(index) for index in range(schedule.rounds)} == {10}
    assert [schedule.epoch(index) for index in (35, 36, 14_399)] == [0, 1, 399]
