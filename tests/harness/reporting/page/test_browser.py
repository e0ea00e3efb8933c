"""The page in a browser: sorted, narrowed, hovered over, followed, copied, printed, and read by axe-core."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import factory

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install -e .[dev]")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
AXE = Path(__file__).with_name("axe-4.14.1.min.js")
PAIR = "toy/digits/wrn10_1--cnn3_16"
TABLE = "toy/tables/accuracy-time/1"

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    with sync_api.sync_playwright() as driver:
        # Chromium's sandbox refuses to run as root, as it does in containers.
        started = driver.chromium.launch(executable_path=CHROMIUM, chromium_sandbox=os.geteuid() != 0)
        yield started
        started.close()


@pytest.fixture
def opened(browser: sync_api.Browser, reports: Path) -> Iterator[sync_api.Page]:
    """The golden study's page, at the width of a laptop. Nothing may go wrong on it, and no network be asked."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page, wrong = context.new_page(), []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: wrong.append(request.url) if request.url.startswith("http") else None)
    page.goto((reports / "index.html").as_uri())
    yield page
    context.close()
    assert wrong == []


def element(page: sync_api.Page, name: str) -> sync_api.Locator:
    return page.locator(f'[id="{name}"]')


def methods(page: sync_api.Page, table: str) -> list[str]:
    """The methods that a table shows, from top to bottom."""
    heads = element(page, table).locator("tbody tr:visible th")
    return heads.evaluate_all("all => all.map(each => each.firstChild.textContent.trim())")


def test_a_heading_sorts_and_the_address_keeps_it(opened: sync_api.Page, reports: Path) -> None:
    ranking = f"board-{PAIR}/scale-100/ranking"
    cost = element(opened, ranking).locator("thead th", has_text="cost")
    cost.click()
    # Cost at 100 %: 3 + 50 + seed + 25 for all, so that only the order before it decides; accuracy turns it round.
    assert cost.get_attribute("aria-sort") == "ascending"
    accuracy = element(opened, ranking).locator("thead th", has_text="top-1")
    accuracy.focus()
    opened.keyboard.press("Enter")
    assert methods(opened, ranking)[:3] == ["fast-10", "SSD-KD", "fast-2"]
    opened.keyboard.press("Enter")
    assert methods(opened, ranking)[:3] == ["fast-2", "SSD-KD", "fast-10"]
    address = opened.url
    opened.goto("about:blank")
    opened.goto(address)
    assert methods(opened, ranking)[:3] == ["fast-2", "SSD-KD", "fast-10"]


def test_methods_and_scales_are_narrowed(opened: sync_api.Page) -> None:
    opened.get_by_text("Accuracy and cost", exact=True).click()
    opened.get_by_label("Method").fill("ssd, scratch")
    opened.get_by_label("Scale").select_option("10")
    assert methods(opened, TABLE) == ["Scratch", "SSD-KD"]
    groups = element(opened, TABLE).locator("thead tr").first.locator("th:visible")
    assert groups.all_inner_texts() == ["10 %"]
    assert element(opened, TABLE).locator("tbody tr:visible").first.locator("td:visible").count() == 3
    assert not element(opened, f"board-{PAIR}/scale-100").is_visible()
    assert element(opened, f"board-{PAIR}/scale-10").is_visible()
    assert opened.url.endswith("#?method=ssd%2C+scratch&scale=10")
    opened.get_by_role("button", name="Show all").click()
    sync_api.expect(element(opened, f"board-{PAIR}/scale-100")).to_be_visible()
    assert len(methods(opened, TABLE)) == 5


def test_a_number_leads_to_its_runs_and_back(opened: sync_api.Page) -> None:
    opened.get_by_label("Method").fill("ssd")
    opened.get_by_text("Accuracy and cost", exact=True).click()
    runs = element(opened, f"{PAIR}/ssd-kd/scale-10")
    assert not runs.is_visible()
    element(opened, TABLE).get_by_role("link", name="88.83 ± 1.04").click()
    # The page follows its address in an event of its own, after the click.
    sync_api.expect(runs).to_be_in_viewport()
    assert opened.url.endswith("/ssd-kd/scale-10?method=ssd")
    manifest = runs.get_by_role("link", name="manifest").nth(1).get_attribute("href") or ""
    assert manifest.endswith(f"{factory.metrics('ssd-kd', 10.0, 1).key}/manifest.json")
    runs.get_by_role("link", name="back to the leaderboard").click()
    sync_api.expect(element(opened, f"board-{PAIR}/scale-10")).to_have_attribute("open", "")


def test_a_chart_shows_values_and_hides_methods(opened: sync_api.Page) -> None:
    opened.get_by_text("Figures", exact=True).click()
    chart = opened.locator(f'[data-chart="learning/{PAIR}/scale-10"]')
    chart.scroll_into_view_if_needed()
    legend = chart.locator(".u-series", has_text="SSD-KD")
    legend.wait_for()
    chart.locator(".u-over").hover()
    assert legend.locator(".u-value").inner_text() != "–"
    legend.locator("th").click()
    assert "u-off" in (legend.get_attribute("class") or "")
    assert "off=SSD-KD" in opened.url


