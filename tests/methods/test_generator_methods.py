"""DAFL, DFAD, ZSKT and DFQ against their papers' steps, and the adversarial terms of all methods."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from methods.dafl import DAFLConfig
from methods.parts.images import Normaliser
from methods.parts.inversion import InversionLoss
from methods.parts.losses import jensen_shannon, kl_divergence, masked_kl
from methods.zskt import attention_loss
from tests import small
from tests.methods import slow

TEN = pytest.mark.usefixtures("double")


def generator_method(name: str, preset: str, **more: Any) -> Any:
    given = small.context(*small.agreeing_pair(), scale=0.2)
    return small.make(name, given, small.options(name, preset, **more))


def latent(method: Any, index: int = 0) -> Tensor:
    """The latents of a round, drawn again."""
    return method.inverter.latent(method.config.batch, method.context.random("latent", index))


def count_forwards(method: Any) -> int:
    forwarded: int = method.context.teacher.images_forwarded
    return forwarded // method.config.batch


def test_dafls_weights_of_the_entropy_differ_by_ln_10() -> None:
    assert DAFLConfig().ie == pytest.approx(20 * math.log(10)) == pytest.approx(46.0517, abs=1e-4)


@TEN
def test_dafls_step_is_one_joint_step() -> None:
    """Both losses' gradients, from one graph of a plain copy, move generator and student as the method does."""
    method = generator_method("dafl", "original")
    generator, student = copy.deepcopy(method.inverter.generator).train(), copy.deepcopy(method.context.student).train()
    teacher = small.agreeing_pair()[0]
    x = generator(latent(method))
    logits, features, *_ = teacher(x, return_features=True)
    p = logits.softmax(dim=1)
    mean = p.mean(dim=0)
    config = method.config
    one_hot = slow.mean(slow.cross_entropies(logits, p.argmax(dim=1).tolist()))
    entropy = (mean * mean.log()).sum() / math.log(10)
    loss_g = config.oh * one_hot + config.ie * entropy - config.a * features.abs().mean()
    loss_s = slow.mean(slow.kl_rows(logits.detach(), student(x.detach())))
    (loss_g + loss_s).backward()
    torch.optim.Adam(generator.parameters(), config.lr_g, betas=(0.9, 0.999)).step()
    optimizer = torch.optim.SGD(student.parameters(), config.lr, momentum=0.9, weight_decay=config.weight_decay)
    optimizer.step()
    method.round(0, small.Stopwatch())
    assert count_forwards(method) == 1
    for mine, theirs in ((method.inverter.generator, generator), (method.context.student, student)):
        for a, b in zip(mine.parameters(), theirs.parameters(), strict=True):
            assert torch.allclose(a, b, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "preset", "moves"),
    [
        ("dfad", "original", True),
        ("zskt", "original", True),
        ("pre-dfkd", "original", True),
        ("dfad", "cmi", False),
        ("zskt", "cmi", False),
        ("dfq", "cmi", False),
    ],
)
def test_the_students_statistics_move_in_the_generators_step_of_the_originals_alone(
    name: str, preset: str, moves: bool
) -> None:
    method = generator_method(name, preset)
    before = {key: value.clone() for key, value in method.context.student.state_dict().items()}
    method.synthesise(0)
    after = method.context.student.state_dict()
    changed = [key for key in before if not torch.equal(before[key], after[key])]
    assert bool(changed) == moves
    assert all("running" in key or "num_batches" in key for key in changed)


@pytest.mark.parametrize(("preset", "first"), [("original", "distillation"), ("cmi", "synthesis")])
def test_dfads_student_learns_first_in_the_original(preset: str, first: str) -> None:
    method, watch = generator_method("dfad", preset), small.Stopwatch()
    method.round(0, watch)
    assert watch.phases == [first, *({"synthesis", "distillation"} - {first})]


@pytest.mark.parametrize(("preset", "moves"), [("original", True), ("cmi", False)])
def test_sampling_moves_the_generators_statistics_in_training_mode_alone(preset: str, moves: bool) -> None:
    method = generator_method("dfad", preset)
    method.begin_round(0, 1)
    before = copy.deepcopy(method.inverter.generator.state_dict())
    method.distill_step()
    after = method.inverter.generator.state_dict()
    assert any(not torch.equal(before[key], after[key]) for key in before) == moves


