"""What a cell will cost, judged by the shapes of one round: operations, and memory on its device."""

from __future__ import annotations

import copy
import functools
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.utils._pytree import register_dataclass

from harness import data, networks
from harness.data.own import OwnData
from harness.engine import shapes
from harness.engine.failures import inside_method
from harness.engine.flops import FlopClock, asked, count_flops, has_own_loop
from harness.engine.passes import Passes, kept_by_autograd
from harness.engine.randomness import Streams
from harness.grid.cell import Cell
from harness.machine.devices import device_memory
from harness.run.assemble import method_class, method_config, scheduled
from harness.store.layout import scale_text
from harness.store.records import Flops
from methods.base.method import Context, Method, MethodConfig, ModuleT
from methods.base.placing import Placing
from methods.base.prior import Prior
from methods.base.task import RealImages, Task
from methods.base.teacher import ChannelStatistics, FrozenTeacher, TeacherOutput

FEWEST = 2
"""Images of a batch: batch norm needs two."""
ASSUMED_MEMORY = 80 * 2**30
"""Bytes of a device that is not here: a recent data-centre GPU, our choice."""
HEADROOM = 1.25
"""Peak over what autograd keeps: gradients of activations, workspace of convolutions. Our choice."""


@dataclass(frozen=True)
class Cost:
    """Of a whole run; rough, for plans and warnings."""

    flops: Flops
    resident: int
    """Bytes that a run holds on its device all the time: networks, optimizers, images."""
    activations: int
    """Bytes that grow with the batch, at the peak, in fp32: with `bf16` most of them take half."""
    placing: Placing | None = None
    """Where the images lie; None where none are stored."""

    @property
    def memory(self) -> int:
        """Bytes at the peak."""
        return self.resident + self.activations


def estimate(cell: Cell) -> Cost | None:
    """The cost of one cell; None if its method fails in the round that would tell, or needs more than shapes.

    Raises ConfigError like `method_config`. A method that makes fewer images a call at a small data scale is taken to
    make as many as at 100 %.
    """
    setup = replace(cell, scale=100.0, seed=0)
    config = _config(setup)
    try:
        with shapes.alone():
            whole = build(cell, config, device_memory(cell.device) or ASSUMED_MEMORY)
        round_ = _round(_Alike.of(setup, config), whole.schedule.longest_round if has_own_loop(whole) else 1)
    except Exception:  # noqa: BLE001 - whatever a method's file raises: the run will tell it, with its traceback
        return None
    inner = getattr(config, "inner_steps", 1)
    flops = Flops(
        synthesis=round_.flops.synthesis * inner * whole.schedule.synthesis_rounds,
        distillation=round_.flops.distillation * whole.schedule.steps,
    )
    if whole.asking:
        flops = asked(flops, whole.asking, round_.answer)
    held = resident(whole) - (_beside(whole.placing) if cell.device != "cpu" else 0)
    return Cost(flops, held, round(HEADROOM * max(round_.activations.values())), whole.placing)


def _beside(placing: Placing | None) -> int:
    """Bytes of images that are not on the device."""
    return 0 if placing is None or placing.on_device else placing.bytes


def can_be_built(cell: Cell) -> bool:
    """Whether the cell's method can be set up, as far as shapes tell; one that reads numbers may still be."""
    setup = replace(cell, scale=100.0, seed=0)
    try:
        with shapes.alone(), inside_method():
            build(cell, _config(setup))
    except Exception:  # noqa: BLE001 - whatever a method's file raises: building it with numbers will tell
        return False
    return True


def memory_problem(cell: Cell, available: int) -> str | None:
    """What to say if the cell seems to need more than ``available`` bytes: how much, and which batch would fit."""
    cost = estimate(cell)
    if cost is None or cost.memory <= available:
        return None
    config = method_config(cell)
    share = max(0, available - cost.resident) / cost.activations
    batches = {name: getattr(config, name) for name in ("batch", "inversion_batch") if hasattr(config, name)}
    fitting = ", ".join(f"{name}: {int(share * size)} instead of {size}" for name, size in batches.items())
    fix = f"this would fit: {fitting}" if share * min(batches.values()) >= FEWEST else "no batch would fit"
    return (
        f"{cell.label} on {cell.pair} at {scale_text(cell.scale)} % needs about {_gib(cost.memory)}, "
        f"the device has {_gib(available)}; {fix}"
    )


def shared_problem(cells: Sequence[Cell], share: int, available: int) -> str | None:
    """What to say if the ``share`` cells that need most do not fit into ``available`` bytes together; None if they do.

    Of each setup of ``cells`` the largest data scale counts, for all its cells.
    """
    setups: dict[tuple[object, ...], list[Cell]] = {}
    for cell in sorted(cells, key=lambda cell: -cell.scale):
        setups.setdefault((cell.study, cell.dataset, cell.pair, cell.label), []).append(cell)
    known = [(found.memory, group) for group in setups.values() if (found := estimate(group[0]))]
    largest = sorted(((size, cell.row) for size, group in known for cell in group), reverse=True)[:share]
    sums = list(itertools.accumulate(size for size, _ in largest))
    if not sums or sums[-1] <= available:
        return None
    fitting = sum(total <= available for total in sums)
    return (
        f"share: {share}: the cells that need most take about {_gib(sums[-1])} of a GPU together, up to "
        f"{_gib(largest[0][0])} each ({largest[0][1]}); the device has {_gib(available)}, for {fitting} of them"
    )


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB"


@dataclass(frozen=True)
class _Round:
    """One call of `synthesise` with one inner step, and one `distill_step`."""

    flops: Flops
    activations: Mapping[str, int]
    answer: int
    """Operations of one image's way through the teacher."""


