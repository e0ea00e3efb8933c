"""The best of several steps."""

from __future__ import annotations

import pytest
import torch

from methods.parts.optimization import Best


def test_best_keeps_the_first_of_equal_minima() -> None:
    best = Best()
    for i, loss in enumerate([3.0, 1.0, 1.0, 2.0, float("nan")]):
        best.offer(torch.tensor(loss), torch.tensor(i), torch.tensor(10 * i))
    assert [tensor.item() for tensor in best.tensors] == [1, 10]


def test_best_needs_an_offer() -> None:
    with pytest.raises(LookupError):
        _ = Best().tensors
