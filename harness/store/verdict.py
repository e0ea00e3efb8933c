"""Whether a result was verified: measured again, from the weights that its run left behind."""

from __future__ import annotations

from harness.store import reading
from harness.store.checksums import sha256
from harness.store.files import there
from harness.store.layout import RunFolder
from harness.store.records import Verification


def of(run: RunFolder) -> Verification | None:
    """What `dkd verify` found for the metrics of ``run`` as they stand; None if they were never verified like this."""
    if not there(run.verified):
        return None
    found = reading.read_intact(run.verified, Verification)
    try:
        return found if found and found.metrics_sha256 == sha256(run.metrics) else None
    except OSError:
        return None


def words(run: RunFolder) -> str:
    """The same for a person; empty where nothing was verified."""
    found = of(run)
    if found is None:
        return ""
    return f"NOT VERIFIED: {found.problem}" if found.problem else "verified"
