"""Every label of the papers' grids in small sizes: from its first round over a checkpoint to its end."""

from __future__ import annotations

import contextlib
import functools
import tempfile
from pathlib import Path

from benchmarks.gpu_check import standins
from benchmarks.gpu_check.record import Found
from benchmarks.gpu_check.setting import FASTEST, PLAIN, Items, Mode, Setting
from harness.commands.contract import Interrupted
from harness.engine.evaluate import Evaluator
from harness.engine.loop import Engine
from harness.grid.cell import Cell
from harness.store.layout import RunFolder
from methods.base.presets import RESNETS, WRN_16_1

SIZES = {"batch": 16, "inversion_batch": 16, "inner_steps": 2, "rounds": 6, "warmup": 1, "bank": 64, "negatives": 16}
IMAGES, STEPS = 64, 12
TINY_SIZES = SIZES | {"batch": 2, "inversion_batch": 4, "bank": 8, "negatives": 4}
TINY_IMAGES, TINY_STEPS = 8, 6
DENSE_SIZES = {"batch": 4, "inversion_batch": 8}
"""Over the others: NYUv2's windows and networks are large."""


def items(setting: Setting) -> Items:
    """An item for every label of CIFAR-10 and of NYUv2; of every method on ResNets, and in the fastest mode."""
    wrn, resnets = map(standins.papers_cells, (WRN_16_1, RESNETS))
    chosen = [(cell, PLAIN) for cell in wrn.values()]
    if standins.possible(FASTEST):
        chosen += [(cell, FASTEST) for cell in standins.one_of_each(wrn)]
    chosen += [(cell, PLAIN) for cell in (*standins.cells("nyuv2").values(), *standins.one_of_each(resnets))]
    if setting.tiny:
        chosen = chosen[:1]
    return {
        f"{cell.dataset} {cell.pair.folder} {cell.label} {mode}": functools.partial(rehearse, cell, mode, setting.tiny)
        for cell, mode in chosen
    }


def rehearse(cell: Cell, mode: Mode, tiny: bool) -> Found:
    """Run to the middle, and go on with fresh objects from the checkpoint of the round before."""
    images, steps = (TINY_IMAGES, TINY_STEPS) if tiny else (IMAGES, STEPS)
    share = images / standins.images(cell.dataset).task.reference_size
    sizes = (TINY_SIZES if tiny else SIZES) | (DENSE_SIZES if cell.dataset == "nyuv2" and not tiny else {})
    small = standins.sized(cell, mode, 100 * share, {**sizes, "steps": round(steps / share), "epochs": 2})
    with tempfile.TemporaryDirectory() as folder:
        with contextlib.suppress(Interrupted):
            engine(small, Path(folder), interrupted=True).run()
        second = engine(small, Path(folder))
        resumed = second.resume()
        second.run()
    if not resumed or second.ledger.step != steps:
        raise AssertionError(f"resumed: {resumed}; {second.ledger.step} distillation steps in place of {steps}")
    return {"steps": second.ledger.step, "synthesis_rounds": second.ledger.synthesis_calls}


def engine(cell: Cell, folder: Path, interrupted: bool = False) -> Engine:
    """An engine with a checkpoint after every round; an interrupted one raises Interrupted in the middle."""
    method = standins.build(cell)
    middle = method.schedule.rounds // 2 if interrupted else None

    def on_round(engine: Engine) -> None:
        if engine.ledger.next_round == middle:
            engine.save()
            raise Interrupted

    evaluator = Evaluator(standins.images(cell.dataset), standins.teacher(cell), standins.device())
    return Engine(method, evaluator, RunFolder(folder), standins.device(), 3600.0, on_round)
