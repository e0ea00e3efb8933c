"""Why the protocol's test is not paired: equal seeds of two methods are no more alike than unequal ones."""

from __future__ import annotations

import itertools
from pathlib import Path
from statistics import variance

import pytest

import harness

REFERENCE = Path(__file__).parents[2] / "results/reference"


@pytest.mark.parametrize(("place", "study"), [("cpu-amd-epyc", "cifar10-cpu"), ("gpu-nvidia-h200", "cifar10-gpu")])
def test_differences_of_equal_seeds_vary_as_those_of_independent_ones(place: str, study: str) -> None:
    """For these the variance of a difference is the sum of both; with seeds that matter it would be much less."""
    frame = harness.load(REFERENCE / place)
    rows = frame[(frame.study == study) & (frame.scale == 10)].pivot_table("final", "label", "seed").dropna()
    assert len(rows) >= 8
    paired, independent = 0.0, 0.0
    for mine, other in itertools.combinations(rows.to_numpy(), 2):
        paired += variance(mine - other)
        independent += variance(mine) + variance(other)
    assert 0.75 < paired / independent < 1.25
