"""One's own images: what follows from them, what may be said otherwise, and what makes them other data."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError

from harness import data
from harness.data import gathering, identity, own_copy
from harness.data.own import OwnData
from harness.errors import UserError
from harness.grid import keys
from methods.base.task import Task
from methods.parts.generators import for_task
from tests.pictures import CLASSES, draw, pixels


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("DKD_DATA", str(tmp_path / "data"))
    forget()
    yield tmp_path / "data" / ".cache"
    forget()


def forget() -> None:
    identity.forget()
    own_copy._of.cache_clear()


def own(folder: Path, **more: Any) -> OwnData:
    return OwnData.model_validate({"name": "mine", "folder": str(folder), **more})


def parts(tmp_path: Path, size: int = 8) -> Path:
    draw(tmp_path / "pictures" / "train", range(6), size=size)
    draw(tmp_path / "pictures" / "test", range(6, 9), size=size)
    return tmp_path / "pictures"


def hashed(dataset: OwnData) -> str | None:
    forget()
    return identity.of(dataset, "by your hash")


def test_what_follows_from_the_images(tmp_path: Path) -> None:
    loaded = data.load(own(parts(tmp_path)))
    train, test = loaded.train(), loaded.test()
    assert (len(train.images), len(test.images)) == (18, 9)
    assert torch.bincount(train.labels).tolist() == [6, 6, 6]
    assert loaded.task.class_names == CLASSES
    assert (loaded.task.shape, loaded.task.pad, loaded.task.flip) == ((3, 8, 8), 1, True)
    assert loaded.task.reference_size == 18
    seen = np.stack([pixels(label, number) for label in CLASSES for number in range(6)]) / 255
    assert loaded.task.mean == pytest.approx(seen.mean((0, 1, 2)), abs=6e-5)
    assert loaded.task.std == pytest.approx(seen.std((0, 1, 2)), abs=6e-5)
    for real, numbers in ((train, range(6)), (test, range(6, 9))):
        for label, name in enumerate(CLASSES):
            found = {image.numpy().tobytes() for image in real.images[real.labels == label]}
            assert found == {pixels(name, number).transpose(2, 0, 1).tobytes() for number in numbers}
    assert (loaded.verified, loaded.notes) == ("by your hash", ())


def test_what_may_be_said_otherwise(tmp_path: Path) -> None:
    said = {"size": 16, "channels": 1, "mean": [0.5], "std": [0.25], "pad": 0, "flip": True}
    loaded = data.load(own(parts(tmp_path), **said))
    task = loaded.task
    assert (task.shape, task.mean, task.std, task.pad, task.flip) == ((1, 16, 16), (0.5,), (0.25,), 0, True)
    assert loaded.notes[0].startswith("27 × smaller than 16 pixels, and enlarged: ")


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [([8], 8), ([11], 8), ([31], 28), ([32], 32), ([63], 32), ([64], 64), ([200], 64), ([7], 4), ([12, 40, 100], 32)],
    ids=str,
)
def test_the_size_is_that_of_the_middle_image(tmp_path: Path, sizes: list[int], expected: int) -> None:
    for number, size in enumerate(sizes):
        draw(tmp_path, [number, 100 + number], ["a", "b"], size)
    assert data.load(own(tmp_path)).task.shape == (3, expected, expected)


def test_grey_images_have_one_channel_and_are_not_mirrored(tmp_path: Path) -> None:
    draw(tmp_path, range(4), ["a", "b"])
    for file in tmp_path.rglob("*.png"):
        Image.open(file).convert("L").save(file)
    task = data.load(own(tmp_path)).task
    assert (task.shape, len(task.mean), task.flip) == ((1, 8, 8), 1, False)


def held_out(folder: Path, **more: Any) -> set[bytes]:
    forget()
    return {image.numpy().tobytes() for image in data.load(own(folder, **more)).test().images}


def test_the_split_is_a_share_of_every_class_by_content(tmp_path: Path) -> None:
    folder = draw(tmp_path / "pictures", range(15))
    lowest = {
        label: sorted((hashlib.sha256(file.read_bytes()).hexdigest(), file) for file in (folder / label).iterdir())[:3]
        for label in CLASSES
    }
    expected = {
        np.asarray(Image.open(file)).transpose(2, 0, 1).tobytes() for files in lowest.values() for _, file in files
    }
    assert held_out(folder) == expected
    for number, file in enumerate(sorted(folder.rglob("*.png"))):
        file.rename(file.with_name(f"renamed-{len(CLASSES) * 15 - number}.png"))
    assert held_out(folder) == expected
    draw(folder, [99], ["dot"])
    assert len(held_out(folder) ^ expected) <= 2
    assert len(held_out(folder, test_share=0.25)) == 3 * 4


def test_two_images_are_one_to_learn_and_one_to_test(tmp_path: Path) -> None:
    loaded = data.load(own(draw(tmp_path, range(2)), test_share=0.01))
    assert torch.bincount(loaded.train().labels).tolist() == torch.bincount(loaded.test().labels).tolist() == [1, 1, 1]


def test_neither_names_nor_places_nor_order_matter(tmp_path: Path) -> None:
    folder = draw(tmp_path / "pictures")
    before, images = hashed(own(folder)), data.load(own(folder)).train().images
    shutil.copytree(folder, tmp_path / "copy")
    (folder / "dot" / "0.png").rename(folder / "dot" / "zzz.png")
    (folder / "README").touch()
    (folder / "dot" / ".DS_Store").touch()
    for place in (folder, tmp_path / "copy"):
        assert hashed(own(place)) == before
        assert torch.equal(data.load(own(place)).train().images, images)


@pytest.mark.parametrize("change", ["a pixel", "added", "removed", "another class", "a class renamed", "test part"])
def test_other_images_are_other_data(tmp_path: Path, change: str) -> None:
    folder = draw(tmp_path / "pictures")
    before = hashed(own(folder))
    match change:
        case "a pixel":
            image = pixels("dot", 0)
            image[0, 0] ^= 1
            Image.fromarray(image).save(folder / "dot" / "0.png")
        case "added":
            draw(folder, [77], ["dot"])
        case "removed":
            (folder / "dot" / "0.png").unlink()
        case "another class":
            (folder / "dot" / "0.png").rename(folder / "bar" / "new.png")
        case "a class renamed":
            (folder / "dot").rename(folder / "point")
        case "test part":
            shutil.copytree(folder, folder / "train")
            draw(folder / "test", [77])
    assert before != hashed(own(folder)) is not None


@pytest.mark.parametrize(
    "said",
    [{"size": 16}, {"channels": 1}, {"mean": [0.5] * 3}, {"pad": 3}, {"flip": False}, {"test_share": 0.3}],
    ids=str,
)
def test_what_is_said_of_them_is_in_their_identity(tmp_path: Path, said: dict[str, Any]) -> None:
    folder = draw(tmp_path)
    assert hashed(own(folder, **said)) not in (None, hashed(own(folder)))


def test_images_that_are_not_here_are_told(tmp_path: Path) -> None:
    gone = own(tmp_path / "nowhere")
    assert hashed(gone) is None
    with pytest.raises(UserError, match="nowhere: no such folder"):
        data.load(gone)


def test_images_are_decoded_once(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = draw(tmp_path / "pictures")
    first = data.load(own(folder))
    (copy,) = cache.glob("mine-*.npz")
    forget()
    decode = gathering.gather
    monkeypatch.setattr(gathering, "gather", lambda _: pytest.fail("decoded again"))
    again = data.load(own(folder))
    assert torch.equal(first.train().images, again.train().images)
    assert first.task == again.task
    monkeypatch.setattr(gathering, "gather", decode)
    copy.write_bytes(copy.read_bytes()[:-100])
    forget()
    assert torch.equal(data.load(own(folder)).train().images, first.train().images)


def test_a_folder_that_changes_meanwhile_is_not_kept(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, gather = draw(tmp_path / "pictures"), gathering.gather

    def late(given: OwnData) -> gathering.Gathered:
        found = gather(given)
        draw(folder, [55], ["dot"])
        return found

    monkeypatch.setattr(gathering, "gather", late)
    with pytest.raises(UserError, match="changed while it was read"):
        data.load(own(folder))
    assert not list(cache.glob("*.npz"))


def test_whatever_cannot_be_used_is_named_on_one_screen(tmp_path: Path) -> None:
    folder = draw(tmp_path / "pictures", range(20))
    for number in range(5):
        (folder / "dot" / f"empty-{number}.png").touch()
    (folder / "bar" / "labels.txt").write_text("0 1 2\n", encoding="utf-8")
    half = (folder / "bar" / "3.png").read_bytes()
    (folder / "bar" / "3.png").write_bytes(half[: len(half) // 2])
    Image.new("RGB", (3, 9)).save(folder / "frame" / "tiny.png")
    shutil.copy(folder / "dot" / "1.png", folder / "bar" / "twin.png")
    with pytest.raises(UserError) as caught:
        data.load(own(folder))
    told = str(caught.value)
    for line in (
        "not all of the 68 images in",
        "5 × empty: dot/empty-0.png, dot/empty-1.png, dot/empty-2.png and 2 more",
        "1 × no picture that can be read (PNG, JPEG, GIF, BMP, TIFF, WEBP, PPM): bar/labels.txt",
        "1 × damaged: cut off, or with bytes that are no pixels: bar/3.png",
        "1 × smaller than 4 pixels: frame/tiny.png",
        "2 × the same image in several classes: ",
        "nothing was stored",
    ):
        assert line in told
    assert len(told.splitlines()) < 20


def test_what_was_learned_is_not_tested(tmp_path: Path) -> None:
    folder = parts(tmp_path)
    shutil.copy(folder / "train" / "dot" / "1.png", folder / "test" / "dot" / "copy.png")
    with pytest.raises(UserError, match="2 × the same image in the training and the test part: "):
        data.load(own(folder))


def test_copies_within_a_class_stay_together_and_are_told(tmp_path: Path) -> None:
    folder = draw(tmp_path / "pictures", range(5))
    for file in list((folder / "dot").iterdir()):
        shutil.copy(file, file.with_stem(f"copy-{file.stem}"))
    loaded = data.load(own(folder))
    train, test = ({image.numpy().tobytes() for image in part().images} for part in (loaded.train, loaded.test))
    assert not train & test
    assert loaded.notes[0].startswith("10 × the same image several times, and counted as often: dot/")


def test_a_class_of_one_image_cannot_be_divided(tmp_path: Path) -> None:
    draw(tmp_path, range(5), ["a", "b"])
    draw(tmp_path, [0], ["lonely"])
    with pytest.raises(UserError, match="1 × classes with one image, which cannot be learned and tested on: lonely"):
        data.load(own(tmp_path))


def test_images_of_one_value_have_no_deviation(tmp_path: Path) -> None:
    for label in "ab":
        (tmp_path / label).mkdir()
        for number in range(4):
            Image.new("L", (8 + number, 8 + ord(label) % 2)).save(tmp_path / label / f"{number}.png")
    with pytest.raises(UserError, match=r"its Task says std=\(0.0,\), expected a value above 0"):
        data.load(own(tmp_path))


def test_arrays(tmp_path: Path) -> None:
    images = np.stack([pixels(label, number) for number in range(10) for label in CLASSES])
    labels = np.tile(np.arange(3), 10)
    np.savez(tmp_path / "mine.npz", images=images, labels=labels, class_names=np.array(CLASSES))
    described = OwnData(name="mine", npz=str(tmp_path / "mine.npz"))
    loaded = data.load(described)
    assert (len(loaded.train().images), len(loaded.test().images)) == (24, 6)
    assert loaded.task.class_names == CLASSES
    before = hashed(described)
    (tmp_path / "mine.npz").rename(tmp_path / "other.npz")
    assert hashed(described.model_copy(update={"npz": str(tmp_path / "other.npz")})) == before
    images[0, 0, 0] ^= 1
    np.savez(tmp_path / "mine.npz", images=images, labels=labels, class_names=np.array(CLASSES))
    assert hashed(described) != before


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"size": 30}, "sizes that are multiples of 4: 28 or 32"),
        ({"size": 72}, "sizes that are multiples of 16 beyond 64 pixels: 64 or 80"),
        ({"size": 0}, "greater than or equal to 4"),
        ({"size": 32.0}, "integer"),
        ({"channels": 2}, "1 for grey or 3 for RGB"),
        ({"channels": 4}, "1 for grey or 3 for RGB"),
        ({"mean": [0.5, 0.5]}, "a value for every channel"),
        ({"mean": [0.5], "channels": 3}, "a value for every channel"),
        ({"mean": [0.5], "std": [0.2] * 3}, "a value for every channel"),
        ({"mean": [127.5]}, "less than or equal to 1"),
        ({"std": [0.0]}, "std must be above 0"),
        ({"pad": -1}, "greater than or equal to 0"),
        ({"test_share": 0.0}, "greater than 0"),
        ({"test_share": 1.0}, "less than 1"),
        ({"npz": "x.npz"}, "either folder or npz"),
        ({"folder": None}, "either folder or npz"),
        ({"name": "CIFAR10"}, "the bench has a dataset of this name"),
        ({"name": "digits"}, "the bench has a dataset of this name"),
        ({"name": "my/shapes"}, "pattern"),
        ({"name": ""}, "pattern"),
        ({"root": "x"}, "Extra inputs"),
    ],
)
def test_descriptions_that_make_no_sense(said: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        OwnData.model_validate({"name": "mine", "folder": "x", **said})


@pytest.mark.parametrize("size", range(4, 132))
def test_the_sizes_that_are_taken_are_those_that_generators_make(size: int) -> None:
    task = Task(3, (3, size, size), (0.5,) * 3, (0.5,) * 3, pad=0, flip=False, reference_size=1)
    try:
        OwnData(name="mine", folder="x", size=size)
    except ValidationError:
        with pytest.raises(ValueError, match="multiples"):
            for_task(task)(task, 2, 2)
    else:
        assert size % for_task(task).shrink == 0


def test_the_place_is_no_part_of_the_code(tmp_path: Path) -> None:
    """A change of what decodes images makes results stale; one of the copy or of the description does not."""
    names = {file.name for file in identity.sources(own(tmp_path))}
    assert {"own_dataset.py", "gathering.py", "pictures.py", "arrays.py", "class_folders.py", "task.py"} <= names
    assert not names & {"own.py", "own_copy.py", "identity.py", "catalogue.py", "recipe.py"}
    keys.forget()


TOLD = {"reference_size": 1000, "classes": 3, "size": 8, "channels": 3, "mean": [0.5] * 3, "std": [0.2] * 3}


def test_where_all_is_said_no_training_image_is_read(tmp_path: Path) -> None:
    """The plan needs no image at all, a run those of the test; a folder that is not there is missed when it is read."""
    described = own(tmp_path / "pictures", **TOLD)
    planned = data.load(described)
    assert planned.task.class_names == ("0", "1", "2")
    with pytest.raises(UserError, match="no such folder"):
        planned.test()
    parts(tmp_path)
    (tmp_path / "pictures" / "train" / "dot" / "0.png").write_bytes(b"no picture")
    forget()
    there = data.load(described)
    assert there.task == dataclasses.replace(planned.task, class_names=CLASSES)
    assert (there.task.images(0.5), there.task.pad, there.task.flip, there.trains) == (500, 1, True, False)
    assert len(there.test().images) == 9
    with pytest.raises(UserError, match="with `reference_size` no training image is read"):
        there.train()
    known = hashed(described)
    shutil.rmtree(tmp_path / "pictures" / "train")
    assert known is not None
    assert hashed(described) == known
    with pytest.raises(UserError, match=r"3 classes in .*pictures, `classes` says 4"):
        data.load(own(tmp_path / "pictures", **{**TOLD, "classes": 4}))


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"reference_size": 9, "size": 8, "channels": 3}, "no training image is read, so say classes, mean, std as"),
        ({"classes": 9}, "classes goes with reference_size"),
        ({"resize": 256}, "resize goes with size, and is no smaller"),
        ({"resize": 32, "size": 64}, "resize goes with size, and is no smaller"),
    ],
)
def test_what_goes_together(said: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        own(Path("pictures"), **said)
