"""In a process of its own, since here some test may have loaded the compiler already, and in forks of that."""

from __future__ import annotations

import subprocess
import sys

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
    x = torch.ones(2, device="meta")
    torch.cat([x + torch.ones(3, 1, device="meta"), torch.zeros_like(x[None]) == 1])
mine = steps()
[hasattr(module, "__file__") for module in list(sys.modules.values())]  # as `inspect` does
print("torch._dynamo.eval_frame" in sys.modules or "sympy.core" in sys.modules)
"""
USES = (
    "assert torch.compile(lambda x: x + 1, backend='eager')(torch.ones(1)).item() == 2",
    "import torch._dynamo.config; assert torch._dynamo.config.verbose is False",
    "from torch._dynamo import reset; reset()",
    "import sympy.printing; import torch._dynamo; assert sympy.Symbol('x') + 1 and torch._dynamo.reset() is None",
)
LOADED = """
import os
for use in sys.argv[1:]:
    sys.stdout.flush()
    child = os.fork()
    if child:
        assert not os.waitpid(child, 0)[1], use
        continue
    exec(use)
    print("torch._dynamo.eval_frame" in sys.modules)
    print(sys.modules["torch._dynamo"] is torch._dynamo, type(torch._dynamo).__name__)
    compiler.defer()
    print(mine == steps())
    sys.stdout.flush()
    os._exit(0)
"""


def test_the_compiler_is_loaded_by_who_compiles_and_nothing_moves() -> None:
    command = [sys.executable, "-c", STEPS + LOADED, *USES]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["False", *["True", "True", "module", "True"] * len(USES)], done.stderr
