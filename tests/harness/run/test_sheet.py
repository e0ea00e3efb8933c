"""A sheet of samples can be written, and read back, for every image that a task may have."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from harness.data import contract
from harness.run import sheet
from harness.store import checking


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
