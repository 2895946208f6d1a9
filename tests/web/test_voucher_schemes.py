"""Pages of schemes: read by everybody, written, tried and put in force by offices."""

from __future__ import annotations

import re
from datetime import timedelta

import html5lib
import pytest
from sqlalchemy import select

from market.core import clock
from market.core.db import db
from market.vouchers import content, reviewing
from market.vouchers.ledger.posting import Move, Pot, Subject, accounts_of, post
from market.vouchers.models import Scheme
from market.vouchers.scheme_pages import checks, flat, layout
from market.vouchers.shipped import shipped
from market.vouchers.workflow import MANAGE
from tests import people, vouchers
from tests.web.test_desk import token_for

DESK = "/desk/vouchers/schemes"
HERE = "511402"


@pytest.fixture(scope="module")
def prepared_demo(prepared_quiet):
    return prepared_quiet


def test_everybody_reads_what_is_known(visitor):
    page = visitor.get("/vouchers?region=510000").text
    assert "四川省科技创新券（2025—2027）" in page
    assert "本省暂无已收录的办法" in visitor.get("/vouchers?region=630000").text
    for one in shipped():
        assert visitor.get(f"/vouchers/sheets/{one.code}").status_code == 200
        assert visitor.get(f"/vouchers/sheets/{one.code}/check").status_code == 200
        assert checks.questions(one.content).count <= 6
    assert visitor.get("/vouchers/sheets/none").status_code == 404
    gaps = visitor.get("/vouchers/sheets/anhui").text
    assert "要素不全，不计算金额" in gaps
    assert "还缺什么" in gaps


def test_the_check_before_one_applies(visitor):
    """Story 1: pilot run 60,000 → at most 12,000; not a guess where something is not known."""
    start = "/vouchers/sheets/sichuan-2025/check"
    services = dict(re.findall(r'<option value="(\w+)">(.*?)</option>', visitor.get(start).text))
    pilot = next(code for code, words in services.items() if "中试" in words)
    asked = f"{start}?service={pilot}&cost_fen=6万&region=511402&kind=enterprise"
    wrong = visitor.get(asked).text
    assert "请选：在哪个名单上，或都不在。" in wrong
    assert 'value="6万"' in wrong
    roster = re.search(r'name="rosters" value="(\w+)"', wrong)[1]
    page = visitor.get(f"{asked}&rosters={roster}").text
    assert "最高 1.2 万元" in page
    assert page.count("计算明细") == 1
    assert "按这份办法不能补助" in visitor.get(f"{asked}&rosters=nowhere").text
    both = visitor.get(
        "/vouchers/sheets/yuhuan-2023/check?service=service&cost_fen=18000&region=331083&kind=enterprise"
    ).text
    assert "1.4 万元" in both
    assert "9,000 元" in both


def test_the_form_has_every_field_and_loses_none():
    drawn = {name for _key, _title, names in layout.GROUPS for name in names}
    assert drawn == content.SchemeSchema().fields.keys() - {"owner_region"}


@pytest.fixture
def officer(demo):
    office = people.organisation("东坡区科技局", kind="office", code=HERE)
    return people.person(("county", office, HERE), name="李四")


@pytest.fixture
def desk(demo, visitor, officer):
    people.sign_in(visitor, officer)
    return visitor


def token(page):
    return {
        name: re.search(rf'name="{name}" value="([^"]*)"', page)[1]
        for name in ("csrf_token", "once")
    }


def cells_of(page):
    """What a browser would send of the form of all fields."""
    tree = html5lib.parse(page, namespaceHTMLElements=False)
    form = next(one for one in tree.iter("form") if one.get("id") == "draft")
    sent = {}
    for one in form.iter():
        name = one.get("name")
        if one.tag == "input" and one.get("type") in {"checkbox", "radio"}:
            if "checked" in one.attrib:
                sent.setdefault(name, []).append(one.get("value"))
        elif one.tag == "input" and name:
            sent[name] = [one.get("value")]
        elif one.tag == "textarea":
            sent[name] = [one.text or ""]
        elif one.tag == "select":
            chosen = [x.get("value") for x in one.iter("option") if "selected" in x.attrib]
            sent[name] = chosen or [""]
    return sent


def begun(desk, base, title):
    page = desk.get(f"{DESK}/new").text
    answer = desk.post(f"{DESK}/new", data=token(page) | {"base": base, "title": title})
    assert answer.status_code == 303, answer.text
    return answer.location.split("/")[-2]


