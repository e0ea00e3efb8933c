"""How a device calculates: PyTorch's switches, set here and nowhere else, and recorded with every attempt.

On a CPU they change nothing: there a result is the same, bit for bit, for one processor, thread count and version.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from harness.engine.lowered import Lowered
from harness.store.bounds import Precision

Settings = dict[str, bool]
"""Name of a switch -> its position."""

WORKSPACE = ":4096:8"
"""cuBLAS gives the same sums every time only with a workspace of a fixed size. NVIDIA, cuBLAS, "Results
reproducibility"."""


def settings(precision: Precision, deterministic: bool) -> Settings:
    """The switches of a run on a GPU. PyTorch's own defaults are others, and may change with its next version.

    ``deterministic``: only operations with the same result every time; PyTorch refuses those that have no such form.

    ``tf32_convolutions``: products of convolutions in 19 bits. ``tf32_products``: those of matrices.
    ``benchmark``: cuDNN tries its algorithms and takes the fastest, not the same in every process.
    """
    return {
        "deterministic": deterministic,
        "tf32_convolutions": precision == "tf32",
        "tf32_products": precision == "tf32",
        "benchmark": False,
    }


def apply(precision: Precision = "fp32", deterministic: bool = False) -> None:
    """Set the switches for this process, before anything is calculated on a GPU."""
    chosen = settings(precision, deterministic)
    _round(*("tf32" if chosen[f"tf32_{kind}"] else "ieee" for kind in ("convolutions", "products")))
    torch.backends.cudnn.benchmark = chosen["benchmark"]
    torch.backends.cudnn.deterministic = chosen["deterministic"]
    if chosen["deterministic"]:
        os.environ["CUBLAS_WORKSPACE_CONFIG"] = WORKSPACE
    if torch.are_deterministic_algorithms_enabled() != chosen["deterministic"]:  # the call loads PyTorch's compiler
        torch.use_deterministic_algorithms(chosen["deterministic"])


@contextmanager
def full() -> Iterator[None]:
    """A block that calculates in fp32 whatever the run around it does: nets are scored, and images described, so."""
    before = torch.backends.cudnn.conv.fp32_precision, torch.backends.cuda.matmul.fp32_precision  # type: ignore[attr-defined]
    active, Lowered.active = Lowered.active, False
    _round("ieee", "ieee")
    try:
        yield
    finally:
        Lowered.active = active
        _round(*before)


def possible(device: torch.device) -> list[Precision]:
    """How a device can calculate. Every CPU can in bf16, and few of them faster; a card that emulates it cannot."""
    if device.type == "cpu":
        return ["fp32", "bf16"]
    # NVIDIA's cards have both or neither, so that PyTorch asks for the one to know of the other.
    return ["fp32", "tf32", "bf16"] if torch.cuda.is_bf16_supported(including_emulation=False) else ["fp32"]


def _round(convolutions: str, products: str) -> None:
    torch.backends.cudnn.conv.fp32_precision = convolutions  # type: ignore[attr-defined]
    torch.backends.cuda.matmul.fp32_precision = products
