"""Public teachers by name, from a server on this machine that stands in for the world."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from harness import data
from harness.data.dataset import Dataset
from harness.data.recipe import Recipe, Teachers
from harness.errors import UserError
from harness.store.checksums import GIT_BLOB, Checksum
from harness.store.layout import Results, TeacherFolder
from harness.store.records import Normalisation, TeacherRecord
from harness.teachers import get as getting
from harness.teachers import public, shelf
from harness.teachers.download import NetworkTrouble
from harness.teachers.public import PublicTeacher, Repository
from methods.base.task import RealImages
from tests import small
from tests.harness.teachers.server import Server, serving

CPU = torch.device("cpu")
NAME = "somebody-cnn3"


class Local(Repository):
    """A repository on the server of a test."""

    server = ""

    def url(self, file: str) -> str:
        return f"{self.server}/{file}"


REPOSITORY = Local("some/body", "c0ffee", "weights", "somebody", "MIT", "2020 Some Body", "their own")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """What the server gives, as a file."""
    made = tmp_path / "cnn3.pt"
    state = small.network("cnn3_16", 5).state_dict()
    torch.save({"state_dict": {f"module.{name}": value for name, value in state.items()}, "acc": 40.0}, made)
    return made


@pytest.fixture
def server(file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with serving(file.read_bytes()) as running:
        monkeypatch.setattr(Local, "server", running.url)
        yield running


@pytest.fixture
def stated(file: Path) -> float:
    """What the network reaches on images in [-1, 1], written out."""
    test, network = data.load("digits").test(), small.network("cnn3_16", 5)
    predicted = network(test.images.float() / 127.5 - 1).argmax(dim=1)
    return 100 * (predicted == test.labels).double().mean().item()


def offer(
    monkeypatch: pytest.MonkeyPatch, content: bytes, stated: float, path: str = "ranges", **facts: object
) -> None:
    """Put a teacher into the catalogue."""
    known = PublicTeacher(
        name=NAME,
        dataset="digits",
        network="cnn3_16",
        stated=stated,
        measured=None,
        repository=REPOSITORY,
        file=path,
        size=None,
        checksum=Checksum("sha256", hashlib.sha256(content).hexdigest()),
        normalisation="half",
    )
    monkeypatch.setattr(public, "TEACHERS", (dataclasses.replace(known, **facts),))  # type: ignore[arg-type]


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch, server: Server, stated: float) -> Server:
    offer(monkeypatch, server.content, stated)
    return server


def get(results: Path, said: list[str] | None = None, **options: object) -> TeacherRecord:
    return getting.get(NAME, results=results, report=(said if said is not None else []).append, **options)  # type: ignore[arg-type]


def folder(results: Path) -> TeacherFolder:
    return Results(results).teacher("digits", "cnn3_16+somebody")


def left(results: Path) -> set[str]:
    """Files in the teacher's folder, locks aside."""
    place = folder(results).path
    return {file.name for file in place.iterdir() if not file.name.endswith("lock")} if place.exists() else set()


@pytest.mark.parametrize("way", ["web", "file"])
def test_it_is_checked_measured_stored_and_ready_for_a_study(
    way: str, offered: Server, file: Path, stated: float, tmp_path: Path
) -> None:
    said: list[str] = []
    record = get(tmp_path, said, file=file if way == "file" else None)
    assert record.value == pytest.approx(stated)
    assert (record.name, record.network) == ("cnn3_16+somebody", "cnn3_16")
    assert record.normalisation == Normalisation(mean=[0.5], std=[0.5])
    assert record.imported is not None
    assert (record.imported.file, record.imported.source) == ("ranges", f"{offered.url}/ranges")
    assert record.imported.sha256 == hashlib.sha256(offered.content).hexdigest()
    assert left(tmp_path) == {"teacher.json", "teacher.safetensors"}
    assert bool(offered.asked) == (way == "web")
    assert said[-2:] == [
        "  dataset: digits",
        "  pairs: [{teacher: {network: cnn3_16, name: somebody}, student: wrn16_1}]",
    ]


def test_one_that_is_here_is_not_fetched_again(offered: Server, tmp_path: Path) -> None:
    first = get(tmp_path)
    asked = len(offered.asked)
    said: list[str] = []
    assert get(tmp_path, said) == first
    assert len(offered.asked) == asked
    assert "here already" in said[-1]
    again = get(tmp_path, replace=True)
    assert (again.identity, len(offered.asked)) == (first.identity, asked + 1)


