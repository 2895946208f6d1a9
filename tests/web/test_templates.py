"""What the templates and the style sheet promise, whatever the views hand them."""

import re
from datetime import date
from types import SimpleNamespace

import pytest
from markupsafe import Markup

from market.core.pagination import PageOf
from market.paths import STATIC, TEMPLATES
from tests.web.conftest import check_html

LATER_CSS = (
    r":has\(|:is\(|:where\(|@container|@layer|aspect-ratio|\binset\b|accent-color|(?m:^\s*&)"
)
LATER_JS = r"\.at\(|structuredClone|replaceChildren|\?\?=|\|\|=|&&=|\.replaceAll\("
LARGEST = 30 * 1024  # bytes, before compression


def fault(pattern, text):
    """What of `text` the pattern finds, None when nothing."""
    match = re.search(pattern, text)
    return match and match[0]


@pytest.fixture
def macro(app):
    """Render a macro of a component at an address; returns the parsed fragment."""

    def render(component, name, *values, at="/search?q=茶&page=3", **named):
        with app.test_request_context(at):
            template = app.jinja_env.get_template(f"components/{component}.html")
            html = str(getattr(template.make_module(), name)(*values, **named))
        return check_html(f"<!doctype html><html><title>x</title><body>{html}")

    return render


def card(**changes):
    """A result as the views hand it over."""
    values = {
        "kind": "achievement",
        "kind_label": "科技成果",
        "url": "/achievements/CG1",
        "title": "茶鲜叶杀青",
        "title_html": Markup("<mark>茶</mark>鲜叶杀青"),
        "problem": "焦边 < 红梗",
        "best": "能耗下降 30 %",
        "stage_label": "中试",
        "price_label": "60 万元",
        "mode_labels": ["许可"],
        "region_name": "四川 · 雅安",
        "owner_name": "茶业研究所",
        "updated": date(2026, 8, 21),
        "deadline": None,
        "trial": True,
        "demo": True,
        "expired": False,
        "highlights": [("结果", Markup("<mark>茶</mark>能耗下降"))],
        "reasons": ["名称含「茶」"],
    }
    return SimpleNamespace(**{**values, **changes})


def words(tree):
    """The text of a fragment without surplus space."""
    return " ".join("".join(tree.itertext()).split())


