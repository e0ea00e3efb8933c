"""Operations of a run that has ended: counted on shapes where these decide, else by a round of the method itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.engine import shapes
from harness.engine.flops import FlopClock, count_flops
from harness.grid.cell import Cell
from harness.run import shaped
from harness.run.assemble import steps_for
from harness.store.records import Flops
from methods.base.asking import Asking
from methods.base.method import Method, MethodConfig

INNER = 3
"""Inner steps of which more are not counted but told by the growth so far. Two could grow in any way."""

Build = Callable[[MethodConfig], Method]


@dataclass(frozen=True)
class Work:
    """What a run did."""

    cell: Cell
    config: MethodConfig
    synthesis_calls: int
    steps: int
    asking: Asking | None
    """How it asked its teacher."""

    def operations(self, build: Build) -> Flops:
        """Of the whole run; ``build`` makes the method anew, and is only called where shapes do not tell."""
        try:
            return self._on_shapes()
        except Exception:  # noqa: BLE001 - without content a method may raise anything; with it, it has worked
            return self._count(self.config, build, FlopClock())

    def _on_shapes(self) -> Flops:
        inner = getattr(self.config, "inner_steps", 0)
        if inner > INNER:
            first, second, third = (self._with_inner(number) for number in range(INNER - 2, INNER + 1))
            if _grown(first, second, 2) == third:
                return _grown(first, second, inner - INNER + 2)
        return self._on_shapes_as(self.config)

    def _with_inner(self, number: int) -> Flops:
        return self._on_shapes_as(self.config.model_copy(update={"inner_steps": number}))

    def _on_shapes_as(self, config: MethodConfig) -> Flops:
        """Raises what a method raises where there is no content, and ValueError if it read a number."""
        with shapes.alone() as counter:
            found = self._count(config, lambda small: shaped.build(self.cell, small), FlopClock(counter))
        if counter.guessed:
            raise ValueError("the method may decide by the number that it has read")
        return found

    def _count(self, config: MethodConfig, build: Build, clock: FlopClock) -> Flops:
        def small(steps: int) -> Method:
            """The method with about ``steps`` distillation steps in all."""
            return build(config.model_copy(update={"steps": steps_for(steps, self.cell.scale)}))

        return count_flops(small, self.synthesis_calls, self.steps, clock, self.asking)


def _grown(first: Flops, second: Flops, times: int) -> Flops:
    """``first``, and ``times`` what ``second`` has more."""
    return Flops(
        synthesis=first.synthesis + times * (second.synthesis - first.synthesis),
        distillation=first.distillation + times * (second.distillation - first.distillation),
    )
