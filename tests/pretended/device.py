"""The name of the pretended card, and its own module, as `torch.cuda` is that of real ones."""

from __future__ import annotations

import torch
from torch.utils import backend_registration

NAME = "pretend"


class Module:
    """What PyTorch asks of a device's module: ``torch.pretend``."""

    def __init__(self) -> None:
        self.default_generator = torch.Generator()
        """What operations draw from that are given no generator, such as those of dropout."""

    def is_initialized(self) -> bool:
        return True

    def is_available(self) -> bool:
        return True

    def current_device(self) -> int:
        return 0

    def device_count(self) -> int:
        return 1

    def _is_in_bad_fork(self) -> bool:
        return False

    def get_rng_state(self, device: object = None) -> torch.Tensor:
        return self.default_generator.get_state()

    def set_rng_state(self, state: torch.Tensor, device: object = None) -> None:
        self.default_generator.set_state(state)

    def manual_seed_all(self, seed: int) -> None:
        """Called by `torch.manual_seed`."""
        self.default_generator.manual_seed(seed)


MODULE = Module()


# PyTorch has one place for devices that it does not know, and a process fills it once.
backend_registration._setup_privateuseone_for_python_backend(NAME, MODULE)  # type: ignore[arg-type]
DEVICE = torch.device(NAME, 0)
