"""What a person reads while a grid runs, and what `snakemake` alone does."""

from __future__ import annotations

import os
import re
import subprocess

from tests.workflow.conftest import CELLS, EVERYTHING, ROOT, Bench


def test_snakemake_alone_runs_the_grid_and_says_how_far_it_is(bench: Bench) -> None:
    """On all cores, on the card that is there, with a line on the grid in place of Snakemake's on every job."""
    card = bench.folder / "nvidia-smi"
    card.write_text("#!/bin/sh\necho 'GPU 0: Test (UUID: GPU-a)'\n", encoding="utf-8")
    card.chmod(0o755)
    place = {"PATH": f"{bench.folder}:{os.environ['PATH']}"}
    done = subprocess.run(
        bench.bare(),
        env=os.environ | bench.environment | place,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout
    calls = (bench.folder / "calls.txt").read_text(encoding="utf-8").splitlines()
    assert set(calls) == EVERYTHING
    assert re.search(r"Provided resources: gpu=\D*1\b", done.stdout)
    assert f" {len(CELLS)} cells: {len(CELLS)} waiting\n" in done.stdout
    assert "teacher wrn10_1 on digits" in done.stdout
    for said in ("Finished jobid", "Select jobs", "Execute ", "cell toy/"):
        assert said not in done.stdout
