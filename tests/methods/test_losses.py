"""Losses against slow loops in float64."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from harness import networks
from methods.dafl import generator_losses, stepwise
from methods.deepinversion import total_variation
from methods.parts.bn_loss import BatchNormLoss
from methods.parts.losses import jensen_shannon, kl_divergence, masked_kl
from methods.parts.teacher import FrozenTeacher, TeacherOutput


def softmax(row: list[float], temperature: float = 1.0) -> list[float]:
    powers = [math.exp(value / temperature) for value in row]
    return [power / sum(powers) for power in powers]


def slow_kl(teacher: list[float], student: list[float], temperature: float) -> float:
    p, q = softmax(teacher, temperature), softmax(student, temperature)
    return temperature**2 * sum(a * (math.log(a) - math.log(b)) for a, b in zip(p, q, strict=True))


@pytest.fixture
def logits() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return tuple(2 * torch.randn(6, 4, generator=generator, dtype=torch.float64) for _ in range(2))  # type: ignore[return-value]


@pytest.mark.parametrize("temperature", [1.0, 20.0])
def test_kl(logits: tuple[torch.Tensor, torch.Tensor], temperature: float) -> None:
    t, s = logits
    expected = [slow_kl(a, b, temperature) for a, b in zip(t.tolist(), s.tolist(), strict=True)]
    assert kl_divergence(t, s, temperature).tolist() == pytest.approx(expected, rel=1e-10)


def test_masked_kl_counts_agreeing_samples_alone(logits: tuple[torch.Tensor, torch.Tensor]) -> None:
    t, s = logits
    s[0] = t[0] / 2
    rows = list(zip(t.tolist(), s.tolist(), strict=True))
    kept = [slow_kl(a, b, 1.0) for a, b in rows if a.index(max(a)) == b.index(max(b))]
    assert 0 < len(kept) < len(rows)
    assert masked_kl(t, s).item() == pytest.approx(sum(kept) / len(rows), rel=1e-10)


def test_jensen_shannon_is_the_reverse_form_of_the_code(logits: tuple[torch.Tensor, torch.Tensor]) -> None:
    t, s = logits

    def clamp(value: float) -> float:
        return min(max(value, 0.01), 0.99)

    total = 0.0
    for a, b in zip(t.tolist(), s.tolist(), strict=True):
        for p, q in zip(softmax(b, 3), softmax(a, 3), strict=True):
            m = clamp((p + q) / 2)
            total += 0.5 * m * (math.log(m) - math.log(clamp(p))) + 0.5 * m * (math.log(m) - math.log(clamp(q)))
    assert jensen_shannon(t, s).item() == pytest.approx(total / len(t), rel=1e-10)


def test_dafl_losses(logits: tuple[torch.Tensor, torch.Tensor]) -> None:
    t, features = logits
    losses = generator_losses(TeacherOutput(t, features))
    predictions = [softmax(row) for row in t.tolist()]
    mean = [sum(column) / len(predictions) for column in zip(*predictions, strict=True)]
    assert losses["entropy"].item() == pytest.approx(sum(p * math.log10(p) for p in mean), rel=1e-10)
    one_hot = -sum(math.log(max(p)) for p in predictions) / len(predictions)
    assert losses["one_hot"].item() == pytest.approx(one_hot, rel=1e-10)
    flat = [abs(value) for row in features.tolist() for value in row]
    assert losses["activation"].item() == pytest.approx(-sum(flat) / len(flat), rel=1e-10)


def test_dafl_learning_rate_drops_at_epochs_800_and_1600() -> None:
    rates = stepwise(0.1, 2000)
    assert [rates[e] for e in (0, 799, 800, 1599, 1600)] == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.001])


def test_total_variation_of_a_ramp() -> None:
    x = torch.arange(4.0).expand(1, 1, 4, 4)  # one step to the right, none down
    assert total_variation(x).item() == pytest.approx(3.0)


def inputs_of_batch_norms(network: nn.Module, x: torch.Tensor) -> list[tuple[nn.BatchNorm2d, torch.Tensor]]:
    """What a hook on every layer sees."""
    seen: list[tuple[nn.BatchNorm2d, torch.Tensor]] = []
    hooks = [
        module.register_forward_hook(lambda layer, args, out: seen.append((layer, args[0])))
        for module in network.modules()
        if isinstance(module, nn.BatchNorm2d)
    ]
    network(x)
    for hook in hooks:
        hook.remove()
    return seen


def slow_bn_loss(
    seen: list[tuple[nn.BatchNorm2d, torch.Tensor]],
    average: dict[nn.Module, tuple[torch.Tensor, torch.Tensor]] | None = None,
    momentum: float = 0.0,
) -> torch.Tensor:
    total = torch.zeros((), dtype=torch.float64)
    for layer, x in seen:
        flat = x.transpose(0, 1).flatten(1)
        mean, variance = flat.mean(1), flat.pow(2).mean(1) - flat.mean(1) ** 2
        if average is not None:
            mean = (1 - momentum) * mean + momentum * average[layer][0]
            variance = (1 - momentum) * variance + momentum * average[layer][1]
        assert layer.running_mean is not None and layer.running_var is not None
        total = total + (layer.running_mean - mean).norm() + (layer.running_var - variance).norm()
    return total


@pytest.fixture
def wrn() -> nn.Module:
    torch.manual_seed(3)
    network = networks.build("wrn16_1", 10).double()
    for _ in range(3):
        network(torch.randn(8, 3, 16, 16, dtype=torch.float64))  # running statistics that are not the initial ones
    return network.eval()


def test_bn_loss_and_its_gradient(wrn: nn.Module) -> None:
    x = torch.randn(4, 3, 16, 16, dtype=torch.float64, requires_grad=True)
    teacher = FrozenTeacher(wrn)
    loss = BatchNormLoss(teacher)(teacher(x, statistics=True).statistics)  # type: ignore[arg-type]
    expected = slow_bn_loss(inputs_of_batch_norms(wrn, x))
    assert loss.item() == pytest.approx(expected.item(), rel=1e-10)
    (mine,), (theirs,) = torch.autograd.grad(loss, [x]), torch.autograd.grad(expected, [x])
    assert torch.allclose(mine, theirs, rtol=1e-8, atol=1e-12)


def test_bn_loss_with_momentum_over_three_rounds(wrn: nn.Module) -> None:
    teacher, momentum = FrozenTeacher(wrn), 0.9
    loss = BatchNormLoss(teacher, momentum)
    average: dict[nn.Module, tuple[torch.Tensor, torch.Tensor]] | None = None
    for _ in range(3):
        x = torch.randn(4, 3, 16, 16, dtype=torch.float64)
        seen = inputs_of_batch_norms(wrn, x)
        statistics = teacher(x, statistics=True).statistics
        assert statistics is not None
        assert loss(statistics).item() == pytest.approx(slow_bn_loss(seen, average, momentum).item(), rel=1e-10)
        loss.commit(statistics)
        now = {layer: (y.mean((0, 2, 3)), y.var((0, 2, 3), correction=0)) for layer, y in seen}
        old = average
        average = {
            layer: now[layer]
            if old is None
            else tuple(momentum * o + (1 - momentum) * n for o, n in zip(old[layer], now[layer], strict=True))
            for layer in now
        }  # type: ignore[misc]


def test_teacher_equals_the_network_and_needs_no_gradient(wrn: nn.Module) -> None:
    teacher, x = FrozenTeacher(wrn), torch.randn(2, 3, 16, 16, dtype=torch.float64)
    assert torch.allclose(teacher(x).logits, wrn(x), atol=1e-12)
    assert not teacher(x).logits.requires_grad
    assert teacher.images_forwarded == 4


def test_teacher_without_batch_norm_is_refused() -> None:
    with pytest.raises(ValueError, match="no batch-norm layers"):
        BatchNormLoss(FrozenTeacher(nn.Linear(2, 2)))


@pytest.mark.parametrize(
    ("name", "classes", "parameters"),
    [
        ("wrn40_2", 10, 2_243_546),
        ("wrn40_2", 100, 2_255_156),
        ("wrn16_1", 10, 175_066),
        ("wrn40_1", 10, 563_930),
        ("wrn16_2", 10, 691_674),
    ],
)
def test_parameter_counts(name: str, classes: int, parameters: int) -> None:
    assert sum(p.numel() for p in networks.build(name, classes).parameters()) == parameters
