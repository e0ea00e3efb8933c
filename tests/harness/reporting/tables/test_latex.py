"""Tables for papers: aligned by the decimal point, the first rank in bold, never wider than the text."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.reporting.rows import group
from harness.reporting.runs import load
from harness.reporting.tables import standard
from harness.reporting.tables.latex import to_latex
from tests import factory
from tests.harness.reporting.golden_results import ABLATIONS, GOLDEN, TABLES

COMMITTED = [*TABLES, *ABLATIONS]


def write(folder: Path, finals: dict[str, list[float]]) -> str:
    for label, seeds in finals.items():
        for seed, final in enumerate(seeds):
            factory.write(folder, factory.metrics(label, seed=seed, final=final))
    return to_latex(standard.tables(group(load(folder)), {})[0], "toy")


def test_the_first_rank_is_bold(tmp_path: Path) -> None:
    """Of b every seed is 8 points below a, of c two seeds are above and one below: c is not behind by any test."""
    finals = {"a": [90.0, 91.0, 92.0], "b": [82.0, 83.0, 84.0], "c": [91.0, 92.0, 86.0], "kd-real": [99.0, 99.0, 99.0]}
    lines = write(tmp_path, finals).splitlines()
    first = {line: re.match(r"(a|b|c|KD-real)\b", line) for line in lines}
    bold = {name[0]: r"\textbf" in line for line, name in first.items() if name}
    assert bold == {"KD-real": False, "a": True, "b": False, "c": True}


def test_a_single_seed_makes_nothing_bold(tmp_path: Path) -> None:
    assert r"\textbf" not in write(tmp_path, {"a": [90.0], "b": [80.0]})


def test_studies_of_one_paper_have_labels_and_captions_of_their_own(tmp_path: Path) -> None:
    factory.write(tmp_path, factory.metrics("a"))
    (table, *_) = standard.tables(group(load(tmp_path)), {})
    found = {study: to_latex(table, study) for study in ("first", "se_cond")}
    labels = {re.search(r"\\label{(.*)}", tex)[1] for tex in found.values()}  # type: ignore[index]
    assert labels == {"tab:first-accuracy-time-1", "tab:se_cond-accuracy-time-1"}
    assert "10 \\% data (study first).}" in found["first"]
    assert r"10 \% data (study se\_cond).}" in found["se_cond"]


@pytest.mark.parametrize("name", COMMITTED)
def test_every_number_takes_two_columns_that_meet_at_its_point(name: str) -> None:
    text = (GOLDEN / f"{name}.tex").read_text(encoding="utf-8")
    for block in re.findall(r"\\begin{tabular}.*?\\end{tabular}", text, re.DOTALL):
        spec, body = re.fullmatch(r"\\begin{tabular}{l((?:r@{}l)+)}(.*)\\end{tabular}", block, re.DOTALL).groups()  # type: ignore[union-attr]
        wanted = 1 + 2 * spec.count("r@{}l")
        for line in body.split(r"\midrule")[1].split(r"\bottomrule")[0].strip().splitlines():
            cells = line.removesuffix(r" \\").split(" & ")
            assert sum(int((re.match(r"\\multicolumn{(\d)}", cell) or [0, 1])[1]) for cell in cells) == wanted
        assert re.search(r" \d+ & \.\d", body)


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="no pdflatex here")
def test_the_committed_tables_compile_and_fit_their_page(tmp_path: Path) -> None:
    inputs = "\n".join(rf"\input{{{GOLDEN / name}.tex}}" for name in COMMITTED)
    head = r"\documentclass[twocolumn]{article}\usepackage[utf8]{inputenc}\usepackage{booktabs,graphicx}"
    (tmp_path / "all.tex").write_text(rf"{head}\begin{{document}}{inputs}\end{{document}}", encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    done = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, encoding="utf-8", errors="replace")
    assert done.returncode == 0, done.stdout[-2000:]
    labels = re.findall(r"newlabel{(tab:[^}]+)}", (tmp_path / "all.aux").read_text(encoding="utf-8"))
    assert len(labels) == len(set(labels)) >= len(COMMITTED)
    assert not re.findall(r"Overfull \\hbox.*", done.stdout)
