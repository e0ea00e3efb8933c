"""When checkpoints are written: by the minute, and the more rarely the longer one takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.commands.contract import prepare, tiny_cell
from harness.engine import checkpoint, loop
from harness.engine.loop import Engine
from harness.machine import card


class Time:
    """A clock that moves when a round or a write moves it."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now


def saves(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, round_takes: float, write_takes: float, resumed: bool = False
) -> list[float]:
    """Seconds from the start at which writes began, of a run whose rounds, writes and readings take so long."""
    clock, began, original = Time(), list[float](), checkpoint.load

    def save(path: Path, state: dict[str, Any]) -> None:
        began.append(clock.now - Time.now)
        clock.now += write_takes

    def load(*args: Any) -> Any:
        clock.now += write_takes
        return original(*args)

    def on_round(engine: Engine) -> None:
        clock.now += round_takes

    if resumed:
        prepare(tiny_cell("ssd-kd"), folder).save()
        monkeypatch.setattr(checkpoint, "load", load)
    monkeypatch.setattr(loop, "time", clock)
    monkeypatch.setattr(checkpoint, "save", save)
    engine = prepare(tiny_cell("ssd-kd"), folder)
    engine.checkpoint_seconds, engine.on_round = None, on_round
    assert engine.resume() == resumed
    engine.run()
    return began


def test_a_checkpoint_is_due_every_minute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert saves(tmp_path, monkeypatch, round_takes=25.0, write_takes=0.0)[:2] == [75.0, 150.0]


def test_one_that_takes_long_is_written_the_more_rarely(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Twenty times ten seconds are two rounds.
    assert saves(tmp_path, monkeypatch, round_takes=100.0, write_takes=10.0)[:3] == [100.0, 310.0, 520.0]


def test_a_process_that_goes_on_judges_by_what_reading_took(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # From the start, which is before the reading.
    found = saves(tmp_path, monkeypatch, round_takes=100.0, write_takes=10.0, resumed=True)
    assert found[:2] == [210.0, 420.0]


def test_energy_is_what_a_cards_counter_rose_by_and_sharers_are_the_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once each is not known: nothing is added across the gap."""
    engine = prepare(tiny_cell("kd-noise"), tmp_path)
    joules, sharers = iter([10.0, 12.0, None, 20.0, 25.0]), iter([1, 3, None, 2, 0])
    monkeypatch.setattr(card, "joules", lambda device: next(joules))
    monkeypatch.setattr(card, "sharers", lambda device: next(sharers))
    for _ in range(5):
        engine._look_at_card()
    assert (engine.ledger.energy, engine.ledger.device_sharers) == (2.0 + 5.0, 3)
