"""Seconds of work that a kill threw away: what was noted after the last checkpoint, whatever comes then."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

from harness.engine.clock import Clock
from harness.run import session
from harness.store import atomic
from harness.store.layout import RunFolder
from harness.store.records import Progress, Seconds

STARTUP = 2.0


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A run that was killed: five seconds of start-up, forty of work, three lost by a kill before."""
    monkeypatch.setattr(session, "_since_start", lambda waited: session.Elapsed(wall=STARTUP, cpu=STARTUP))
    folder = RunFolder(tmp_path / "runs/key")
    noted = spent(work=40.0, lost=3.0)
    atomic.write(
        folder.progress, Progress(epoch=1, epochs=9, seconds=noted, cpu_seconds=noted, pid=1, time=time.time())
    )
    return folder


def spent(work: float, lost: float) -> Seconds:
    return Seconds(startup=5.0, synthesis=work, distillation=0.0, evaluation=0.0, lost=lost)


def lost(run: RunFolder, checkpoint: Seconds) -> float:
    """What the next attempt, which goes on from this checkpoint, books as lost, with what the checkpoint knows."""
    clock = Clock(torch.device("cpu"))
    clock.load_state_dict({name: [getattr(checkpoint, name)] * 2 for name in Seconds.model_fields})
    engine = SimpleNamespace(clock=clock, ledger=SimpleNamespace(next_round=1))
    stand_in = SimpleNamespace(run=SimpleNamespace(folder=run), report=SimpleNamespace(say=lambda line: None))
    session._Session._book_start(cast(Any, stand_in), cast(Any, engine), True, 0.0)
    return clock.seconds.lost


def test_what_lies_between_checkpoint_and_kill_is_lost(run: RunFolder) -> None:
    # 40 - 10 seconds of work, 3 that were lost before, and this attempt's start-up, which a first one would not need
    assert lost(run, spent(work=10.0, lost=3.0)) == pytest.approx(30 + 3 + STARTUP)


def test_a_second_kill_before_the_next_checkpoint_forgets_none_of_it(run: RunFolder) -> None:
    lost(run, spent(work=10.0, lost=0.0))
    # nothing of the second attempt was written: 40 - 10 of the first, the 3 that it knew of, and the third's start-up
    assert lost(run, spent(work=10.0, lost=0.0)) == pytest.approx(30 + 3 + STARTUP)


def test_what_a_later_checkpoint_knows_is_not_counted_twice(run: RunFolder) -> None:
    first = lost(run, spent(work=10.0, lost=0.0))
    # the second attempt worked for four seconds, wrote a checkpoint that holds what was lost, and was killed
    assert lost(run, spent(work=14.0, lost=first)) == pytest.approx(first + STARTUP)
