"""Tensors of the pretended card, and how an operation on them is carried out."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from tests.pretended import generators, rules, saving
from tests.pretended.device import DEVICE

CPU = torch.device("cpu")


class OnCard(Tensor):
    """A tensor that says it lies on `DEVICE`; ``held`` is its content, on the CPU."""

    held: Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls: type[OnCard], held: Tensor) -> OnCard:
        places = {"strides": held.stride(), "storage_offset": held.storage_offset()}
        made: OnCard = Tensor._make_wrapper_subclass(cls, held.shape, **places, dtype=held.dtype, device=DEVICE)
        made.held = held
        return made

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return carry_out(func, *args, **(kwargs or {}))

    @property
    def data(self) -> Tensor:  # type: ignore[override]
        return Tensor.data.__get__(self)  # type: ignore[attr-defined]

    @data.setter
    def data(self, other: OnCard) -> None:
        Tensor.data.__set__(self, other)  # type: ignore[attr-defined]
        self.held = other.held

    def untyped_storage(self) -> Any:
        return self.held.untyped_storage()

    def data_ptr(self) -> int:
        return self.held.data_ptr()

    def tolist(self) -> Any:
        return self.cpu().tolist()

    def new_tensor(self, content: Any, **options: Any) -> Tensor:
        return torch.tensor(content, **{"dtype": self.dtype, "device": DEVICE, **options})

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if id(self) not in memo:
            made = OnCard(self.held.clone())
            made = nn.Parameter(made) if isinstance(self, nn.Parameter) else made
            memo[id(self)] = made.requires_grad_(self.requires_grad)
        copied: Tensor = memo[id(self)]
        return copied

    def __reduce_ex__(self, protocol: Any) -> Any:
        return saving.reduced(self.held)

    def __repr__(self, **_: Any) -> str:
        return f"{DEVICE}: {self.held!r}"


def carry_out(func: Any, *args: Any, **kwargs: Any) -> Any:
    """An operation in which the card has a part: checked, calculated on the CPU, its results on the card again."""
    here: dict[int, OnCard] = {}
    elsewhere: list[Tensor] = []

    def held(value: Any) -> Any:
        if isinstance(value, OnCard):
            here[id(value.held)] = value
            return value.held
        if isinstance(value, Tensor):
            elsewhere.append(value)
        return [held(entry) for entry in value] if isinstance(value, list | tuple) else value

    inner, options = held(args), {name: held(value) for name, value in kwargs.items()}
    target: torch.device | None = options.get("device")
    rules.check(func, [tensor.held for tensor in here.values()], elsewhere, target)
    if target is not None:
        options["device"] = CPU
    if any(argument.name == "generator" for argument in func._schema.arguments):
        options["generator"] = generators.for_card(options.get("generator"))
    returned = func(*inner, **options)
    return returned if target == CPU else _on_card(returned, here)


def _on_card(value: Any, known: dict[int, OnCard]) -> Any:
    """What an operation returned, as tensors of the card; those that it was given are the same ones again."""
    if isinstance(value, list | tuple):
        return type(value)(_on_card(entry, known) for entry in value)
    if not isinstance(value, Tensor):
        return value
    if id(value) not in known:
        return OnCard(value)
    ours = known[id(value)]
    if ours.shape != value.shape:
        raise NotImplementedError("the pretended card cannot give a tensor another shape in place")
    return ours
