from pathlib import Path

import pytest

from harness.reporting import units
from harness.reporting.rows import Row, group
from harness.reporting.runs import load
from harness.store.records import Flops, Seconds
from tests import factory


@pytest.mark.parametrize(
    ("seconds", "name"), [([], "s"), ([119.0], "s"), ([120.0], "min"), ([7199.0], "min"), ([7200.0], "h")]
)
def test_units(seconds: list[float], name: str) -> None:
    assert units.fitting(seconds, units.TIME).name == name


def rows(results: Path, *devices: str) -> list[Row]:
    """A run per device, of 600 s on cores and 8000 s on the wall."""
    cpu = Seconds(startup=100.0, synthesis=200.0, distillation=300.0, evaluation=1.0)
    wall = cpu.model_copy(update={"synthesis": 7600.0})
    flops = Flops(synthesis=10**12, distillation=2 * 10**12)
    for seed, device in enumerate(devices):
        factory.write(results, factory.metrics(seed=seed, device=device, seconds=wall, cpu_seconds=cpu, flops=flops))
    return group(load(results))


@pytest.mark.parametrize(
    ("devices", "cost"),
    [(("cpu",), "CPU min"), (("cuda",), "GPU h"), (("cpu", "cpu"), "CPU min"), (("cpu", "cuda"), "cost min")],
)
def test_the_unit_says_whose_seconds_count(tmp_path: Path, devices: tuple[str, ...], cost: str) -> None:
    found = rows(tmp_path, *devices)
    assert units.cost(found).name == cost
    assert units.wall(found).name == "wall h"
    assert units.work(found).name == "TFLOP"


def test_of_nothing() -> None:
    assert (units.cost([]).name, units.work([]).name) == ("CPU s", "MFLOP")