def test_the_chart_beside_a_board_tells_what_is_at_the_pointer(opened: sync_api.Page) -> None:
    board = element(opened, f"board-{PAIR}/scale-100")
    over = board.locator(".u-over")
    over.wait_for()
    at, table = over.bounding_box(), board.locator("table").bounding_box()
    assert at and table
    assert (at["x"] >= table["x"] + table["width"], at["width"] >= 300) == (True, True)
    # All cost 79.0 in the mean, and the axis is 89.1 to 98.9 %: all seeds, a twentieth and half a point on either side.
    over.hover(position={"x": at["width"] / 2, "y": at["height"] * (98.9 - 97.5) / (98.9 - 89.1)})
    told = board.locator(".tip").inner_text().splitlines()
    assert told == ["Scratch", "top-1 (%): 97.5 (97 to 98)", "end-to-end cost (CPU s): 79 (78 to 80)"]
    # 78 to 80 is a fortieth of the axis, which goes to twice its beginning; what differs more has its own room.
    low, high = opened.evaluate("widened(78, 80, 1.05)")
    assert (round(high / low, 9), round(low * high, 6)) == (2, 78 * 80)
    assert opened.evaluate("widened(10, 90, 1.5)") == [10 / 1.5, 135]
    board.get_by_role("link", name="The same as a figure").click()
    sync_api.expect(element(opened, f"{PAIR}/figures").locator("figure.efficiency")).to_be_visible()


def test_a_board_is_seen_whole_beside_its_chart_or_above_it(opened: sync_api.Page) -> None:
    board = element(opened, f"board-{PAIR}/scale-100")
    board.locator(".u-over").wait_for()
    boxes = "board => ['.scroll', '.chart'].map(each => board.querySelector(each).getBoundingClientRect().toJSON())"
    for width, beside in ((860, True), (1200, False)):  # of the page's 1216, of which a chart takes 320 at least
        board.locator("table").evaluate("(table, width) => { table.style.width = `${width}px` }", width)
        table, chart = board.evaluate(boxes)
        assert table["width"] == width
        assert (chart["left"] >= table["right"], chart["top"] >= table["bottom"]) == (beside, not beside)
        assert chart["width"] == pytest.approx(1216 - (width + 24 if beside else 0))


def test_a_table_is_copied_as_its_file(opened: sync_api.Page, reports: Path) -> None:
    opened.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened.get_by_text("Accuracy and cost", exact=True).click()
    opened.get_by_title("copy as LaTeX").first.click()
    opened.get_by_text("accuracy-time.tex copied").wait_for()
    copied = opened.evaluate("navigator.clipboard.readText()")
    assert copied == (reports / "toy/tables/accuracy-time.tex").read_text(encoding="utf-8")


def test_nothing_is_cut_on_paper_or_on_a_phone(opened: sync_api.Page) -> None:
    opened.emulate_media(media="print")
    opened.set_viewport_size({"width": 1030, "height": 700})  # A4 across, less its margins
    opened.evaluate("dispatchEvent(new Event('beforeprint'))")
    wide = "all => all.filter(each => each.getBoundingClientRect().right > innerWidth + 1).map(each => each.id)"
    assert opened.locator("table").evaluate_all(wide) == []
    assert opened.locator("table").evaluate_all("all => all.every(each => each.checkVisibility())")
    assert opened.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    opened.evaluate("dispatchEvent(new Event('afterprint'))")
    opened.emulate_media(media="screen")
    opened.set_viewport_size({"width": 420, "height": 800})
    assert opened.evaluate("document.documentElement.scrollWidth") == 420
    opened.get_by_text("Accuracy and cost", exact=True).click()
    table = element(opened, TABLE)
    table.evaluate("table => { table.parentElement.scrollLeft = 200 }")
    assert table.locator("tbody th").first.evaluate("head => head.getBoundingClientRect().left") >= 0


def test_without_a_script_every_number_is_there(browser: sync_api.Browser, reports: Path) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto((reports / "index.html").as_uri() + f"#{PAIR}/ssd-kd/scale-10")
        assert element(page, f"{PAIR}/ssd-kd/scale-10").is_visible()
        assert not page.get_by_label("Method").is_visible()
        assert page.locator(".beside figure.efficiency").is_visible()
        assert not page.locator(".drawn").first.is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(opened: sync_api.Page, scheme: str) -> None:
    opened.emulate_media(color_scheme=scheme)
    opened.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    opened.evaluate(AXE.read_text(encoding="utf-8"))
    found = opened.evaluate("axe.run({ exclude: ['.uplot'] }).then((all) => all.violations)")
    serious = [each for each in found if each["impact"] in ("serious", "critical")]
    assert [(each["id"], [node["html"][:120] for node in each["nodes"][:3]]) for each in serious] == []
