"""A demonstration site that people have used: one case of each kind, in the hands of its accounts."""

from __future__ import annotations

import json

from sqlalchemy import select

from market.accounts.members import service as members
from market.accounts.members import staff
from market.accounts.models import Organisation
from market.accounts.people import sessions
from market.accounts.people.models import Person
from market.accounts.verification import service as verification
from market.catalogue.imports import jobs
from market.catalogue.imports import service as imports
from market.catalogue.intake import service as intake
from market.catalogue.models import Listing
from market.catalogue.publishing import life
from market.catalogue.publishing import service as publishing
from market.core.db import db
from market.core.permissions import PUBLIC
from market.core.secrets import pseudonym
from market.matching import inquiring, reply_templates
from market.matching import service as matching
from tests import cases, people

FIRM, INSTITUTE, COOP = "91511402DEM000487E", "12510107DEM000321H", "93630223DEM000671M"
HERE = "511402"


def account(login):
    """The person behind a demonstration account, `login` without its @demo.example."""
    key = pseudonym(f"{login}@demo.example", "person.email")
    return db.session.scalars(select(Person).where(Person.email_key == key)).one()


def actor(login):
    """A demonstration account as an actor."""
    return sessions.actor_of(account(login))


def organisation(code):
    """The organisation with this credit code."""
    return db.session.scalars(select(Organisation).where(Organisation.uscc == code)).one()


def _a_listing(owner_id):
    found = select(Listing).where(Listing.owner_id == owner_id, Listing.state == "published")
    return db.session.scalars(found.order_by(Listing.id)).first()


def live() -> dict[str, list[str]]:
    """Fill the site; returns addresses that no page links to, by the login that opens them."""
    firm, institute = organisation(FIRM).id, organisation(INSTITUTE).id
    submissions = _submissions(firm)
    cases.reports(2, code=HERE)
    receipt = _intakes()
    follow = _inquiries(firm, institute)
    people_pages = _members()
    _imports()
    db.session.rollback()
    return {
        "": [f"/intakes/receipt/{receipt}", follow],
        "firm.editor": submissions,
        "nobody": people_pages,
    }


def _submissions(firm) -> list[str]:
    writer, officer = actor("firm.editor"), actor("county.dongpo")
    place = people.region(HERE).id

    def begun(title, **more):
        values = {"title": title, "summary": "人工看灯，慢。", "cleared": "1", **more}
        return publishing.create_draft(writer, "demand", firm, values, region_id=place)

    wrong, waiting, returned, out, gone = (
        begun(f"第 {n} 个难题（演示）", budget="面议") for n in range(5)
    )
    publishing.save_draft(writer, wrong, {"budget": "二十来万"}, 1)
    for no in (waiting, returned, out, gone):
        publishing.act(writer, no, "submit")
    notes = [{"field": "summary", "reason": "写明数量", "rule": "unclear"}]
    publishing.act(officer, returned, "return", notes=notes)
    for no in (out, gone):
        publishing.act(officer, no, "publish")
    shown = [_listing_of(no) for no in (out, gone)]
    life.listing_act(officer, shown[1], "take_down", "重复")
    again = publishing.begin_edit(writer, shown[0])
    publishing.save_draft(writer, again, {"title": "改了名的难题（演示）"}, 1)
    parts = ("", "/versions", "/edit", "/check")
    in_hand = [f"/submissions/{no}{part}" for no in (wrong, returned, again) for part in parts]
    return [*in_hand, f"/submissions/{waiting}", f"/submissions/{waiting}/versions"]


def _listing_of(no):
    from market.catalogue.publishing.models import Submission

    db.session.rollback()
    return db.session.scalars(select(Submission).where(Submission.no == no)).one().listing.no


def _intakes() -> str:
    said = {
        "problem": "泡菜调味包常温放两个月就胀袋。",
        "product": "泡菜调味包",
        "target": None,
        "firm": "东坡味道食品厂（演示）",
        "contact": "李师傅",
        "telephone": "13800001234",
        "consent": True,
    }
    here, clerk = people.region(HERE).id, actor("county.dongpo")
    key = intake.offer(
        PUBLIC, said | {"opened": intake.opened_stamp()}, here, address="192.0.2.1"
    )  # too quick for a person: it waits among the doubtful
    caller = said | {"source": "telephone", "kind": "enterprise"}
    other = intake.enter(clerk, caller | {"firm": "乙食品厂（演示）"}, here)
    intake.note_call(clerk, other, {"result": "busy"})
    intake.enter_and_complete(clerk, caller | {"firm": "丙食品厂（演示）"}, here)
    return key


def _inquiries(firm, institute) -> str:
    from market.matching.messages import address_of

    asker, answerer = actor("firm.editor"), actor("institute.editor")
    listing = _a_listing(institute)
    about = (listing.kind, listing.no)
    name = organisation(FIRM).name
    need = {"text": "能不能先试用？\n一台就行。"}
    member = inquiring.member(asker, (firm, name))
    first = inquiring.ask(asker, *about, member, need)
    second = inquiring.ask(asker, *about, member, {"text": "已经谈好了。"})
    matching.do(answerer, first, "say", {"text": "可以，下周寄来。"})
    matching.do(asker, second, "close", {"outcome": "solved", "amount": None})
    own = _a_listing(firm)
    visitor = {"name": "李四", "contact": "13812341234", "text": "想用在 200 亩茶园", "firm": None}
    asked = inquiring.ask(
        PUBLIC, own.kind, own.no, inquiring.visitor(visitor), visitor, address="203.0.113.9"
    )
    reply_templates.save(answerer, institute, {"title": "寄样检测", "text": "请寄 2 kg 样品。"})
    return address_of(asked)


def _members() -> list[str]:
    owner, newcomer = actor("firm.owner"), actor("nobody")
    word = staff.invite(owner, organisation(FIRM).no, "nobody@demo.example", "viewer")
    members.ask_to_join(newcomer, COOP, "合作社的会计")
    coop = actor("coop.owner")
    verification.keep_licence(coop, organisation(COOP).no, "执照.pdf", b"%PDF-1.4 licence")
    declared = {
        "legal_representative": "李四光",
        "registered_address": "青海省某县某街 1 号",
        "shareholders": [["王五", 10000]],
        "bank": "中国农业银行某支行",
        "account": "6228480402564890018",
    }
    verification.submit(coop, organisation(COOP).no, declared)
    return [f"/invitations/{word}"]


def _imports() -> None:
    def lines(*rows):
        return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()

    editor = actor("institute.editor")
    good = {"title": "川茶机采技术（演示）", "summary": "一台机器顶二十个人采茶。"}
    imports.upload(editor, "achievements", "", "成果.jsonl", lines(good))
    imports.upload(editor, "achievements", "", "错的.jsonl", lines({"title": ""}, good))
    while jobs.run_one():
        pass
