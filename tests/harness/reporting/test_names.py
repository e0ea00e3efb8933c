import pytest

import methods
from harness import networks
from harness.reporting import names
from methods.base.pair import Pair


@pytest.mark.parametrize(
    ("label", "printed"),
    [
        ("ssd-kd", "SSD-KD"),
        ("ssd-kd-a", "SSD-KD (a)"),
        ("fast-2", "Fast-2"),
        ("fast-2-tuned", "Fast-2 (tuned)"),
        ("ssd-kd-tuned", "SSD-KD (tuned)"),
        ("spaceshipnet-80k", "SpaceshipNet-80k"),
        ("dafl-cmi", "DAFL (CMI)"),
        ("dfad-ema", "DFAD (EMA)"),
        ("nayer-no-text", "NAYER (no text)"),
        ("pre-dfkd", "PRE-DFKD"),
        ("kd-noise", "KD-noise"),
        ("none", "No module"),
        ("fasting", "fasting"),
        ("my-fast", "my-fast"),
        ("replace-oldest", "replace-oldest"),
        ("ssd-", "ssd-"),
        (f"my-{'x' * 40}", f"my-{'x' * 15}…{'x' * 9}"),
    ],
)
def test_labels(label: str, printed: str) -> None:
    assert names.label(label) == printed


@pytest.mark.parametrize(
    ("label", "method", "printed"),
    [
        ("dafl-cmi", "dafl", "DAFL (CMI)"),
        ("fast-mine", "mine.py", "fast-mine"),
        ("cmi", "dafl", "cmi"),
        ("no-diversity", "ssd-kd", "no-diversity"),
    ],
)
def test_a_label_that_does_not_begin_with_its_method_says_something_else(label: str, method: str, printed: str) -> None:
    assert names.label(label, method) == printed


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("wrn40_2", "WRN-40-2"),
        ("resnet34", "ResNet-34"),
        ("vgg11", "VGG-11"),
        ("cnn3_16", "CNN-3-16"),
        ("wrn40_2+cmi", "WRN-40-2+cmi"),
        ("torchvision.resnet18", "torchvision.resnet18"),
        ("resnets.small", "resnets.small"),
        ("wrn40_", "wrn40_"),
    ],
)
def test_networks(name: str, printed: str) -> None:
    assert names.network(name) == printed


def test_pairs_and_datasets() -> None:
    assert names.pair(Pair.of("wrn40_2", "wrn16_1")) == "WRN-40-2 → WRN-16-1"
    assert names.dataset("cifar10") == "CIFAR-10"
    assert names.dataset("birds") == "birds"


def test_everything_of_the_bench_has_a_name() -> None:
    """A method or network that is added here is given one; those of others need none."""
    assert {name for name in methods.names() if names.label(name) == name} == set()
    assert {name for name in networks.names() if names.network(name) == name} == set()
