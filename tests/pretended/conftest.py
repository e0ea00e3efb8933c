from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from tests.pretended.device import DEVICE
from tests.pretended.machine import with_card


@pytest.fixture(autouse=True)
def card() -> Iterator[torch.device]:
    """The pretended card, there for the test."""
    with with_card():
        yield DEVICE
