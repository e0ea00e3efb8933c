"""Teachers that others have made public: facts alone, and no weights. Importing this does not import torch.

`dkd teachers` lists them, `dkd teachers get NAME` fetches one from where its authors keep it. Licences are those of the
repositories: whoever publishes results names the source.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import ConfigError
from harness.store.checksums import GIT_BLOB, Checksum
from methods.base.names import network_name, teacher_name

WITHIN = 0.3
"""Points by which a teacher may fall short of what its authors state."""


@dataclass(frozen=True)
class Repository:
    """Whose teachers these are."""

    place: str
    """Owner and name on GitHub."""
    commit: str
    folder: str
    owner: str
    """Own name of its teachers here, beside that of their network."""
    licence: str
    holder: str
    layout: str
    """How its files name their weights."""

    def url(self, file: str) -> str:
        """Where a file of the commit is."""
        return f"https://raw.githubusercontent.com/{self.place}/{self.commit}/{self.folder}/{file}"


@dataclass(frozen=True)
class PublicTeacher:
    """A file of weights, and what is known of it."""

    name: str
    dataset: str
    network: str
    stated: float
    """Percent on the test set, as its authors print it."""
    measured: float | None
    """Percent, as measured by this bench; None where nobody has yet."""
    repository: Repository
    file: str
    size: int | None
    """Bytes; None where they are not known."""
    checksum: Checksum
    normalisation: str
    """Name in `harness/teachers/normalisation.py`."""

    @property
    def url(self) -> str:
        """Where its file is."""
        return self.repository.url(self.file)

    @property
    def teacher(self) -> str:
        """Name of the teacher that it becomes."""
        return teacher_name(network_name(self.network), self.repository.owner)


AKAMASTER = Repository(
    place="akamaster/pytorch_resnet_cifar10",
    commit="d5489e8995e81e91ce6b1d69dcc98ad579b0b153",
    folder="pretrained_models",
    owner="akamaster",
    licence="BSD-2-Clause",
    holder="2018 Yerlan Idelbayev",
    layout="akamaster: module. before every name, under state_dict",
)
HENDRYCKS = Repository(
    place="hendrycks/outlier-exposure",
    commit="e6ede98a5474a0620d9befa50b38eaf584df4401",
    folder="CIFAR/snapshots/baseline",
    owner="hendrycks",
    licence="Apache-2.0",
    holder="Dan Hendrycks",
    layout="xternalz: block1.layer.0.conv1",
)


def _akamaster(depth: int, file: str, stated: float, measured: float, size: int, sha256: str) -> PublicTeacher:
    return PublicTeacher(
        name=f"akamaster-resnet{depth}",
        dataset="cifar10",
        network=f"resnet{depth}",
        stated=stated,
        measured=measured,
        repository=AKAMASTER,
        file=file,
        size=size,
        checksum=Checksum("sha256", sha256),
        normalisation="imagenet",
    )


def _hendrycks(dataset: str, stated: float, blob: str) -> PublicTeacher:
    return PublicTeacher(
        name=f"hendrycks-wrn40_2-{dataset}",
        dataset=dataset,
        network="wrn40_2",
        stated=stated,
        measured=None,
        repository=HENDRYCKS,
        file=f"{dataset}_wrn_baseline_epoch_99.pt",
        size=None,
        checksum=Checksum(GIT_BLOB, blob),
        normalisation="cifar10-pixels",  # on CIFAR-100 too
    )


TEACHERS = (
    _akamaster(
        *(20, "resnet20-12fca82f.th", 91.73, 91.73, 1_099_231),
        "12fca82f0bebc4135bf1f32f6e3710e61d5108578464b84fd6d7f5c1b04036c8",
    ),
    _akamaster(
        *(32, "resnet32-d509ac18.th", 92.63, 92.63, 1_890_043),
        "d509ac1820d7f25398913559d7e81a13229b1e7adc5648e3bfa5e22dc137f850",
    ),
    _akamaster(
        *(44, "resnet44-014dd654.th", 93.10, 93.11, 2_680_855),
        "014dd6541728a1c700b1642ab640e211dc6eb8ed507d70697458dc8f8a0ae2e4",
    ),
    _akamaster(
        *(56, "resnet56-4bfd9763.th", 93.39, 93.39, 3_471_733),
        "4bfd97631478d6b638d2764fd2baff3edb1d7d82252d54439343b6596b9b5367",
    ),
    _hendrycks("cifar10", 94.84, "694f7a4c"),
    _hendrycks("cifar100", 75.96, "e797c0a3"),
)


def find(name: str) -> PublicTeacher:
    """The public teacher of this name. Raises ConfigError that lists all."""
    known = {teacher.name: teacher for teacher in TEACHERS}
    if name not in known:
        raise ConfigError(f"dkd teachers get {name}", "unknown", name, known)
    return known[name]


def named(dataset: str, teacher: str) -> PublicTeacher | None:
    """The public teacher that a study's teacher is; None if it is none of them."""
    return next((known for known in TEACHERS if (known.dataset, known.teacher) == (dataset, teacher)), None)
