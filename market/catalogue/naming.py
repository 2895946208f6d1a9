"""Whose demand it is, as a reader may know it: a firm may keep its name from all but whom it tells.

The one place that decides it. Whoever shows the owner of a listing asks `owner_shown` (a row),
`owner_view` (its view), `neutral_name` (the public index) or `veiled` (texts for a receiver).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import joinedload

from market.accounts import queries as accounts
from market.accounts.models import KINDS as OWNER_KINDS
from market.accounts.models import FormerName, Organisation
from market.accounts.queries import OrganisationView
from market.accounts.roles import EDITORS, MEMBERS, OFFICES
from market.catalogue import terms
from market.catalogue.models import Listing, NameConsent
from market.core.db import db
from market.core.importing import Row
from market.core.permissions import Actor, InArea, Own, policy
from market.core.text import fold
from market.regions.queries import RegionView

HIDDEN = "name_hidden"  # the field of a demand that says so
# What would name the firm as surely as its name does.
TELLING = ("contact", "contact_phone", "source")
_OF_THE_ROW = ("owner_name", "owner_uscc", "region")  # never shown as they were typed
SEE = policy.declare(
    "catalogue:listing:see_name",
    **dict.fromkeys(MEMBERS, Own()),
    **dict.fromkeys(OFFICES, InArea()),
)
CONSENT = policy.declare(
    "catalogue:listing:consent_name",
    **dict.fromkeys(EDITORS, Own()),
    **dict.fromkeys(OFFICES, InArea()),
)
NAMES_ITSELF = "已选「不公开单位名称」，这里却写着本单位的名称：请改掉。"
_PROVINCE = re.compile(r"^\S{2,8}?(?:省|自治区)(?=\S)")
# Endings that a text may leave off while everybody knows who is meant.
_FORMS = re.compile(
    r"(?:股份有限公司|有限责任公司|集团有限公司|有限公司|农民专业合作社|专业合作社|合作社|公司|厂)$"
)
_SHORTEST = 4  # characters of a name without its ending that still names one firm


@dataclass(frozen=True)
class Receiver:
    """Who may be told a name: an organisation, a person, or who holds the address of a case."""

    organisation_id: int | None = None
    person_id: int | None = None
    case_no: str | None = None

    def given(self) -> ColumnElement[bool]:
        """SQL: consents to this very receiver."""
        return (
            NameConsent.organisation_id.is_not_distinct_from(self.organisation_id)
            & NameConsent.person_id.is_not_distinct_from(self.person_id)
            & NameConsent.case_no.is_not_distinct_from(self.case_no)
        )


NOBODY = Receiver()


@dataclass(frozen=True)
class OwnerShown:
    """An organisation as a reader is shown it. hidden: it stands there without its name."""

    name: str
    no: str
    hidden: bool = False
    names: tuple[str, ...] = ()  # what must not be read in other texts

    @property
    def url(self) -> str:
        """Its page; empty where its name is hidden."""
        return f"/organisations/{self.no}" if self.no else ""

    def veil(self, text: str | None) -> str:
        """A text beside it (who wrote, who acted) without the name, nor whose person wrote it."""
        words = text or ""
        for name in self.names:
            words = re.sub(rf"{re.escape(name)}(?: · [^\s·，。；：]+)?", self.name, words)
        return words

    def veil_all(self, value: Any) -> Any:
        """The same for all texts of an answer to a program."""
        if not self.names:
            return value
        if isinstance(value, str):
            return self.veil(value)
        if isinstance(value, Mapping):
            return {key: self.veil_all(one) for key, one in value.items()}
        return [self.veil_all(one) for one in value] if isinstance(value, list) else value


def hides(content: Mapping[str, Any]) -> bool:
    """Whether what a listing says keeps its owner's name back."""
    return content.get(HIDDEN) is True


def hidden(listing: Listing) -> bool:
    """Whether the name of a listing's owner is kept back."""
    return listing.current is not None and hides(listing.current.details)


def neutral_name(content: Mapping[str, Any], owner_kind: str, place: str) -> str:
    """What stands for the owner: 某食品制造企业（眉山市东坡区）.

    Args:
        content: of the listing, for its industry; place: the full name of its region.
    """
    named = terms.labels("industry", content.get("industries") or [])
    industry = named[0][:20] if named else ""
    if len(industry) > _SHORTEST:  # 食品制造业 → 食品制造, but 农业 stays
        industry = industry.removesuffix("业")
    return f"某{industry}{OWNER_KINDS[owner_kind]}（{_PROVINCE.sub('', place)}）"


def neutral_of(listing: Listing) -> str:
    """What stands for the owner of a listing where its name is kept back."""
    details = listing.current.details if listing.current is not None else {}
    return neutral_name(details, listing.owner.kind, listing.region.full_name)


def neutral_names(numbers: Sequence[str]) -> dict[str, str]:
    """What stands for the owner of those of these demands whose firms keep their names back."""
    if not numbers:
        return {}
    query = select(Listing).where(Listing.no.in_(numbers), Listing.kind == "demand")
    loaded = (joinedload(Listing.current), joinedload(Listing.owner), joinedload(Listing.region))
    found = db.session.scalars(query.options(*loaded))
    return {one.no: neutral_of(one) for one in found if hidden(one)}


