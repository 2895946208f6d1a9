"""Every page that somebody may open, for a visitor and each role, on a desk's width and a phone's."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from urllib.parse import parse_qsl, urlsplit

import pytest
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from market.accounts.people import sessions
from market.accounts.people.models import Person
from market.core.db import db
from market.core.permissions import PUBLIC, policy
from tests import lived, people
from tests.browser.conftest import watched_page
from tests.web.test_matrix import VISITOR, holders, routes

pytestmark = [pytest.mark.browser, pytest.mark.net, pytest.mark.long]
GROUPS = {
    "visitor": (VISITOR, ""),
    "firms": ("owner", "editor", "certifier", "viewer", "broker", "point_staff"),
    "offices": ("county", "prefecture", "province"),
    "others": (
        "first_examiner",
        "second_examiner",
        "finance",
        "expert",
        "system_admin",
        "security_admin",
        "audit_admin",
    ),
}
STARTS = ("/my", "/desk", "/account")
DEEP = 2  # links from there
EACH = 2  # pages of one kind
LEAST_PAGES = 40  # fewer are a sign that somebody was not let in
CHANGING = re.compile(r'name="(?:csrf_token|once|opened)" value="[^"]*"|<time[^>]*>[^<]*</time>')
LINK = re.compile(r'<a\b[^>]*\bhref="([^"]+)"')


class Walker:
    """Finds what pages one person has, without a browser."""

    def __init__(self, app, who):
        self.app = app
        self.actor = sessions.actor_of(who) if who else PUBLIC
        self.client = people.sign_in(app.test_client(), who) if who else app.test_client()
        cookie = self.client.get_cookie(sessions.COOKIE)
        self.word = cookie.value if cookie else ""
        self.kinds: Counter = Counter()
        self.found: dict[str, str] = {}  # address → what it says

    def kind(self, address):
        """The endpoint and the names in the query; None where nothing answers."""
        parts = urlsplit(address)
        try:
            endpoint, _values = self.app.url_map.bind("localhost").match(parts.path)
        except (HTTPException, RequestRedirect):
            return None
        # A tab is a page of its own.
        tab = dict(parse_qsl(parts.query)).get("tab", "")
        return endpoint, tab, *sorted(name for name, _value in parse_qsl(parts.query))

    def visit(self, address, most=EACH):
        """Read a page once, of one kind at most so many; returns it where it is one."""
        address = address.partition("#")[0]
        kind = self.kind(address)
        if kind is None or address in self.found or self.kinds[kind] >= most:
            return ""
        response = self.client.get(address)
        if response.status_code != 200 or response.mimetype != "text/html":
            assert response.status_code < 500, address
            return ""
        self.kinds[kind] += 1
        self.found[address] = CHANGING.sub("", response.text.partition("<main")[2])
        return response.text

    def walk(self, more=()):
        """All pages of the routes, then along the links from one's own pages."""
        starts = []
        for _endpoint, path, permission in routes(self.app, "GET", None):
            if not path.startswith("/api/") and policy.allows(self.actor, permission):
                text = self.visit(path)
                if path in STARTS:
                    starts.append(text)
        for _step in range(DEEP):
            links = [link for text in starts for link in LINK.findall(text)]
            own = [link.replace("&amp;", "&") for link in links if self.is_own(link)]
            starts = [self.visit(link) for link in own]
        for address in more:
            self.visit(address, most=99)
            assert address in self.found, address
        return self.found

    @staticmethod
    def is_own(link):
        """Whether a link leads to a page of this site that not everybody has."""
        public = ("/search", "/regions", "/organisations", "/achievements", "/demands", "/static")
        return link.startswith("/") and not link.startswith(public) and link != "/"


def mark(text):
    """What tells pages with different contents apart."""
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("group", GROUPS)
def test_no_page_is_in_anybodys_way(demo, site, browser, group):
    from axe_playwright_python.sync_playwright import Axe

    unlinked = lived.live()
    accounts = {"" if role == VISITOR else role: who for role, who in holders().items()}
    accounts["editor"] = lived.account("firm.editor")
    accounts["owner"] = lived.account("firm.owner")
    accounts["county"] = lived.account("county.dongpo")
    logins = {"editor": "firm.editor", "": "nobody", VISITOR: ""}
    ids = {role: who.id for role, who in accounts.items()}
    seen: set[str] = set()
    if group != "visitor":
        seen |= {mark(text) for text in Walker(demo, None).walk().values()}
    axe, pages = Axe(), 0
    faults: list[str] = []

    def note(said):
        if said.type == "error":
            faults.append(said.text)

    for role in GROUPS[group]:
        who = None if role == VISITOR else db.session.get(Person, ids[role])
        walker = Walker(demo, who)
        found = walker.walk(unlinked.get(logins.get(role, "-"), ()))
        db.session.rollback()
        with watched_page(browser, 1280) as page:
            page.on("console", note)
            if walker.word:
                cookie = {"name": sessions.COOKIE, "value": walker.word, "url": site}
                page.context.add_cookies([cookie])
            for address, text in found.items():
                if mark(text) in seen:
                    continue
                seen.add(mark(text))
                pages += 1
                faults += [f"{role} {address} {fault}" for fault in look(page, site + address, axe)]
    assert pages > LEAST_PAGES
    assert faults == []


def look(page, address, axe):
    """What is wrong with the page at an address."""
    page.set_viewport_size({"width": 1280, "height": 800})
    status = page.goto(address).status
    if status != 200:
        yield f"answers {status}"
    yield from faults_of(page, axe)


def faults_of(page, axe):
    """What is wrong with a page on either width, all of it unfolded."""
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 800})
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if wide > 0:
            yield f"{width} px: {wide} px too wide"
        for violation in axe.run(page).response["violations"]:
            where = [node["html"][:160] for node in violation["nodes"][:3]]
            yield f"{width} px: {violation['id']} {where}"


def test_what_is_looked_for_is_seen(browser):
    from axe_playwright_python.sync_playwright import Axe

    with watched_page(browser, 1280) as page:
        page.set_content(
            '<!doctype html><html lang="zh-CN"><title>甲</title><main><h1>乙</h1>'
            "<details><summary>丙</summary><input></details>"
            '<div style="width: 400px">丁</div></main></html>'
        )
        found = list(faults_of(page, Axe()))
    assert [fault.split()[2] for fault in found] == ["label", "88", "label"]
