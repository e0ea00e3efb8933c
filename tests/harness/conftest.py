"""The command line, in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from harness import cli

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def dkd(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command line; returns exit status, output and errors."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["dkd", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return (int(ended.value.code or 0), *capsys.readouterr())

    return call
