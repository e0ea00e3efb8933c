"""All images of one's own: looked at, brought to one size, and divided into parts. What cannot be used is named."""

from __future__ import annotations

import hashlib
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median_low
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from harness.data import arrays, class_folders, pictures
from harness.data.class_folders import some
from harness.data.own import FINE, OwnData
from harness.data.pictures import Unusable
from harness.errors import UserError
from harness.store.checksums import sha256

THREADS = 4
"""Pictures decoded at a time: each may take a few hundred megabytes."""

T = TypeVar("T")


@dataclass(frozen=True)
class Sample:
    """One image of a person's."""

    where: str
    """How a person finds it."""
    label: int
    part: str
    """``train``, ``test``, or empty where nothing is said."""
    sha256: str
    image: Callable[[], Image.Image]
    """Raises Unusable."""


@dataclass(frozen=True)
class Gathered:
    """Images of one size, in an order that follows from their classes and contents alone."""

    images: np.ndarray[Any, np.dtype[np.uint8]]
    """[n, C, size, size]."""
    labels: np.ndarray[Any, np.dtype[np.int64]]
    """[n]."""
    test: np.ndarray[Any, np.dtype[np.bool_]]
    """Whether an image is tested on: [n]."""
    class_names: tuple[str, ...]
    notes: tuple[str, ...]
    """What a person should know, a line each."""


def gather(own: OwnData) -> Gathered:
    """Read everything. Raises UserError that names what cannot be used, the first few and how many."""
    samples, names, notes = _of_folder(own.place, own.trained) if own.folder else _of_arrays(own.place)
    samples.sort(key=lambda sample: (sample.label, sample.sha256))
    problems, remarks = _Told(), _Told()
    _look_for_copies(samples, problems, remarks)
    with warnings.catch_warnings(), ThreadPoolExecutor(THREADS) as pool:
        warnings.simplefilter("ignore")  # what Pillow has to say of odd files is said below, or does not matter
        heads = [head for _, head in _each(pool, _head, samples, problems)]
        size, channels = own.size or _size(heads), own.channels or _channels(heads)
        images = np.zeros((len(samples), channels, size, size), np.uint8)
        made = _each(pool, partial(_square, size=size, resize=own.resize or size, channels=channels), samples, problems)
        for number, (image, done) in made:
            images[number] = image
            for remark in done:
                remarks.add(remark, samples[number].where)
    tested = [sample.part == "test" for sample in samples] if samples[0].part else _drawn(samples, own, names, problems)
    problems.refuse(own, len(samples))
    labels = np.array([sample.label for sample in samples], np.int64)
    return Gathered(images, labels, np.array(tested), names, (*notes, *remarks.lines()))


class _Told:
    """What is said of images, and of which."""

    def __init__(self) -> None:
        self.of: dict[str, dict[str, None]] = defaultdict(dict)

    def add(self, what: str, *where: str) -> None:
        """Note something of some images."""
        self.of[what].update(dict.fromkeys(where))

    def lines(self) -> list[str]:
        """``12 × smaller than 4 pixels: a.png, b.png, c.png and 9 more``."""
        return [f"{len(where):,} × {what}: {some(where)}" for what, where in self.of.items()]

    def refuse(self, own: OwnData, count: int) -> None:
        """Raise UserError if anything was noted."""
        if lines := self.lines():
            listed = "\n  ".join(lines)
            raise UserError(
                f"dataset {own}: not all of the {count:,} images in {own.place} can be used\n  {listed}\n"
                "  put them right or move them away; nothing was stored"
            )


