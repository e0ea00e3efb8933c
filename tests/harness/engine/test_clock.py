"""The clock: each phase on its own account, on the wall and on the cores."""

from __future__ import annotations

import math
import threading
import time
from itertools import pairwise

import pytest
import torch

from harness.engine.clock import Clock, Elapsed
from harness.store.records import Seconds


def test_phases_are_summed_and_nothing_else_is(monkeypatch: pytest.MonkeyPatch) -> None:
    wall, cpu = iter([10.0, 11.5, 20.0, 24.0, 30.0, 30.25, 40.0, 48.0]), iter([1.0, 2.0, 2.0, 9.0, 9.0, 9.5, 9.5, 10.0])
    monkeypatch.setattr(time, "perf_counter", lambda: next(wall))
    monkeypatch.setattr(time, "process_time", lambda: next(cpu))
    clock = Clock(torch.device("cpu"))
    with clock.synthesis():
        pass
    with clock.distillation():
        pass
    with pytest.raises(KeyError), clock.synthesis():
        raise KeyError
    with clock.evaluation():
        pass
    clock.book("lost", Elapsed(3.0, 2.0))
    assert clock.seconds == Seconds(startup=0.0, synthesis=1.75, distillation=4.0, evaluation=8.0, lost=3.0)
    assert clock.cpu_seconds == Seconds(startup=0.0, synthesis=1.5, distillation=7.0, evaluation=0.5, lost=2.0)


def test_phases_do_not_nest() -> None:
    clock = Clock(torch.device("cpu"))
    with pytest.raises(RuntimeError, match="already runs for synthesis"), clock.synthesis(), clock.distillation():
        pass
    with clock.distillation():
        pass


def test_a_checkpoint_keeps_what_every_phase_took() -> None:
    clock, again = Clock(torch.device("cpu")), Clock(torch.device("cpu"))
    for number, phase in enumerate(Seconds.model_fields):
        clock.book(phase, Elapsed(number + 0.5, number + 0.25))
    again.load_state_dict(clock.state_dict())
    again.book("startup", Elapsed(1.0, 2.0))
    assert again.seconds.model_dump() == clock.seconds.model_dump() | {"startup": 1.5}
    assert again.cpu_seconds.model_dump() == clock.cpu_seconds.model_dump() | {"startup": 2.25}


def test_all_threads_count_on_the_cores_and_sleep_does_not() -> None:
    """Two threads that each spend a twentieth of a second on a core, however long that takes beside other work."""

    def work() -> None:
        start = time.thread_time()
        while time.thread_time() - start < 0.05:
            math.factorial(500)

    start = Elapsed.now()
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    worked, before = Elapsed.now().since(start).cpu, Elapsed.now()
    time.sleep(0.3)
    slept = Elapsed.now().since(before)
    assert worked >= 0.1
    assert slept.wall >= 0.3 > slept.cpu


def test_readings_rise() -> None:
    readings = [Elapsed.now() for _ in range(100)]
    assert all(b.wall >= a.wall and b.cpu >= a.cpu for a, b in pairwise(readings))


def test_on_a_card_phases_are_what_its_events_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """In milliseconds of the stream; nothing waits for the card but who reads, and nothing counts twice."""
    now, waits = [0.0], list[float]()

    class Event:
        def __init__(self, enable_timing: bool) -> None:
            assert enable_timing

        def record(self) -> None:
            self.at = now[0]

        def elapsed_time(self, end: Event) -> float:
            return end.at - self.at

    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: waits.append(now[0]))
    clock = Clock(torch.device("cuda"))
    with clock.synthesis():
        now[0] += 1500
    with clock.distillation():
        now[0] += 250
    assert waits == []
    for _ in range(2):
        assert (clock.seconds.synthesis, clock.seconds.distillation) == (1.5, 0.25)
    with clock.synthesis():
        now[0] += 1000
    with clock.evaluation():
        assert waits == [1750.0, 2750.0], "what runs before an evaluation is no part of it"
    assert clock.seconds.synthesis == 2.5
