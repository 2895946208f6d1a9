"""The English words: all of them there, whole, and compiled."""

import gettext
import re

import pytest

from market.notifications.rules import render
from tests import translations
from tests.translations import MO, compiled, held, used

HAN = re.compile("[\u3400-\u9fff]")
NAMES = re.compile(r"%\((\w+)\)s|\{(\w+)\}")
AGAIN = "run `make translations` and translate what it prints"


def forms(value):
    """The one text of a message, or its singular and plural."""
    return [value] if isinstance(value, str) else list(value)


@pytest.fixture(scope="module")
def catalog():
    return held()


def test_every_word_on_screen_is_translated(catalog):
    wanted = {str(message.id) for message in used() if message.id}
    kept = {str(message.id) for message in catalog if message.id}
    assert len(wanted) > 300
    assert wanted - kept == set(), AGAIN
    assert kept - wanted == set(), AGAIN
    assert [one.id for one in catalog if one.id and not all(forms(one.string))] == [], AGAIN
    assert [one.id for one in catalog if one.fuzzy] == []


def test_translations_are_english_with_the_same_names(catalog):
    for message in catalog:
        if not message.id:
            continue
        asked = set(NAMES.findall(forms(message.id)[0]))
        for text in forms(message.string):
            assert set(NAMES.findall(text)) == asked, message.id
            assert not HAN.search(text), message.id
            assert not (asked and re.search(r"%(?![(%])", text)), f"write %% in: {message.id}"


def test_what_the_program_reads_is_the_list():
    assert MO.read_bytes() == compiled(held()), AGAIN
    with MO.open("rb") as file:
        read = gettext.GNUTranslations(file)
    assert read.gettext("各地市场") == "Regions"
    assert read.ngettext("%(num)s 家", "%(num)s 家", 1) == "%(num)s organisation"
    assert read.ngettext("%(num)s 家", "%(num)s 家", 2) == "%(num)s organisations"


def test_a_forgotten_word_would_be_noticed(tmp_path, monkeypatch):
    (tmp_path / "x.html").write_text("<p>{{ _('还没有译') }}</p>{{ status_tag('新状态') }}")
    monkeypatch.setattr(translations, "PLACES", {tmp_path: [("**.html", "jinja2")]})
    assert {message.id for message in used() if message.id} == {"还没有译", "新状态"}


def test_a_message_says_states_and_roles_in_the_language_of_the_receiver():
    values = {"organisation": "甲单位", "state": "已加入"}
    words = "加入%(organisation)s：%(state)s"
    assert render(words, words, values, "en")[0] == "Joining 甲单位: Joined"
    assert render(words, words, values, "zh")[0] == "加入甲单位：已加入"
