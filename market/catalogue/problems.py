"""What readers report about listings: the form and its limits."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, validates_schema

from market.catalogue.models import REPORT_REASONS
from market.core import clock
from market.core.fields import Choice, Line, LongText
from market.core.languages import translate as _
from market.core.secrets import pseudonym

# From one network address in an hour, about one listing in a day. A whole office may sit behind
# one address, so the first is not tighter.
MOST_OF_SENDER, SENDER_SPAN = 5, timedelta(hours=1)
MOST_OF_LISTING, LISTING_SPAN = 20, timedelta(days=1)
AGAIN_SPAN = timedelta(minutes=10)  # in which the same words are one report sent twice
# After this long nothing tells who sent a report any more (Personal Information Protection Law
# art. 19: the shortest time needed). The privacy page names both.
SENDER_KEPT, CONTACT_KEPT = timedelta(days=2), timedelta(days=180)
CONTACT = "problem_report.contact"  # purpose of the key that seals telephone numbers
_SENDER = "problem_report.sender"
# Without signs that are easily taken for another when read out on the telephone.
_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_LENGTH = 12  # letters of a number: 59 bits, so that nobody guesses one


class ReportSchema(Schema):
    """The form 报告错误."""

    class Meta:
        unknown = EXCLUDE

    reason = Choice(REPORT_REASONS, metadata={"label": "哪里有问题"})
    text = LongText(1000, metadata={"label": "说明"})
    contact = Line(100, metadata={"label": "您的电话或邮箱"})

    @validates_schema(skip_on_field_errors=False)
    def needed(self, values: Mapping[str, Any], **_more: Any) -> None:
        """A reason is always needed, a text where the reason says nothing."""
        reason = values.get("reason")
        if "reason" not in values or reason is None:
            raise ValidationError(_("请选择哪里有问题。"), "reason")
        if reason == "other" and not values.get("text"):
            raise ValidationError(_("请写明是什么问题，一两句话就够。"), "text")


def new_number() -> str:
    """A number that cannot be guessed, e.g. BC7K2M9QX4TDHW."""
    return "BC" + "".join(secrets.choice(_LETTERS) for _place in range(_LENGTH))


def sender_on(address: str, moment: datetime) -> str:
    """What stands for a network address on the day of this moment.

    Of IPv6 the network counts (RFC 4291: the last 64 bits are the reader's own to choose).
    """
    with suppress(ValueError):
        found = ip_address(address)
        if found.version == 6:
            address = str(ip_network((int(found) >> 64 << 64, 64)))
    return pseudonym(f"{address} {clock.local(moment).date()}", _SENDER)