def _of_folder(folder: Path, trained: bool) -> tuple[list[Sample], tuple[str, ...], list[str]]:
    """Samples, names of classes, notes."""
    class_folders.check(folder, trained)
    found = class_folders.pictures(folder, trained)
    names = tuple(class_folders.classes(folder, trained))
    label = {name: number for number, name in enumerate(names)}
    try:
        samples = [
            Sample(
                where=picture.path.relative_to(folder).as_posix(),
                label=label[picture.label],
                part=picture.part if trained else "test",
                sha256=sha256(picture.path),
                image=partial(_opened, picture.path),
            )
            for picture in found
        ]
    except OSError as error:
        raise UserError(f"{error.filename}: cannot be read: {error.strerror}") from None
    beside = class_folders.beside(folder)
    return samples, names, [f"beside the class folders, not read: {some(beside, folder)}"] if beside else []


def _opened(path: Path) -> Image.Image:
    return pictures.opened(path.read_bytes())


def _of_arrays(path: Path) -> tuple[list[Sample], tuple[str, ...], list[str]]:
    """Samples, names of classes, notes."""
    parts, names = arrays.read(path)
    samples = [
        Sample(
            where=f"{'test_' if part == 'test' else ''}images[{number}]",
            label=int(label),
            part=part,
            sha256=hashlib.sha256(pixels.tobytes()).hexdigest(),
            image=partial(pictures.of_array, pixels),
        )
        for part, content in parts.items()
        for number, (pixels, label) in enumerate(zip(content.images, content.labels, strict=True))
    ]
    return samples, names, []


def _look_for_copies(samples: Sequence[Sample], problems: _Told, remarks: _Told) -> None:
    """Copies of one image would be tested on though they were learned, or bear two labels."""
    alike: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        alike[sample.sha256].append(sample)
    for several in filter(lambda group: len(group) > 1, alike.values()):
        where = [sample.where for sample in several]
        if len({sample.label for sample in several}) > 1:
            problems.add("the same image in several classes", *where)
        elif len({sample.part for sample in several}) > 1:
            problems.add("the same image in the training and the test part", *where)
        else:
            remarks.add("the same image several times, and counted as often", *where)


def _each(
    pool: ThreadPoolExecutor, work: Callable[[Sample], T], samples: Sequence[Sample], problems: _Told
) -> Iterator[tuple[int, T]]:
    """Number of a sample and what came of it, for those that can be used."""

    def tried(sample: Sample) -> T | Unusable:
        try:
            return work(sample)
        except Unusable as error:
            return error

    for number, found in enumerate(pool.map(tried, samples)):
        if isinstance(found, Unusable):
            problems.add(str(found), samples[number].where)
        else:
            yield number, found


def _head(sample: Sample) -> tuple[int, bool]:
    """Its short side in pixels, and whether it is grey."""
    image = sample.image()
    return min(image.size), image.mode in pictures.GREY


def _square(sample: Sample, size: int, resize: int, channels: int) -> tuple[pictures.Array, list[str]]:
    return pictures.square(sample.image(), size, channels, resize)


def _size(heads: Sequence[tuple[int, bool]]) -> int:
    """64, or 32 if half of the images are smaller, or below that the multiple of 4 that half of them reach."""
    middle = median_low([short for short, _ in heads]) if heads else FINE
    return next((size for size in (64, 32) if middle >= size), middle - middle % FINE)


def _channels(heads: Iterable[tuple[int, bool]]) -> int:
    return 1 if all(grey for _, grey in heads) else 3


def _drawn(samples: Sequence[Sample], own: OwnData, names: Sequence[str], problems: _Told) -> list[bool]:
    """Which images are tested on: of every class the share whose contents have the lowest hashes.

    So the split depends on neither names nor order, and an image that is added moves one other at most.
    """
    chosen: set[str] = set()
    for label, name in enumerate(names):
        distinct = sorted({sample.sha256 for sample in samples if sample.label == label})
        if len(distinct) < 2:
            problems.add("classes with one image, which cannot be learned and tested on", name)
        chosen.update(distinct[: min(max(1, round(own.test_share * len(distinct))), len(distinct) - 1)])
    return [sample.sha256 in chosen for sample in samples]