def stored(no):
    from market.vouchers.scheme_pages.queries import working_version

    db.session.rollback()
    scheme = db.session.scalars(select(Scheme).where(Scheme.no == no)).one()
    return working_version(scheme).content


@pytest.mark.parametrize("code", ["yuhuan-2023", "shanxi-2017", "delta-startup"])
def test_saving_a_form_as_it_came_changes_nothing(demo, code):
    """From a content to cells and back, for what the real sheets hold."""
    found = next(one for one in shipped() if one.code == code).content
    found = {**found, "evidence": [], "review_chain": []}  # said to be none, which is not open
    read = flat.read(flat.write(found), found.get("owner_region"))
    assert read.errors == {}
    assert read.content == found


def test_an_office_writes_a_scheme_until_it_holds(desk, demo):
    no = begun(desk, "sheet:yuhuan-2023", "示范县科技创新券")
    assert stored(no)["applicant_regions"] == [HERE]
    edit = desk.get(f"{DESK}/{no}/edit").text
    cells = cells_of(edit)
    # Bad input: told beside the field, and everything typed is there again.
    bad = cells | {
        "cap_claim_fen": ["两万"],
        "services-2-label": ["检测"],
        "conditions": ["自写\n两行"],
    }
    answer = desk.post(f"{DESK}/{no}/save", data=bad)
    assert answer.status_code == 422
    assert '<a href="#cap_claim_fen">' in answer.text
    again = cells_of(answer.text)
    assert {name: again[name] for name in bad if any(bad[name])} == {
        name: texts for name, texts in bad.items() if any(texts)
    } | {"csrf_token": again["csrf_token"]}
    # One more row keeps what is typed and saves nothing.
    more = desk.post(f"{DESK}/{no}/save", data=bad | {"next": "more-services"}).text
    assert 'name="services-3-label"' in more
    assert cells_of(more)["cap_claim_fen"] == ["两万"]
    # Bands that overlap.
    low = cells | {"services-1-bands-2-upto_fen": ["5000"]}
    assert "两档重叠" in desk.post(f"{DESK}/{no}/save", data=low).text
    good = cells | {
        "cap_claim_fen": ["2万"],
        "applicant_regions": ["四川省眉山市东坡区\r\n511403"],
        "services-2-label": ["检测"],
        "services-2-rate_max_bp": ["30"],
        "reserve_at": ["issue"],
        "claims_without_voucher": ["true"],
        "budget_public": ["true"],
        "evidence": ["contract", "invoice"],
        "review_chain-1-level": ["county"],
        "next": ["preview"],
    }
    answer = desk.post(f"{DESK}/{no}/save", data=good)
    assert answer.status_code == 303, answer.text
    saved = stored(no)
    assert saved["services"][1] == {"code": "s1", "label": "检测", "rate_max_bp": 3000}
    assert saved["cap_claim_fen"] == 2_000_000
    assert saved["applicant_regions"] == [HERE, "511403"]
    # Somebody else saved meanwhile.
    assert desk.post(f"{DESK}/{no}/save", data=good).status_code == 409
    tried = desk.get(f"{DESK}/{no}/preview").text
    assert "1.4 万元（分段累计" in tried
    assert "9,000 元（全部按 50 %" in tried

    own = f"{DESK}/{no}/check?service=service&cost_fen=18000&kind=enterprise&region={HERE}"
    assert "1.4 万元" in desk.get(own).text

    # The payer model is open: it cannot be published; then both readings are chosen.
    page = desk.get(f"{DESK}/{no}").text
    today = clock.today()
    sent = token(page) | {"effective_from": today.isoformat()}
    refused = desk.post(f"{DESK}/{no}/publish", data=sent)
    assert refused.status_code == 422
    assert "读法待定" in refused.text
    for reading, option in (("bands", "marginal"), ("payer", "enterprise")):
        sent = token(desk.get(f"{DESK}/{no}").text) | {"reading": reading, "option": option}
        assert desk.post(f"{DESK}/{no}/readings", data=sent).status_code == 303
    page = desk.get(f"{DESK}/{no}").text
    sent = token(page) | {"effective_from": today.isoformat()}
    assert desk.post(f"{DESK}/{no}/publish", data=sent).status_code == 303
    public = desk.get(f"/vouchers/{no}").text
    assert "分段累计" in public
    assert f"自 {today} 起施行" in public
    assert "示范县科技创新券" in desk.get(f"/vouchers?region={HERE}").text
    assert "示范县科技创新券" in desk.get("/vouchers").text  # where the reader is at home
    assert desk.get(f"/en/vouchers/{no}").status_code == 200

    # A second version from the first; not before its day; what it changed is told.
    page = desk.get(f"{DESK}/{no}").text
    assert desk.post(f"{DESK}/{no}/versions", data=token(page) | {"version": 1}).status_code == 303
    cells = cells_of(desk.get(f"{DESK}/{no}/edit").text) | {"cap_year_fen": ["12万"]}
    assert desk.post(f"{DESK}/{no}/save", data=cells).status_code == 303
    page = desk.get(f"{DESK}/{no}").text
    later = token(page) | {"effective_from": (today + timedelta(days=9)).isoformat()}
    refused = desk.post(f"{DESK}/{no}/publish", data=later)
    assert refused.status_code == 422
    assert "现在仍按第 1 版受理" in refused.text
    sent = token(page) | {"effective_from": today.isoformat()}
    assert desk.post(f"{DESK}/{no}/publish", data=sent).status_code == 303
    public = desk.get(f"/vouchers/{no}").text
    assert "<del>10 万元</del>" in public
    assert "第 2 版" in public

    budgets_are_set(desk, no)
    sent = token(desk.get(f"{DESK}/{no}").text) | {"reason": ""}
    assert desk.post(f"{DESK}/{no}/close", data=sent).status_code == 422
    assert desk.post(f"{DESK}/{no}/close", data=sent | {"reason": "预算用完"}).status_code == 303
    assert "已停止受理" in desk.get(f"/vouchers/{no}").text


