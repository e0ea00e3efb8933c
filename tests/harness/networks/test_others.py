"""Networks of torchvision, of timm and of one's own files: what the bench finds in them, and what it refuses."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional as F

from harness import data, networks
from harness.errors import UserError
from harness.networks import forward, spec
from methods.base.names import network_name, network_spec
from methods.base.teacher import FrozenTeacher

SMALL = ["resnet18", "mobilenet_v3_small", "shufflenet_v2_x0_5", "mnasnet0_5", "googlenet", "squeezenet1_1"]
STAGES = {
    "resnet18": [(64, 16), (64, 8), (128, 4), (256, 2), (512, 1)],
    "resnet18:small": [(64, 32), (64, 32), (128, 16), (256, 8), (512, 4)],
    "mobilenet_v3_small": [(16, 16), (16, 8), (24, 4), (48, 2), (576, 1)],
    "shufflenet_v2_x0_5": [(24, 16), (48, 4), (96, 2), (1024, 1)],
    "squeezenet1_1": [(64, 15), (128, 7), (256, 3), (512, 1)],
}
"""From the papers' tables: channels and size at the end of each resolution, for images of 32 × 32."""


def build(name: str, classes: int = 7, channels: int = 3) -> nn.Module:
    torch.manual_seed(0)
    return networks.build(f"torchvision:{name}", classes, channels).eval()


def images(channels: int = 3, size: int = 32) -> Tensor:
    return torch.randn(2, channels, size, size, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", SMALL)
def test_features_are_what_the_classifier_is_given(name: str) -> None:
    network, x = build(name), images()
    logits, features, _ = network(x, return_features=True)
    assert torch.equal(logits, network(x))
    assert logits.shape == (2, 7)
    linear = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    if linear:
        torch.testing.assert_close(features @ linear[-1].weight.T + linear[-1].bias, logits)
    else:  # SqueezeNet: a 1×1 convolution, ReLU and the mean, of a single pixel here
        head = network.classifier[1]  # type: ignore[index,union-attr]
        torch.testing.assert_close(F.relu(features @ head.weight[:, :, 0, 0].T + head.bias), logits)


@pytest.mark.parametrize("name", STAGES)
def test_stages_end_the_resolutions(name: str) -> None:
    _, _, stages = build(name)(images(), return_features=True)
    assert [(stage.shape[1], stage.shape[2]) for stage in stages] == STAGES[name]


def test_stages_of_a_resnet_are_its_stem_and_its_layers() -> None:
    network, x = build("resnet18"), images()
    stem = F.relu(network.bn1(network.conv1(x)))  # type: ignore[operator]
    expected = [stem]
    y = network.maxpool(stem)  # type: ignore[operator]
    for layer in (network.layer1, network.layer2, network.layer3, network.layer4):
        expected.append(y := layer(y))  # type: ignore[operator]
    _, _, stages = network(x, return_features=True)
    assert len(stages) == 5
    assert all(torch.equal(stage, wanted) for stage, wanted in zip(stages, expected, strict=True))


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small"])
def test_weights_have_the_networks_own_names(name: str) -> None:
    network, plain = build(name), torchvision.models.get_model(name, weights=None, num_classes=7)
    assert list(network.state_dict()) == list(plain.state_dict())
    network.load_state_dict(plain.state_dict())
    assert torch.equal(network(images()), plain.eval()(images()))


def test_nothing_of_a_pass_is_left_behind() -> None:
    network, x = build("shufflenet_v2_x0_5"), images()
    before = copy.deepcopy(network)
    network(x, return_features=True)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())
    assert not any(isinstance(value, Tensor) for module in network.modules() for value in vars(module).values())
    with pytest.raises(RuntimeError):
        network(x[0, 0], return_features=True)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())
    copied = copy.deepcopy(network)
    nn.init.zeros_(copied.fc.weight)  # type: ignore[arg-type,union-attr]
    for one, other in zip(before(x, return_features=True)[2], network(x, return_features=True)[2], strict=True):
        assert torch.equal(one, other)
    assert copied(x, return_features=True)[0].std(dim=0).max() == 0


