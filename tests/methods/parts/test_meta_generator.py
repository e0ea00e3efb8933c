"""Fast's inner and outer steps against a loop with torch.optim.Adam; reset; warm-up."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from methods.parts import meta_generator
from tests import small
from tests.methods import slow
from tests.methods.parts import toy

BN, OH, ADV, MOMENTUM = 10.0, 0.4, 1.1, 0.9


class Loop:
    """fast_meta on a toy generator, from the description of its official code."""

    def __init__(self, method: Any, teacher: nn.Module, student: nn.Module, k: int, lr_g: float, lr_z: float) -> None:
        self.context, self.teacher, self.student = method.context, teacher, student
        self.toy, self.k, self.lr_g, self.lr_z = method.inverter.generator, k, lr_g, lr_z
        self.theta = [nn.Parameter(p.detach().clone()) for p in (self.toy.a, self.toy.b)]
        self.meta = torch.optim.Adam(self.theta, lr=k * lr_g, betas=(0.5, 0.999))
        self.average: slow.Statistics | None = None

    def round(self, index: int, count: int, adversarial: bool) -> tuple[Tensor, list[Tensor]]:
        """The images that are kept, and the gradient that moved θ."""
        random, task = self.context.random("inversion", index), self.context.task
        z = torch.randn(count, 4, generator=random).requires_grad_()
        y = torch.randint(task.classes, (count,), generator=random).tolist()
        inner = [nn.Parameter(p.detach().clone()) for p in self.theta]
        adam = torch.optim.Adam(
            [{"params": inner, "lr": self.lr_g}, {"params": [z], "lr": self.lr_z}], betas=(0.5, 0.999)
        )
        self.meta.zero_grad()
        best, kept = float("inf"), torch.empty(0)
        for i in range(self.k):
            x = toy.images(z, *inner, self.toy)
            views = torch.randint(2 * 9, (count,), generator=random).tolist()  # pad 1, flip
            v = torch.stack([slow.crop(image, view, 1) for image, view in zip(x, views, strict=True)])
            loss, found = self.loss(slow.normalised(v, task.mean, task.std), y, adversarial)
            if loss.item() < best:
                best, kept = loss.item(), x.detach().clone()
            adam.zero_grad()
            loss.backward()
            for outer, mine in zip(self.theta, inner, strict=True):
                assert mine.grad is not None
                outer.grad = mine.grad.clone() if outer.grad is None else outer.grad + mine.grad
            if i == self.k - 1:
                self.meta.step()  # before the last inner step
            adam.step()
        self.average = slow.move_average(self.average, found, MOMENTUM)  # of the last forward pass
        return kept, [p.grad for p in self.theta]  # type: ignore[misc]

    def loss(self, v: Tensor, y: list[int], adversarial: bool) -> tuple[Tensor, slow.Statistics]:
        inputs, t = slow.batch_norm_inputs(self.teacher, v)
        found = slow.statistics(inputs)
        total = BN * slow.bn_loss(found, self.average, MOMENTUM) + OH * slow.mean(slow.cross_entropies(t, y))
        if adversarial:
            total = total - ADV * slow.masked_kl(t, self.student(v))
        return total, found


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("k", [1, 2, 5])
def test_rounds_equal_a_loop(k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meta_generator, "for_task", lambda task: toy.Toy)
    teacher, student = small.agreeing_pair()
    given = small.context(teacher, student, scale=1.0, reference_size=240, flip=True)  # 15 rounds, one of warm-up
    method = small.build(
        "fast", given, inner_steps=k, lr_g=0.05, lr_z=0.3, nz=4, adv=ADV, oh=OH, bn=BN, bn_momentum=MOMENTUM, reset=1.0
    )
    assert (method.schedule.rounds - method.schedule.distillation_rounds, method.inverter.batch) == (1, 16)
    loop = Loop(method, teacher.requires_grad_(False), student, k, 0.05, 0.3)
    for index in range(4):
        student.eval()
        made = method.inverter.synthesise(index)
        images, gradient = loop.round(index, 16, adversarial=True)
        assert slow.distance(made.images, images) < 1e-9
        generator = method.inverter.generator
        for mine, theirs, g in zip((generator.a, generator.b), loop.theta, gradient, strict=True):
            assert mine.grad.item() == pytest.approx(g.item(), rel=1e-7)
            assert mine.item() == pytest.approx(theirs.item(), rel=1e-9)
    assert made.losses["adversarial"] < 0


@pytest.mark.usefixtures("double")
def test_the_gradient_is_a_sum_over_all_inner_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """With inner rates near 0 and one fixed view, every step has the same gradient."""
    monkeypatch.setattr(meta_generator, "for_task", lambda task: toy.Toy)
    gradients = []
    for k in (1, 3):
        given = small.context(*small.agreeing_pair(), scale=1.0, pad=0)
        method = small.build("fast", given, inner_steps=k, lr_g=1e-12, lr_z=1e-12, nz=4)
        method.context.student.eval()
        method.inverter.synthesise(0)
        gradients.append(method.inverter.generator.a.grad.item())
    assert gradients[1] == pytest.approx(3 * gradients[0], rel=1e-6)


def first_layer(method: Any) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    generator = method.inverter.generator
    return tuple(p.detach().clone() for p in generator.first_norm.parameters()) + tuple(
        p.detach().clone() for p in generator.linear.parameters()
    )  # type: ignore[return-value]


def test_the_first_layer_starts_again_at_its_round_alone() -> None:
    given = small.context(small.network("wrn10_1", 1), small.network("cnn3_16", 2), scale=1.0, reference_size=22 * 16)
    method = small.build("fast", given, generator_width=64, lr_g=1e-4)
    assert method.schedule.synthesis_rounds == 22  # so that the reset is due in call 14, counted from 1: 140 of 220
    moved = 20 * 2 * 1e-4  # what Adam can do in a round, amply
    before = first_layer(method)
    others = {name: p.detach().clone() for name, p in method.inverter.generator.body.named_parameters()}
    for index in range(22):
        method.synthesise(index)
        after = first_layer(method)
        jumped = [(a - b).abs().max().item() > moved for a, b in zip(after, before, strict=True)]
        assert jumped == ([True, False, True, True] if index == 13 else [False] * 4)
        if index == 13:
            weight, bias, linear, linear_bias = after
            assert weight.std().item() == pytest.approx(0.02, rel=0.3)
            assert weight.abs().max() < 0.1  # around 0, not around 1
            assert linear.std().item() == pytest.approx(0.02, rel=0.05)
            assert bias.abs().max() < moved
            assert linear_bias.abs().max() < moved
        for name, p in method.inverter.generator.body.named_parameters():
            assert (p - others[name]).abs().max() < moved
            others[name] = p.detach().clone()
        before = after
    steps = {int(state["step"]) for state in method.inverter.optimizer.state.values()}
    assert steps == {22}  # Adam's moments live on


@pytest.mark.parametrize("name", ["fast", "ssd-kd"])
def test_the_student_is_not_asked_before_the_warm_up_ends(name: str) -> None:
    """Two calls of 22; the last of Fast's is adversarial already, as the 20th of 220 is."""
    more = {"rounds": 22} if name == "ssd-kd" else {}
    given = small.context(small.network("wrn10_1", 1), small.network("cnn3_16", 2), scale=1.0, reference_size=22 * 32)
    method, asked = small.build(name, given, inversion_batch=32, inner_steps=3, **more), []
    method.context.student.register_forward_hook(lambda *_: asked.append(1))
    for index in range(4):
        asked.clear()
        made = method.inverter.synthesise(index)
        adversarial = index >= (1 if name == "fast" else 2)
        assert len(asked) == (3 if adversarial else 0)
        assert ("adversarial" in made.losses) == adversarial


