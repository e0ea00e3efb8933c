"""Presets: the flags of the official scripts, for the problems they were published for, and who borrows them."""

from __future__ import annotations

import math
from typing import Any

import pytest

import methods
from methods.base.pair import Pair
from methods.base.presets import (
    CIFAR_PAIRS,
    DEEPLABS,
    IMAGENET_PAIRS,
    RESNETS,
    VGG_RESNET,
    WRN_16_1,
    WRN_40_1,
    WRNS,
    Chosen,
    Problem,
    resolve,
)


def chosen(method: str, preset: str, pair: Pair = WRN_16_1, dataset: str = "cifar10") -> Chosen:
    return resolve(method, methods.load(method).presets, preset, Problem(dataset, pair))


def values(method: str, preset: str, pair: Pair = WRN_16_1, dataset: str = "cifar10") -> dict[str, Any]:
    """The complete configuration that a preset makes for a problem, with the defaults of the harness."""
    problem = Problem(dataset, pair)
    return methods.load(method).configure(preset, {}, {}, problem).model_dump()


def holds(found: dict[str, Any], **expected: Any) -> bool:
    return {key: found[key] for key in expected} == pytest.approx(expected)


@pytest.mark.parametrize("dataset", ["cifar10", "cifar100"])
@pytest.mark.parametrize(
    ("pair", "adv", "oh"), [(RESNETS, 1.33, 0.5), (VGG_RESNET, 1.0, 0.5), *((pair, 1.1, 0.4) for pair in WRNS)]
)
@pytest.mark.parametrize(
    ("preset", "k", "lr_g", "lr_z"),
    [("fast-2", 2, 5e-3, 0.015), ("fast-5", 5, 3e-3, 0.01), ("fast-10", 10, 2e-3, 0.01)],
)
def test_fast(dataset: str, pair: Pair, adv: float, oh: float, preset: str, k: int, lr_g: float, lr_z: float) -> None:
    """Fast-Datafree, scripts/: the flags for the five pairs, the same for both datasets."""
    found = values("fast", preset, pair, dataset)
    assert holds(found, adv=adv, oh=oh, bn=10, bn_momentum=0.9, inner_steps=k, lr_g=lr_g, lr_z=lr_z)
    assert holds(found, steps=80_000, epochs=200, batch=256, inversion_batch=256, nz=256)
    assert holds(found, lr=0.2, final_lr=2e-4, weight_decay=1e-4, temperature=20)
    assert holds(found, warmup=20 / 220, reset=140 / 220)
    assert chosen("fast", preset, pair, dataset).note is None


