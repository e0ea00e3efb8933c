"""One picture: from the bytes of a file to uint8 [channels, size, size], by one rule for all sizes and modes."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image, ImageOps

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")
"""What is opened. Others of Pillow's start programs, such as Ghostscript."""
SMALLEST, LARGEST = 4, 2**26
"""Pixels of a side at least, and of a picture at most: more would take gigabytes to decode."""
SIXTEEN = ("I", "I;16", "I;16L", "I;16B", "I;16N")
GREY = ("1", "L", "LA", "La", *SIXTEEN)
"""Modes without colour."""
CLEAR = ("RGBA", "RGBa", "LA", "La", "PA")
"""Modes that may be transparent."""
BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error, zlib.error)
"""What Pillow raises for damaged files."""

Array = np.ndarray[Any, np.dtype[np.uint8]]


class Unusable(Exception):
    """Why a picture cannot be used."""


def opened(content: bytes) -> Image.Image:
    """A file's picture, of which only the head is read. Raises Unusable."""
    if not content:
        raise Unusable("empty")
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError:
        raise Unusable(f"more than {LARGEST:,} pixels") from None
    except BROKEN:
        raise Unusable(f"no picture that can be read ({', '.join(FORMATS)})") from None
    if image.mode == "F":
        raise Unusable("pixels are floating-point numbers, of which nobody knows what is white")
    return _of_sane_size(image)


def of_array(pixels: Array) -> Image.Image:
    """A picture from uint8 [H, W, C], C is 1 or 3. Raises Unusable."""
    return _of_sane_size(Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else np.ascontiguousarray(pixels)))


def _of_sane_size(image: Image.Image) -> Image.Image:
    if image.width * image.height > LARGEST:
        raise Unusable(f"more than {LARGEST:,} pixels")
    if min(image.size) < SMALLEST:
        raise Unusable(f"smaller than {SMALLEST} pixels")
    return image


def square(image: Image.Image, size: int, channels: int, resize: int | None = None) -> tuple[Array, list[str]]:
    """The picture as uint8 [channels, size, size], and what was done that a person may not expect.

    Upright, as its EXIF tag says; the first frame; 16 bits rounded to 8; what is transparent laid on white. The largest
    square in its middle is resized, bilinear and antialiased: the short side becomes ``size``, or ``resize`` if that is
    given, and ``size`` of it are left. Raises Unusable.
    """
    try:
        remarks = ["of several frames, the first is taken"] if _moves(image) else []
        flat, more = _flat(ImageOps.exif_transpose(image))
    except BROKEN:
        raise Unusable("damaged: cut off, or with bytes that are no pixels") from None
    resize = resize or size
    if min(flat.size) < resize:
        more.append(f"smaller than {resize} pixels, and enlarged")
    short = min(flat.size) * size / resize
    left, top = (flat.width - short) / 2, (flat.height - short) / 2
    flat = flat.convert("L" if channels == 1 else "RGB")
    flat = flat.resize((size, size), Image.Resampling.BILINEAR, box=(left, top, left + short, top + short))
    return np.asarray(flat).reshape(size, size, channels).transpose(2, 0, 1), remarks + more


def _flat(image: Image.Image) -> tuple[Image.Image, list[str]]:
    """Of 8 bits, and opaque."""
    if image.mode in SIXTEEN:
        values = np.asarray(image).astype(np.int64)
        if values.min() < 0 or values.max() > 65535:
            raise Unusable("pixels of more than 16 bits")
        return Image.fromarray(np.round(values / 257).astype(np.uint8)), ["of 16 bits, rounded to 8"]
    if image.mode in CLEAR or "transparency" in image.info:
        clear = image.convert("RGBA")
        white = Image.new("RGBA", clear.size, "white")
        seen = clear.getchannel("A").getextrema() != (255, 255)
        return Image.alpha_composite(white, clear), ["transparent in part, laid on white"] if seen else []
    image.load()
    return image, ["in CMYK, turned into RGB"] if image.mode == "CMYK" else []


def _moves(image: Image.Image) -> bool:
    """Whether there are several frames; a telephone's MPO holds the same picture in several sizes."""
    return image.format != "MPO" and bool(getattr(image, "is_animated", False))
