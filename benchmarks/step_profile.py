"""Where the time of one inversion step and one distillation step goes: shares by kind of operation, on a CPU.

    python benchmarks/step_profile.py [--pair wrn|resnet] [--batch 32] [--threads 1]

Pair, batch and methods are those of step_cost.py. Shares are of the time that PyTorch's profiler saw inside operations
and between them; the last column is Python and dispatch.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable

import step_cost
import torch
from torch.autograd.profiler_util import FunctionEventAvg
from torch.profiler import ProfilerActivity, profile

KINDS = {
    "products": ("convolution", "mm", "_transpose"),
    "batch norm": ("batch_norm", "var_mean", "mean", "pow", "addcmul", "sub", "NormalisedWithStatistics"),
    "activations and sums": ("relu", "clamp_min", "threshold", "add", "sigmoid", "tanh", "upsample"),
    "optimizer": ("_fused", "Optimizer", "_foreach"),
}
"""A kind -> parts of names of what PyTorch does; the first kind that fits counts. The rest is ``other``."""
REST, OUTSIDE = "other operations", "between operations"


def kind(name: str) -> str:
    """What an operation counts as."""
    return next((one for one, parts in KINDS.items() if any(part in name for part in parts)), REST)


def shares(events: Iterable[FunctionEventAvg], step: str) -> dict[str, float]:
    """Share of each kind in a step that was recorded under the name ``step``."""
    total, found = 0.0, dict.fromkeys([*KINDS, REST], 0.0)
    for event in events:
        if event.key == step:
            total = event.cpu_time_total
        elif event.key.startswith(("aten::", "Optimizer", "Normalised", "autograd::engine")):
            found[kind(event.key)] += event.self_cpu_time_total
    return {one: spent / total for one, spent in found.items()} | {OUTSIDE: 1 - sum(found.values()) / total}


def of(action: Callable[[], object]) -> dict[str, float]:
    """Shares of one call; another comes before it."""
    action()
    with profile(activities=[ProfilerActivity.CPU]) as seen, torch.profiler.record_function("step"):
        action()
    return shares(seen.key_averages(), "step")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pair", choices=step_cost.PAIRS, default="wrn")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("labels", nargs="*", default=list(step_cost.METHODS))
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    columns = [*KINDS, REST, OUTSIDE]
    print(f"| method | step | {' | '.join(columns)} |")
    print(f"|---|---|{'---:|' * len(columns)}")
    for label in chosen.labels:
        method = step_cost.build(label, chosen.pair, chosen.batch)
        index = method.schedule.warmup

        def distil(method: step_cost.Method = method, index: int = index) -> None:
            method.begin_round(index, 1)
            method.distill_step()

        def invert(method: step_cost.Method = method, index: int = index) -> None:
            method.synthesise(index)

        for name, action in (("inversion", invert), ("distillation", distil)):
            found = of(action)
            print(f"| {label} | {name} | {' | '.join(f'{found[one]:.0%}' for one in columns)} |", flush=True)


if __name__ == "__main__":
    main()