@pytest.mark.parametrize(("preset", "epochs"), [("nayer-100", 100), ("nayer-200", 200), ("nayer-300", 300)])
def test_nayer_on_tiny_imagenet(preset: str, epochs: int) -> None:
    """Its scripts' flags for this set: 20 epochs of 20 batches, then one of four each."""
    found = values("nayer", preset, RESNETS, "tiny-imagenet")
    assert holds(found, inner_steps=60, inversion_batch=200, batch=256, lr=0.1, steps=1000 * epochs, epochs=epochs)
    assert holds(found, lr_g=4e-3, adv=1.33, bn=10, oh=0.5, warmup=20 * 20 / (20 * 20 + 4 * epochs), lives=epochs // 10)
    assert chosen("nayer", preset, RESNETS, "tiny-imagenet").note is None


@pytest.mark.parametrize(("pair", "adv"), list(zip(IMAGENET_PAIRS, (0.1, 1.0, 0.1), strict=True)))
def test_fast_on_imagenet(pair: Pair, adv: float) -> None:
    """The logs' flags: 400 epochs of 1,000 steps at 10 %."""
    found = values("fast", "imagenet", pair, "imagenet")
    assert holds(found, adv=adv, bn=0.1, oh=0.1, bn_momentum=0.9, inner_steps=50, lr_g=2e-4, lr_z=0.01, lr_meta=1e-4)
    assert holds(found, batch=100, inversion_batch=100, nz=256, temperature=5, lr=0.1, final_lr=0, epochs=400)
    assert (found["steps"] / 10, found["reset"], found["warmup"]) == (400 * 1000, None, 0)
    assert chosen("fast", "imagenet", pair, "imagenet").note is None
    assert "torchvision:resnet50 on imagenet" in str(chosen("fast", "imagenet", RESNETS, "tiny-imagenet").note)


def test_deepinversion_on_imagenet() -> None:
    """The README's command and the script's defaults, 2,000 steps at 224 × 224; the paper's weight of competition."""
    found = values("deepinversion", "imagenet", IMAGENET_PAIRS[0], "imagenet")
    assert holds(found, inner_steps=2000, lr_x=0.25, beta2=0.9, lr_warmup=100, inversion_batch=84, oh=1, adv=0.2)
    assert holds(found, bn=0.01, first_bn=10, tv=0, tv_norm=1e-4, norm=1e-5, temperature=3)
    assert round(found["jitter"] * 224) == 30
    assert chosen("deepinversion", "imagenet", IMAGENET_PAIRS[0], "imagenet").note is None
    assert chosen("deepinversion", "imagenet", IMAGENET_PAIRS[1], "imagenet").note is not None


@pytest.mark.parametrize("dataset", ["cifar10", "cifar100"])
@pytest.mark.parametrize(
    ("pair", "dist"), [(RESNETS, 0.0), (VGG_RESNET, 0.8), (WRN_16_1, 0.0), (WRN_40_1, 0.7), (WRNS[2], 0.0)]
)
@pytest.mark.parametrize("epochs", [100, 300])
def test_cpnet(dataset: str, pair: Pair, dist: float, epochs: int) -> None:
    """Both scripts, line by line; `cpnet_300.sh` has an exception in each of its flags adv and dist."""
    if epochs == 300 and dataset == "cifar100" and pair == RESNETS:
        dist = 1.0
    adv = 5.33 if epochs == 300 and dataset == "cifar10" and pair == VGG_RESNET else 1.33
    for preset, align in (f"cpnet-{epochs}", 1.0), (f"cpnet-{epochs}-dist", dist):
        found = values("cpnet", preset, pair, dataset)
        assert holds(found, adv=adv, align=align, bn=10, oh=0.5, xn=1, bn_momentum=0.9, lr_g=4e-3, lr=0.2, nz=1000)
        assert holds(found, inner_steps={"cifar10": 30, "cifar100": 40}[dataset], inversion_batch=400, batch=512)
        assert holds(found, steps=400 * epochs, epochs=epochs, temperature=20, weight_decay=1e-4, final_lr=2e-4)
        assert holds(found, warmup=200 / (200 + 2 * epochs), warmup_lives=2, lives=epochs // 10)
        assert chosen("cpnet", preset, pair, dataset).note is None


@pytest.mark.parametrize("pair", CIFAR_PAIRS)
def test_ssd_kd_follows_fast_2(pair: Pair) -> None:
    fast, ssd_kd = values("fast", "fast-2", pair), values("ssd-kd", "fast-2", pair)
    shared = fast.keys() & ssd_kd.keys() - {"warmup", "lr_per"}
    assert {"adv", "oh", "bn", "lr", "lr_g", "steps"} <= shared
    assert {key: ssd_kd[key] for key in shared} == {key: fast[key] for key in shared}
    assert holds(ssd_kd, rounds=220, warmup=20)


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        ("cmi", {"inner_steps": 200, "batch": 256, "oh": 1, "cr": 0.8, "cr_temperature": 0.2, "epochs": 200}),
        ("cmi-500", {"inner_steps": 500, "batch": 256, "cr_temperature": 0.2}),
        ("scratch", {"inner_steps": 200, "batch": 128, "inversion_batch": 256, "oh": 1, "cr_temperature": 0.1}),
        ("adv", {"batch": 128, "inversion_batch": 256, "oh": 0.5, "cr_temperature": 0.1, "epochs": 40}),
    ],
)
def test_cmi(preset: str, expected: dict[str, float]) -> None:
    """CMI's repository, scripts/cmi."""
    found = values("cmi", preset)
    assert holds(found, **expected)
    assert holds(found, adv=0.5, bn=1, cr=0.8, lr=0.1, lr_g=1e-3, temperature=20, steps=80_000, nz=256)
    assert holds(found, projection=256, bank=40_960, negatives=4096)


def test_cmis_tuned_fast_was_for_cifar_100() -> None:
    assert holds(values("cmi", "fast-tuned", dataset="cifar100"), inner_steps=5, cr=0, oh=1, adv=0.5, bn=1)
    assert chosen("cmi", "fast-tuned", dataset="cifar100").note is None
    assert "wrn40_2 → wrn16_1 on cifar100" in str(chosen("cmi", "fast-tuned").note)


