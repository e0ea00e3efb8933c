"""What methods, networks and datasets are called in print; records, files and command lines keep the names they have.

Names that are not known here pass as they are, so that nothing of a user's needs an entry; long ones are shortened.
"""

from __future__ import annotations

import functools
import re

import methods
from harness.reporting import text
from methods.base.names import OWN
from methods.base.pair import Pair

REFERENCES = {"scratch": "Scratch", "kd-real": "KD-real", "kd-noise": "KD-noise"}
OTHERS = {"none": "No module"}
"""Labels that would read as an empty field."""
FAMILIES = {"wrn": "WRN", "resnet": "ResNet", "vgg": "VGG", "cnn": "CNN"}
"""Networks of which a name is followed by numbers."""
NETWORKS = {"deeplabv3_resnet50": "DeepLabV3-ResNet-50", "deeplabv3_mobilenetv2": "DeepLabV3-MobileNetV2"}
DATASETS = {
    "digits": "Digits",
    "digits-tuning": "Digits (tuning)",
    "cifar10": "CIFAR-10",
    "cifar10-tuning": "CIFAR-10 (tuning)",
    "cifar100": "CIFAR-100",
    "nyuv2": "NYUv2",
    "camvid": "CamVid",
    "imagenet": "ImageNet",
    "tiny-imagenet": "Tiny ImageNet",
}


def label(label: str, method: str | None = None) -> str:
    """A label as printed: ``Fast-2`` for ``fast-2``, ``DAFL (CMI)`` for ``dafl-cmi``.

    Args:
        method: that it runs, where that is known; a label that does not begin with its name says something else.
    """
    if label in OTHERS:
        return OTHERS[label]
    known = [name for name in _methods() if method in (None, name) and f"{label}-".startswith(f"{name}-")]
    if not known:
        return text.short(label)
    # Of two that begin a label, the longer one is meant.
    name = max(known, key=len)
    return text.short(_methods()[name] + _variant(label.removeprefix(name).removeprefix("-")))


def network(name: str) -> str:
    """A network or a teacher as printed: ``WRN-40-2`` for ``wrn40_2``; behind ``+`` stands the teacher's own name."""
    known, plus, own = name.partition(OWN)
    numbered = re.fullmatch(rf"({'|'.join(FAMILIES)})(\d+(?:_\d+)*)", known)
    printed = f"{FAMILIES[numbered[1]]}-{numbered[2].replace('_', '-')}" if numbered else NETWORKS.get(known, known)
    return text.short(printed + plus + own)


def pair(pair: Pair) -> str:
    """A pair as printed: ``WRN-40-2 → WRN-16-1``."""
    return f"{network(pair.teacher)} → {network(pair.student)}"


def dataset(name: str) -> str:
    """A dataset as printed: ``CIFAR-10`` for ``cifar10``."""
    return text.short(DATASETS.get(name, name))


@functools.cache
def _methods() -> dict[str, str]:
    """Method -> its name as its authors write it."""
    return {name: REFERENCES.get(name) or _spelled(name) for name in methods.names()}


def _spelled(method: str) -> str:
    """The first word of a method's file, where that spells its name."""
    first = re.match(r'"""([\w-]+)', methods.source(method).read_text(encoding="utf-8"))
    return first[1] if first and first[1].lower() == method else method


def _variant(rest: str) -> str:
    """What a label says behind the name of its method: a number belongs to it, words do not."""
    number, _, words = rest.partition("-") if rest[:1].isdigit() else ("", "", rest)
    printed = {**_methods(), "ema": "EMA"}
    spelled = " ".join(printed.get(word, word) for word in words.split("-"))
    return (f"-{number}" if number else "") + (f" ({spelled})" if words else "")
