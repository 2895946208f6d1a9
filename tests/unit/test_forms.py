"""Forms as browsers send them."""

from marshmallow import EXCLUDE, Schema
from werkzeug.datastructures import MultiDict

from market.core.fields import Choice, Line, Whole, Words, Yuan
from market.core.forms import read_form


class Sample(Schema):
    class Meta:
        unknown = EXCLUDE

    title = Line(10, required=True)
    amount = Yuan()
    words = Words(3)
    kind = Choice({"a": "甲", "b": "乙"})
    page = Whole(1, 9)


def test_good_fields_are_loaded():
    sent = [("title", " 茶 "), ("amount", "12万"), ("words", "甲"), ("words", "乙"), ("x", "1")]
    form = read_form(Sample(), MultiDict(sent))
    assert form.errors == {}
    assert form.values == {"title": "茶", "amount": 12_000_000, "words": ["甲", "乙"]}


def test_bad_fields_are_named_and_nothing_typed_is_lost():
    sent = MultiDict([("title", ""), ("amount", "很多"), ("kind", "乙"), ("page", "99")])
    form = read_form(Sample(), sent)
    assert set(form.errors) == {"title", "amount", "page"}
    assert form.values == {"kind": "b"}
    assert form.typed["amount"] == "很多"
    assert form.typed["page"] == "99"


def test_control_characters_never_come_back():
    form = read_form(Sample(), MultiDict([("title", "a\x00\x1fb￾")]))
    assert form.values["title"] == form.typed["title"] == "ab"
