"""Which tests run in which order, and, after them, how much memory one small round of every method took."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest

PROCESSES = re.compile("subprocess|processes")
"""What files name whose tests start programs, and so take longest: one of them last would leave other cores idle."""
ALONE = "pretended"
"""A folder whose tests leave their process with a device that disturbs others: they run when they are asked for."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave `ALONE` out unless the command names it."""
    asked = any(ALONE in argument for argument in config.args)
    return True if collection_path.name == ALONE and not asked else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that start programs, or whose conftest does, come before all others."""
    items.sort(key=lambda item: not _starts_programs(item.path))


@functools.cache
def _starts_programs(file: Path) -> bool:
    places = [place for place in (file, file.with_name("conftest.py")) if place.exists()]
    return any(PROCESSES.search(place.read_text(encoding="utf-8")) for place in places)


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
