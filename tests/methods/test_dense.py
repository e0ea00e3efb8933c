"""Dense tasks, every pixel a prediction: SSD-KD's buffer, φ and the shared losses against loops over pixels."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from methods.base.method import Context
from methods.base.task import IGNORED, RealImages
from methods.base.teacher import TeacherOutput
from methods.parts.losses import dafl_losses, kl_divergence, masked_kl, mean_entropy, one_hot
from methods.parts.modulation import Modulation
from methods.parts.replay_buffer import ReplayBuffer
from methods.parts.sources import Batch
from methods.ssd_kd import SSDKDConfig
from tests import small
from tests.methods import slow

PHI = Modulation(gamma=2.0)

CLASSES = 5
TASK = dataclasses.replace(small.DIGITS, dense=True, classes=CLASSES)


class Pixelwise(nn.Module):
    """A prediction for every pixel from its neighbourhood."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.body = nn.Conv2d(1, CLASSES, 3, padding=1)
            nn.init.normal_(self.body.weight, std=2.0)

    def forward(self, x: Tensor, return_features: bool = False) -> Any:
        logits = self.body(x)
        return (logits, x, (x, x)) if return_features else logits


def context(scale: float = 0.02) -> Context:
    return small.context(Pixelwise(1), Pixelwise(2), scale=scale, task=TASK)


def images(count: int, seed: int) -> Tensor:
    return torch.rand(count, 1, 8, 8, generator=torch.Generator().manual_seed(seed))


def pixels(logits: Tensor) -> list[list[Tensor]]:
    """Predictions of every pixel, image by image: [classes] each."""
    return [[image[:, i, j] for i in range(8) for j in range(8)] for image in logits]


def test_histogram_counts_the_buffers_pixels() -> None:
    given = context()
    buffer = ReplayBuffer(SSDKDConfig(), given, small.ONE_ROUND, PHI)
    for index in range(8):
        buffer.admit(images(12, index), index)
        buffer.priority.copy_(torch.rand(buffer.capacity, generator=torch.Generator().manual_seed(index)))
        buffer.drawn.fill_(True)
        stored = buffer.store.images(torch.arange(buffer.filled))
        counts = [0] * CLASSES
        for image in pixels(given.teacher.logits(buffer.store.normalise(stored))):
            for prediction in image:
                counts[int(prediction.argmax())] += 1
        assert buffer.histogram.tolist() == counts
        assert buffer.class_share().tolist() == pytest.approx([count / sum(counts) for count in counts])
    assert buffer.filled == buffer.capacity == 26


def test_first_priority_is_the_mean_over_pixels() -> None:
    given = context()
    buffer = ReplayBuffer(SSDKDConfig(), given, small.ONE_ROUND, PHI)
    buffer.admit(images(6, 1), 0)
    x = buffer.store.normalise(buffer.store.images(torch.arange(6)))
    teacher, student = given.teacher.logits(x), given.student(x).detach()
    for slot, (t, s) in enumerate(zip(pixels(teacher), pixels(student), strict=True)):
        expected = sum(slow.kl(a.tolist(), b.tolist()) for a, b in zip(t, s, strict=True)) / 64
        assert buffer.priority[slot].item() == pytest.approx(expected, rel=1e-4)


def test_phi_is_per_pixel() -> None:
    logits = Pixelwise(1)(images(2, 3)).detach()
    share = torch.tensor([0.5, 0.2, 0.1, 0.1, 0.1])
    phi = PHI(logits, share)
    assert phi.shape == (2, 8, 8)
    for image, found in zip(pixels(logits), phi.flatten(1), strict=True):
        for prediction, value in zip(image, found, strict=True):
            p = slow.softmax(prediction.tolist())
            confidence, predicted = max(p), p.index(max(p))
            assert value.item() == pytest.approx(
                (1 - share[predicted].item()) * (1 - confidence) ** 2, rel=1e-4, abs=1e-7
            )


@pytest.mark.usefixtures("double")
def test_losses_are_means_over_pixels() -> None:
    random = torch.Generator().manual_seed(4)
    t, s = (torch.randn(3, CLASSES, 8, 8, generator=random) for _ in range(2))
    flat = [torch.stack([row for image in pixels(x) for row in image]) for x in (t, s)]
    per_image = torch.stack(slow.kl_rows(*flat)).view(3, 64).mean(dim=1)
    assert kl_divergence(t, s).tolist() == pytest.approx(per_image.tolist(), rel=1e-10)
    assert masked_kl(t, s).item() == pytest.approx(slow.masked_kl(*flat).item(), rel=1e-10)
    mean = slow.mean_prediction(flat[0])
    assert mean_entropy(t).item() == pytest.approx(-(mean * mean.log()).sum().item(), rel=1e-10)
    expected = slow.mean(slow.cross_entropies(flat[0], slow.largest(flat[0]))).item()
    assert one_hot(t).item() == pytest.approx(expected, rel=1e-10)
    parts = dafl_losses(TeacherOutput(t, features=s))
    assert parts["activation"].item() == pytest.approx(-s.abs().mean().item(), rel=1e-12)


def test_labels_of_views_are_cut_as_the_images_are_and_ignored_in_the_border() -> None:
    images, random = context().images, torch.Generator().manual_seed(2)
    labels = torch.randint(CLASSES, (images, 8, 8), generator=random)
    real = RealImages(torch.zeros(images, 1, 8, 8, dtype=torch.uint8), labels)
    method = small.make("scratch", dataclasses.replace(context(), real=real), small.FEW)
    slot, view = torch.arange(6) % images, torch.randint(method.views.count, (6,), generator=random)
    pad, x = method.views.pad, torch.zeros(6, 1, 8, 8)
    assert pad > 0
    found = method.labels(Batch(x, view=view, slot=slot))
    for mine, s, v in zip(found, slot.tolist(), view.tolist(), strict=True):
        expected = slow.crop(labels[s][None] + 1, v, pad)[0] - 1  # the border is 0 there, and no label
        assert torch.equal(mine, torch.where(expected < 0, IGNORED, expected))
