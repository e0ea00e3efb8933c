"""The frozen teacher's one forward pass against hooks on a plain copy of the network, in float64."""

from __future__ import annotations

import copy
from collections import Counter
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from harness.engine.lowered import lowered
from methods.base.inside import NoClassifier
from methods.base.teacher import FrozenTeacher, NormalisedWithStatistics, TeacherOutput
from tests import small
from tests.methods import slow

pytestmark = pytest.mark.usefixtures("double")
EVERYTHING = {"features": True, "stages": True, "statistics": True, "instance_means": True}


class Backwards(nn.Module):
    """Runs its batch norms, of unequal width, in the opposite order of their definition."""

    def __init__(self) -> None:
        super().__init__()
        self.last, self.first = nn.BatchNorm2d(5), nn.BatchNorm2d(3)
        self.conv, self.linear = nn.Conv2d(3, 5, 3, padding=1), nn.Linear(5, 10)

    def forward(self, x: Tensor, return_features: bool = False) -> Any:
        stage = self.last(self.conv(self.first(x)).relu()).relu()
        features = stage.mean(dim=(2, 3))
        logits = self.linear(features)
        return (logits, features, (x, stage)) if return_features else logits


def plain(name: str) -> nn.Module:
    if name == "backwards":
        torch.manual_seed(0)
        return small.lively(Backwards().eval(), 3)
    return small.network(name, 3, small.CIFAR)


def images(seed: int = 0) -> Tensor:
    return torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(seed)).requires_grad_()


def layer_order(teacher: FrozenTeacher, network: nn.Module) -> list[nn.Module]:
    """The plain network's layers in the order of the teacher's statistics, recognised by their stored means."""
    layers = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    order = []
    for chunk in teacher.running.mean.split(teacher.channels):
        (layer,) = [m for m in layers if len(chunk) == m.num_features and torch.equal(m.running_mean, chunk)]
        order.append(layer)
    assert len(set(order)) == len(layers)
    return order


@pytest.mark.parametrize("name", ["wrn16_1", "resnet18", "vgg11", "backwards"])
def test_outputs_of_one_forward_in_value_and_input_gradient(name: str) -> None:
    network = plain(name)
    teacher, x = FrozenTeacher(network), images()
    out = teacher(x, **EVERYTHING, inputs_of=teacher.batch_norms)
    order = layer_order(teacher, network)
    assert torch.equal(teacher.running.variance, torch.cat([layer.running_var for layer in order]))  # type: ignore[misc]
    inputs, _ = slow.batch_norm_inputs(network, x)
    found = slow.statistics(inputs)
    logits, features, stages, *_ = network(x, return_features=True)
    expected = {
        "logits": logits,
        "features": features,
        "mean": torch.cat([found[layer][0] for layer in order]),
        "variance": torch.cat([found[layer][1] for layer in order]),
        "instance_means": torch.cat(
            [inputs[layer].flatten(2).sum(2) / inputs[layer][0, 0].numel() for layer in order], 1
        ),
        **{f"stage {i}": stage for i, stage in enumerate(stages)},
        **{f"input {name}": inputs[layer] for name, layer in named_layers(network).items()},
    }
    random = torch.Generator().manual_seed(1)
    for what, theirs in expected.items():
        mine = part(out, what)
        assert slow.distance(mine, theirs) < 1e-10, what
        weight = torch.randn(theirs.shape, generator=random)
        gradients = [torch.autograd.grad((y * weight).sum(), x, retain_graph=True)[0] for y in (mine, theirs)]
        assert slow.distance(*gradients) < 1e-10, what
    everything = [sum((y**2).sum() for y in ys) for ys in ([part(out, what) for what in expected], expected.values())]
    assert slow.distance(*(torch.autograd.grad(y, x)[0] for y in everything)) < 1e-10  # type: ignore[arg-type]


def named_layers(network: nn.Module) -> dict[str, nn.BatchNorm2d]:
    return {name: layer for name, layer in network.named_modules() if isinstance(layer, nn.BatchNorm2d)}


