"""A running site and Debian's chromium."""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack, contextmanager
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from werkzeug.serving import make_server

from tests.browser.keyboard import Reader
from tests.browser.somebody import Party
from tests.browser.voucher_town import Town
from tests.conftest import lacking

# Pictures are taken only when a folder for them is named (`make shots`).
collect_ignore = [] if "MARKET_BENCH_SHOTS" in os.environ else ["test_shots.py"]
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser():
    if not os.path.exists(CHROMIUM):
        lacking("Chromium", "apt-get install chromium fonts-noto-cjk")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def site(demo):
    """The application served on loopback by threads of this process; yields its address."""
    server = make_server("127.0.0.1", 0, demo, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def watched_page(browser, width):
    """A page of `width` pixels that fails the test on script errors and foreign requests."""
    context = browser.new_context(viewport={"width": width, "height": 800}, locale="zh-CN")
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(f"script: {error}"))
    page.on(
        "console",
        lambda message: faults.append(message.text) if "Content Security" in message.text else None,
    )
    page.on(
        "request",
        lambda sent: (
            None if sent.url.startswith(("http://127.0.0.1", "data:")) else faults.append(sent.url)
        ),
    )
    yield page
    context.close()
    assert faults == []


@pytest.fixture(params=[1280, 360], ids=["desk", "phone"])
def page(request, browser):
    """A page of one width that fails the test on script errors and foreign requests."""
    with watched_page(browser, request.param) as page:
        yield page


@pytest.fixture
def reader(site, browser):
    """Somebody with a keyboard and a screen as wide as a phone, on the home page."""
    with watched_page(browser, 360) as page:
        page.goto(site)
        yield Reader(page)


@pytest.fixture
def axe():
    """Run axe on a page: no violations of WCAG 2.2 AA."""
    from axe_playwright_python.sync_playwright import Axe

    def check(page) -> None:
        result = Axe().run(page)
        assert result.violations_count == 0, result.generate_report()

    return check


@pytest.fixture
def shot(request):
    """Save a screenshot where MARKET_BENCH_SHOTS names a folder."""
    folder = os.environ.get("MARKET_BENCH_SHOTS")

    def take(page, name: str) -> None:
        if folder:
            width = page.viewport_size["width"]
            path = Path(folder) / f"{name}-{width}.png"
            with Image.open(BytesIO(page.screenshot())) as picture:  # our pages have few colours
                picture.quantize(256).save(path, optimize=True)

    return take


@pytest.fixture
def comes(site, browser, shot):
    """Opens a browser for a person, or for nobody known."""
    with ExitStack() as open_pages:

        def comes(who=None, width=1280):
            page = open_pages.enter_context(watched_page(browser, width))
            one = Party(page, site, shot)
            if isinstance(who, str):
                one.open("/login")
                one.sign_in(who)
            elif who is not None:
                one.be(who)
            return one

        yield comes


@pytest.fixture
def town(demo):
    """A county's office, its finance bureau, a firm and a house of the directory."""
    return Town()