@TEN
def test_dfad_plays_on_the_mean_distance() -> None:
    method = generator_method("dfad", "cmi")
    x = torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    method.context.student.eval()
    t, s = small.agreeing_pair()[0](x), method.context.student(x)
    total = sum(abs(a - b) for r, q in zip(t.tolist(), s.tolist(), strict=True) for a, b in zip(r, q, strict=True))
    assert method.objective(x).loss.item() == pytest.approx(-total / 40, rel=1e-12)
    method.logarithm = True
    assert method.objective(x).loss.item() == pytest.approx(-math.log(total / 40 + 1), rel=1e-12)


@TEN
def test_dfqs_terms() -> None:
    method = generator_method("dfq", "cmi")
    method.context.student.eval()
    teacher = small.agreeing_pair()[0]
    x = torch.randn(5, 1, 8, 8, generator=torch.Generator().manual_seed(2))
    t, s = teacher(x).detach(), method.context.student(x).detach()
    parts = method.objective(x).parts
    p = [slow.softmax(row) for row in t.tolist()]
    mean = [sum(column) / 5 for column in zip(*p, strict=True)]
    assert parts["adversarial"].item() == pytest.approx(-float(slow.mean(slow.kl_rows(t, s))), rel=1e-9)
    assert parts["one_hot"].item() == pytest.approx(-sum(math.log(max(row)) for row in p) / 5, rel=1e-9)
    assert parts["entropy"].item() == pytest.approx(sum(q * math.log(q) for q in mean), rel=1e-9)
    weights = {"adversarial": 1.0, "bn": 1.0, "one_hot": 1.0, "entropy": 20.0}
    assert method.objective(x).loss.item() == pytest.approx(
        sum(weight * parts[name].item() for name, weight in weights.items()), rel=1e-9
    )


def test_zskts_student_sees_the_updated_generators_images_of_the_same_latents() -> None:
    method = generator_method("zskt", "original", student_steps=10)
    z = latent(method)
    method.synthesise(0)
    generator = copy.deepcopy(method.inverter.generator).train()
    method.begin_round(0, 10)
    assert torch.allclose(method.source.draw().x, generator(z), atol=1e-6)
    assert count_forwards(method) == 2  # the generator's step, and the updated images
    for _ in range(10):
        method.distill_step()
    assert count_forwards(method) == 2
    assert method.source.draw().x is method.source.draw().x


def attention_by_loop(teacher: Sequence[Tensor], student: Sequence[Tensor]) -> Tensor:
    """Σ over stages of the mean squared difference of normalised energies; stages are those that both have."""
    total = torch.zeros(())
    for a, b in zip(teacher, student, strict=True):
        side, squares = min(a.shape[-1], b.shape[-1]), []
        for pair in zip(a, b, strict=True):
            maps = []
            for activation in pair:
                energy, cell = activation.square().sum(0) / len(activation), activation.shape[-1] // side
                blocks = [
                    energy[y * cell : (y + 1) * cell, x * cell : (x + 1) * cell].sum() / cell**2
                    for y in range(side)
                    for x in range(side)
                ]
                norm = sum(value**2 for value in blocks) ** 0.5
                maps.append([value / norm for value in blocks])
            squares += [(p - q) ** 2 for p, q in zip(*maps, strict=True)]
        total = total + slow.mean(squares)
    return total


@TEN
@pytest.mark.parametrize(
    ("theirs", "ours", "compared"),
    [
        ([(3, 4), (5, 4), (7, 4)], [(3, 4), (2, 4), (4, 4)], 2),
        ([(3, 8), (5, 8), (6, 4), (7, 2)], [(3, 4), (2, 4), (4, 2)], 2),  # from the last one back
        ([(3, 8), (5, 8)], [(3, 4), (2, 4)], 1),  # averaged down
    ],
)
def test_attention_is_the_distance_of_normalised_energies(
    theirs: list[tuple[int, int]], ours: list[tuple[int, int]], compared: int
) -> None:
    """Channels and sides of the stages, the stem first, which does not count."""
    random = torch.Generator().manual_seed(3)
    teacher, student = ([torch.randn(2, c, s, s, generator=random) for c, s in each] for each in (theirs, ours))
    expected = attention_by_loop(teacher[-compared:], student[-compared:])
    assert attention_loss(teacher, student).item() == pytest.approx(expected.item(), rel=1e-10)


