"""In processes of their own: here some test may have loaded the compiler already."""

from __future__ import annotations

import subprocess
import sys

import pytest

STEPS = """
import sys
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from harness.engine import compiler, precision, shapes

class Mode(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))

def steps():
    weight = torch.nn.Parameter(torch.ones(3))
    for kind in (torch.optim.SGD, torch.optim.Adam):
        optimizer = kind([weight], lr=0.1)
        with Mode():
            weight.square().sum().backward()
        optimizer.step()
        optimizer.zero_grad()
        optimizer.load_state_dict(optimizer.state_dict())
    return weight.tolist()

precision.apply()
compiler.defer()
compiler.defer()
with shapes.alone():
    torch.ones(2, device="meta") + 1
mine = steps()
print("torch._dynamo.eval_frame" in sys.modules)
"""
LOADED = """
print("torch._dynamo.eval_frame" in sys.modules)
print(sys.modules["torch._dynamo"] is torch._dynamo, type(torch._dynamo).__name__)
compiler.defer()
print(mine == steps())
"""


@pytest.mark.parametrize(
    "use",
    [
        "assert torch.compile(lambda x: x + 1, backend='eager')(torch.ones(1)).item() == 2",
        "import torch._dynamo.config; assert torch._dynamo.config.verbose is False",
        "from torch._dynamo import reset; reset()",
    ],
)
def test_the_compiler_is_loaded_by_who_compiles_and_nothing_moves(use: str) -> None:
    program = f"{STEPS}\n{use}\n{LOADED}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=False)
    assert done.stdout.split() == ["False", "True", "True", "module", "True"], done.stderr
