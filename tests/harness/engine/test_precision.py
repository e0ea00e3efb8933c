"""How a run calculates: what is recorded is how the switches stand, a CPU has none, and scores are always fp32."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, get_args

import pytest
import torch
from torch import Tensor, nn

from harness import data
from harness.commands.contract import tiny_cell
from harness.engine import precision
from harness.engine.evaluate import Evaluator
from harness.engine.lowered import lowered
from harness.errors import ConfigError
from harness.grid import keys
from harness.run import manifest, sheet
from harness.run.assemble import cell_device
from harness.store.bounds import Precision

CPU, CARD = torch.device("cpu"), torch.device("cuda")
ALL = get_args(Precision)


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
@pytest.mark.parametrize("chosen", ALL)
def test_what_is_recorded_is_how_the_switches_stand(chosen: Precision, deterministic: bool) -> None:
    torch.backends.cudnn.benchmark, torch.backends.cuda.matmul.fp32_precision = True, "tf32"  # whoever was here before
    precision.apply(chosen, deterministic)
    assert switches() == precision.settings(chosen, deterministic)
    assert switches() == {
        "deterministic": deterministic,
        "tf32_convolutions": chosen == "tf32",
        "tf32_products": chosen == "tf32",
        "benchmark": False,
    }
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == (":4096:8" if deterministic else "")


def test_unless_asked_otherwise_all_is_fp32() -> None:
    """Teachers are trained, and students verified, with nothing said."""
    precision.apply("tf32")
    precision.apply()
    assert not any(switches().values())
    assert torch.backends.cudnn.conv.fp32_precision == torch.backends.cuda.matmul.fp32_precision == "ieee"  # type: ignore[attr-defined]


@pytest.mark.parametrize("chosen", ALL)
@pytest.mark.parametrize("deterministic", [True, False])
def test_an_attempt_says_how_its_gpu_calculated(deterministic: bool, chosen: Precision) -> None:
    cell = dataclasses.replace(tiny_cell("kd-noise"), deterministic=deterministic, precision=chosen)
    run: Any = SimpleNamespace(cell=cell, device=CARD, device_name="a card", concurrent=1)
    assert manifest._attempt(run).precision == precision.settings(chosen, deterministic)
    run.device = CPU
    assert manifest._attempt(run).precision is None


def test_it_belongs_to_the_key() -> None:
    cell = tiny_cell("kd-noise")
    assert (cell.deterministic, cell.precision) == (False, "fp32")
    others: list[dict[str, Any]] = [{"deterministic": True}, {"precision": "tf32"}, {"precision": "bf16"}]
    found = {keys.plan_key(dataclasses.replace(cell, **change)) for change in [{}, *others]}
    assert len(found) == 1 + len(others)


@pytest.mark.parametrize(
    ("device", "modern", "can"),
    [(CPU, True, ["fp32", "bf16"]), (CARD, True, ["fp32", "tf32", "bf16"]), (CARD, False, ["fp32"])],
)
def test_what_a_device_cannot_is_refused_with_what_it_can(
    device: torch.device, modern: bool, can: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Old Card")
    # Old cards only emulate bfloat16: PyTorch says yes unless it is asked for the card itself.
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation or modern)
    for chosen in ALL:
        cell = dataclasses.replace(tiny_cell("kd-noise"), device=device.type, precision=chosen)
        if chosen in can:
            assert cell_device(cell) == device
            continue
        said = rf"precision: {chosen}: .* cannot calculate so\n  valid choices: {', '.join(can)}($|\n)"
        with pytest.raises(ConfigError, match=said):
            cell_device(cell)


class Notes(nn.Module):
    """Ten logits of an image, and how they were calculated."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.seen = nn.Linear(64, 10), set[Any]()

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.linear(x.flatten(1))
        self.seen.add((logits.dtype, *(switches()[f"tf32_{kind}"] for kind in ("convolutions", "products"))))
        return logits


@pytest.mark.parametrize("chosen", ["bf16", "tf32"])
def test_scores_and_descriptions_are_fp32_and_the_run_goes_on_as_before(chosen: Precision) -> None:
    precision.apply(chosen)
    dataset, plain = data.load("digits"), Notes()
    network = lowered(plain, CPU) if chosen == "bf16" else plain
    Evaluator(dataset, network, CPU)(network)
    sheet.describe(torch.rand(3, *dataset.task.shape), network, dataset.task)
    assert plain.seen == {(torch.float32, False, False)}
    plain.seen.clear()
    network(torch.rand(2, 64))
    assert plain.seen == {(torch.bfloat16, False, False) if chosen == "bf16" else (torch.float32, True, True)}


def test_after_a_failure_a_run_still_calculates_as_before() -> None:
    precision.apply("tf32")
    with pytest.raises(ZeroDivisionError), precision.full():
        raise ZeroDivisionError
    assert switches()["tf32_convolutions"] and switches()["tf32_products"]
    assert lowered(nn.Linear(1, 1), CPU).active
