"""The clock: each phase on its own account."""

from __future__ import annotations

import time

import pytest
import torch

from harness.engine.clock import Clock


def test_phases_are_summed_and_nothing_else_is(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([10.0, 11.5, 20.0, 24.0, 30.0, 30.25])
    monkeypatch.setattr(time, "perf_counter", lambda: next(now))
    clock = Clock(torch.device("cpu"))
    with clock.synthesis():
        pass
    with clock.distillation():
        pass
    with pytest.raises(KeyError), clock.synthesis():
        raise KeyError
    clock.settle()
    assert clock.seconds == {"synthesis": 1.75, "distillation": 4.0}


def test_phases_do_not_nest() -> None:
    clock = Clock(torch.device("cpu"))
    with pytest.raises(RuntimeError, match="already runs for synthesis"), clock.synthesis(), clock.distillation():
        pass
    with clock.distillation():
        pass
