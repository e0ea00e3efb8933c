"""The order of the tests, and, after them, how much memory one small round of every method took."""

from __future__ import annotations

from pathlib import Path

import pytest

FIRST = ("slurm", "workflow", "test_end_to_end.py", "test_gpu_check.py", "tracking")
"""Files, and folders of them, that take minutes: one of them alone at the end would leave the other cores idle."""
LAST = "pretended"
"""What leaves its process with a device that no other test can do with."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort by file: `FIRST`, then all others as they come, then `LAST`."""
    items.sort(key=lambda item: _turn(item.path))


def _turn(path: Path) -> int:
    return (LAST in path.parts) - any(part in FIRST for part in path.parts)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A line per test that noted its memory."""
    notes = [
        (report.nodeid.split("::")[1].removeprefix("test_every_method_on_"), value)
        for report in terminalreporter.stats.get("passed", [])
        for name, value in report.user_properties
        if name == "memory"
    ]
    if notes:
        terminalreporter.section("memory of networks, images and one small round, MiB")
        for name, value in sorted(notes):
            terminalreporter.line(f"{value / 2**20:7.0f}  {name}")
