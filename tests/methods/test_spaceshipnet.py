"""SpaceshipNet's inversion and its student's step against plain ones, and what its pool hands out later."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from methods.parts.feature_generator import Entry
from methods.parts.sources import Batch
from methods.spaceshipnet import FeatureGenerator, initialise
from tests import small
from tests.methods import slow

TEN = pytest.mark.usefixtures("double")


def spaceshipnet(scale: float = 0.2, **more: Any) -> Any:
    given = small.context(*small.agreeing_pair(), scale=scale)
    return small.make("spaceshipnet", given, small.options("spaceshipnet", **more))


def test_the_generator_starts_at_kaimings_scale() -> None:
    torch.manual_seed(0)
    made = FeatureGenerator(small.CIFAR, nz=256, width=64)
    initialise(made)
    linear, conv, norm = made.generator.linear, made.generator.body[0], made.generator.body[1]
    assert float(linear.weight.detach().std()) == pytest.approx(math.sqrt(2 / 256), rel=0.02)
    assert float(conv.weight.detach().std()) == pytest.approx(math.sqrt(2 / (9 * 64)), rel=0.02)  # type: ignore[union-attr, operator]
    assert float(norm.weight.detach().mean()) == pytest.approx(1, abs=0.01)  # type: ignore[union-attr, operator]
    assert float(norm.weight.detach().std()) == pytest.approx(0.02, rel=0.3)  # type: ignore[union-attr, operator]
    assert {float(layer.bias.detach().abs().max()) for layer in (linear, norm, made.generator.body[6])} == {0.0}  # type: ignore[union-attr, operator]


@TEN
def test_a_round_of_inversion_is_plain_adam_on_the_generator_alone() -> None:
    """Three steps on a copy, in loops; the latents stay, the student is not asked, the classes come in turn."""
    method = spaceshipnet()
    plain, teacher = copy.deepcopy(method.inverter.generator).train(), small.agreeing_pair()[0]
    random = method.context.random("inversion", 0)
    z, y = torch.randn(16, 16, generator=random), [*range(10), *range(6)]
    views = [torch.randint(9, (16,), generator=random).tolist() for _ in range(3)]
    adam, best = torch.optim.Adam(plain.parameters(), 1e-3, betas=(0.5, 0.999)), (math.inf, z, ())
    for step in range(3):
        images, maps = plain(z)
        seen = torch.stack([slow.crop(one, view, 1) for one, view in zip(images, views[step], strict=True)])
        x = slow.normalised(seen, small.DIGITS.mean, small.DIGITS.std)
        inputs, logits = slow.batch_norm_inputs(teacher, x)
        loss = 0.5 * slow.mean(slow.cross_entropies(logits, y)) + slow.bn_loss(slow.statistics(inputs))
        if float(loss) < best[0]:
            best = float(loss), images.detach(), tuple(one.detach() for one in maps)
        adam.zero_grad()
        loss.backward()
        adam.step()
    made = method.inverter.synthesise(0)
    assert torch.allclose(made.images, best[1])
    assert torch.allclose(made.extras["maps"], rows(best[2]))
    for a, b in zip(method.inverter.generator.parameters(), plain.parameters(), strict=True):
        assert torch.allclose(a, b, rtol=1e-6, atol=1e-9)
    assert torch.equal(torch.randn(16, 16, generator=method.context.random("inversion", 0)), z)


def rows(maps: Any) -> Tensor:
    """Image by image, map by map, pixel by pixel."""
    per_image = [[one[i, :, y, x] for one in maps for y in range(one.shape[2]) for x in range(one.shape[3])]
                 for i in range(len(maps[0]))]  # fmt: skip
    return torch.stack([torch.cat(values) for values in per_image])


def test_the_student_plays_no_part_in_inversion(monkeypatch: pytest.MonkeyPatch) -> None:
    method = spaceshipnet()
    monkeypatch.setattr(method.context.student, "forward", None)
    method.synthesise(0)


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_stored_maps_make_other_images_once_the_generator_went_on(depth: int) -> None:
    """In training mode and for the whole batch they make the stored ones as long as the weights are the same."""
    method = spaceshipnet(inner_steps=1, lr_g=0.05)
    generator = method.inverter.generator
    before = copy.deepcopy(generator).train()
    images = method.inverter.synthesise(0)
    method.source.admit(images.images, 0, images.extras)
    maps = method.source.maps(torch.arange(16))
    entry = Entry(maps, torch.tensor(depth))
    assert torch.allclose(before(entry)[0], images.images, atol=1e-6)
    method.inverter.synthesise(1)
    assert float((generator(entry)[0] - images.images).detach().abs().max()) > 0.01


@TEN
def test_a_step_of_the_student_is_plain_sgd_on_all_three_losses() -> None:
    """Teacher and student with hooks, gradients of each map by PyTorch, means by hand."""
    method, (teacher, _) = spaceshipnet(), small.agreeing_pair()
    student = copy.deepcopy(method.context.student).train()
    x = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    t, s = (plain_pass(network, x) for network in (teacher, student))
    classes = slow.largest(t["logits"])
    kd = slow.mean(slow.kl_rows(t["logits"].detach(), s["logits"], 30.0)) / 10
    cams = [torch.einsum("kc,bchw->bkhw", found["head"].detach(), found["last"]) for found in (t, s)]
    cam = ((cams[1] - cams[0].detach()) ** 2).mean()
    looks = [[look(found, i, classes) for i in range(3)] for found in (t, s)]
    gradcam = sum(((mine - theirs.detach()) ** 2).mean() for theirs, mine in zip(*looks, strict=True))
    loss = kd + cam + gradcam
    (of_head,) = torch.autograd.grad(cam, [s["head"]], retain_graph=True, allow_unused=True)
    assert of_head is None
    loss.backward()
    torch.optim.SGD(student.parameters(), 0.1, momentum=0.9, weight_decay=1e-4).step()
    method.distiller.begin_round(0)
    found = method.distiller.step(Batch(x))
    expected = {"loss": loss, "kd": kd, "cam": cam, "gradcam": gradcam}
    assert {name: float(value) for name, value in found.losses.items()} == pytest.approx(
        {name: float(value) for name, value in expected.items()}, rel=1e-9
    )
    for a, b in zip(method.context.student.parameters(), student.parameters(), strict=True):
        assert torch.allclose(a, b, rtol=1e-8, atol=1e-12)


def plain_pass(network: nn.Module, x: Tensor) -> dict[str, Any]:
    """Logits, the maps at 8 × 8, 4 × 4 and 2 × 2, the last one as it is pooled, and the classifier's weight."""
    is_wide = hasattr(network, "groups")
    ends = [*network.groups] if is_wide else [*network.layers]
    seen: list[Tensor] = []
    hooks = [module.register_forward_hook(lambda _m, _i, output: seen.append(output)) for module in ends]
    normed: list[Tensor] = []
    if is_wide:
        hooks.append(network.bn.register_forward_hook(lambda _m, _i, output: normed.append(output)))
    x = x.clone().requires_grad_()
    logits = network(x)
    for hook in hooks:
        hook.remove()
    last = normed[0].relu() if is_wide else seen[-1]
    assert [one.shape[2] for one in seen] == [8, 4, 2]
    assert torch.allclose(network.linear(last.mean((2, 3))), logits)
    return {"logits": logits, "maps": seen, "last": last, "head": network.linear.weight}


