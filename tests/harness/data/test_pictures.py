"""One picture of any size and mode, and files that are none."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from harness.data import pictures
from harness.data.pictures import Unusable, opened, square

RGB = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
NOISE = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def made(content: bytes, size: int = 8, channels: int = 3) -> tuple[np.ndarray, list[str]]:
    return square(opened(content), size, channels)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "WEBP"])
def test_a_picture_of_the_wanted_size_stays_as_it_is(kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    found, remarks = made(saved(Image.fromarray(RGB), kind, **options))
    assert found.dtype == np.uint8
    assert np.array_equal(found, RGB.transpose(2, 0, 1))
    assert remarks == []


def test_the_middle_is_cut_out_and_the_short_side_resized() -> None:
    """Three squares beside one another, of which the middle one is left; halved, a pixel is about the mean of four."""
    wide = np.zeros((8, 24, 3), np.uint8)
    wide[:, 8:16] = np.repeat(np.repeat(np.arange(16, dtype=np.uint8).reshape(4, 4) * 10, 2, 0), 2, 1)[..., None]
    found, _ = made(saved(Image.fromarray(wide)))
    assert np.array_equal(found[0], wide[:, 8:16, 0])
    tall, _ = made(saved(Image.fromarray(wide.transpose(1, 0, 2))))
    assert np.array_equal(tall[0], wide[:, 8:16, 0].T)


def test_a_smaller_middle_may_be_cut_out() -> None:
    """A short side of 8 resized to 16 would leave the middle quarter at size 8: the inner 4 × 4 pixels, enlarged."""
    found, remarks = square(opened(saved(Image.fromarray(RGB))), 4, 3, resize=8)
    assert np.array_equal(found, RGB[2:6, 2:6].transpose(2, 0, 1))
    assert remarks == []
    assert square(opened(saved(Image.fromarray(RGB))), 4, 3, resize=9)[1] == ["smaller than 9 pixels, and enlarged"]


def test_reducing_is_antialiased() -> None:
    """Stripes of one pixel become an even grey; taking every other pixel would make them black or white."""
    stripes = np.zeros((64, 64), np.uint8)
    stripes[:, ::2] = 255
    found, _ = made(saved(Image.fromarray(stripes)), size=8, channels=1)
    assert np.abs(found.astype(int) - 127.5).max() < 8


def test_grey_and_colour_become_each_other() -> None:
    grey = RGB[..., 0]
    found, _ = made(saved(Image.fromarray(grey)))
    assert np.array_equal(found, np.stack([grey] * 3))
    assert np.array_equal(made(saved(Image.fromarray(grey)), channels=1)[0], grey[None])
    luminance = RGB @ np.array([0.299, 0.587, 0.114])
    assert np.abs(made(saved(Image.fromarray(RGB)), channels=1)[0][0] - luminance).max() <= 1


def test_sixteen_bits_are_rounded_to_eight() -> None:
    grey = RGB[..., 0]
    found, remarks = made(saved(Image.fromarray(grey.astype(np.uint16) * 257)), channels=1)
    assert np.array_equal(found[0], grey)
    assert remarks == ["of 16 bits, rounded to 8"]


def test_what_is_transparent_lies_on_white() -> None:
    alpha = np.full((8, 8, 1), 255, np.uint8)
    assert made(saved(Image.fromarray(np.concatenate([RGB, alpha], 2))))[1] == []
    alpha[0] = 0
    found, remarks = made(saved(Image.fromarray(np.concatenate([RGB, alpha], 2))))
    assert (found[:, 0] == 255).all()
    assert np.array_equal(found[:, 1:], RGB.transpose(2, 0, 1)[:, 1:])
    assert remarks == ["transparent in part, laid on white"]


def test_palettes_are_colours() -> None:
    image = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8), "P")
    image.putpalette([value for number in range(256) for value in (number, 255 - number, 7)])
    found, _ = made(saved(image))
    assert np.array_equal(found[:, 0, 5], [5, 250, 7])
    found, remarks = made(saved(image, transparency=5))
    assert np.array_equal(found[:, 0, 5], [255, 255, 255])
    assert remarks == ["transparent in part, laid on white"]


def test_cmyk_is_told() -> None:
    assert made(saved(Image.new("CMYK", (8, 8), (0, 0, 0, 0)), "JPEG"))[1] == ["in CMYK, turned into RGB"]


def test_of_an_animation_the_first_frame_is_taken() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    found, remarks = made(saved(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert (found[0] == 255).all()
    assert (found[2] == 0).all()
    assert remarks == ["of several frames, the first is taken"]


def test_pictures_stand_upright() -> None:
    """Orientation 6: the camera was turned, and a viewer turns the picture clockwise."""
    image, exif = Image.fromarray(RGB), Image.Exif()
    exif[0x0112] = 6
    found, _ = made(saved(image, "TIFF", exif=exif))
    assert np.array_equal(found.transpose(1, 2, 0), np.rot90(RGB, -1))


def test_a_small_picture_is_enlarged_and_told() -> None:
    assert made(saved(Image.fromarray(RGB)), size=16)[1] == ["smaller than 16 pixels, and enlarged"]


def bomb(width: int, height: int) -> bytes:
    """A png that says so in its head; a few bytes."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(10))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"label,file\n0,a.png\n", "no picture that can be read"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n", "no picture that can be read"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no picture that can be read"),
        (bytes(1000), "no picture that can be read"),
        (saved(Image.fromarray(RGB))[:20], "no picture that can be read"),
        (saved(Image.fromarray(NOISE))[:3000], "damaged"),
        (saved(Image.fromarray(NOISE), "JPEG")[:3000], "damaged"),
        (saved(Image.fromarray(NOISE), "BMP")[:3000], "damaged"),
        (saved(Image.fromarray(RGB[:3])), "smaller than 4 pixels"),
        (saved(Image.fromarray(RGB[:, :1])), "smaller than 4 pixels"),
        (bomb(10_000, 10_000), "more than 67,108,864 pixels"),
        (bomb(2**20, 2**20), "more than 67,108,864 pixels"),
        (saved(Image.fromarray(RGB[..., 0].astype(np.float32)), "TIFF"), "floating-point numbers"),
        (saved(Image.fromarray(RGB[..., 0].astype(np.int32) * 100_000), "TIFF"), "more than 16 bits"),
    ],
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_what_cannot_be_used_says_why(content: bytes, why: str) -> None:
    with pytest.raises(Unusable, match=why):
        made(content)


def test_programs_are_never_started() -> None:
    assert not {"EPS", "WMF", "MPEG"} & set(pictures.FORMATS)