@pytest.mark.parametrize(("dataset", "k"), [("cifar10", 30), ("cifar100", 40)])
@pytest.mark.parametrize("pair", CIFAR_PAIRS)
@pytest.mark.parametrize(
    ("preset", "epochs", "lives"),
    [("nayer-100", 100, 10), ("nayer-200", 200, 20), ("nayer-300", 300, 30), ("nayer-no-text", 100, 10)],
)
def test_nayer(dataset: str, k: int, pair: Pair, preset: str, epochs: int, lives: int) -> None:
    """NAYER's repository, scripts; 400 steps an epoch, 20 · 10 batches before them and 2 in each."""
    found = values("nayer", preset, pair, dataset)
    assert holds(found, inner_steps=k, inversion_batch=400, lr_g=4e-3, adv=1.33, bn=10, oh=0.5, bn_momentum=0.9)
    assert holds(found, nz=1000, steps=400 * epochs, epochs=epochs, batch=512, lr=0.2, final_lr=2e-4, temperature=20)
    assert holds(found, warmup=200 / (200 + 2 * epochs), warmup_lives=2, lives=lives, weight_decay=1e-4)
    assert found["label_embedding"] == ("random" if preset == "nayer-no-text" else "one-hot")
    assert chosen("nayer", preset, pair, dataset).note is None


@pytest.mark.parametrize("dataset", ["cifar10", "cifar100"])
def test_cmi_compares_the_stages_of_a_resnet_34(dataset: str) -> None:
    assert values("cmi", "cmi", RESNETS, dataset)["features"] == "stages"
    assert values("cmi", "cmi", VGG_RESNET, dataset)["features"] == "batch-norm"
    assert chosen("cmi", "cmi", RESNETS, dataset).note is not None


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        ("adi", {"inner_steps": 1000, "lr_x": 0.1, "adv": 1, "tv": 0.001, "student_bn": 0, "steps": 80_000}),
        ("adi-2k", {"inner_steps": 2000, "lr_x": 0.1, "adv": 1}),
        ("plain", {"inner_steps": 1000, "adv": 0}),
        ("fast", {"inner_steps": 1000, "tv": 0, "student_bn": 0.001}),
        ("fast-tuned", {"inner_steps": 10, "lr_x": 1.0, "steps": 40_000}),
    ],
)
def test_deepinversion(preset: str, expected: dict[str, float]) -> None:
    """CMI's repository, scripts/deepinv, and Fast-Datafree's; the last one takes 200 steps an epoch."""
    found = values("deepinversion", preset)
    assert holds(found, **expected)
    assert holds(found, bn=10, oh=1, lr=0.1, batch=256, inversion_batch=256, temperature=20, epochs=200)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("dafl", {"oh": 1, "a": 0.001, "ie": 20 * math.log(10), "nz": 512, "student_steps": 5}),
        ("dfad", {"logarithm": False, "nz": 256, "student_steps": 5}),
        ("zskt", {"attention": 0, "class_mean": False, "nz": 256, "student_steps": 5}),
        ("dfq", {"adv": 1, "bn": 1, "oh": 1, "balance": 20, "nz": 256, "student_steps": 10}),
    ],
)
def test_cmis_forms_of_the_generator_methods(method: str, expected: dict[str, float]) -> None:
    """CMI's repository, scripts; the temperature as it takes effect."""
    found = values(method, "cmi")
    assert holds(found, **expected)
    assert holds(found, lr_g=1e-3, beta1=0.5, lr=0.1, batch=256, steps=80_000, epochs=200, weight_decay=1e-4)
    assert found.get("temperature", 1.0) == 1.0


def test_dfqs_second_script() -> None:
    assert values("dfq", "cmi", RESNETS, "cifar100")["lr"] == 0.05
    assert values("dfq", "cmi", RESNETS, "cifar10")["lr"] == 0.1


@pytest.mark.parametrize(
    ("dataset", "weights"),
    [("cifar10", {"oh": 0.05, "ie": 5, "a": 0.01}), ("cifar100", {"oh": 0.5, "ie": 20, "a": 0.1})],
)
def test_dafls_original(dataset: str, weights: dict[str, float]) -> None:
    """DAFL's repository, DAFL-train.py; one pair alone, CIFAR-100's weights for all that has more than ten classes."""
    found = values("dafl", "original", RESNETS, dataset)
    assert holds(found, **weights)
    assert holds(found, lr_g=0.02, beta1=0.9, nz=1000, batch=1024, steps=240_000, epochs=2000, student_steps=1)
    assert holds(found, lr=0.1, weight_decay=5e-4)
    assert found["lr_milestones"] == pytest.approx([0.4, 0.8])
    assert chosen("dafl", "original", RESNETS, dataset).note is None
    assert f"resnet34 → resnet18 on {dataset}" in str(chosen("dafl", "original", WRN_16_1, dataset).note)


