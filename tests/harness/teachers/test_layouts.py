"""Files of public repositories: read as they are, and computing what they computed there; or refused, and why."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torchvision
from torch import Tensor, nn

from harness import networks
from harness.errors import UserError
from harness.networks.deeplab import DeepLabV3
from harness.teachers import layouts
from harness.teachers.matching import Match, match
from harness.teachers.renaming import AS_THEY_ARE, KeyRules
from tests.harness.teachers import foreign_networks as theirs

CLASSES = 7
ALL = [(name, layout) for name in networks.names() for layout in layouts.of(name) if layout is not layouts.OWN]


def taken(original: nn.Module, network: str, rules: KeyRules = AS_THEY_ARE) -> tuple[nn.Module, Match, list[str]]:
    """Our network with the other's weights, what was recognised, and what was said."""
    said: list[str] = []
    with torch.device("meta"):
        model = networks.build(network, CLASSES, 3).eval()
    weights = original.state_dict()
    found = match(weights, model.state_dict(), network=network, dataset="cifar7", rules=rules, say=said.append)
    model.load_state_dict(found.state, assign=True)
    return model, found, said


def refusal(original: nn.Module, network: str, rules: KeyRules = AS_THEY_ARE) -> str:
    with pytest.raises(UserError) as raised:
        taken(original, network, rules)
    return str(raised.value)


def answer(model: nn.Module, size: int = 32) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        return model(torch.randn(1, 3, size, size, dtype=torch.float64, generator=generator))


@pytest.mark.parametrize(("network", "layout"), theirs.FITTING)
def test_a_file_of_another_repository_gives_its_logits(network: str, layout: str) -> None:
    original = theirs.trained(lambda: theirs.FITTING[network, layout](CLASSES))
    model, found, said = taken(original, network)
    torch.testing.assert_close(answer(model), answer(original), rtol=1e-9, atol=1e-9)
    assert answer(model).std() > 1e-3, "logits that say nothing compare nothing"
    assert found.layout == layout
    assert said[0].startswith(f"read in the layout of {layout}")


def test_images_of_another_size_are_pooled_alike() -> None:
    original = theirs.trained(lambda: theirs.RepDistillerVGG(CLASSES, 3))
    torch.testing.assert_close(answer(taken(original, "vgg11")[0], 64), answer(original, 64), rtol=1e-9, atol=1e-9)


class Maps(nn.Module):
    """A backbone that has nothing to do: its image is its last map."""

    def forward(self, x: Tensor) -> list[Tensor]:
        return [x]


@pytest.mark.parametrize(("size", "equal"), [(32, True), (40, False)])
def test_torchvisions_pyramid_is_dfads_on_maps_where_its_last_dilation_meets_nothing(size: int, equal: bool) -> None:
    original = theirs.trained(lambda: theirs.DeepLab(nn.Identity(), 3, CLASSES, (12, 24, 36)))
    model, said = DeepLabV3(Maps(), 3, CLASSES).double().eval(), list[str]()
    name = "deeplabv3_resnet50"
    found = match(original.state_dict(), model.state_dict(), network=name, dataset="cifar7", say=said.append)
    model.load_state_dict(found.state)
    assert torch.allclose(answer(model, size), answer(original, size), rtol=1e-9) is equal
    assert "the same function on images up to 256 pixels" in said[1], "a map is an eighth of its image"


@pytest.mark.parametrize(("network", "layout"), ALL, ids=lambda value: str(value))
def test_no_layout_is_known_without_a_network_that_was_compared(network: str, layout: layouts.Layout) -> None:
    assert (network, layout.name) in theirs.FITTING or layout.refusal


@pytest.mark.parametrize("network", networks.names())
def test_a_set_of_names_is_of_one_layout_and_each_name_of_one_tensor(network: str) -> None:
    with torch.device("meta"):
        own = list(networks.build(network, CLASSES, 3).state_dict())
    spelled = [frozenset(map(layout.spell, own)) for layout in layouts.of(network)]
    assert all(len(names) == len(own) for names in spelled)
    assert len(set(spelled)) == len(spelled)