def test_every_template_compiles(app):
    names = [str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.html")]
    assert len(names) > 15
    for name in names:
        app.jinja_env.get_template(name)


@pytest.mark.parametrize("name", ["market.css", "market.js", "api_docs.js"])
def test_static_files_are_light_and_plain(name):
    text = (STATIC / name).read_text()
    assert len(text.encode()) <= LARGEST
    assert fault(LATER_CSS if name.endswith(".css") else LATER_JS, text) is None
    assert fault(r"https?://|@import|box-shadow: (?!none)|gradient\(", text) is None


def test_later_css_and_js_would_be_noticed():
    assert fault(LATER_CSS, ".a:has(b) { inset: 0 }") == ":has("
    assert fault(LATER_CSS, ".a {\n  & b { top: 0 }\n}")
    assert fault(LATER_JS, "list.at(-1)") == ".at("


def test_result_links_only_its_title_and_marks_words(macro):
    tree = macro("card", "result", card())
    links = tree.findall(".//article//a")
    assert [link.get("href") for link in links] == ["/achievements/CG1"]
    assert [mark.text for mark in tree.iter("mark")] == ["茶", "茶"]
    text = words(tree)
    assert "焦边 < 红梗" in text
    assert "茶能耗下降" in text
    assert "能耗下降 30 %" not in text
    for shown in ("60 万元", "中试 · 许可", "2026-08-21", "演示数据", "可先用后转", "名称含「茶」"):
        assert shown in text


def test_result_without_extras_is_quiet(macro):
    bare = card(trial=False, demo=False, price_label="", reasons=[], highlights=[], problem="")
    text = words(macro("card", "result", bare, show_kind=False, show_owner=False))
    for absent in ("演示数据", "可先用后转", "价格", "符合", "解决", "科技成果", "茶业研究所"):
        assert absent not in text


def test_pagination_keeps_the_search_and_names_the_current_page(macro):
    tree = macro("pagination", "pagination", PageOf([], 342, 3, 20))
    links = {words(link): link for link in tree.iter("a")}
    assert links["第 3 页"].get("aria-current") == "page"
    assert "q=" in links["第 18 页"].get("href")
    assert "page=18" in links["第 18 页"].get("href")
    assert {"上一页", "下一页", "第 1 页"} <= set(links)
    assert macro("pagination", "pagination", PageOf([], 20, 1, 20)).find(".//nav") is None


@pytest.mark.parametrize(("total_is", "shown"), [("exact", "42 项"), ("at_least", "1 万项以上")])
def test_totals_in_words(macro, total_is, shown):
    page = PageOf([], 42, 1, 20, total_is)
    assert words(macro("pagination", "total", page)).endswith(shown)


def test_facet_is_a_named_group_of_counted_checkboxes(macro):
    values = [
        SimpleNamespace(value="lab", label="实验室", count=3, chosen=False, depth=0),
        SimpleNamespace(value="pilot", label="中试", count=9, chosen=True, depth=1),
    ]
    view = SimpleNamespace(name="stage", legend="按所处阶段筛选", values=values)
    tree = macro("facets", "facet", view, "search")
    assert words(tree.find(".//legend")) == "按所处阶段筛选"
    boxes = {box.get("value"): box for box in tree.iter("input")}
    labels = {label.get("for"): words(label) for label in tree.iter("label")}
    assert boxes["pilot"].get("checked") is not None
    assert boxes["lab"].get("checked") is None
    assert {box.get("form") for box in boxes.values()} == {"search"}
    assert labels[boxes["pilot"].get("id")] == "中试 9 项"


def test_empty_fields_are_hidden(macro):
    shown = {"ip": ["发明专利 1", "实用新型 2"], "investment": "22 万元"}
    labels = {"ip": "知识产权", "investment": "投入估算（元）", "site": "场地"}
    tree = macro("facts", "facts", shown, labels, ["investment", "site", "ip"], lists=["ip"])
    assert [words(name) for name in tree.iter("dt")] == ["投入估算", "知识产权"]
    assert [words(item) for item in tree.iter("li")] == ["发明专利 1", "实用新型 2"]
    nothing = macro("facts", "section", "site", "场地", shown, labels, ["site"])
    assert nothing.find(".//section") is None


def test_wrong_field_is_tied_to_its_sentence(macro):
    tree = macro("form", "text_field", "price", "price", "价格", hint="单位元", error="请输入价格")
    field = tree.find(".//input")
    assert field.get("aria-invalid") == "true"
    assert field.get("aria-describedby") == "price-hint price-error"
    assert words(tree.find(".//p[@id='price-error']")) == "请输入价格"
    summary = macro("form", "error_summary", [("price", "请输入价格")])
    assert summary.find(".//a").get("href") == "#price"


def test_telephone_with_extension_can_be_dialled(macro):
    link = macro("contact", "telephone", "028-3816 0000 转 8").find(".//a")
    assert link.get("href") == "tel:028-38160000,8"
    assert words(link) == "028-3816 0000 转 8"


def test_stages_name_the_reached_one(macro):
    steps = list(macro("stages", "stages", "中试").iter("li"))
    assert [words(step) for step in steps if step.get("aria-current")] == ["中试"]
    assert macro("stages", "stages", "别的").find(".//ol") is None


def test_plain_links_lead_to_a_page(app):
    """A link written out in a template names an address that the site has."""
    known = app.url_map.bind("localhost")
    dead = set()
    for path in sorted(TEMPLATES.rglob("*.html")):
        for address in re.findall(r'href="(/[^"{}?#]*)["?#]', path.read_text(encoding="utf-8")):
            if not known.test(address, "GET"):
                dead.add((path.name, address))
    assert dead == set()
