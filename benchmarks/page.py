"""How large the page of the paper's grid is, and how soon its first screen stands: made-up records, headless Chromium.

    PYTHONPATH=. python benchmarks/page.py FOLDER [--configfile workflow/config/paper.yaml]

Writes the folder (well-formed records of cells that nobody ran), renders its report, and opens the page with an empty
profile, three times with a script and three times without. Prints a Markdown table. Needs playwright and Chromium.
Without a script browsers load all figures at once; what is waited for then is the text.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from benchmarks.scale import write
from harness.grid import grid
from harness.reporting.report import render

PAINTED = "() => performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000"
READ = "() => performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd / 1000"
TRIES = 3


def opened(page: Path, script: bool) -> tuple[float, float]:
    """Seconds until the first screen is painted, and until all of the page is read and its script has run: medians."""
    with sync_playwright() as driver:
        root = os.geteuid() == 0
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), chromium_sandbox=not root)
        seen = []
        for _ in range(TRIES):
            context = browser.new_context(viewport={"width": 1280, "height": 900}, java_script_enabled=script)
            view = context.new_page()
            view.goto(page.as_uri(), wait_until="domcontentloaded", timeout=120_000)
            view.wait_for_function("() => performance.getEntriesByName('first-contentful-paint').length")
            seen.append((view.evaluate(PAINTED), view.evaluate(READ)))
            context.close()
        browser.close()
    painted, read = zip(*seen, strict=True)
    return statistics.median(painted), statistics.median(read)


def main() -> None:
    """Write, render, open, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--configfile", type=Path, default=Path("workflow/config/paper.yaml"))
    chosen = parser.parse_args()
    results, out = chosen.folder.resolve() / "results", chosen.folder.resolve() / "reports"
    cells = grid.load_grid(chosen.configfile).cells
    write(results, cells)
    start = time.perf_counter()
    page = render(results, out, mixed=True)[-1]
    rendered = time.perf_counter() - start
    print("| cells | report (s) | page (MiB) | first screen (s) | script ready (s) | without a script (s) |")
    print("|---:|---:|---:|---:|---:|---:|")
    (first, ready), (plain, _) = opened(page, True), opened(page, False)
    size = page.stat().st_size / 2**20
    print(f"| {len(cells):,} | {rendered:.1f} | {size:.2f} | {first:.2f} | {ready:.2f} | {plain:.2f} |")


if __name__ == "__main__":
    main()
