"""DeepInversion's total variation against a loop, in float64."""

from __future__ import annotations

import pytest
import torch

from methods.deepinversion import mean_norm, total_variation, variation_norm
from tests import small
from tests.methods import slow

pytestmark = pytest.mark.usefixtures("double")


def test_total_variation_equals_a_loop() -> None:
    x = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    sums = {step: [] for step in ((0, 1), (1, 0), (1, 1), (1, -1))}  # type: dict[tuple[int, int], list[float]]
    for image in x.flatten(0, 1).tolist():
        for row in range(4):
            for column in range(5):
                for (down, right), found in sums.items():
                    if row + down < 4 and 0 <= column + right < 5:
                        found.append(abs(image[row + down][column + right] - image[row][column]))
    assert total_variation(x).item() == pytest.approx(sum(sum(f) / len(f) for f in sums.values()), rel=1e-10)
    norms = sum(sum(value**2 for value in f) ** 0.5 for f in sums.values())
    assert variation_norm(x).item() == pytest.approx(norms, rel=1e-10)


def test_the_norm_of_images_is_a_mean() -> None:
    x = torch.tensor([3.0, 4.0, 0.0, 12.0, 5.0, 0.0]).view(2, 3, 1, 1)
    assert mean_norm(x).item() == pytest.approx((5 + 13) / 2, rel=1e-10)


def test_the_pixels_rate_rises_in_a_line_and_falls_along_a_cosine() -> None:
    """5 steps up; 0, 1/4, 2/4 and 3/4 of half a cosine down: 1, (1 + √½) / 2, 1/2, (1 - √½) / 2."""
    given = small.context(*small.agreeing_pair())
    inverter = small.make(
        "deepinversion", given, small.options("deepinversion", inner_steps=9, lr_warmup=5, lr_x=1.0)
    ).inverter
    rates: list[float] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("methods.deepinversion.set_learning_rate", lambda optimizer, rate: rates.append(rate))
        inverter.synthesise(0)
    expected = [0.2, 0.4, 0.6, 0.8, 1.0, 1.0, 0.5 + 0.125**0.5, 0.5, 0.5 - 0.125**0.5]
    assert rates == pytest.approx(expected, rel=1e-12)


def test_every_term_of_the_preset_for_imagenet_acts() -> None:
    """One step of pixels from the same noise, with each weight once as in the preset and once as on CIFAR."""
    values = small.full_options("deepinversion", "imagenet", **small.FEW, inner_steps=2, inversion_batch=4)
    assert {"tv_norm": 1e-4, "norm": 1e-5, "first_bn": 10.0}.items() <= values.items()

    def loss(**other: float) -> float:
        made = small.make("deepinversion", small.context(*small.agreeing_pair()), values | other)
        return made.inverter.synthesise(0).losses["loss"].item()

    found = [loss(), loss(tv_norm=0.0), loss(norm=0.0), loss(first_bn=1.0)]
    assert len(set(found)) == 4


@pytest.mark.parametrize(("side", "pixels"), [(32, 4), (128, 16), (8, 1), (224, 28)])
def test_jitter_is_an_eighth_of_the_side(side: int, pixels: int) -> None:
    given = small.context(*small.agreeing_pair(), shape=(1, side, side))
    inverter = small.make("deepinversion", given, small.options("deepinversion", inner_steps=2000)).inverter
    for shifts in inverter._shifts(torch.Generator().manual_seed(0)):
        moved = set(((shifts[:, 0] + side // 2) % side - side // 2).tolist())
        assert moved == set(range(-pixels, pixels + 1))


def test_a_call_is_adam_on_shifted_and_mirrored_pixels() -> None:
    """Three steps in plain words: the prior of the unshifted image, the rest of the shifted one, pixels clamped."""
    more = {"inner_steps": 3, "inversion_batch": 6, "student_bn": 0.5, "tv": 0.1, "adv": 0.0, "lr_x": 0.5}
    given = small.context(*small.agreeing_pair(), flip=True)
    method = small.make("deepinversion", given, small.options("deepinversion", **more))
    config, (teacher, student) = method.config, small.agreeing_pair()
    random = given.random("inversion", 0)
    x = torch.randn(6, 1, 8, 8, generator=random).requires_grad_()
    y = torch.randint(10, (6,), generator=random).sort().values
    down, right = (torch.randint(-1, 2, (3, 1), generator=random) for _ in range(2))  # an eighth of the side
    mirrored = torch.rand(3, 1, generator=random) < 0.5
    assert 0 < int(mirrored.sum()) < 3
    mean, std = given.task.mean[0], given.task.std[0]
    adam = torch.optim.Adam([x], lr=0.5, betas=(0.5, config.beta2))
    given.student.eval()
    for step in range(3):
        shifted = torch.roll(x, (int(down[step]), int(right[step])), (2, 3))
        shifted = shifted.flip(3) if mirrored[step] else shifted
        inputs, logits = slow.batch_norm_inputs(teacher, shifted)
        task = slow.mean(slow.cross_entropies(logits, y.tolist()))
        theirs = slow.bn_loss(slow.statistics(inputs))
        ours = slow.bn_loss(slow.statistics(slow.batch_norm_inputs(student, shifted)[0]))
        loss = config.oh * task + config.bn * (theirs - 0.5 * ours) + 0.1 * total_variation(x)
        (x.grad,) = torch.autograd.grad(loss, [x])
        adam.step()
        with torch.no_grad():
            x.clamp_((0 - mean) / std, (1 - mean) / std)
    found = method.inverter.synthesise(0).images
    assert torch.allclose(found, x.detach() * std + mean, rtol=1e-7, atol=1e-9)