def part(out: TeacherOutput, what: str) -> Tensor:
    if what in ("mean", "variance"):
        return getattr(out.statistics, what)  # type: ignore[no-any-return]
    if what.startswith("stage "):
        assert out.stages is not None
        return out.stages[int(what[6:])]
    if what.startswith("input "):
        assert out.inputs is not None
        return out.inputs[what[6:]]
    return getattr(out, what)  # type: ignore[no-any-return]


def test_order_of_execution_is_not_that_of_definition() -> None:
    """So that the test above compares what could be confused."""
    network = plain("backwards")
    seen, _ = slow.batch_norm_inputs(network, images())
    assert list(seen) == [network.first, network.last]
    assert [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)] == [network.last, network.first]
    teacher = FrozenTeacher(network)
    assert teacher.batch_norms == ["last", "first"]
    assert list(teacher(images(), inputs_of=["last", "first"]).inputs or ()) == ["first", "last"]


@pytest.mark.parametrize("name", ["wrn16_1", "resnet18", "vgg11"])
def test_a_layers_name_is_its_path_and_only_what_was_asked_for_comes_back(name: str) -> None:
    network = plain(name)
    teacher, x = FrozenTeacher(network), images()
    layers = named_layers(network)
    assert set(teacher.batch_norms) == set(layers)
    assert [layers[name].num_features for name in teacher.batch_norms] == teacher.channels
    chosen = list(layers)[1:3]
    inputs, _ = slow.batch_norm_inputs(network, x)
    found = teacher(x, inputs_of=chosen).inputs
    assert found is not None and set(found) == set(chosen)
    assert all(torch.equal(found[name], inputs[layers[name]]) for name in chosen)
    with pytest.raises(ValueError, match=r"teacher: groups\.9; known: .*groups"):
        teacher(x, inputs_of=[chosen[0], "groups.9"])


@pytest.mark.parametrize("name", ["wrn16_1", "resnet18", "vgg11", "cnn3_16", "backwards"])
def test_the_classifier_makes_the_logits_of_the_features(name: str) -> None:
    network = plain(name)
    teacher = FrozenTeacher(network)
    out, classifier = teacher(images(), features=True), teacher.classifier
    assert out.features is not None
    for logits, features in zip(out.logits.tolist(), out.features.tolist(), strict=True):
        for logit, row, bias in zip(logits, classifier.weight.tolist(), classifier.bias.tolist(), strict=True):
            assert logit == pytest.approx(sum(w * f for w, f in zip(row, features, strict=True)) + bias)
    assert not classifier.weight.requires_grad and not classifier.bias.requires_grad


def test_a_classifier_without_a_bias_has_one_of_zeros() -> None:
    network = Backwards()
    network.linear = nn.Linear(5, 10, bias=False)
    assert FrozenTeacher(network).classifier.bias.tolist() == [0] * 10


def test_a_teacher_that_ends_in_no_linear_layer_says_so() -> None:
    network = Backwards()
    network.linear = nn.Sequential()  # type: ignore[assignment]
    with pytest.raises(NoClassifier, match="does not end in a linear layer"):
        _ = FrozenTeacher(network).classifier


