"""How public repositories name what our networks hold: facts, by the file of `harness/networks/` that defines them.

A layout stands here only if its network was compared with ours line by line: equal names and shapes are not yet equal
functions. What would fit and computes something else stands here too, with its refusal.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from harness import networks

Replacement = str | Callable[[re.Match[str]], str]


@dataclass(frozen=True)
class Layout:
    """The names that some repositories share.

    Attributes:
        repositories: whose they are; none if they are the network's own.
        rules: (pattern, replacement) each, applied in this order, from our names to theirs.
        caution: what has the same names and shapes but is another network, so that the accuracy alone can tell.
        refusal: why a file in this layout is none of the network's, though all of its tensors would fit.
    """

    repositories: tuple[str, ...]
    rules: tuple[tuple[str, Replacement], ...] = ()
    caution: str = ""
    refusal: str = ""

    @property
    def name(self) -> str | None:
        """As it stands in records: the first of the repositories, None for the network's own."""
        return self.repositories[0] if self.repositories else None

    def spell(self, name: str) -> str:
        """Their name of the tensor that is ``name`` in our network."""
        for pattern, replacement in self.rules:
            name = re.sub(pattern, replacement, name)
        return name

    def __str__(self) -> str:
        return f"the layout of {', '.join(self.repositories)}" if self.repositories else "its own layout"


def _numbered(template: str, *firsts: int) -> Replacement:
    """``template`` with a number: the one of ``firsts`` at the pattern's first group, plus its second group if any."""
    return lambda match: template.format(firsts[int(match[1])] + sum(map(int, match.groups()[1:])))


OWN = Layout(())
LAYERS = (r"^groups\.(\d)", _numbered("layer{}", 1, 2, 3, 4))

FAMILIES = {
    "resnet": (
        Layout(("kuangliu", "DAFL", "DFAD", "CMI", "Fast", "NAYER", "RepDistiller", "mdistiller"), (LAYERS,)),
        Layout(
            ("torchvision", "timm"),
            (LAYERS, (r"\.shortcut\.", ".downsample."), ("^linear", "fc")),
            caution="one that kept the max-pool after a 3×3 stem has the same keys, and is far less accurate here",
        ),
        Layout(
            ("weiaicunzai",),
            (
                (r"^conv1\.", "conv1.0."),
                (r"^bn1\.", "conv1.1."),
                (r"^groups\.(\d)", _numbered("conv{}_x", 2, 3, 4, 5)),
                (r"\.conv1\.", ".residual_function.0."),
                (r"\.bn1\.", ".residual_function.1."),
                (r"\.conv2\.", ".residual_function.3."),
                (r"\.bn2\.", ".residual_function.4."),
                ("^linear", "fc"),
            ),
        ),
    ),
    "resnet_cifar": (Layout(("akamaster",), (LAYERS,)),),
    "wrn": (
        Layout(
            ("xternalz", "ZSKT", "CMI", "Fast", "NAYER", "RepDistiller", "mdistiller", "outlier-exposure"),
            (
                (r"^groups\.(\d)", _numbered("block{}.layer", 1, 2, 3)),
                (r"\.shortcut\.", ".convShortcut."),
                (r"^bn\.", "bn1."),
                ("^linear", "fc"),
            ),
        ),
    ),
    "vgg": (
        Layout(
            ("RepDistiller", "mdistiller", "CMI", "Fast", "NAYER"), ((r"^groups\.", "block"), ("^linear", "classifier"))
        ),
        Layout(
            ("kuangliu",),
            ((r"^groups\.(\d)\.(\d)", _numbered("features.{}", 0, 4, 8, 15, 22)), ("^linear", "classifier")),
            refusal="a max-pool ends each of its five groups; here one ends the first three, and the last maps are "
            "averaged: the same weights make another function",
        ),
    ),
    "deeplab": (
        Layout(
            ("DFAD",),
            (
                (r"^backbone\.stem\.", "backbone.features.0."),
                (r"^backbone\.stages\.(\d)\.(\d)\.layers", _numbered("backbone.features.{}.conv", 1, 4, 7, 14)),
                (r"^head\.0\.branches\.", "classifier.0.convs."),
                (r"^head\.0\.pooled\.", "classifier.0.convs.4."),
                (r"^head\.([12])\.", _numbered("classifier.0.project.{}.", 0, 0, 1)),
                (r"^head\.([568])\.", _numbered("classifier.{}.", 0, 0, 0, 0, 0, 1, 2, 0, 4)),
            ),
            caution="torchvision's has the same keys, and the same function on images up to 256 pixels wide: its last "
            "dilation is 36 where DFAD has 32",
        ),
    ),
}
"""File of `harness/networks/` -> layouts of its networks, our own left out.

The repositories: kuangliu/pytorch-cifar, huawei-noah/Data-Efficient-Model-Compression (DAFL),
VainF/Data-Free-Adversarial-Distillation (DFAD), zju-vipa/CMI, zju-vipa/Fast-Datafree, tmtuan1307/NAYER,
HobbitLong/RepDistiller, megvii-research/mdistiller, weiaicunzai/pytorch-cifar100, akamaster/pytorch_resnet_cifar10,
xternalz/WideResNet-pytorch, polo5/ZeroShotKnowledgeTransfer (ZSKT), hendrycks/outlier-exposure.
"""

TELLTALES = {
    "resnet": ((r"\bconv3\.", "its blocks have three convolutions, as from ResNet-50 on"),),
    "resnet_cifar": (
        (r"\.(shortcut|downsample)\.0\.", "its shortcuts have weights (type B); those of He et al. have none (type A)"),
    ),
    "wrn": ((r"(conv\w*|residual\.[26]|shortcut\.0)\.bias$", "its convolutions have biases; those of WRN have none"),),
    "vgg": ((r"classifier\.\d", "its classifier has more than one linear layer"),),
}
"""File of `harness/networks/` -> (pattern, meaning) of keys that only other networks have."""


def of(network: str) -> tuple[Layout, ...]:
    """All layouts of a network, its own first."""
    return (OWN, *FAMILIES.get(_family(network), ()))


def telltales(network: str, keys: list[str]) -> list[str]:
    """What keys say about a network that is not this one."""
    known = TELLTALES.get(_family(network), ())
    return [meaning for pattern, meaning in known if any(re.search(pattern, key) for key in keys)]


def _family(network: str) -> str:
    """The file of `harness/networks/` that defines a network; empty for one that is not of the bench."""
    return networks.source(network).stem if network in networks.names() else ""
