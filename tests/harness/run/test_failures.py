"""Cells whose method does what it may not: a bounded, clear result, or none at all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.store import reading
from harness.store.records import Manifest
from tests import factory
from tests.harness.run.test_runner import run


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A results folder with an untrained teacher."""
    factory.untrained_teacher(tmp_path)
    return tmp_path


STUDENT = "next(self.context.student.parameters())"

FAILURES = [
    ("return None", "failed", r"distill_step returned None, not a dictionary of named 0-dim tensors"),
    ("return {'kd': 'low'}", "failed", r"distill_step returned str 'low' as the loss 'kd', not a 0-dim tensor"),
    ("import sys; sys.exit(0)", "failed", r"SystemExit: 0 \(m\.py:\d+\)"),
    ("raise ValueError('\\ud800' * 50_000_000)", "failed", r"ValueError: \\ud800.* letters left out.* \(m\.py:\d+\)"),
    ("raise ValueError('\\x1b[2J\\r\\n\\u202e')", "failed", r"ValueError: \\x1b\[2J \\u202e \(m\.py:\d+\)"),
    ("return self.distill_step()", "failed", r"RecursionError: maximum recursion depth exceeded.*"),
    ("import os; os.chdir('/'); return super().distill_step()", "failed", r"it changed the working directory; .*"),
    ("import torch; torch.rand(1); return super().distill_step()", "failed", r"it changed torch's global random.*"),
    (
        "M.images_synthesised = property(lambda self: -5, lambda *_: None); return super().distill_step()",
        "failed",
        r"images_synthesised is -5, not a number of images",
    ),
    *(
        (
            f"M.{name} = property(lambda self: {value}, lambda *_: None); return super().distill_step()",
            "failed",
            rf"{name} is .*, not a number of images|(TypeError|ZeroDivisionError|ValueError: Exceeds the limit).*",
        )
        for name in ("images", "images_synthesised")
        for value in ("-1", "None", "'5'", "5.0", "10**30", "10**5000", "[1]", "1 / 0", "self.context")
    ),
    ("M.images = property(lambda self: 0); return super().distill_step()", "failed", "images is 0, not a number.*"),
    (
        "self.context.teacher.images_forwarded = 'many'; return super().distill_step()",
        "failed",
        r"teacher_forwards is 'many', not a number of images|TypeError: .*",
    ),
    ("M.images = property(lambda self: 1 / 0); raise ValueError('first')", "failed", r"ValueError: first \(m\.py.*"),
    ("return {}\n    def __init__(self, *_):\n        raise ValueError('no')", "failed", r"ValueError: no \(m\.py.*"),
    (
        "import torch; self.context.student.register_buffer('\x1b[2J\u202e', torch.tensor(float('nan'))); "
        "return super().distill_step()",
        "diverged",
        r"the student's .* is not finite after the last round",
    ),
    (
        "import torch; self.context.student.register_buffer('x', torch.zeros(1).to_sparse()); "
        "return super().distill_step()",
        "failed",
        r"NotImplementedError: .*",
    ),
    (
        "del self.context.student.linear; return {}",
        "failed",
        r"AttributeError: .* object has no attribute 'linear' .*",
    ),
    (
        "import torch; self.synthetic_images = lambda count: torch.full((3, 1, 8, 8), float('nan')); "
        "return super().distill_step()",
        "failed",
        r"synthetic_images goes from nan to nan, expected \[0, 1\]",
    ),
    (
        "self.synthetic_images = lambda count: self.context.random('x'); return super().distill_step()",
        "failed",
        r"synthetic_images\(2000\) returned Generator, expected a tensor: 1 to 2000 of \[1, 8, 8\] in \[0, 1\]",
    ),
    (
        f"loss = super().distill_step()['kd'].nan_to_num(); {STUDENT}.data.fill_(float('nan')); return {{'kd': loss}}",
        "diverged",
        r"the student's layers\.0\.0\.weight is not finite after the last round",
    ),
    (
        f"super().distill_step(); {STUDENT}.data[0, 0] = float('inf'); return {{}}",
        "diverged",
        r"the student's layers\.0\.0\.weight is not finite after the last round",
    ),
]


@pytest.mark.parametrize(("step", "status", "reason"), FAILURES, ids=[step[:40] for step, _, _ in FAILURES])
def test_it_is_a_result_that_says_why(
    results: Path, capsys: pytest.CaptureFixture[str], step: str, status: str, reason: str
) -> None:
    metrics = run(results, step)
    assert (metrics.status, metrics.final) == (status, None)
    assert metrics.reason is not None
    assert re.fullmatch(reason, metrics.reason)
    assert metrics.reason.isprintable()
    assert len(metrics.reason) < 400
    folder = results / metrics.cell / "runs" / metrics.key
    log = (folder / "attempts.log").read_text(encoding="utf-8")
    assert metrics.reason in log
    assert log.replace("\n", "").isprintable()
    assert len(log) < 60_000
    out, err = capsys.readouterr()
    assert (out + err).replace("\n", "").isprintable()


TROUBLE = [
    ("import torch; torch.empty(10**15)", RuntimeError),
    ("bytearray(10**17)", MemoryError),
    ("raise OSError(116, 'Stale file handle', 'data')", OSError),
    ("raise RuntimeError('CUDA error: uncorrectable ECC error encountered')", RuntimeError),
    ("raise KeyboardInterrupt", KeyboardInterrupt),
]


@pytest.mark.parametrize(("step", "kind"), TROUBLE, ids=[step[:30] for step, _ in TROUBLE])
def test_trouble_of_the_machine_leaves_no_result(results: Path, step: str, kind: type[BaseException]) -> None:
    with pytest.raises(kind):
        run(results, step)
    assert not list(results.glob("t/**/metrics.json"))
    (manifest,) = results.glob("t/**/manifest.json")
    (attempt,) = reading.read(manifest, Manifest).attempts
    assert (attempt.outcome or "").startswith(f"error: {kind.__name__}")


def test_a_checkpoint_of_other_code_is_no_failure_of_the_method(results: Path) -> None:
    with pytest.raises(OSError, match="No space"):
        run(results, "raise OSError(28, 'No space left on device')")
    (folder,) = results.glob("t/digits/*/*/*/*/runs/*")
    from harness.engine import checkpoint

    here = {"run": folder.name}
    for state in ({}, {**here, "method": {}}, {**here, "method": None, "ledger": {"next_round": 10**9}}):
        checkpoint.save(folder / "checkpoint.pt", state)
        with pytest.raises(UserError, match=r"checkpoint\.pt: does not fit this run: .*; delete it to start"):
            run(results, "raise OSError(28, 'No space left on device')")
    assert not list(results.glob("t/**/metrics.json"))