def test_it_is_trained_and_differentiated_twice() -> None:
    network, x = build("shufflenet_v2_x0_5").train(), images(size=64).requires_grad_()
    logits, features, stages = network(x, return_features=True)
    loss = logits.square().mean() + features.square().mean() + sum(stage.square().mean() for stage in stages)
    (gradient,) = torch.autograd.grad(loss, x, create_graph=True)
    gradient.square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.conv1.parameters())  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["resnet18", "densenet121"])
def test_as_a_teacher_it_hands_out_batch_norm_statistics(name: str) -> None:
    network, x, seen = build(name), images(), []
    layers = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    hooks = [layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0])) for layer in layers]
    expected = network(x, return_features=True)
    for hook in hooks:
        hook.remove()
    answer = FrozenTeacher(network)(x, features=True, stages=True, statistics=True)
    assert answer.statistics is not None
    assert answer.stages is not None
    assert len(answer.statistics.mean) == sum(layer.num_features for layer in layers)
    torch.testing.assert_close(answer.statistics.mean.sum(), sum(t.mean(dim=(0, 2, 3)).sum() for t in seen))
    torch.testing.assert_close(answer.logits, expected[0])
    for stage, wanted in zip(answer.stages, expected[2], strict=True):
        torch.testing.assert_close(stage, wanted)


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_other_channels_keep_the_spread_of_the_weights(channels: int) -> None:
    network, usual = build("resnet18", channels=channels), build("resnet18")
    assert network(images(channels)).shape == (2, 7)
    spread, wanted = (float(made.conv1.weight.detach().std()) for made in (network, usual))  # type: ignore[union-attr,operator]
    assert spread == pytest.approx(wanted, rel=0.1)


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "densenet121", "squeezenet1_1"])
def test_a_small_stem_that_is_not_known_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=f"torchvision:{name}:small: no stem of small images is known"):
        build(f"{name}:small")


def test_images_that_a_network_cannot_take_are_told() -> None:
    task = data.load("digits").task
    with pytest.raises(UserError, match=r"torchvision:squeezenet1_1: cannot take images of 1 × 8 × 8"):
        forward.check_features("torchvision:squeezenet1_1", task)


def test_names_are_those_of_the_package() -> None:
    assert set(spec.models("torchvision")) == set(torchvision.models.list_models(module=torchvision.models))


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("wrn40_2", "wrn40_2"),
        ("torchvision:resnet18:small", "torchvision.resnet18.small"),
        ("timm:resnet10t", "timm.resnet10t"),
        ("/a/b.c/nets.py:small", "nets.small"),
        ("nets.py:small", "nets.small"),
    ],
)
def test_names_in_folders(asked: str, name: str) -> None:
    assert network_name(asked) == name
    assert ".py:" in asked or network_spec(name) == asked