REFUSED: dict[str, tuple[str, Callable[[], nn.Module], list[str]]] = {
    "five max-pools": (
        "vgg11",
        lambda: theirs.KuangliuVGG(CLASSES, 3),
        ["in the layout of kuangliu, whose vgg11 is another: a max-pool ends each of its five groups"],
    ),
    "more linear layers": (
        "vgg11",
        lambda: theirs.KuangliuVGG(CLASSES, 3, hidden=(512, 512)),
        ["nearest is the layout of kuangliu", "its classifier has more than one linear layer"],
    ),
    "shortcuts of type B, mdistiller": (
        "resnet20",
        lambda: theirs.thin(20, CLASSES, "B", **theirs.TORCHVISION),
        ["nearest is the layout of akamaster", "not in that layout: 14 keys (layer2.0.downsample.0.weight", "type B"],
    ),
    "shortcuts of type B, akamaster's option": (
        "resnet56",
        lambda: theirs.thin(56, CLASSES, "B"),
        ["not in that layout: 12 keys (layer2.0.shortcut.0.weight", "its shortcuts have weights (type B)"],
    ),
    "a stem for ImageNet": (
        "resnet18",
        lambda: torchvision.models.resnet18(),
        [
            "conv1.weight has shape (64, 3, 7, 7), not (64, 3, 3, 3)",
            "the file has 1000 classes, cifar7 has 7",
            "its stem is of another size",
        ],
    ),
    "bottlenecks": (
        "resnet34",
        lambda: torchvision.models.resnet50(),
        ["nearest is the layout of torchvision, timm", "its blocks have three convolutions"],
    ),
    "another network": (
        "resnet18",
        lambda: theirs.ResNet((3, 4, 6, 3), 100, 3, **theirs.WEIAICUNZAI),
        ["these are the keys of resnet34 in the layout of weiaicunzai, not of resnet18"],
    ),
    "another width": (
        "wrn16_1",
        lambda: theirs.WideResNet(16, 2, CLASSES, 3),
        ["these are the keys of wrn16_2 in the layout of xternalz, ", ", not of wrn16_1"],
    ),
    "a width that is none of ours": (
        "wrn16_2",
        lambda: theirs.WideResNet(16, 4, CLASSES, 3),
        ["block1.layer.0.conv1.weight has shape (64, 16, 3, 3), not (32, 16, 3, 3)", "and 59 more"],
    ),
    "convolutions with biases": (
        "wrn16_2",
        lambda: with_biases(theirs.WideResNet(16, 2, CLASSES, 3)),
        ["nearest is the layout of xternalz", "its convolutions have biases; those of WRN have none"],
    ),
    "other classes": (
        "wrn40_2",
        lambda: theirs.WideResNet(40, 2, 100, 3),
        ["fc.weight has shape (100, 128), not (7, 128)", "the file has 100 classes, cifar7 has 7"],
    ),
    "half of the keys": (
        "resnet18",
        lambda: without(theirs.ResNet((2, 2, 2, 2), CLASSES, 3), "layer3", "layer4"),
        ["nearest is the layout of kuangliu", "not in the file: 50 keys (layer3.0.conv1.weight, "],
    ),
    "other channels": (
        "resnet44",
        lambda: networks.build("resnet44", CLASSES, 1),
        ["the file is for images of 1 channels, cifar7 has 3"],
    ),
}
"""What is refused -> our network, the file's, and what the error says of it."""


def test_what_is_known_to_be_another_function_is_refused_in_order_too() -> None:
    with torch.device("meta"):
        original = theirs.KuangliuVGG(CLASSES, 3)
    assert "max-pool" in refusal(original, "vgg11", KeyRules(in_order=True))


def test_a_network_that_pools_after_its_stem_cannot_be_told_and_so_is_warned_of() -> None:
    """huyvnphan/PyTorch_CIFAR10: the max-pool of torchvision stayed when its stem was made small."""
    original = theirs.trained(lambda: theirs.ResNet((2, 2, 2, 2), CLASSES, 3, pool=True, **theirs.TORCHVISION))
    model, _, said = taken(original, "resnet18")
    assert not torch.allclose(answer(model), answer(original), rtol=0.1)
    assert said[1] == (
        "beware: one that kept the max-pool after a 3×3 stem has the same keys, and is far less accurate here"
    )


def with_biases(network: nn.Module) -> nn.Module:
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.bias = nn.Parameter(torch.zeros(module.out_channels, device="meta"))
    return network


def without(network: nn.Module, *names: str) -> nn.Module:
    for name in names:
        delattr(network, name)
    return network


def test_another_network_is_told_by_the_names_that_the_users_rules_leave() -> None:
    with torch.device("meta"):
        state = theirs.WideResNet(16, 2, CLASSES, 3).state_dict()
    given = {f"net/{name}": value for name, value in state.items()}
    rules = KeyRules(renamings=["^net/="])
    wanted = networks.build("wrn16_1", CLASSES, 3).state_dict()
    with pytest.raises(UserError, match=r"these are the keys of wrn16_2 in the layout of xternalz, .*, not of wrn16_1"):
        match(given, wanted, network="wrn16_1", dataset="cifar7", rules=rules, say=print)


@pytest.mark.parametrize("case", REFUSED)
def test_another_function_is_refused_and_told_why(case: str) -> None:
    network, build, expected = REFUSED[case]
    with torch.device("meta"):
        original = build()
    text = refusal(original, network)
    for words in expected:
        assert words in text
    assert len(text.splitlines()) < 14
