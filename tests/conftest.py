"""Which tests run in which order, and, after them, how much memory one small round of every method took."""

from __future__ import annotations

from pathlib import Path

import pytest

FIRST = ("slurm", "workflow", "test_end_to_end.py", "test_gpu_check.py", "tracking")
"""Files, and folders of them, that take minutes: one of them alone at the end would leave the other cores idle."""
ALONE = "pretended"
"""A folder whose tests leave their process with a device that disturbs others: they run when they are asked for."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave `ALONE` out unless the command names it."""
    asked = any(ALONE in argument for argument in config.args)
    return True if collection_path.name == ALONE and not asked else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is in `FIRST` comes before all others."""
    items.sort(key=lambda item: not any(part in FIRST for part in item.path.parts))


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