def test_another_teacher_in_its_place_is_not_taken_for_it(
    offered: Server, stated: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    get(tmp_path)
    offer(monkeypatch, b"a newer file", stated)
    with pytest.raises(UserError, match=rf"there is another teacher of this name; --replace takes {NAME} instead"):
        get(tmp_path)


def test_a_download_that_broke_off_goes_on(
    offered: Server, stated: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, offered.content, stated, path="cut")
    with pytest.raises(NetworkTrouble, match=rf"broke off after .*dkd teachers get {NAME} --file PATH"):
        get(tmp_path)
    assert left(tmp_path) == {"download.part"}
    offer(monkeypatch, offered.content, stated)
    get(tmp_path)
    assert offered.asked[-1] == ("/ranges", f"bytes={len(offered.content) // 2}-")
    assert left(tmp_path) == {"teacher.json", "teacher.safetensors"}


@pytest.mark.parametrize("way", ["web", "file"])
@pytest.mark.parametrize("kind", ["sha256", "md5", GIT_BLOB])
def test_another_file_is_refused_and_nothing_kept(
    way: str, kind: str, offered: Server, file: Path, stated: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, offered.content, stated, checksum=Checksum(kind, "0" * 40))
    with pytest.raises(UserError, match=rf"another file than {NAME}'s[\s\S]*its {kind} is [0-9a-f]+, expected 0000"):
        get(tmp_path, file=file if way == "file" else None)
    assert left(tmp_path) == set()
    assert file.exists()


def test_an_abbreviated_id_is_completed_in_the_record(
    offered: Server, stated: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = offered.content
    whole = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()  # noqa: S324 - git's
    offer(monkeypatch, content, stated, checksum=Checksum(GIT_BLOB, whole[:8]))
    record = get(tmp_path)
    assert record.imported is not None
    assert record.imported.checksums == {GIT_BLOB: whole}
    assert record.imported.sha256 == hashlib.sha256(content).hexdigest()
    assert get(tmp_path) == record


@pytest.mark.parametrize("path", ["404", "login"])
def test_what_the_server_has_not_is_told_with_another_way(
    path: str, offered: Server, stated: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, offered.content, stated, path=path)
    with pytest.raises(
        UserError, match=rf"{path}: .*\n  fetch it with other means, .*dkd teachers get {NAME} --file PATH"
    ):
        get(tmp_path)
    assert left(tmp_path) == set()


def test_one_that_is_worse_than_stated_is_refused(
    offered: Server, stated: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, offered.content, stated + 0.31)
    expected = (
        rf"is below its floor of {stated + 0.01:.2f} %; nothing was stored; --set floor=0 takes it[\s\S]*--normalis"
    )
    with pytest.raises(UserError, match=expected):
        get(tmp_path)
    assert left(tmp_path) == {"download.part"}
    assert get(tmp_path, changes={"floor": 0.0}).floor == 0.0
    offer(monkeypatch, offered.content, stated + 0.29)
    get(tmp_path, replace=True)


def test_a_file_that_is_not_there_is_told_before_anything_else(offered: Server, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=re.escape(f"{tmp_path}/none.pt: no such file")):
        get(tmp_path, file=tmp_path / "none.pt")
    assert not offered.asked


class TheirBlock(nn.Module):
    """As hendrycks/outlier-exposure's WRN names and orders its parts."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.bn1, self.bn2 = nn.BatchNorm2d(inputs), nn.BatchNorm2d(outputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.convShortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False) if inputs != outputs else None

    def forward(self, x: Tensor) -> Tensor:
        active = F.relu(self.bn1(x))
        y = F.dropout(F.relu(self.bn2(self.conv1(active))), p=0.3, training=self.training)
        return torch.add(x if self.convShortcut is None else self.convShortcut(active), self.conv2(y))


class TheirStage(nn.Module):
    """A group of blocks, which it calls layer."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        blocks = [TheirBlock(inputs if i == 0 else outputs, outputs, stride if i == 0 else 1) for i in range(6)]
        self.layer = nn.Sequential(*blocks)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)


class TheirWRN(nn.Module):
    """WRN-40-2 for images of 32 × 32 pixels."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.block1, self.block2, self.block3 = TheirStage(16, 32, 1), TheirStage(32, 64, 2), TheirStage(64, 128, 2)
        self.bn1, self.fc = nn.BatchNorm2d(128), nn.Linear(128, classes)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.block3(self.block2(self.block1(self.conv1(x))))))
        return self.fc(F.avg_pool2d(y, 8).flatten(1))


def test_a_wrn_of_outlier_exposure_says_what_it_says_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its layout, its dropout, which does nothing any more, its normalisation, and its abbreviated blob id."""
    known = public.find("hendrycks-wrn40_2-cifar100")
    theirs, images = small.lively(TheirWRN(100), 3).eval(), torch.randint(256, (6, 3, 32, 32), dtype=torch.uint8)
    torch.save(theirs.state_dict(), tmp_path / "baseline.pt")
    content = (tmp_path / "baseline.pt").read_bytes()
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()[:8]  # noqa: S324 - git's
    offered = dataclasses.replace(known, checksum=Checksum(GIT_BLOB, blob), stated=100.0)
    monkeypatch.setattr(public, "TEACHERS", (offered,))
    pixels, mean, std = images.float(), torch.tensor([125.3, 123.0, 113.9]), torch.tensor([63.0, 62.1, 66.7])
    expected = theirs((pixels - mean[:, None, None]) / std[:, None, None]).detach()
    real = RealImages(images, expected.argmax(dim=1))
    task = data.load("cifar100").task
    recipe = Recipe(epochs=1, batch=1, lr=1, weight_decay=0)
    made = Dataset(task, Teachers(recipe), train=lambda: real, test=lambda: real)
    monkeypatch.setattr(data, "load", lambda *_: made)
    record = getting.get(known.name, file=tmp_path / "baseline.pt", results=tmp_path, report=lambda line: None)
    assert record.value == 100.0
    place = Results(tmp_path).teacher("cifar100", "wrn40_2+hendrycks")
    loaded = shelf.load(place, record, task, CPU)
    inputs = (pixels / 255 - torch.tensor(task.mean)[:, None, None]) / torch.tensor(task.std)[:, None, None]
    assert torch.allclose(loaded(inputs), expected, rtol=1e-3, atol=1e-4)
