"""The explorer as a person uses it: a real browser, clicks, both colour schemes, a telephone's width."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import synthvae as sv
from synthvae import tables
from synthvae.explorer.app import build
from synthvae.explorer.guard import address
from synthvae.explorer.serve import listen, server_of
from synthvae.explorer.strange import LISTED
from tests.explored import SCRIPT, SECRET, planted

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
PATIENCE = 60_000  # milliseconds, of a machine that does much else
api.expect.set_options(timeout=PATIENCE)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on the path"),
]


@pytest.fixture(scope="module")
def url(explored: sv.Synthesizer) -> Iterator[str]:
    listening, hidden = listen(0), address()
    app = build(explored, f"{SCRIPT}.synthvae", tables.read(planted())[0], "mine.csv", hidden)
    server = server_of(app.server, listening)
    threading.Thread(target=server.run, daemon=True).start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}{hidden}"
    server.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with api.sync_playwright() as play:
        opened = play.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


class Visit:
    """A page, what its console said and what it asked for."""

    def __init__(self, browser: Any, url: str, scheme: str, width: int) -> None:
        self.url = url
        self.page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})
        self.console: list[str] = []
        self.asked: set[str] = set()
        self.page.on("console", lambda line: self.console.append(line.text))
        self.page.on("pageerror", lambda error: self.console.append(str(error)))
        self.page.on("dialog", lambda dialog: self.console.append(dialog.message))
        self.page.on("request", lambda request: self.asked.add(request.url))
        self.page.set_default_timeout(PATIENCE)
        self.page.goto(url)
        self.page.wait_for_selector("#row td")
        self.page.wait_for_selector("#map .main-svg")

    def tab(self, name: str) -> None:
        self.page.get_by_text(name, exact=True).first.click()

    def check(self) -> None:
        """Nothing ran, nothing was complained of, nothing was asked for elsewhere, nothing is too wide."""
        assert self.console == []
        assert {ask for ask in self.asked if not ask.startswith((self.url, "data:", "blob:"))} == set()
        assert self.page.title() == "synthvae explorer"
        assert self.page.evaluate("document.querySelectorAll('.page script, .page img[src=x]').length") == 0
        assert self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


@pytest.fixture
def visit(request: pytest.FixtureRequest, browser: Any, url: str) -> Iterator[Visit]:
    seen = Visit(browser, url, *request.param)
    yield seen
    seen.check()
    seen.page.close()


DESKTOP, TELEPHONE = ("light", 1280), ("dark", 390)
EVERYWHERE = pytest.mark.parametrize("visit", [DESKTOP, TELEPHONE], ids=["desktop", "telephone"], indirect=True)


@EVERYWHERE
def test_the_map_and_the_sliders(visit: Visit, tmp_path: Path) -> None:
    page, row = visit.page, visit.page.locator("#row")
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper in ("rgb(255, 255, 255)", "rgb(20, 23, 27)")
    assert SCRIPT in row.inner_text()
    before, told = row.inner_text(), page.locator(".facts output").first
    thumb = page.locator('.sliders [role="slider"]').first
    thumb.focus()
    thumb.press("End")
    api.expect(told).to_have_text("+3.00")
    page.get_by_role("button", name="A random row").click()
    api.expect(told).not_to_have_text("+3.00")
    page.get_by_role("button", name="The centre").click()
    api.expect(told).to_have_text("+0.00")
    api.expect(row).to_have_text(before, use_inner_text=True)
    page.locator("#map .points path").nth(40).click(force=True)
    api.expect(told).not_to_have_text("+0.00")
    page.screenshot(path=tmp_path / "latent.png", full_page=True)


@pytest.mark.parametrize("visit", [DESKTOP], ids=["desktop"], indirect=True)
def test_rows_under_a_condition(visit: Visit, tmp_path: Path) -> None:
    page, drawn = visit.page, visit.page.locator("#drawn")
    visit.tab("Ask for rows")
    page.locator("#where").fill("size >= 90 and kind == 'p'")
    page.locator("#rows").fill("7")
    page.locator("#draw").click()
    api.expect(drawn).to_contain_text("probability of the condition")
    assert drawn.locator("table").last.locator("tbody tr").count() == 7
    with page.expect_download() as download:
        page.locator("#save").click()
    assert len(Path(download.value.path()).read_text().splitlines()) == 8
    page.screenshot(path=tmp_path / "asked.png", full_page=True)
    page.locator("#where").fill("sizes >= 90")
    page.locator("#where").press("Enter")
    api.expect(drawn).to_contain_text("did you mean 'size'")
    assert page.locator("#save").is_hidden()


@pytest.mark.parametrize("visit", [TELEPHONE], ids=["telephone"], indirect=True)
def test_strange_rows(visit: Visit, tmp_path: Path) -> None:
    page, rows = visit.page, visit.page.locator("#strange summary")
    visit.tab("Strange rows")
    page.locator("#look").click()
    api.expect(rows).to_have_count(LISTED)
    assert rows.locator("b").first.inner_text() == "row 7"
    planted(20).to_parquet(tmp_path / "mine.parquet", index=False)
    page.locator("#upload input[type=file]").set_input_files(tmp_path / "mine.parquet")
    api.expect(rows).to_have_count(20)
    rows.first.click()
    api.expect(page.locator("#strange details").first).to_contain_text("not shown")
    assert SECRET not in page.content()
    assert "K-0" not in page.content()
    page.screenshot(path=tmp_path / "strange.png", full_page=True)
