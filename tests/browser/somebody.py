"""People with browsers of their own, for walks that several take part in."""

from __future__ import annotations

import io
import urllib.parse
from datetime import timedelta

from market.accounts.people import sessions
from market.core import clock
from market.core.db import db
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.demo.people import PASSWORD
from market.discovery.indexer import Indexer
from tests import papers, people


class Somebody:
    """Somebody with a browser of his own; `views` are the pages that were shown, redirects aside."""

    def __init__(self, page, site):
        self.page, self.site = page, site
        self.views: list[str] = []
        page.set_default_timeout(5000)
        page.on("response", self._count)

    def _count(self, response):
        asked = response.request
        shown = asked.is_navigation_request() and asked.frame == self.page.main_frame
        if shown and not 300 <= response.status < 400:
            self.views.append(f"{asked.method} {response.url.removeprefix(self.site)}")

    def open(self, path):
        """Open an address, as from a message or a bookmark."""
        self.page.goto(self.site + path)

    def follow(self, words):
        """Take a link."""
        with self.page.expect_navigation():
            self.page.get_by_role("link", name=words).first.click()

    def send(self, words):
        """Press a button that sends a form."""
        with self.page.expect_navigation():
            self.page.locator("#main").get_by_role("button", name=words, exact=True).first.click()

    def write(self, name, text):
        """Write into the field of this name."""
        self.page.fill(f"#main form [name={name}]", text)

    def said(self):
        """What the page says."""
        return self.page.inner_text("#main")

    def be(self, person):
        """Be signed in as somebody whom the test made, without the pages of that."""
        with unit_of_work(SYSTEM) as work:
            work.require(people.MAKE)
            word = sessions.open_session(work, person, second_factor=True)
        self.page.context.add_cookies([{"name": sessions.COOKIE, "value": word, "url": self.site}])

    def sign_in(self, login):
        """Sign in where the site asks for it."""
        self.write("account", f"{login}@demo.example")
        self.write("password", PASSWORD)
        self.send("登录")


class Party(Somebody):
    """Somebody who takes part in a contract; pictures of his pages are kept where wanted."""

    def __init__(self, page, site, shot):
        super().__init__(page, site)
        self.shot = shot

    def fill(self, **cells):
        """Write into fields by their names, choose where one chooses."""
        for name, text in cells.items():
            one = self.page.locator(f"#main [name='{name}']").first
            if one.evaluate("one => one.tagName") == "SELECT":
                one.select_option(text)
            else:
                one.fill(text)

    def go(self, words, exact=False):
        """Take a link of the page itself, not of its header."""
        with self.page.expect_navigation():
            self.page.locator("#main").get_by_role("link", name=words, exact=exact).first.click()

    def unfold(self, words):
        """Open what is folded away."""
        self.page.locator("#main summary", has_text=words).first.click()

    def attach(self, name, field="file"):
        """Choose a file of this name, with a content of its own."""
        data = f"%PDF-1.4\n% {name}\n%%EOF\n".encode()
        file = {"name": name, "mimeType": "application/pdf", "buffer": data}
        self.page.locator(f"#main [name='{field}']").set_input_files(file)

    def look(self, name):
        """The page fits its width; a picture of it where pictures are wanted."""
        wide = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{name} is {wide} px too wide"
        self.shot(self.page, name)

    def print_out(self, words):
        """The lines of a paper behind a link."""
        link = self.page.locator("#main").get_by_role("link", name=words).first
        answer = self.page.request.get(urllib.parse.urljoin(self.site, link.get_attribute("href")))
        assert (answer.status, answer.headers["content-type"]) == (200, "application/pdf")
        return "".join(papers.lines(io.BytesIO(answer.body())))


def index():
    """Let the worker follow."""
    indexer = Indexer()
    indexer.run()
    indexer.close()
    db.session.rollback()


def fresh(read):
    """Read from the database and let go of it."""
    found = read()
    db.session.rollback()
    return found


def day(ago=0):
    return (clock.today() - timedelta(days=ago)).isoformat()
