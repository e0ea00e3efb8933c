"""Whether a run's hashes of code are those of the commit that it names, as this repository knows it."""

from __future__ import annotations

import functools
from enum import StrEnum

from harness import code
from harness.grid import keys
from harness.machine import facts
from harness.store.records import Manifest


class Origin(StrEnum):
    """What can be said of the code behind a run."""

    COMMITTED = "of a commit that is here, unchanged"
    CHANGED = "of a commit that is here, with local changes"
    UNKNOWN = "of a commit that is not in this repository"
    NONE = "of no git checkout"
    OTHER_SCHEME = "hashed in another way than today"


def origin(manifest: Manifest) -> Origin:
    """What the manifest and this repository say of the run's code; `differing` says whether it is true."""
    last = manifest.attempts[-1]
    if manifest.scheme != keys.SCHEME:
        return Origin.OTHER_SCHEME
    if last.commit is None:
        return Origin.NONE
    if all(_hash(last.commit, file) is None for file in _ours(manifest)):
        return Origin.UNKNOWN
    return Origin.CHANGED if last.dirty or differing(manifest) else Origin.COMMITTED


def differing(manifest: Manifest) -> list[str]:
    """Files whose code was another one than at the commit that the run names."""
    commit = manifest.attempts[-1].commit or ""
    return [file for file, digest in _ours(manifest).items() if _hash(commit, file) != digest]


def _ours(manifest: Manifest) -> dict[str, str]:
    """File of the repository -> hash of its code; one's own files are none."""
    return {file: digest for file, digest in manifest.sources.items() if file not in manifest.outside}


@functools.cache
def _hash(commit: str, file: str) -> str | None:
    """Hash of a file's code at a commit; None if that is not known here, or is no code."""
    text = facts.committed(commit, file)
    try:
        return None if text is None else code.understand(text, file).sha256
    except SyntaxError:
        return None