@TEN
def test_zskts_students_steps_are_adam_on_divergence_and_attention() -> None:
    """250 times the attention, the divergence over the 10 classes, and a gradient no longer than 5."""
    method, teacher = generator_method("zskt", "original"), small.agreeing_pair()[0]
    method.synthesise(0)
    method.begin_round(0, 2)
    student, x = copy.deepcopy(method.context.student).train(), method.source.draw().x
    adam = torch.optim.Adam(student.parameters(), 2e-3)
    for _ in range(2):
        (t, _, theirs, *_), (s, _, ours, *_) = (each(x, return_features=True) for each in (teacher, student))
        compared = min(len(theirs), len(ours)) - 1
        kd = slow.mean(slow.kl_rows(t.detach(), s)) / 10
        loss = kd + 250 * attention_by_loop([each.detach() for each in theirs[-compared:]], ours[-compared:])
        adam.zero_grad()
        loss.backward()
        norm = sum(float(p.grad.square().sum()) for p in student.parameters() if p.grad is not None) ** 0.5
        assert norm > 5
        for p in student.parameters():
            if p.grad is not None:
                p.grad *= 5 / (norm + 1e-6)
        adam.step()
        method.distill_step()
    for a, b in zip(method.context.student.parameters(), student.parameters(), strict=True):
        assert torch.allclose(a, b, rtol=1e-7, atol=1e-9)


def test_zskt_limits_both_gradients() -> None:
    method = generator_method("zskt", "original", clip=1e-3)
    method.synthesise(0)
    method.begin_round(0, 1)
    method.distill_step()
    for module in (method.inverter.generator, method.context.student):
        norm = torch.stack([p.grad.norm() for p in module.parameters()]).norm()
        assert norm <= 1.001e-3


ADVERSARIES = ["dfad", "zskt", "dfq", "cmi", "fast", "ssd-kd", "deepinversion"]


def divergence_of(name: str) -> Any:
    """What the images of a method shall make large, from both networks' logits."""
    return {
        "dfad": lambda t, s: (t - s).abs().mean(),
        "zskt": lambda t, s: kl_divergence(t, s).mean(),
        "dfq": lambda t, s: kl_divergence(t, s).mean(),
        "deepinversion": jensen_shannon,
    }.get(name, masked_kl)


def adversarial_term(method: Any, x: Tensor) -> Tensor:
    """The method's own term on the teacher's inputs ``x``."""
    objective = method.inverter.objective
    if isinstance(objective, InversionLoss):
        y = torch.zeros(len(x), dtype=torch.int64)
        return objective(x, y).parts["adversarial"]
    part: Tensor = method.objective(x).parts["adversarial"]
    return part


@torch.no_grad()
def agree(teacher: nn.Module, student: nn.Module, x: Tensor) -> None:
    """Make the student name the class that the teacher names most, as the masked term counts agreement alone."""
    common, logits = int(teacher(x).argmax(dim=1).mode().values), student(x)
    assert isinstance(student.linear, nn.Linear)
    student.linear.bias[common] += (logits.amax(dim=1) - logits[:, common]).max() + 0.1


@TEN
@pytest.mark.parametrize("name", ADVERSARIES)
def test_a_step_along_the_adversarial_term_raises_the_divergence(name: str) -> None:
    """Guards against a student that is wired to the teacher, and against a wrong sign."""
    given = small.context(*small.agreeing_pair(), scale=0.2)
    method = small.make(name, given, small.options(name))
    given.student.eval()
    teacher, divergence = small.agreeing_pair()[0], divergence_of(name)
    generator = getattr(method.inverter, "generator", None)
    if generator is None:
        leaf = torch.randn(32, 1, 8, 8, generator=torch.Generator().manual_seed(5)).requires_grad_()
        learned: list[Tensor] = [leaf]

        def inputs() -> Tensor:
            return leaf
    else:
        z = torch.randn(32, method.config.nz, generator=torch.Generator().manual_seed(5))
        learned = list(generator.parameters())
        normalise = Normaliser(given.task, given.device)

        def inputs() -> Tensor:
            return normalise(generator.train()(z))

    x = inputs()
    agree(teacher, given.student, x)
    before = divergence(teacher(x), given.student(x)).item()
    gradient = torch.autograd.grad(adversarial_term(method, x), learned, allow_unused=True)
    size = math.sqrt(sum(float(g.square().sum()) for g in gradient if g is not None))
    assert size > 1e-8
    with torch.no_grad():
        for weight, g in zip(learned, gradient, strict=True):
            if g is not None:
                weight -= 1e-4 * g / size
        x = inputs()
        assert divergence(teacher(x), given.student(x)).item() > before


def test_the_students_weights_collect_no_gradient_in_synthesis() -> None:
    for name in ADVERSARIES:
        method = small.make(name, small.context(*small.agreeing_pair(), scale=0.2), small.options(name))
        method.synthesise(0)
        assert all(p.grad is None for p in method.context.student.parameters()), name
