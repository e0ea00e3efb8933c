"""Prints, after the tests, how much memory one small round of every method took."""

from __future__ import annotations

import pytest


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
