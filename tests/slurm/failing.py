"""A method that fails."""

from __future__ import annotations

from methods.base.method import Losses
from methods.references import KDNoise


class Failing(KDNoise):
    """Distillation on noise, up to a point."""

    name = "failing"

    def distill_step(self) -> Losses:
        """Not a step."""
        raise ValueError("the buffer holds 12 images, 13 were asked for")
