"""State that survives a restart, declared by name."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor


class Stateful:
    """Saves and restores the attributes named in ``state``: all that changes while a run goes on.

    An attribute may be a tensor (restored in place), a number, a text, a list or dictionary of all these (replaced by a
    copy), or anything with a state of its own: modules, optimizers, other Stateful objects.
    """

    state: ClassVar[tuple[str, ...]] = ()

    def state_dict(self) -> dict[str, Any]:
        """Attribute name -> its state; tensors are not copied."""
        return {name: _save(getattr(self, name)) for name in self.state}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned. Raises KeyError if an attribute is missing there."""
        for name in self.state:
            value = getattr(self, name)
            if hasattr(value, "load_state_dict"):
                value.load_state_dict(state[name])
            elif isinstance(value, Tensor):
                value.copy_(state[name])
            else:
                setattr(self, name, copy.deepcopy(state[name]))


def _save(value: Any) -> Any:
    return value.state_dict() if hasattr(value, "state_dict") else value
