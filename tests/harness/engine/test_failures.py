"""What a method may do wrong, told on one clean line; what is not its fault passes."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.engine.failures import Diverged, MethodFailed, inside_method
from harness.engine.losses import NAMES, Means, check
from harness.errors import UserError
from methods.base.method import RoundLosses
from tests.harness.test_errors import Mute


def recurse() -> None:
    recurse()


ENDS: list[tuple[BaseException, str]] = [
    (ValueError("no idea"), "ValueError: no idea ("),
    (SystemExit(0), "SystemExit: 0 ("),
    (SystemExit(), "SystemExit ("),
    (GeneratorExit(), "GeneratorExit ("),
    (StopIteration(3), "StopIteration: 3 ("),
    (KeyError("kd"), "KeyError: 'kd' ("),
    (AssertionError(), "AssertionError ("),
    (Mute(), "Mute: it cannot say why ("),
    (RuntimeError("\ud800 \x1b[31m red\nnext"), r"RuntimeError: \ud800 \x1b[31m red next ("),
    (RuntimeError("CUDA error: device-side assert triggered"), "RuntimeError: CUDA error: device-side assert"),
    (RuntimeError("x" * 50_000_000), "RuntimeError: xxx"),
    (BaseExceptionGroup("many", [SystemExit(1)]), "BaseExceptionGroup: many (1 sub-exception) ("),
]


@pytest.mark.parametrize(("error", "expected"), ENDS, ids=lambda value: type(value).__name__)
def test_every_end_is_a_failure_with_its_place(error: BaseException, expected: str) -> None:
    with pytest.raises(MethodFailed) as failed, inside_method():
        raise error
    said = str(failed.value)
    assert said.startswith(expected)
    assert "(test_failures.py:" in said
    assert said.isprintable()
    assert len(said) < 400


def test_endless_recursion_is_a_failure() -> None:
    expected = r"RecursionError: maximum recursion depth exceeded.* \(test_failures\.py:"
    with pytest.raises(MethodFailed, match=expected), inside_method():
        recurse()


@pytest.mark.parametrize(
    "error",
    [
        KeyboardInterrupt(),
        UserError("data are missing"),
        Diverged("kd is nan"),
        MemoryError(),
        OSError(errno.ESTALE, "Stale file handle"),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
        RuntimeError("CUDA error: uncorrectable ECC error encountered"),
    ],
    ids=repr,
)
def test_what_says_nothing_about_the_method_passes(error: BaseException) -> None:
    with pytest.raises(type(error)) as raised, inside_method():
        raise error
    assert raised.value is error


CHANGES: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "the working directory": (lambda: os.chdir("/"), Path.cwd),
    "torch's number of threads": (
        lambda: torch.set_num_threads(torch.get_num_threads() + 3),
        torch.get_num_threads,
    ),
    "whether torch computes gradients": (lambda: torch.set_grad_enabled(False), torch.is_grad_enabled),
    "torch's default type": (lambda: torch.set_default_dtype(torch.float64), torch.get_default_dtype),
    "whether torch is deterministic": (
        lambda: torch.use_deterministic_algorithms(True),
        torch.are_deterministic_algorithms_enabled,
    ),
    "Python's recursion limit": (lambda: sys.setrecursionlimit(5000), sys.getrecursionlimit),
    "torch's global random generator": (lambda: torch.manual_seed(1), lambda: torch.get_rng_state().tolist()),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_the_process_is_a_failure_and_undone(name: str) -> None:
    change, ask = CHANGES[name]
    before = ask()
    with pytest.raises(MethodFailed, match=f"^it changed {name}; "), inside_method():
        change()
    assert ask() == before


def test_a_change_is_undone_where_the_method_raises_too() -> None:
    before = Path.cwd()
    with pytest.raises(MethodFailed, match="ValueError"), inside_method():
        int(os.chdir("/") or "no number")
    assert Path.cwd() == before


def test_what_a_method_prints_is_cleaned(capsys: pytest.CaptureFixture[str]) -> None:
    with inside_method():
        print("\x1b[2Jcleared", "and\tmore")  # noqa: T201
        print("\x9b31m", file=sys.stderr)  # noqa: T201
        sys.stdout.writelines(["a\x00", "b\n"])
    out, err = capsys.readouterr()
    assert out == "\\x1b[2Jcleared and    more\na\\x00b\n"
    assert err == "\\x9b31m\n"


ONE = torch.tensor(1.0)


def test_losses_as_they_should_be_pass() -> None:
    good = {"kd": ONE, "batch norm/layer-1.mean": torch.tensor(2), "λ".encode("punycode").decode(): ONE}
    assert check(RoundLosses([{}], [good])).distillation == [good]


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        (None, "distill_step returned None, not a dictionary of named 0-dim tensors"),
        ("kd", "distill_step returned str 'kd', not a dictionary"),
        (ONE, "distill_step returned a float32 tensor of shape [], not a dictionary"),
        ([("kd", ONE)], "distill_step returned list [('kd', tensor(1.))], not a dictionary"),
        ({"kd": None}, "distill_step returned None as the loss 'kd', not a 0-dim tensor"),
        ({"kd": "0.5"}, "distill_step returned str '0.5' as the loss 'kd'"),
        ({"kd": 0.5}, "distill_step returned float 0.5 as the loss 'kd'"),
        ({"kd": torch.ones(3)}, "distill_step returned a float32 tensor of shape [3] as the loss 'kd'"),
        ({"kd": torch.ones(1, 1)}, "distill_step returned a float32 tensor of shape [1, 1] as the loss 'kd'"),
        ({"kd": torch.tensor(1j)}, "distill_step returned a complex64 tensor of shape [] as the loss 'kd'"),
        ({3: ONE}, "distill_step names a loss 3: a name is letters"),
        ({"": ONE}, "distill_step names a loss '': a name is letters"),
        ({"/kd": ONE}, "distill_step names a loss '/kd'"),
        ({"a//b": ONE}, "distill_step names a loss 'a//b'"),
        ({"../kd": ONE}, "distill_step names a loss '../kd'"),
        ({"k\x1b[2J": ONE}, r"distill_step names a loss 'k\x1b[2J'"),
        ({"kd\n": ONE}, r"distill_step names a loss 'kd\n'"),
        ({"50 %": ONE}, "distill_step names a loss '50 %'"),
        ({"k" * 101: ONE}, "distill_step names a loss 'kkk"),
    ],
)
def test_losses_of_another_kind_are_named(returned: Any, expected: str) -> None:
    with pytest.raises(MethodFailed) as failed:
        check(RoundLosses(distillation=[{"kd": ONE}, returned]))
    said = str(failed.value)
    assert said.startswith(expected)
    assert said.isprintable()
    assert len(said) < 400
    with pytest.raises(MethodFailed, match=r"^synthesise "):
        check(RoundLosses(synthesis=[returned]))


@pytest.mark.parametrize("returned", [None, "text", {}, ONE])
def test_a_round_returns_round_losses(returned: Any) -> None:
    with pytest.raises(MethodFailed, match=r"round returned .*, not RoundLosses"):
        check(returned)


def test_names_without_end_are_refused() -> None:
    means = Means()
    means.add([{f"kd{n}": ONE} for n in range(NAMES)])
    with pytest.raises(MethodFailed, match=rf"more than {NAMES} names, such as 'more'"):
        means.add([{"more": ONE}])