def test_each_inner_step_moves_latents_and_copy_and_never_the_statistics_of_the_meta_generator() -> None:
    method = small.build("fast")
    before = [buffer.clone() for buffer in method.inverter.generator.buffers()]
    method.synthesise(0)
    assert all(torch.equal(a, b) for a, b in zip(before, method.inverter.generator.buffers(), strict=True))


def test_later_presets_have_the_published_rates() -> None:
    """The meta step's rate is k times that of the inner steps."""
    for preset, k, lr_g, lr_z in (("fast-2", 2, 5e-3, 0.015), ("fast-5", 5, 3e-3, 0.01), ("fast-10", 10, 2e-3, 0.01)):
        method = small.build_full("fast", preset)
        (group,) = method.inverter.optimizer.param_groups
        assert group["lr"] == pytest.approx(k * lr_g)
        assert group["betas"] == (0.5, 0.999)
        assert (method.config.inner_steps, method.config.lr_g, method.config.lr_z) == (k, lr_g, lr_z)


def test_the_meta_step_may_have_a_rate_of_its_own() -> None:
    """Adam's first step is as long as its rate, whatever the gradient."""
    for options, rate in (({"lr_meta": 1e-4}, 1e-4), ({}, 3 * 5e-3)):
        method = small.build("fast", inner_steps=3, lr_g=5e-3, reset=None, **options)
        weight = method.inverter.generator.linear.weight
        before = weight.detach().clone()
        method.inverter.synthesise(0)
        assert (weight - before).abs().max().item() == pytest.approx(rate, rel=1e-2)
        assert method.inverter.reset_at is None