def names_of(organisation_id: int, name: str) -> tuple[str, ...]:
    """The name of an organisation and those that it bore before, the longest first."""
    former = select(FormerName.name).where(FormerName.organisation_id == organisation_id)
    found = {name, *db.session.scalars(former.order_by(FormerName.id))}
    return tuple(sorted(found, key=lambda one: (-len(one), one)))


def sees(actor: Actor, listing: Listing, case_no: str | None = None) -> bool:
    """Whether an actor may know whose listing it is.

    Args:
        case_no: of the inquiry that the actor has before him, for a visitor who asked there.
    """
    if not hidden(listing) or listing.owner_id in actor.organisations():
        return True
    return policy.allows(actor, SEE, listing) or _told(
        listing,
        actor.organisations(*MEMBERS),
        actor.id if actor.kind == "person" else None,
        case_no if actor.kind == "visitor" else None,
    )


def _told(
    listing: Listing, organisations: list[int], person_id: int | None, case_no: str | None
) -> bool:
    whom: list[ColumnElement[bool]] = []
    if organisations:
        whom.append(NameConsent.organisation_id.in_(organisations))
    if person_id is not None:
        whom.append(NameConsent.person_id == person_id)
    if case_no is not None:
        whom.append(NameConsent.case_no == case_no)
    if not whom:
        return False
    query = select(NameConsent.id).where(
        NameConsent.listing_id == listing.id, NameConsent.withdrawn_at.is_(None), or_(*whom)
    )
    return db.session.scalar(query.limit(1)) is not None


def owner_shown(
    actor: Actor,
    listing: Listing,
    organisation: Organisation | None = None,
    case_no: str | None = None,
) -> OwnerShown:
    """The owner of a listing as an actor may know it.

    Args:
        organisation: a party of a case about it, perhaps not the owner: then it is shown as it is.
        case_no: as for `sees`.
    """
    one = organisation or listing.owner
    if one.id != listing.owner_id or sees(actor, listing, case_no):
        return OwnerShown(one.name, one.no)
    return _without_name(listing)


def _without_name(listing: Listing) -> OwnerShown:
    owner = listing.owner
    codes = tuple(one for one in (owner.no, owner.uscc) if one)
    return OwnerShown(neutral_of(listing), "", True, names_of(owner.id, owner.name) + codes)


def owner_view(
    actor: Actor, listing: Listing, content: Mapping[str, Any], place: RegionView
) -> tuple[OrganisationView, dict[str, Any], bool]:
    """Owner and content of a listing as an actor may see them, and whether the name is kept back."""
    whole = accounts.view(listing.owner)
    if sees(actor, listing):
        return whole, dict(content), False
    blank: dict[str, Any] = dict.fromkeys(
        ("uscc", "supervising", "telephone", "contact", "address", "hours", "website", "intro")
    )
    neutral = replace(
        whole,
        no="",
        name=neutral_of(listing),
        region=place,
        verified=False,
        lock_version=0,
        **blank,
    )
    return neutral, without_telling(content), True


def without_telling(content: Mapping[str, Any]) -> dict[str, Any]:
    """A content without what would name the firm."""
    return {key: value for key, value in content.items() if key not in TELLING}


def veiled(listing: Listing, values: Mapping[str, Any], receiver: Receiver) -> dict[str, Any]:
    """Texts of a message as its receiver may read them.

    Args:
        receiver: the owner itself is told its own name.
    """
    if not hidden(listing) or receiver.organisation_id == listing.owner_id:
        return dict(values)
    own = [receiver.organisation_id] if receiver.organisation_id is not None else []
    if _told(listing, own, receiver.person_id, receiver.case_no):
        return dict(values)
    found: dict[str, Any] = _without_name(listing).veil_all(values)
    return found


def naming_fields(content: Mapping[str, Any], names: tuple[str, ...]) -> list[str]:
    """Fields of a content in which the firm can be read by one of its names."""
    found = []
    wanted = {fold(part) for name in names for part in _recognised(name)}
    for key, value in content.items():
        texts = value if isinstance(value, list) else [value]
        whole = fold("；".join(one for one in texts if isinstance(one, str)))
        if key not in (*TELLING, *_OF_THE_ROW) and any(part in whole for part in wanted):
            found.append(key)
    return found


def judge_row(row: Row, content: Mapping[str, Any], owner_id: int, name: str) -> None:
    """Report where a row of a file keeps its owner's name back and writes it all the same."""
    if hides(content):
        for key in naming_fields(content, names_of(owner_id, name)):
            row.report(key, NAMES_ITSELF)


def _recognised(name: str) -> set[str]:
    """A name, and what is left of it without its legal form, where that still names one firm."""
    bare = _FORMS.sub("", name)
    return {name} | ({bare} if len(bare) >= _SHORTEST else set())
