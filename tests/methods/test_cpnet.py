"""A step of CPNet's inversion against a loop, in float64."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from methods.cpnet import COLOURS, reversed_kl
from methods.parts.cutting import cut_mix
from tests import small
from tests.methods import slow

pytestmark = pytest.mark.usefixtures("double")
WEIGHTS = {"bn": 3.0, "oh": 0.5, "adv": 1.33, "xn": 0.7, "align": 0.4}
FACTORS = {"bn": 3.0, "task": 0.5, "adversarial": 1.33, "xn": 0.7, "align": 1.33 * 0.4}
MOMENTUM = 0.9


def test_the_kl_is_that_of_the_student_from_the_teacher() -> None:
    agreed, even, other = torch.tensor([[2.0, 0.0]]), torch.zeros(1, 2), torch.tensor([[0.0, 0.1]])
    assert reversed_kl(agreed, even).item() == pytest.approx(0.4338, abs=5e-5)
    assert reversed_kl(agreed, other).item() == 0


def loop(method: Any, teacher: Any, y: Tensor, random: torch.Generator, average: slow.Statistics | None) -> Any:
    """The images, each term of the loss, and the statistics of the batch; draws are those of the tested parts."""
    images, maps = method.inverter.generator(y)
    views = torch.randint(2 * 9, (len(y),), generator=random).tolist()  # pad 1, flip
    v = torch.stack([slow.crop(image, view, 1) for image, view in zip(images, views, strict=True)])
    task = method.context.task
    mixed = cut_mix(slow.normalised(COLOURS.augment(v, random), task.mean, task.std), random)
    inputs, t = slow.batch_norm_inputs(teacher, mixed.images)
    features = nn.functional.relu(teacher.bn(inputs[teacher.bn])).mean(dim=(2, 3))
    found = slow.statistics(inputs)
    both = slow.cross_entropies(t, y.tolist()), slow.cross_entropies(t, y[mixed.partner].tolist())
    shares = mixed.share.tolist()
    assert 0 < sum(share > 0 for share in shares) < len(shares)
    names = [node.name for node in method.inverter.nodes]
    return images, found, {
        "task": slow.mean([(1 - lam) * a + lam * b for lam, a, b in zip(shares, *both, strict=True)]),
        "bn": slow.bn_loss(found, average, MOMENTUM),
        "adversarial": -slow.masked_kl(method.context.student(mixed.images), t),
        "xn": slow.node_distance(teacher, names, maps, inputs, average, MOMENTUM),
        "align": aligned(teacher.linear, features, y),
    }  # fmt: skip


def aligned(last: nn.Linear, features: Tensor, y: Tensor) -> Tensor:
    """By pseudo-inverses; singular values of the pair's classifier are large enough."""
    assert torch.linalg.svdvals(last.weight).min() > 0.1
    inverse, b = torch.linalg.pinv(last.weight.T), torch.linalg.pinv(last.weight.T).sum(dim=0)
    cosines = []
    for feature, c in zip(features, y.tolist(), strict=True):
        logits = -last.bias + 0.0
        logits[c] += torch.tensor(9.0 * (len(logits) - 1)).log()
        away = feature - logits @ inverse
        cosines.append((away @ b).abs() / (away.norm() * b.norm()))
    return slow.mean(cosines)


@pytest.mark.parametrize("adversarial", [True, False])
def test_a_step_equals_a_loop(adversarial: bool) -> None:
    """Before the warm-up ends only the terms against the student and the classifier are absent."""
    teacher, student = small.agreeing_pair()
    method = small.build(
        "cpnet",
        small.context(teacher.requires_grad_(False), student.eval(), flip=True),
        bn_momentum=MOMENTUM,
        **WEIGHTS,
    )
    inverter, y = method.inverter, torch.arange(16) % 10
    inverter.generator.noisy.redraw(torch.Generator().manual_seed(1))
    average: slow.Statistics | None = None
    for seed in (3, 7):  # both mix some of the batch
        images, statistics, parts = loop(method, teacher, y, torch.Generator().manual_seed(seed), average)
        if not adversarial:
            del parts["adversarial"], parts["align"]
        mine, found = inverter.look(y, torch.Generator().manual_seed(seed), adversarial)
        assert torch.equal(mine, images)
        assert {name: part.item() for name, part in found.parts.items()} == pytest.approx(
            {name: part.item() for name, part in parts.items()}, rel=1e-10
        )
        total = sum(FACTORS[name] * part for name, part in parts.items())
        learned = [*inverter.generator.noisy.parameters(), *inverter.generator.body.parameters()]
        slow.assert_same(found.loss, total, learned[0], learned[-1])
        inverter.objective.commit(found.answer)
        average = slow.move_average(average, statistics, MOMENTUM)


def test_the_new_terms_begin_with_the_students_share_of_the_loss() -> None:
    method = small.build("cpnet", align=1.0)
    for call in range(method.schedule.synthesis_rounds):
        losses = method.synthesise(call)
        assert ("align" in losses) == ("adversarial" in losses) == (call >= method.schedule.warmup)
        assert losses["xn"] > 0
    assert 0 < method.schedule.warmup < method.schedule.synthesis_rounds


@pytest.mark.parametrize(
    ("options", "terms"),
    [
        ({"align": 0.0, "xn": 0.0}, {"adversarial"}),
        ({"align": 0.0}, {"adversarial", "xn"}),
        ({"adv": 0.0}, {"xn"}),
    ],
)
def test_terms_without_weight_are_not_calculated(options: dict[str, float], terms: set[str]) -> None:
    method = small.build("cpnet", **options)
    assert method.synthesise(method.schedule.warmup).keys() & {"adversarial", "align", "xn"} == terms