def look(found: dict[str, Any], stage: int, classes: list[int]) -> Tensor:
    """Grad-CAM, one channel after another."""
    activation = found["maps"][stage]
    chosen = torch.stack([row[k] for row, k in zip(found["logits"], classes, strict=True)]).sum()
    (gradient,) = torch.autograd.grad(chosen, activation, retain_graph=True)
    parts = [gradient[:, c].mean((1, 2))[:, None, None] * activation[:, c] for c in range(activation.shape[1])]
    return torch.stack(parts).sum(0)


class Head(nn.Module):
    """A student whose classifier sees more than a mean, or whose stages have a size of their own."""

    def __init__(self, features: int, stride: int) -> None:
        super().__init__()
        self.conv, self.linear = nn.Conv2d(1, 4, 3, stride), nn.Linear(features, 10)

    def forward(self, x: Tensor, return_features: bool = False) -> Any:
        stage = self.conv(x)
        features = stage.mean((2, 3)).repeat(1, self.linear.in_features // 4)
        logits = self.linear(features)
        return (logits, features, (stage,)) if return_features else logits


@pytest.mark.parametrize(
    ("student", "problem"),
    [
        (Head(8, 1), "takes 8 features, and the map has 4 channels"),
        (Head(4, 1), r"stages of the same height and width: .* and \[\(6, 6\)\]"),
    ],
)
def test_networks_that_cannot_be_compared_are_refused_before_anything_is_made(student: nn.Module, problem: str) -> None:
    given = small.context(small.network("wrn10_1", 1), student, scale=0.2)
    with pytest.raises(ValueError, match=problem):
        small.make("spaceshipnet", given, small.options("spaceshipnet"))


@pytest.mark.parametrize("left_out", ["cam", "gradcam"])
def test_a_constraint_of_weight_0_is_not_computed(left_out: str) -> None:
    method = spaceshipnet(**{left_out: 0.0})
    method.synthesise(0)
    method.begin_round(0, 1)
    assert set(method.distill_step()) == {"loss", "kd", "cam", "gradcam"} - {left_out}


@pytest.mark.parametrize(("scale", "rounds"), [(1.0, 196), (0.1, 20), (0.001, 1)])
def test_its_pool_takes_as_many_rounds_as_n_images(scale: float, rounds: int) -> None:
    method = small.build_full("spaceshipnet", "spaceshipnet", scale, batch=8)
    assert method.schedule.synthesis_rounds == rounds
    assert method.schedule.steps == round(scale * 400_000)
    assert method.source.capacity == round(scale * 50_000)