def budgets_are_set(desk, no):
    year = clock.today().year
    page = desk.get(f"{DESK}/{no}").text
    new = token(page) | {"row": "new", "before": 0, "year": year, "region": HERE}
    wrong = desk.post(f"{DESK}/{no}/budgets", data=new | {"amount_fen": "0.005"})
    assert wrong.status_code == 422
    assert 'value="0.005"' in wrong.text
    sent = new | {"amount_fen": "100万"}
    assert desk.post(f"{DESK}/{no}/budgets", data=sent).status_code == 303
    assert desk.post(f"{DESK}/{no}/budgets", data=sent).status_code == 303  # twice is once
    assert "100 万元" in desk.get(f"/vouchers/{no}").text
    reserved(no, year, 30_000_000)
    page = desk.get(f"{DESK}/{no}").text
    row = {"row": f"{year}-{HERE}", "year": year, "region": HERE}
    low = token(page) | row | {"before": 100_000_000, "amount_fen": "29万"}
    refused = desk.post(f"{DESK}/{no}/budgets", data=low)
    assert refused.status_code == 409
    assert "已占用、审定和拨付 30 万元" in refused.text
    stale = token(page) | row | {"before": 90_000_000, "amount_fen": "50万"}
    assert desk.post(f"{DESK}/{no}/budgets", data=stale).status_code == 409
    cut = token(page) | row | {"before": 100_000_000, "amount_fen": "30万"}
    assert desk.post(f"{DESK}/{no}/budgets", data=cut).status_code == 303


def reserved(no, year, fen):
    from market.core.permissions import SYSTEM
    from market.core.unit_of_work import unit_of_work

    with unit_of_work(SYSTEM) as work:
        scheme = db.session.scalars(select(Scheme).where(Scheme.no == no)).one()
        work.require(people.MAKE)
        there = accounts_of(Pot(scheme.id, year, scheme.region_id))
        moves = [Move(there["available"], -fen), Move(there["reserved"], fen)]
        post(work, "tests:reserve", "reserve", moves, Subject("voucher", 1))


def test_drafts_and_other_places_are_nobody_elses(desk, demo, visitor):
    no = begun(desk, "", "只在本地的草稿")
    people.sign_in(
        desk,
        people.person(
            ("county", people.organisation("彭山区科技局", kind="office", code="511403"), "511403")
        ),
    )
    for page in ("", "/edit", "/preview"):
        assert desk.get(f"{DESK}/{no}{page}").status_code == 404
    assert desk.get(f"/vouchers/{no}").status_code == 404
    assert no not in desk.get(DESK).text
    assert MANAGE


