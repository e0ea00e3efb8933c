"""CUDA graphs: a distillation step is recorded once and then played again, in one launch in place of thousands.

What is played are the kernels of the method's own code, on the same memory. That takes a step which is the same in the
whole run, and one that is not is refused; `methods/parts/plan.py` and `methods/parts/optimizers.py` help to write one.
SSD-KD ran so on an H100 (docs/speed.md).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from harness.engine.failures import MethodFailed
from harness.engine.sequence import NotFixed, Operation, difference, recorded
from harness.errors import UserError
from methods.base.method import Losses, Method

Step = Callable[[], Losses]
ADVICE = "`graphs: false` does without"


def require(device: torch.device) -> None:
    """Raise UserError for a device that has no graphs."""
    if device.type != "cuda":
        raise UserError(f"graphs: true is for GPUs, and this run would be on a processor; {ADVICE}")


class Graph(Protocol):
    """What keeps a step and plays it."""

    def capture(self, step: Step) -> Losses:
        """Keep what ``step`` does, without doing it; what it returns is filled by every `replay`."""

    def replay(self) -> None:
        """Do it."""


class CudaGraph:
    """The device's own. See PyTorch, "CUDA semantics", on CUDA graphs."""

    def __init__(self) -> None:
        self._graph = torch.cuda.CUDAGraph()

    def capture(self, step: Step) -> Losses:
        """Record on a stream of its own, with memory of its own for what lives within the step."""
        with torch.cuda.graph(self._graph):
            return step()

    def replay(self) -> None:
        """Launch on the current stream."""
        self._graph.replay()


class HeldStep:
    """Takes the place of a method's `distill_step`: Python's at first, then the graph's.

    The first step of a process makes the optimizer's state. One later step is recorded, and one of the next round that
    has any: if they are the same operations on the same memory, so are all, and the graph is captured.

    Args:
        method: the two verbs of it that a round of distillation is made of are replaced.
        graph: what keeps the step; tests have one for the CPU.
    """

    def __init__(self, method: Method, graph: Callable[[], Graph] = CudaGraph) -> None:
        if method.placing and not method.placing.on_device:
            raise _refused(f"images lie {method.placing}")
        self.method, self._make_graph = method, graph
        self._begin_round, self._step = method.begin_round, method.distill_step
        method.begin_round, method.distill_step = self.begin_round, self.step  # type: ignore[method-assign]
        self._round, self._began = 0, False
        self._record: tuple[int, list[Operation]] | None = None
        self._graph: Graph | None = None

    def begin_round(self, index: int, steps: int) -> None:
        """The method's own."""
        self._round = index
        self._begin_round(index, steps)

    def step(self) -> Losses:
        """One step. Raises MethodFailed if the method's steps differ."""
        if self._graph is not None:
            return self._play(self._graph)
        if not self._began or (self._record and self._record[0] == self._round):
            self._began = True
            return self._step()
        try:
            losses, operations = recorded(self._step)
        except NotFixed as error:
            raise _refused(str(error)) from None
        if self._record is None:
            self._record = self._round, operations
        elif found := difference(self._record[1], operations):
            raise _refused(found)
        else:
            self._graph = self._capture()
        return losses

    def _capture(self) -> Graph:
        graph, counts, numbers = self._make_graph(), self._counts(), _numbers(self.method)
        self._losses = graph.capture(self._step)
        self._moved = [after - before for before, after in zip(counts, self._counts(), strict=True)]
        self._count(-1)
        if _numbers(self.method) != numbers:
            raise _refused("it moves numbers of Python's in its state")
        return graph

    def _play(self, graph: Graph) -> Losses:
        graph.replay()
        self._count(1)
        return {name: loss.clone() for name, loss in self._losses.items()}

    def _counts(self) -> list[int]:
        """What the step counts in Python, which no graph holds."""
        return [self.method.images_synthesised, self.method.context.teacher.images_forwarded]

    def _count(self, times: int) -> None:
        made, asked = self._moved
        self.method.images_synthesised += times * made
        self.method.context.teacher.images_forwarded += times * asked


def _numbers(method: Method) -> list[object]:
    """All of a method's state that no tensor holds."""
    return [leaf for leaf in tree_leaves(method.state_dict()) if not isinstance(leaf, Tensor)]


def _refused(why: str) -> MethodFailed:
    return MethodFailed(f"graphs: true needs steps that are all the same: {why}; {ADVICE}")