@functools.cache
def _config(setup: Cell) -> MethodConfig:
    """Of all seeds and scales of a label: the caller leaves them out of the cell."""
    return method_config(setup)


@functools.cache
def _class(setup: Cell) -> type[Method]:
    """Of all seeds and scales of a label."""
    return method_class(setup)


@dataclass(frozen=True)
class _Alike:
    """What decides the shapes of a round: no inner steps, and of a number with a fraction only whether it is 0."""

    method: type[Method]
    data: str | OwnData
    networks: tuple[str, str]
    options: str
    setup: Cell = field(compare=False)
    config: MethodConfig = field(compare=False)

    @classmethod
    def of(cls, setup: Cell, config: MethodConfig) -> _Alike:
        """Of all seeds and scales of a label."""
        if hasattr(config, "inner_steps"):
            config = config.model_copy(update={"inner_steps": 1})
        options = {name: bool(value) if isinstance(value, float) else value for name, value in config}
        networks = setup.teacher_network, setup.student_network
        return cls(_class(setup), setup.data, networks, repr(options | {"steps": 1}), setup, config)


@functools.cache
def _round(alike: _Alike, steps: int) -> _Round:
    """Of so many of the student's steps. Asked for once for all seeds and scales of a label."""
    try:
        return _carried_out(alike, steps, remember=True)
    except RuntimeError:  # it wants gradients of what is inside a network
        return _carried_out(alike, steps)


def _carried_out(alike: _Alike, steps: int, *, remember: bool = False) -> _Round:
    cell, config = alike.setup, alike.config

    def small(given: int) -> Method:
        return build(cell, config.model_copy(update={"steps": given}), remember=remember)

    with shapes.alone() as counter:
        clock = CostClock(counter)
        counted = count_flops(small, 1, steps, clock)
        flops = Flops(synthesis=counted.synthesis, distillation=counted.distillation // steps)
        image = torch.zeros(1, *_task(cell.data).shape, device=shapes.META)
        answer = clock.of_answer(_teacher(cell.teacher_network, cell.data, remember), image)
    return _Round(flops, clock.saved, answer)


@dataclass
class CostClock(FlopClock):
    """Counts operations, and what autograd keeps for the backward pass, by phase."""

    saved: dict[str, int] = field(default_factory=lambda: {"synthesis": 0, "distillation": 0})

    @contextmanager
    def _count(self, phase: str) -> Iterator[None]:
        with kept_by_autograd() as kept, super()._count(phase):
            yield
        self.saved[phase] = max(self.saved[phase], sum(kept.values()))


def build(cell: Cell, config: MethodConfig, memory: int = 0, *, remember: bool = False) -> Method:
    """The cell's method, its networks untrained and its images without content: where there are `shapes.alone`.

    ``memory``: bytes of its device; with 0 it remembers nothing that it can find again. ``remember``: whether passes
    through teacher and student are carried out once for every kind; then nothing inside them has a gradient.
    """
    setup = replace(cell, scale=100.0, seed=0)
    task, cls = _task(cell.data), _class(setup)
    context = Context(
        task=task,
        teacher=_teacher(cell.teacher_network, cell.data, remember),
        student=_student(cell.student_network, cell.data, remember),
        scale=cell.share,
        device=shapes.META,
        random=Streams(cell.seed, torch.device("cpu")).random,
        build=_networks(setup),
        memory=memory,
        real=_no_images(task, task.images(cell.share)) if cls.prior(config) is Prior.REAL_IMAGES else None,
    )
    return scheduled(cls(config, context))


class _Networks:
    """The networks that a label makes for itself: equal at all scales, and built once."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, int], nn.Module] = {}

    def __call__(self, stream: str, make: Callable[[], ModuleT], index: int = 0) -> ModuleT:
        if (stream, index) not in self._made:
            self._made[stream, index] = _shaped(make)
        return cast(ModuleT, self._made[stream, index])


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
def _teacher(network: str, dataset: str | OwnData, remember: bool) -> FrozenTeacher:
    return (_Remembering if remember else _Teacher)(_network(network, dataset))


@functools.cache
def _student(network: str, dataset: str | OwnData, remember: bool) -> nn.Module:
    made = copy.deepcopy(_network(network, dataset))
    if remember:
        made.forward = Passes(made.forward, made)
    return made


@functools.cache
def _network(name: str, dataset: str | OwnData) -> nn.Module:
    return _shaped(lambda: networks.for_task(name, _task(dataset)))


@functools.cache
def _task(dataset: str | OwnData) -> Task:
    return data.load(dataset).task


def forget() -> None:
    """Build everything again when it is asked for next."""
    for kept in (_config, _class, _round, _networks, _teacher, _student, _network, _task):
        kept.cache_clear()


def _no_images(task: Task, n: int) -> RealImages:
    places, kind = ((n, *task.shape[1:]), torch.uint8) if task.dense else ((n,), torch.int64)
    images = torch.empty(n, *task.shape, dtype=torch.uint8, device=shapes.META)
    return RealImages(images, torch.empty(places, dtype=kind, device=shapes.META))


def resident(method: Method) -> int:
    """Bytes of the method's state, of the teacher, and of the student's gradients and momentum."""
    context = method.context
    student = sum(parameter.nbytes for parameter in context.student.parameters())
    return _bytes(method.state_dict()) + context.teacher.nbytes + 2 * student


def _bytes(state: Any) -> int:
    if isinstance(state, Tensor):
        return state.nbytes
    if isinstance(state, Mapping):
        return sum(_bytes(value) for value in state.values())
    return sum(_bytes(value) for value in state) if isinstance(state, list | tuple) else 0
