"""How a GPU calculates: PyTorch's switches, set here and nowhere else, and recorded with every attempt.

On a CPU they change nothing: there a result is the same, bit for bit, for one processor, thread count and version.
"""

from __future__ import annotations

import os

import torch

Settings = dict[str, bool]
"""Name of a switch -> its position."""

WORKSPACE = ":4096:8"
"""cuBLAS gives the same sums every time only with a workspace of a fixed size. NVIDIA, cuBLAS, "Results
reproducibility"."""


def settings(deterministic: bool) -> Settings:
    """The switches of a run on a GPU. All but the first are PyTorch's own defaults, which its next version may change.

    ``deterministic``: only operations with the same result every time; PyTorch refuses those that have no such form.

    ``tf32_convolutions``: products of convolutions in 19 bits, on cards that can. ``tf32_products``: those of matrices.
    ``benchmark``: cuDNN tries its algorithms and takes the fastest, not the same in every process.
    """
    return {
        "deterministic": deterministic,
        "tf32_convolutions": True,
        "tf32_products": False,
        "benchmark": False,
    }


def apply(deterministic: bool = False) -> None:
    """Set the switches for this process, before anything is calculated on a GPU."""
    chosen = settings(deterministic)
    torch.backends.cudnn.conv.fp32_precision = "tf32" if chosen["tf32_convolutions"] else "ieee"  # type: ignore[attr-defined]
    torch.backends.cuda.matmul.fp32_precision = "tf32" if chosen["tf32_products"] else "ieee"
    torch.backends.cudnn.benchmark = chosen["benchmark"]
    torch.backends.cudnn.deterministic = chosen["deterministic"]
    if chosen["deterministic"]:
        os.environ["CUBLAS_WORKSPACE_CONFIG"] = WORKSPACE
    if torch.are_deterministic_algorithms_enabled() != chosen["deterministic"]:  # the call loads PyTorch's compiler
        torch.use_deterministic_algorithms(chosen["deterministic"])
