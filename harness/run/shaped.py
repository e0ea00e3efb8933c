"""A cell's method built of shapes alone: networks untrained, images without content. See `harness/engine/shapes.py`."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.utils._pytree import register_dataclass

from harness import data, networks
from harness.data.own import OwnData
from harness.engine import shapes
from harness.engine.failures import inside_method
from harness.engine.passes import Passes
from harness.engine.randomness import Streams
from harness.grid.cell import Cell
from harness.run.assemble import method_class, method_config, scheduled
from methods.base.method import Context, Method, MethodConfig, ModuleT
from methods.base.prior import Prior
from methods.base.task import RealImages, Task
from methods.base.teacher import ChannelStatistics, FrozenTeacher, TeacherOutput


@functools.cache
def config_of(setup: Cell) -> MethodConfig:
    """Of all seeds and scales of a label: the caller leaves them out of the cell."""
    return method_config(setup, class_of(setup))


def class_of(cell: Cell) -> type[Method]:
    """The class of its method, loaded and checked once."""
    if cell.method_source not in _classes:
        _classes[cell.method_source] = method_class(cell)
    return _classes[cell.method_source]


_classes: dict[str, type[Method]] = {}


def build(cell: Cell, config: MethodConfig, memory: int = 0, *, remember: bool = False) -> Method:
    """The cell's method, its networks untrained and its images without content: where there are `shapes.alone`.

    ``memory``: bytes of its device; with 0 it remembers nothing that it can find again. ``remember``: whether passes
    through teacher and student are carried out once for every kind; then nothing inside them has a gradient.
    """
    setup = replace(cell, scale=100.0, seed=0)
    task, cls = task_of(cell.data), class_of(setup)
    context = Context(
        task=task,
        teacher=teacher_of(cell.teacher_network, cell.data, remember),
        student=_student(cell.student_network, cell.data, remember),
        scale=cell.share,
        device=shapes.META,
        random=Streams(cell.seed, torch.device("cpu")).random,
        build=_networks(setup).anew(),
        memory=memory,
        real=_no_images(task, task.images(cell.share)) if cls.prior(config) is Prior.REAL_IMAGES else None,
    )
    return scheduled(cls(config, context))


def can_be_built(cell: Cell) -> bool:
    """Whether the cell's method can be set up, as far as shapes tell; one that reads numbers may still be."""
    setup = replace(cell, scale=100.0, seed=0)
    try:
        with shapes.alone(), inside_method():
            build(cell, config_of(setup))
    except Exception:  # noqa: BLE001 - whatever a method's file raises: building it with numbers will tell
        return False
    return True


class _Networks:
    """The networks that a label makes for itself: equal at all scales, and built once, as are copies of them."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, int], _Copied] = {}

    def __call__(self, stream: str, make: Callable[[], ModuleT], index: int = 0) -> ModuleT:
        if (stream, index) not in self._made:
            self._made[stream, index] = _Copied(_shaped(make))
        return cast(ModuleT, self._made[stream, index].module)

    def anew(self) -> _Networks:
        """For another method of the label."""
        for made in self._made.values():
            made.given = 0
        return self


class _Copied:
    """A network of whose copies a method gets the first, the second and so on, and the next method the same."""

    def __init__(self, module: nn.Module) -> None:
        self.module, self.given = module, 0
        self._copies: list[nn.Module] = []
        object.__setattr__(module, "__deepcopy__", self._copy)

    def _copy(self, memo: object) -> nn.Module:
        self.given += 1
        while len(self._copies) < self.given:
            self._copies.append(self._another())
        return self._copies[self.given - 1]

    def _another(self) -> nn.Module:
        del self.module.__deepcopy__
        try:
            return copy.deepcopy(self.module)
        finally:
            object.__setattr__(self.module, "__deepcopy__", self._copy)


@functools.cache
def _networks(setup: Cell) -> _Networks:
    return _Networks()


def _shaped(make: Callable[[], ModuleT]) -> ModuleT:
    with shapes.META:
        return make()


for answer in (TeacherOutput, ChannelStatistics):
    register_dataclass(answer)  # so that `Passes` finds the tensors in it


class _Teacher(FrozenTeacher):
    """One that is measured once."""

    @functools.cached_property
    def nbytes(self) -> int:
        """As any teacher's."""
        return super().nbytes


class _Remembering(_Teacher):
    """One whose passes are carried out once."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__(network)
        self._passes = Passes(super().__call__)

    def __call__(self, x: Tensor, **wanted: Any) -> TeacherOutput:
        """As any teacher."""
        return cast(TeacherOutput, self._passes(x, **wanted))


@functools.cache
def teacher_of(network: str, dataset: str | OwnData, remember: bool) -> FrozenTeacher:
    """The same for all labels; ``remember`` as in `build`."""
    return (_Remembering if remember else _Teacher)(_network(network, dataset))


@functools.cache
def _student(network: str, dataset: str | OwnData, remember: bool) -> nn.Module:
    made = copy.deepcopy(_network(network, dataset))
    if remember:
        made.forward = Passes(made.forward, made)
    return made


@functools.cache
def _network(name: str, dataset: str | OwnData) -> nn.Module:
    return _shaped(lambda: networks.for_task(name, task_of(dataset)))


@functools.cache
def task_of(dataset: str | OwnData) -> Task:
    """Of a dataset, its images unread."""
    return data.load(dataset).task


def forget() -> None:
    """Build everything again when it is asked for next."""
    _classes.clear()
    for kept in (config_of, _networks, teacher_of, _student, _network, task_of):
        kept.cache_clear()


def _no_images(task: Task, n: int) -> RealImages:
    places, kind = ((n, *task.shape[1:]), torch.uint8) if task.dense else ((n,), torch.int64)
    images = torch.empty(n, *task.shape, dtype=torch.uint8, device=shapes.META)
    return RealImages(images, torch.empty(places, dtype=kind, device=shapes.META))
