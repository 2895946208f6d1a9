"""People with browsers of their own, for walks that several take part in."""

from __future__ import annotations

from market.accounts.people import sessions
from market.core.db import db
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.demo.people import PASSWORD
from market.discovery.indexer import Indexer
from tests import people


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


def index():
    """Let the worker follow."""
    indexer = Indexer()
    indexer.run()
    indexer.close()
    db.session.rollback()