def test_dfads_originals() -> None:
    """DFAD's repository, DFAD_cifar.py and the one of NYUv2."""
    found = values("dfad", "original", RESNETS)
    assert holds(found, batch=256, steps=125_000, student_steps=5, lr=0.1, weight_decay=5e-4, lr_g=1e-3, beta1=0.9)
    assert chosen("dfad", "original", RESNETS, "cifar100").note is None
    found = values("dfad", "nyuv2", DEEPLABS, "nyuv2")
    assert holds(found, batch=64, steps=75_000, epochs=300, weight_decay=5e-5, lr_factor=0.3, logarithm=True, lr=0.1)


def test_zskts_original() -> None:
    """ZSKT's repository, main.py; pairs of WRNs."""
    found = values("zskt", "original")
    assert holds(found, batch=128, nz=100, steps=800_000, student_steps=10, attention=250, clip=5, lr=2e-3, lr_g=1e-3)
    assert [chosen("zskt", "original", pair).note is None for pair in (*WRNS, RESNETS)] == [True, True, True, False]


@pytest.mark.parametrize("dataset", ["cifar10", "cifar100"])
@pytest.mark.parametrize(("preset", "steps"), [("spaceshipnet", 400_000), ("equal-budget", 80_000)])
def test_spaceshipnet(dataset: str, preset: str, steps: int) -> None:
    """Both files of CIFAR, which are for one pair; their 200 epochs have 2000 steps each."""
    found = values("spaceshipnet", preset, RESNETS, dataset)
    assert holds(found, steps=steps, epochs=200, batch=256, inversion_batch=256, nz=256, inner_steps=200, lr_g=1e-3)
    assert holds(found, bn=1, oh=0.5, adv=0, exchange=0.7, cam=1, gradcam=1, temperature=30)
    assert holds(found, lr=0.1, final_lr=0, weight_decay=1e-4)
    assert chosen("spaceshipnet", preset, RESNETS, dataset).note is None
    assert "resnet34 → resnet18" in str(chosen("spaceshipnet", preset, VGG_RESNET, dataset).note)


def test_pre_dfkd() -> None:
    """PRE-DFKD's repository: one pair on one dataset."""
    found = values("pre-dfkd", "original", RESNETS, "cifar100")
    assert holds(found, batch=1024, steps=144_000, epochs=400, student_steps=10, lr=0.1, weight_decay=5e-4, final_lr=0)
    assert holds(found, nz=1000, lr_g=0.02, beta1=0.9, oh=1, ie=5, a=0.1, lr_memory=5e-4, lr_z=0.02, divergence=1e-5)
    assert holds(found, memory=128 / 1024, memory_fresh=512 / 1024, memory_steps=4, generator_decays=False)
    assert chosen("pre-dfkd", "original", RESNETS, "cifar100").note is None
    assert "resnet34 → resnet18 on cifar100" in str(chosen("pre-dfkd", "original", RESNETS).note)


def test_pre_dfkd_at_fasts_number_of_views() -> None:
    found = values("pre-dfkd", "equal-views", RESNETS, "cifar100")
    assert found["steps"] * found["batch"] == 80_000 * 256
    original = values("pre-dfkd", "original", RESNETS, "cifar100")
    assert {name for name in found if found[name] != original[name]} == {"steps", "epochs", "batch"}


def test_methods_with_two_published_forms_have_both() -> None:
    for method in ("dafl", "dfad", "zskt"):
        assert {"original", "cmi"} <= set(methods.load(method).presets)


@pytest.mark.parametrize("name", sorted({*methods.names()} - {*methods.REFERENCES}))
def test_every_presets_cases_are_valid_configurations(name: str) -> None:
    cls = methods.load(name)
    for preset in cls.presets.values():
        for options in preset.all_options():
            cls.Config(**{"steps": 400, "epochs": 4, "batch": 8, **options})


def test_what_was_not_published_says_whose_values_it_has() -> None:
    assert chosen("fast", "fast-2", WRN_16_1).note is None
    note = chosen("deepinversion", "adi", WRN_40_1, "cifar100").note
    assert note == "no published values for wrn40_2 → wrn40_1 on cifar100: those of wrn40_2 → wrn16_1 on cifar10"
