"""A sheet of samples can be written, and read back, for every image that a task may have."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from harness import data
from harness.data import contract
from harness.run import sheet
from harness.store import checking


class Brightness(nn.Module):
    """Answers with the class whose tenth of brightness an image's first pixel is in, the surer the brighter."""

    def forward(self, batch: Tensor) -> Tensor:
        first = batch[:, 0, 0, 0] * self.spread + self.middle
        return torch.nn.functional.one_hot((first * 10).long(), 10) * (5 * first[:, None])


def test_what_the_teacher_sees_is_counted_over_all_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    task = data.load("digits").task
    teacher = Brightness()
    teacher.middle, teacher.spread = task.mean[0], task.std[0]
    first = [0.05, 0.15, 0.15, 0.95, 0.55]
    images = torch.tensor(first)[:, None, None, None].expand(-1, *task.shape)
    monkeypatch.setattr(sheet, "batch_size", lambda task: 2)
    classes, difficulty = sheet.describe(images, teacher, task)
    assert classes == [1, 2, 0, 0, 0, 1, 0, 0, 0, 1]
    surest = [math.exp(5 * pixel) / (math.exp(5 * pixel) + 9) for pixel in first]
    assert difficulty == [sum(int((1 - p) * 20) == bin for p in surest) for bin in range(20)]


@pytest.mark.parametrize(
    ("channels", "height", "width", "size"),
    [
        (1, 8, 8, (8 * 10 * 4, 8 * 10 * 4)),
        (3, 32, 32, (8 * 34 * 4, 8 * 34 * 4)),
        (3, 128, 128, (8 * 130 * 4, 8 * 130 * 4)),
        (3, 224, 160, (8 * 162 * 2, 8 * 226 * 2)),
        (1, 1024, 8, (8 * 10, 8 * 1026)),
    ],
)
def test_its_size(channels: int, height: int, width: int, size: tuple[int, int], tmp_path: Path) -> None:
    file = tmp_path / "samples.png"
    sheet.save_sheet(file, torch.zeros(64, channels, height, width))
    with Image.open(file) as picture:
        assert (picture.size, picture.mode) == (size, "L" if channels == 1 else "RGB")


def test_the_largest_one_can_be_read_back() -> None:
    assert (8 * (contract.MOST_PIXELS + 2)) ** 2 <= checking.PIXELS
    assert (8 * (128 + 2) * sheet.MAGNIFY) <= sheet.WIDE  # what is magnified is never larger than that
    assert sheet.WIDE**2 <= checking.PIXELS
