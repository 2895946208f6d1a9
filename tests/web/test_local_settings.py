"""本地设置, as an office fills it in: in place, without scripts."""

from __future__ import annotations

import pytest

from tests import people
from tests.web.conftest import check_html

HERE = "511803"
PAGE = f"/desk/settings/{HERE}"


@pytest.fixture
def officer(visitor):
    return people.sign_in(visitor, people.person(("county", None, HERE)))


def fields(page, part):
    """What stands in one of the forms of a page."""
    tree = check_html(page.text)
    form = next(one for one in tree.iter("form") if (one.get("action") or "").endswith(part))
    found = form.iter("input")
    return {one.get("name"): one.get("value") or "" for one in found if one.get("name")}


def save(client, part, **typed):
    return client.post(f"{PAGE}/{part}", data=fields(client.get(PAGE), part) | typed)


def test_the_form_shows_what_is_there_and_the_public_page_follows(officer):
    answer = officer.get("/desk/settings")
    assert answer.headers["Location"] == PAGE
    typed = {"name_5": "试验产业", "keywords_5": "试验田；示范片", "source_5": ""}
    saved = save(officer, "industries", **typed)
    assert saved.status_code == 303
    page = officer.get(saved.headers["Location"])
    assert "已保存" in page.text
    assert fields(page, "industries")["keywords_5"] == "试验田；示范片"
    assert "试验产业" in officer.get(f"/regions/{HERE}").text


def test_mistakes_stand_beside_their_fields_and_all_that_was_typed_stays(officer):
    typed = {"name_5": "试验产业", "keywords_5": "", "source_5": "<b>文件", "name_4": "茶"}
    answer = save(officer, "industries", **typed)
    assert answer.status_code == 422
    links = check_html(answer.text).find(".//div[@class='error-summary']").iter("a")
    assert {one.get("href") for one in links} >= {"#keywords_5", "#name_4"}
    again = fields(answer, "industries")
    assert {name: again[name] for name in typed} == typed


def test_two_at_the_same_time_lose_nothing(officer):
    first = fields(officer.get(PAGE), "industries")
    assert save(officer, "industries", name_5="先来的", keywords_5="先来").status_code == 303
    late = officer.post(
        f"{PAGE}/industries", data=first | {"name_5": "后到的", "keywords_5": "后到"}
    )
    assert late.status_code == 409
    assert "现在是：先来的" in late.text
    again = fields(late, "industries")
    assert again["name_5"] == "后到的"
    assert officer.post(f"{PAGE}/industries", data=again).status_code == 303
    assert "后到的" in officer.get(f"/regions/{HERE}").text


def test_the_target_of_reviews_is_chosen(officer):
    first = fields(officer.get(PAGE), "review")
    assert save(officer, "review", days="7").status_code == 303
    page = officer.get(f"{PAGE}?saved=review")
    assert '<option value="7" selected>' in page.text
    late = officer.post(f"{PAGE}/review", data=first | {"days": "0"})
    assert late.status_code == 409
    assert "现在是：7 个工作日" in late.text
    assert save(officer, "review", days="61").status_code == 422


def test_a_listing_is_recommended_from_its_own_page(officer):
    address = "/achievements/CG2026000001"
    assert 'href="/desk/pin/CG2026000001"' in officer.get(address).text
    form = officer.get("/desk/pin/CG2026000001")
    answer = officer.post(
        "/desk/pin/CG2026000001",
        data=fields(form, "CG2026000001") | {"position": "1", "note": "正是本县要的（演示）"},
    )
    assert answer.status_code == 303
    assert "正是本县要的" in officer.get(answer.headers["Location"]).text
    assert "正是本县要的" in officer.get(f"/regions/{HERE}").text
    assert "现在已在第 1 位" in officer.get("/desk/pin/CG2026000001").text
    wrong = officer.post(
        "/desk/pin/CG2026000001", data=fields(form, "CG2026000001") | {"position": "99"}
    )
    assert wrong.status_code == 422
    assert officer.get("/desk/pin/CG2026999999").status_code == 404


def test_others_see_no_button_and_no_settings(visitor):
    assert "/desk/pin/" not in visitor.get("/achievements/CG2026000001").text
    owner = people.sign_in(visitor, people.person(("owner", people.organisation(code=HERE))))
    assert "/desk/pin/" not in owner.get("/achievements/CG2026000001").text
    for page in (PAGE, "/desk/settings", "/desk/synonyms", "/desk/pin/CG2026000001"):
        assert owner.get(page).status_code == 403


def test_another_county_is_not_there(officer):
    data = fields(officer.get(PAGE), "pins")
    for part in ("", "/pins", "/industries"):
        address = f"/desk/settings/511402{part}"
        found = officer.post(address, data=data) if part else officer.get(address)
        assert found.status_code == 404
    assert officer.get("/desk/settings/511800").status_code == 404
    assert "随平台" in officer.get("/desk/synonyms").text
    assert officer.get("/desk/synonyms/马铃薯").status_code == 403


def test_a_city_chooses_the_county(visitor):
    city = people.sign_in(visitor, people.person(("prefecture", None, "511800")))
    page = city.get("/desk/settings")
    assert f'href="{PAGE}"' in page.text
    assert "511402" not in page.text
    chosen = city.get("/desk/pin/CG2026000001")
    assert "推荐到哪个县" in chosen.text
    assert "第 1 位" in city.get(f"/desk/pin/CG2026000001?county={HERE}").text


def test_a_province_edits_synonyms_in_place(visitor):
    province = people.sign_in(visitor, people.person(("province", None, "510000")))
    page = province.get("/desk/synonyms")
    data = fields(page, "/desk/synonyms")
    wrong = province.post("/desk/synonyms", data=data | {"label": "黄茶甲", "aliases": "黄"})
    assert wrong.status_code == 422
    assert fields(wrong, "/desk/synonyms")["label"] == "黄茶甲"
    good = data | {"label": "黄茶/甲", "aliases": "黄芽甲、黄芽乙"}
    assert province.post("/desk/synonyms", data=good).status_code == 303
    assert "黄芽甲；黄芽乙" in province.get("/desk/synonyms").text
    tree = check_html(province.get("/desk/synonyms").text)
    address = next(one.get("href") for one in tree.iter("a") if one.text == "黄茶/甲")
    form = fields(province.get(address), address)
    assert form["aliases"] == "黄芽甲；黄芽乙"
    assert province.post(address, data=form | {"act": "end"}).status_code == 303
    assert province.get(address).status_code == 404
