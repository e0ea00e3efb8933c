"""Records that others sent, or we did: whatever lies under results/reference is whole and agrees with itself."""

from __future__ import annotations

from pathlib import Path

from harness.commands.submission import check

REFERENCE = Path(__file__).parents[1] / "results/reference"


def test_every_folder_of_reference_records_is_a_submission() -> None:
    found = {folder.name: check.check(folder) for folder in sorted(REFERENCE.glob("*"))}
    assert {name: findings.problems for name, findings in found.items() if findings.problems} == {}
