"""The pages in a real browser: no console errors, nothing wider than a small phone, live without a reload."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from sqlalchemy import Engine

from tests.bot.conftest import Site
from tests.bot.finished import at_work, healed
from workers.domain import Outcome
from workers.store.ledger import Ledger

Scheme = Literal["dark", "light"]

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    expect.set_options(timeout=60_000)  # a page may take its time on a busy machine
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        yield found
        found.close()


def opened(browser: Browser, width: int = 1200, scheme: Scheme = "light") -> tuple[Page, list[str]]:
    """A page and the list its console errors go to."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    return page, errors


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (1200, "dark"), (320, "light")])
def test_list_and_run(browser: Browser, site: Site, engine: Engine, width: int, scheme: Scheme) -> None:
    """List and run page open without console errors and without sideways scrolling, also at 320 pixels."""
    healed(engine)
    at_work(engine, repo="octo/other")
    page, errors = opened(browser, width, scheme)
    page.goto(site.url)
    expect(page.get_by_role("heading", name="Runs")).to_be_visible()
    _look(page, f"list-{width}-{scheme}")
    page.get_by_role("link", name="unit (3.12)").click()
    expect(page.get_by_role("heading", name="Evidence")).to_be_visible()
    expect(page.get_by_role("region", name="Diff").get_by_text("result += value")).to_be_visible()
    _look(page, f"run-{width}-{scheme}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert errors == []
    page.close()


def test_live(browser: Browser, site: Site, engine: Engine) -> None:
    """A run page that is open shows the end of the run without a reload."""
    run = at_work(engine)
    page, errors = opened(browser)
    page.goto(f"{site.url}/runs/{run}")
    expect(page.get_by_text("Running")).to_be_visible()
    page.evaluate("window.before = true")
    Ledger(engine).cancel(run, Outcome.CANCELLED, "Somebody said stop.")
    expect(page.get_by_text("Somebody asked to end this run")).to_be_visible()
    assert page.evaluate("window.before") is True
    assert errors == []
    page.close()


def _look(page: Page, name: str) -> None:
    """Keep a picture when a folder for pictures is named."""
    folder = os.environ.get("HEAL_TEST_PICTURES")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