@pytest.fixture
def timm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package of timm's interface with one model."""
    package = tmp_path / "timm"
    (package / "models").mkdir(parents=True)
    (package / "models/toy.py").write_text(
        "@register_model\ndef toy_net(pretrained=False):\n    pass\n", encoding="utf-8"
    )
    (package / "__init__.py").write_text(
        "from torch import nn\n"
        "def create_model(name, pretrained, num_classes, in_chans):\n"
        "    assert (name, pretrained) == ('toy_net', False)\n"
        "    body = nn.Sequential(nn.Conv2d(in_chans, 4, 3), nn.BatchNorm2d(4), nn.ReLU())\n"
        "    return nn.Sequential(body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, num_classes))\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    spec.models.cache_clear()


@pytest.mark.usefixtures("timm")
def test_timm() -> None:
    networks.check("timm:toy_net")
    logits, features, stages = networks.build("timm:toy_net", 5, 1).eval()(images(1), return_features=True)
    assert (logits.shape, features.shape, [stage.shape for stage in stages]) == ((2, 5), (2, 4), [(2, 4, 30, 30)])
    torch.testing.assert_close(features, stages[0].mean(dim=(2, 3)))
    assert networks.version("timm:toy_net") == {"timm": "unknown"}
    with pytest.raises(networks.UnknownNetwork, match="unknown model of timm: 'toy'") as error:
        networks.check("timm:toy")
    assert error.value.choices == ["toy_net"]


FILE = """
from torch import nn
from helper import WIDTH

def small(classes, channels):
    return nn.Sequential(nn.Conv2d(channels, WIDTH, 3), nn.ReLU(), nn.Flatten(), nn.Linear(WIDTH * 900, classes))

class Whole(nn.Module):
    def __init__(self, classes, channels):
        super().__init__()
        self.conv, self.linear = nn.Conv2d(channels, classes, 1), nn.Identity()
    def forward(self, x, return_features=False):
        y = self.conv(x)
        logits = y.mean(dim=(2, 3))
        return (logits, logits * 2, (y,)) if return_features else logits

class Fourth(Whole):
    def forward(self, x, return_features=False):
        answer = super().forward(x, return_features)
        return (*answer, answer[2][0][:, 1:]) if return_features else answer

def headless(classes, channels):
    return nn.Conv2d(channels, 3, 3)

def nothing(classes, channels):
    return 5

def fails(classes, channels):
    raise KeyError("width")
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "helper.py").write_text("WIDTH = 6\n", encoding="utf-8")
    (tmp_path / "nets.py").write_text(FILE, encoding="utf-8")
    return tmp_path / "nets.py"


def test_a_function_of_ones_own(file: Path) -> None:
    network = networks.build(f"{file}:small", 5, 1).eval()
    logits, features, stages = network(images(1), return_features=True)
    assert (logits.shape, features.shape, [stage.shape for stage in stages]) == (
        (2, 5), (2, 6 * 30 * 30), [(2, 6, 30, 30)]
    )  # fmt: skip


def test_one_that_keeps_the_contract_is_taken_as_it_is(file: Path) -> None:
    network = networks.build(f"{file}:Whole", 5, 1)
    logits, features, _ = network(images(1), return_features=True)
    assert torch.equal(features, 2 * logits)
    assert type(network).__mro__[1] is nn.Module


def test_a_map_that_is_not_that_of_the_features_is_refused(file: Path) -> None:
    task = data.load("digits").task
    assert "stages 10×8×8" in forward.check_features(f"{file}:Whole", task)
    with pytest.raises(UserError, match=r"fourth thing of shape \[2, 9, 8, 8\], expected the map .* \[2, 10, h, w\]"):
        forward.check_features(f"{file}:Fourth", task)


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        ("headless", "NotAdaptable: it has neither a linear layer nor a 1×1 convolution"),
        ("nothing", r"nothing\(classes, channels\) gives int, not an nn\.Module"),
        ("fails", "KeyError: 'width'"),
        ("absent", "no function absent in it"),
        ("FILE", "no function FILE in it"),
    ],
)
def test_what_a_file_does_not_give_is_told(file: Path, function: str, problem: str) -> None:
    with pytest.raises(UserError, match=problem):
        networks.build(f"{file}:{function}", 5, 1)


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ("resnet17", "unknown network: 'resnet17'"),
        ("torchvision:resnet17", "unknown model of torchvision: 'resnet17'"),
        ("torchvision:", "unknown model of torchvision: ''"),
        ("torchvision:resnet18:tiny", "unknown model of torchvision: 'resnet18:tiny'"),
        ("timm:resnet10t", "timm is not installed: pip install timm"),
        ("nowhere/nets.py:small", "no such file"),
        ("nets.py:", "the name of a function is wanted"),
        ("nets.py:a b", "the name of a function is wanted"),
        ("a+b.py:small", "folders bear the file's name"),
        ("timm.py:small", "folders bear the file's name"),
    ],
)
def test_what_is_not_there(asked: str, problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    find: Callable[[str], object] = spec.importlib.util.find_spec
    monkeypatch.setattr(spec.importlib.util, "find_spec", lambda name: None if name == "timm" else find(name))
    with pytest.raises(networks.UnknownNetwork, match=problem):
        networks.check(asked)
