"""The forms of messages."""

from __future__ import annotations

from marshmallow import Schema

from market.core.fields import Choice, Whole, Words
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE

HOW_OFTEN = {"now": "随时发送", "daily": "每天 8:00 合成一封，只列未读的"}
_MOST = 500  # kinds that one form may name


class PageForm(Schema):
    """Which page of the inbox."""

    page = Whole(1, EXACT_UP_TO // ROWS_PER_PAGE)


class ChoicesForm(Schema):
    """The ticked kinds by channel, and how often mail comes."""

    sms = Words(most=_MOST, comma=False)
    mail = Words(most=_MOST, comma=False)
    often = Choice(HOW_OFTEN, required=True)
