"""What a receiver is told when a firm lets him know its name."""

from __future__ import annotations

from typing import Any

from market.accounts.roles import EDITORS
from market.catalogue.models import Listing, NameConsent
from market.core.languages import N_
from market.core.messages import MessageKind, tell

TOLD = MessageKind(
    "name.told",
    N_("需求方向我公开了单位名称"),
    N_("「%(title)s」的需求方向您公开了单位名称"),
    N_("「%(title)s」的需求方同意向您公开单位名称，请打开 %(no)s 查看；请勿转告他人。"),
)


def tell_receiver(listing: Listing, row: NameConsent, url: str) -> None:
    """Tell an organisation or a person with an account; a visitor sees it on his page.

    Args:
        url: of the case in which it was told.
    """
    whom: dict[str, Any]
    if row.organisation_id is not None:
        whom = {"organisation_id": row.organisation_id, "roles": EDITORS}
    elif row.person_id is not None:
        whom = {"people": [row.person_id]}
    else:
        return
    current = listing.current
    values = {"title": current.title if current else listing.no, "no": row.given_in}
    about = ("name_consent", row.id)
    tell(TOLD, about=about, url=url, values=values, **whom)