def test_rates_are_decided_for_claims_under_review(desk, demo, officer):
    """ "Up to 30 %" is no amount before the office decided; past cases stand beside the next version."""
    no = vouchers.scheme(services=[{"code": "test", "label": "检测", "rate_max_bp": "30"}])
    firm = people.organisation("甲企业（演示）", code=HERE)
    owner = people.actor(("owner", firm), name="甲")
    claims = [vouchers.submitted(owner, firm, no, fen) for fen in (1_000_000, 2_000_000)]
    page = desk.get(f"{DESK}/{no}").text
    assert "用于审核中的 2 份申请" in page
    sent = token(page) | {"rate-test": "31"}
    refused = desk.post(f"{DESK}/{no}/rates", data=sent)
    assert refused.status_code == 422
    assert "高于办法的最高比例" in refused.text
    assert desk.post(f"{DESK}/{no}/rates", data=token(page) | {"rate-test": ""}).status_code == 422
    assert (
        desk.post(f"{DESK}/{no}/rates", data=token(page) | {"rate-test": "20"}).status_code == 303
    )
    assert [vouchers.row(one).outcome["amount_fen"] for one in claims] == [200_000, 400_000]
    clerk = people.actor(("county", people.organisation("局", kind="office", code=HERE), HERE))
    vouchers.checked(clerk, claims[0])
    reviewing.review(clerk, claims[0], "pass")
    half = {"services-1-rate_bp": ["10"], "services-1-rate_max_bp": [""], "next": ["preview"]}
    cells = cells_of(desk.get(f"{DESK}/{no}/edit").text) | half
    assert desk.post(f"{DESK}/{no}/save", data=cells).status_code == 303
    tried = desk.get(f"{DESK}/{no}/preview").text
    row = tried[tried.index(f"{claims[0]} 甲企业") :]
    assert "2,000 元" in row
    assert "1,000 元" in row
    assert "不同" in row


def test_a_program_of_the_office_does_the_same(demo, visitor):
    api, office = "/api/v1", people.organisation("洪雅县科技局", kind="office", code="511423")
    head = token_for(office, "county", ["vouchers:scheme"], "511423")
    content = visitor.get(f"{api}/voucher-sheets/jiangsu-2020").json["content"]
    content |= {"claims_without_voucher": True, "reserve_at": "order", "review_chain": []}
    content |= {"evidence": [], "payer_model": "enterprise", "applicant_regions": None}
    bad = content | {"services": [content["services"][0] | {"rate_max_bp": 5}]}
    sent = {"region": "511423", "content": bad}
    refused = visitor.post(f"{api}/voucher-desk/schemes", json=sent, headers=head)
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "/content/services"
    made = visitor.post(
        f"{api}/voucher-desk/schemes", json=sent | {"content": content}, headers=head
    )
    assert made.status_code == 201, made.json
    no = made.json["no"]
    here = f"{api}/voucher-desk/schemes/{no}"

    def put(path, body, method="put"):
        seen = visitor.get(here if path != "budgets" else f"{here}/budgets", headers=head)
        match = head | {"If-Match": seen.headers["ETag"]}
        return getattr(visitor, method)(f"{here}/{path}", json=body, headers=match)

    assert put("draft", {"content": content | {"title": "洪雅县创新券"}}).status_code == 200
    tried = visitor.get(f"{here}/preview", headers=head).json["items"]
    assert tried[0]["new"]["amount_fen"] == 200_000  # a quarter of 8,000 yuan
    assert put("actions", {"action": "publish"}, "post").status_code == 200
    year = clock.today().year
    body = {"year": year, "amount_fen": 5_000_000}
    assert put("budgets", body).json["items"][0]["available_fen"] == 5_000_000
    public = visitor.get(f"{api}/voucher-schemes/{no}").json
    assert public["title"] == "洪雅县创新券"
    assert public["budgets"] == []  # the office does not publish them
    service = content["services"][0]["code"]
    asked = f"{api}/voucher-schemes/{no}/check?service={service}&cost_fen=1800000&kind=enterprise"
    assert visitor.get(asked).json["amount_fen"] == 450_000
    assert put("versions", {"version": 1}, "post").json["content_version"] == 2
    assert put("rates", {"rates": [{"key": service, "rate_bp": 1}]}).status_code == 409
    assert put("readings/none", {"option": "a"}).status_code == 422
    assert put("actions", {"action": "close", "reason": "用完"}, "post").json["state"] == "closed"
