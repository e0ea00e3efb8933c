"""The switches of a GPU: what is recorded is how they stand, and a CPU has none."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from harness.commands.contract import tiny_cell
from harness.engine import precision
from harness.grid import keys
from harness.run import manifest


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")
    yield
    precision.apply()


def switches() -> dict[str, bool]:
    """As PyTorch has them."""
    cudnn, cuda = torch.backends.cudnn, torch.backends.cuda
    assert cudnn.deterministic == torch.are_deterministic_algorithms_enabled()
    return {
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "tf32_convolutions": cudnn.conv.fp32_precision == "tf32",
        "tf32_products": cuda.matmul.fp32_precision == "tf32",
        "benchmark": cudnn.benchmark,
    }


@pytest.mark.parametrize("deterministic", [True, False])
def test_what_is_recorded_is_how_the_switches_stand(deterministic: bool) -> None:
    torch.backends.cudnn.benchmark, torch.backends.cuda.matmul.fp32_precision = True, "tf32"  # whoever was here before
    precision.apply(deterministic)
    assert switches() == precision.settings(deterministic)
    assert switches() == {
        "deterministic": deterministic,
        "tf32_convolutions": True,
        "tf32_products": False,
        "benchmark": False,
    }
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == (":4096:8" if deterministic else "")


@pytest.mark.parametrize("deterministic", [True, False])
def test_an_attempt_says_how_its_gpu_calculated(deterministic: bool) -> None:
    cell = dataclasses.replace(tiny_cell("kd-noise"), deterministic=deterministic)
    run: Any = SimpleNamespace(cell=cell, device=torch.device("cuda"), device_name="a card", concurrent=1)
    assert manifest._attempt(run).precision == precision.settings(deterministic)
    run.device = torch.device("cpu")
    assert manifest._attempt(run).precision is None


def test_it_belongs_to_the_key() -> None:
    cell = tiny_cell("kd-noise")
    assert not cell.deterministic
    assert keys.plan_key(dataclasses.replace(cell, deterministic=True)) != keys.plan_key(cell)
