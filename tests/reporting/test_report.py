import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from harness.errors import ConfigError, UserError
from harness.reporting import page, render
from tests import factory
from tests.reporting import golden_results

FIGURES = ("scale", "real", "efficiency", "synthetic", "learning", "samples")


class Page(HTMLParser):
    """Anchors, links and sources of a page."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.sources: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, found in (("id", self.ids), ("href", self.links), ("src", self.sources)):
            found += [value for key, value in attrs if key == name and value]


@pytest.fixture(scope="module")
def reports(results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("reports")
    written = render(results, out)
    assert {path for path in out.rglob("*") if path.is_file()} == set(written)
    return out


def test_files_of_a_study(reports: Path) -> None:
    pair = "digits-wrn10_1--cnn3_16"
    assert {path.name for path in (reports / "toy/figures").iterdir()} == {
        f"{name}-{pair}.{kind}" for name in FIGURES for kind in ("svg", "png")
    }


def test_the_same_records_give_the_same_bytes(results: Path, reports: Path, tmp_path: Path) -> None:
    for path in render(results, tmp_path):
        assert path.read_bytes() == (reports / path.relative_to(tmp_path)).read_bytes(), path.name


def test_the_page_needs_nothing_else(reports: Path) -> None:
    source = (reports / "index.html").read_text()
    found = Page(source)
    assert len(found.sources) == len(FIGURES)
    assert all(address.startswith("data:image/") for address in found.sources)
    assert "@import" not in source
    assert "url(" not in source
    assert "<script" not in source


def test_every_link_of_the_page_leads_somewhere(reports: Path) -> None:
    found = Page((reports / "index.html").read_text())
    inside = {unquote(link[1:]) for link in found.links if link.startswith("#")}
    outside = {unquote(link) for link in found.links if not link.startswith("#")}
    assert len(found.ids) == len(set(found.ids))
    assert inside <= set(found.ids)
    assert all((reports / link).is_file() for link in outside)
    assert "toy/digits/wrn10_1--cnn3_16/ssd-kd/scale-10" in inside


def test_a_run_lists_where_it_comes_from(reports: Path, results: Path) -> None:
    source = (reports / "index.html").read_text()
    cell = factory.metrics("ssd-kd", 10.0, 1)
    row = next(line for line in source.splitlines() if f"seed-1/runs/{cell.key}" in line)
    for fact in (cell.plan_key, "c0ffee000000", factory.TEACHER_SHA[:12], "Test CPU"):
        assert fact in row
    assert "&quot;batch&quot;: 64" in source


def test_a_cell_names_its_preset(tmp_path: Path) -> None:
    note = "CIFAR-10's; none published for <digits>"
    factory.write(tmp_path / "results", factory.metrics("a-original", preset="original", preset_note=note))
    render(tmp_path / "results", tmp_path / "out")
    source = (tmp_path / "out/index.html").read_text()
    assert "preset original; CIFAR-10&#x27;s; none published for &lt;digits&gt;" in source


def test_an_ablation_stands_on_the_page(tmp_path: Path) -> None:
    golden_results.build_ablation(tmp_path / "results")
    written = render(tmp_path / "results", tmp_path / "out")
    assert tmp_path / "out/toy/tables/ablation-ssd-kd.tex" in written
    source = (tmp_path / "out/index.html").read_text()
    assert "<h3>Ablation of ssd-kd</h3>" in source
    assert "<th colspan=4><th colspan=2>wrn10_1 → cnn3_16" in source


def test_text_of_records_is_escaped(tmp_path: Path) -> None:
    factory.write(tmp_path / "results", factory.metrics(status="failed", reason="<script>x</script>", final=None))
    render(tmp_path / "results", tmp_path / "out")
    assert "<script" not in (tmp_path / "out/index.html").read_text()


def test_figures_beyond_the_limit_are_linked(results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "EMBEDDED", 0)
    render(results, tmp_path)
    found = Page((tmp_path / "index.html").read_text())
    assert found.sources == []
    assert sum(link.endswith(".svg") for link in found.links) == len(FIGURES)


def test_a_study_without_any_finished_run(tmp_path: Path) -> None:
    factory.write(tmp_path / "results", factory.metrics(status="failed", reason="no", final=None, best=None))
    written = render(tmp_path / "results", tmp_path / "out")
    assert not any(path.suffix == ".svg" for path in written)
    assert "– (0/1)" in (tmp_path / "out/toy/tables/accuracy-time.md").read_text()


def test_several_studies_and_pairs(tmp_path: Path) -> None:
    for study in ("one", "two"):
        for teacher in ("t1", "t2"):
            cell = f"{study}/digits/{teacher}--cnn3_16/ssd-kd/scale-10/seed-0"
            factory.write(tmp_path / "results", factory.metrics(study=study, teacher=teacher, cell=cell))
    written = render(tmp_path / "results", tmp_path / "all")
    assert sum(path.suffix == ".svg" for path in written) == 4 * (len(FIGURES) - 1)  # there is no real data
    render(tmp_path / "results", tmp_path / "one", study="one")
    assert [path.name for path in sorted((tmp_path / "one").iterdir())] == ["index.html", "one"]
    with pytest.raises(ConfigError, match="valid choices: one, two"):
        render(tmp_path / "results", tmp_path / "x", study="three")


def test_nothing_to_report(results: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no results to report"):
        render(tmp_path, tmp_path / "out")
    with pytest.raises(UserError, match="with this filter"):
        render(results, tmp_path / "out", only={"label": ["scratch"], "scale": ["1"]})


def test_reporting_imports_no_torch_no_methods_no_mlflow() -> None:
    code = "import sys, harness.reporting; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    root = Path(__file__).parents[2]
    run = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert not {"torch", "methods", "mlflow", "snakemake"} & set(run.stdout.split())
    assert re.search(r"\bpandas\b", run.stdout)
