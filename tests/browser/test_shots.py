"""Screenshots for the documents: `make shots`. Pages of offices and organisations show a busy day."""

from __future__ import annotations

import json

import pytest
import time_machine
from sqlalchemy import select

from market.accounts.models import Organisation
from market.accounts.people import sessions
from market.accounts.people.models import Person
from market.catalogue.imports import jobs
from market.catalogue.imports import service as imports
from market.catalogue.intake import service as intake
from market.catalogue.models import Listing
from market.catalogue.publishing import service as publishing
from market.core import clock
from market.core.db import db
from market.core.permissions import PUBLIC
from market.demo.people import DATA
from market.matching import inquiring
from market.matching import service as matching
from tests import cases, messages, people

pytestmark = [pytest.mark.browser, pytest.mark.net]
PLACE = "511402"
PUBLIC_PAGES = {
    "home": "/",
    "search": "/search?q=%E6%9D%80%E9%9D%92&kind=achievement",
    "listing": "/achievements/CG2026000001",
    "region": "/regions/511402",
    "first-demand": "/post/demand/form",
    "voucher-scheme": "/vouchers/QB202600002",
}
CALLS = [
    (
        "泡菜调味包常温放两个月就胀袋",
        "泡菜调味包",
        "东坡味道食品厂（演示）",
        "李师傅",
        "13800001234",
    ),
    ("清洗废水太咸，排不出去", "泡菜", "三苏酱园（演示）", "宋师傅", "13800001235"),
    ("春见放一个月就浮皮", "柑橘贮藏", "岷江果业合作社（演示）", "何社长", "13800001236"),
]
TABLE = [
    {"title": "低盐泡菜直投菌剂", "summary": "四种乳酸菌冻干粉，发酵时间由 30 天减到 7 天。", "price": "5万-12万"},
    {"title": "辣椒色选剔除机构", "summary": "高速气阀，剔净率 99 %。", "price": "八万多"},
]  # fmt: skip


def who(login):
    """The demonstration account with this address; by name, since each copy has a key of its own."""
    entries = map(json.loads, DATA.read_text(encoding="utf-8").splitlines())
    name = next(one["name"] for one in entries if one["login"] == f"{login}@demo.example")
    return db.session.scalars(select(Person).where(Person.name == name)).one()


def actor(login):
    return sessions.actor_of(who(login))


def organisation(uscc):
    return db.session.scalars(select(Organisation).where(Organisation.uscc == uscc)).one()


def _calls():
    for number, (problem, product, firm, contact, telephone) in enumerate(CALLS):
        with time_machine.travel(clock.now().timestamp() - 90, tick=False):
            opened = intake.opened_stamp()
        said = {
            "problem": problem,
            "product": product,
            "firm": firm,
            "contact": contact,
            "telephone": telephone,
            "consent": True,
            "opened": opened,
        }
        address = f"192.0.2.{number}"
        intake.offer(PUBLIC, said, people.region(PLACE).id, address=address)


def _demands():
    """A demand that was returned, and one that waits for the office; returns the returned one's no."""
    editor, officer = actor("firm.editor"), actor("county.dongpo")
    firm = organisation("91511402DEM000487E").id
    sent = [
        ("榨菜丝在线剔除异物", "丝里偶有塑料绳和头发，人工挑拣每吨要 6 个工时。", "15万"),
        ("辣椒碎自动计量装袋", "粉尘大、误差 ±5 克，想降到 ±1 克以内。", "30万"),
    ]
    made = []
    for title, summary, budget in sent:
        values = {"title": title, "summary": summary, "budget": budget, "cleared": "1"}
        place = people.region(PLACE).id
        no = publishing.create_draft(editor, "demand", firm, values, region_id=place)
        publishing.act(editor, no, "submit")
        made.append(no)
    notes = [{"field": "summary", "reason": "请写明每天处理多少吨、异物多大", "rule": "unclear"}]
    publishing.act(officer, made[0], "return", notes=notes)
    return made[0]


def _inquiries():
    """Two inquiries of one's own, one answered."""
    firm, asker = organisation("91511402DEM000487E"), actor("firm.owner")
    owner = actor("institute.owner")
    key = organisation("12510107DEM000321H").id
    query = select(Listing.no).where(
        Listing.owner_id == key, Listing.kind == "achievement", Listing.state == "published"
    )
    numbers = db.session.scalars(query.order_by(Listing.id).limit(2)).all()
    made = []
    for no in numbers:
        whom = inquiring.member(asker, (firm.id, firm.name))
        said = {"text": "我们每天做 6 吨酱菜，能不能先寄样试 10 公斤？需要什么样的发酵罐？"}
        made.append(inquiring.ask(asker, "achievement", no, whom, said))
    matching.say(owner, made[0], "可以试样，运费您付。下周二请来锦江看一次中试线，带 20 公斤原料。")


def _table():
    """A file that was checked and found wrong in one cell; returns the number of the import."""
    rows = "\n".join(json.dumps(row, ensure_ascii=False) for row in TABLE).encode()
    no = imports.upload(actor("institute.editor"), "achievements", "", "2026年成果.jsonl", rows)
    while jobs.run_one():
        pass
    return no


@pytest.fixture
def busy(demo):
    """A day's cases, told to whom they concern; returns the numbers that pages are made of."""
    _calls()
    cases.reports(3, code=PLACE)
    returned = _demands()
    _inquiries()
    numbers = {"returned": returned, "table": _table()}
    messages.sent(demo)
    db.session.rollback()
    return numbers


OFFICE_PAGES = {
    "desk": ("county.dongpo", "/desk?tab=unassigned"),
    "intakes": ("county.dongpo", "/desk/intakes"),
    "my": ("firm.owner", "/my"),
    "submission": ("firm.editor", "/submissions/{returned}"),
    "edit": ("firm.editor", "/submissions/{returned}/edit"),
    "import": ("institute.editor", "/imports/{table}"),
    "inbox": ("firm.owner", "/my/messages"),
    "contract-desk": ("examiner.first", "/desk/contracts"),
    "contract-examine": ("examiner.second", "/desk/contracts/HT2026000003"),
    "voucher-balances": ("county.dongpo", "/desk/vouchers/balances"),
    "voucher-claim": ("county.dongpo", "/desk/vouchers/claims/DF2026000003"),
    "voucher-batch": ("county.dongpo", "/desk/vouchers/batches/PF202600002"),
    "my-vouchers": ("firm.owner", "/my/vouchers"),
}


@pytest.mark.parametrize("name", PUBLIC_PAGES)
def test_take(site, page, shot, name):
    assert page.goto(site + PUBLIC_PAGES[name]).status == 200
    shot(page, name)


@pytest.mark.parametrize("name", OFFICE_PAGES)
def test_take_behind_the_sign_in(demo, site, page, shot, busy, name):
    login, address = OFFICE_PAGES[name]
    client = people.sign_in(demo.test_client(), who(login))
    word = client.get_cookie(sessions.COOKIE).value
    db.session.rollback()
    page.context.add_cookies([{"name": sessions.COOKIE, "value": word, "url": site}])
    assert page.goto(site + address.format(**busy)).status == 200
    shot(page, name)
