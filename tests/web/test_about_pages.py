"""Help, privacy, accessibility; and the footer that says who runs the site."""

from dataclasses import replace

import pytest

from market.app import create_app
from market.doctor import findings
from tests.conftest import let_go
from tests.people import person, sign_in
from tests.web.conftest import ParsingClient, check_html

NAMED = {
    "host_organisation": "名山区科学技术局",
    "operating_organisation": "名山区信息中心",
    "telephone": "0835-0000000",
    "icp_number": "蜀ICP备00000000号-1",
    "police_number": "川公网安备 51180302000001号",
    "site_name_en": "Mingshan Technology Market",
}


@pytest.fixture
def named(settings):
    """A reader of a site whose operator is named."""
    app = create_app(replace(settings, **NAMED))
    app.test_client_class = ParsingClient
    with app.app_context():
        yield app.test_client()
        let_go(app)


@pytest.mark.parametrize("address", ["/help", "/privacy", "/accessibility"])
def test_pages_stand_alone_and_have_a_way_back(client, address):
    for language in ("", "/en"):
        tree = check_html(client.get(language + address).text)
        assert len(list(tree.iter("h1"))) == 1
        links = {link.get("href") for link in tree.iter("a")}
        assert {f"{language}/", f"{language}/help", f"{language}/privacy"} <= links
        ids = {element.get("id") for element in tree.iter()}
        assert {one[1:] for one in links if one and one.startswith("#")} <= ids


def test_help_leads_to_the_telephone_of_the_county(client):
    page = client.get("/help").text
    assert 'href="/post/demand"' in page
    assert 'id="first-demand"' in page


@pytest.mark.parametrize("kind", ["achievement", "demand"])
def test_who_has_an_account_is_led_to_publish_himself(client, kind):
    def links(address):
        response = client.get(address)
        assert "Set-Cookie" not in response.headers
        main = check_html(response.text).find(".//main")
        return [link.get("href") for link in main.iter("a")]

    form = f"/my/listings/new?kind={kind}"
    sign_in_first = f"/login?next=/my/listings/new%3Fkind%3D{kind}"
    visitor = links(f"/post/{kind}")
    assert {sign_in_first, "/login?next=/my/imports", "/register"} <= set(visitor)
    assert f"/en{sign_in_first}" in links(f"/en/post/{kind}")
    sign_in(client, person())
    member = links(f"/post/{kind}")
    assert member[1:3] == [form, "/my/imports"]  # after the way back
    assert "/register" not in member


def test_footer_names_the_operator_and_both_registers(named):
    tree = check_html(named.get("/help").text)
    footer = tree.find(".//footer")
    text = "".join(footer.itertext())
    for word in list(NAMED.values())[:5]:
        assert word in text
    links = [link.get("href") for link in footer.iter("a")]
    assert "https://beian.miit.gov.cn/" in links
    assert "https://beian.mps.gov.cn/#/query/webSearch?code=51180302000001" in links
    assert "tel:0835-0000000" in links
    assert NAMED["host_organisation"] in named.get("/en/privacy").text
    assert "Mingshan Technology Market</title>" in named.get("/en/help").text
    assert "Mingshan" not in named.get("/help").text


def test_what_is_not_set_is_left_out(client):
    text = "".join(check_html(client.get("/help").text).find(".//footer").itertext())
    for absent in ("主办单位", "承办单位", "联系电话：", "备"):
        assert absent not in text


def test_doctor_reminds_of_it_on_a_public_address(app, settings):
    def said(**changes):
        found = findings(app, replace(settings, **changes))
        return [(well, says) for well, says in found if says.startswith("页脚")]

    public = {"base_url": "https://market.example.gov.cn"}
    assert said() == []
    [(well, says)] = said(**public)
    assert not well
    assert "MARKET_ICP_NUMBER" in says
    [(well, says)] = said(**public, **NAMED)
    assert well