class Operations(TorchDispatchMode):
    """Counts what is computed."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.counts[str(func)] += 1
        return func(*args, **(kwargs or {}))


def operations(call: Any, *args: Any, **options: Any) -> Counter[str]:
    with Operations() as mode:
        call(*args, **options)
    return mode.counts


@pytest.mark.parametrize("name", ["wrn16_1", "backwards"])
def test_nothing_asked_is_nothing_computed(name: str) -> None:
    network = plain(name)
    teacher, x = FrozenTeacher(network), images()
    teacher(x, **EVERYTHING)
    out = teacher(x)
    assert (out.features, out.stages, out.statistics, out.instance_means, out.inputs) == (None,) * 5
    assert operations(teacher, x, inputs_of=teacher.batch_norms) == operations(teacher, x)
    assert operations(teacher, x) == operations(network.requires_grad_(False), x, return_features=True)
    asked = operations(teacher, x, statistics=True)
    assert asked["aten.pow_.Scalar"] == len(teacher.channels)


def test_nothing_is_left_behind() -> None:
    network = plain("wrn16_1")
    before = copy.deepcopy(network.state_dict())
    teacher, x = FrozenTeacher(network), images()
    out = teacher(x, **EVERYTHING)
    torch.autograd.grad(sum((part(out, what) ** 2).sum() for what in ("logits", "mean", "variance")), x)  # type: ignore[arg-type]
    for module in [*network.modules(), *teacher._network.modules()]:
        assert not module._forward_hooks and not module._forward_pre_hooks and not module._backward_hooks
    (teacher(x, statistics=True).logits.sum()).backward()
    assert x.grad is not None
    assert not any(p.requires_grad or p.grad is not None for p in teacher._network.parameters())
    assert all(p.requires_grad and p.grad is None for p in network.parameters())
    after = network.state_dict()
    assert all(torch.equal(after[key], before[key]) for key in before)
    assert not teacher.logits(x).requires_grad
    assert teacher.images_forwarded == 6


def test_an_exception_inside_leaves_nothing_to_the_next_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    network = plain("resnet18")
    teacher, x = FrozenTeacher(network), images()
    expected = teacher(x, **EVERYTHING)
    with monkeypatch.context() as broken:
        broken.setattr(teacher._network.linear, "forward", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            teacher(images(1), **EVERYTHING)
    assert operations(teacher, x) == operations(network.requires_grad_(False), x, return_features=True)
    for what in ("logits", "mean", "variance", "instance_means"):
        assert torch.equal(part(teacher(x, **EVERYTHING), what), part(expected, what))


@pytest.mark.parametrize("name", ["wrn16_1", "resnet18"])
def test_in_bfloat16_statistics_are_those_of_its_activations_in_full(name: str) -> None:
    """The inputs of batch norms have 8 bits, and what is calculated of them has 24."""
    torch.set_default_dtype(torch.float32)
    network = plain(name)
    teacher = FrozenTeacher(lowered(network, torch.device("cpu")))
    x = images().detach().float().requires_grad_()
    out = teacher(x, **EVERYTHING, inputs_of=teacher.batch_norms)
    assert out.inputs is not None and out.statistics is not None and out.instance_means is not None
    seen = [out.inputs[layer].double() for layer in teacher.batch_norms]
    assert all(torch.equal(y, y.bfloat16().double()) for y in seen)
    expected = {
        "mean": torch.cat([y.mean(dim=(0, 2, 3)) for y in seen]),
        "variance": torch.cat([((y - y.mean(dim=(0, 2, 3), keepdim=True)) ** 2).mean(dim=(0, 2, 3)) for y in seen]),
        "instance_means": torch.cat([y.flatten(2).sum(2) / y[0, 0].numel() for y in seen], dim=1),
    }
    for what, value in expected.items():
        assert part(out, what).dtype == torch.float32
        assert slow.distance(part(out, what).double(), value) < 1e-6, what


def test_the_gradient_of_statistics_in_bfloat16_is_rounded_once() -> None:
    torch.set_default_dtype(torch.float32)
    (layer,) = FrozenTeacher(nn.Sequential(small.lively(nn.BatchNorm2d(4).eval(), 0)))._layers
    x = (100 + torch.randn(2, 4, 3, 3, generator=torch.Generator().manual_seed(0))).bfloat16()
    exact = x.double().requires_grad_()
    centred = exact - exact.mean(dim=(0, 2, 3), keepdim=True)
    (expected,) = torch.autograd.grad(
        (3 * exact.mean(dim=(0, 2, 3)) + centred.square().mean(dim=(0, 2, 3))).sum(), exact
    )
    y, mean, variance = NormalisedWithStatistics.apply(given := x.requires_grad_(), layer)
    assert (y.dtype, mean.dtype, variance.dtype) == (torch.bfloat16, torch.float32, torch.float32)
    (found,) = torch.autograd.grad((3 * mean + variance).sum(), given)
    assert torch.allclose(found.double(), expected, rtol=2**-8, atol=1e-6)
