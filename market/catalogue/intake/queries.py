"""Reading first demands: receipts for their senders, lists and cases for offices."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import joinedload

from market.accounts import queries as accounts
from market.accounts.people.models import Person
from market.accounts.queries import Contact
from market.catalogue.intake import telephones
from market.catalogue.intake.models import DOUBTS, OPEN, SOURCES, STATES, Intake
from market.catalogue.intake.workflow import INTAKE, READ
from market.catalogue.models import Listing
from market.catalogue.publishing.models import OPEN as DRAFTING
from market.catalogue.publishing.models import Submission
from market.core import clock
from market.core.db import db
from market.core.errors import NotFound
from market.core.languages import translate as _
from market.core.masking import mask_name, mask_telephone
from market.core.models import CaseEvent
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE, PageOf
from market.core.permissions import Actor, policy
from market.core.secrets import pseudonym, unseal
from market.core.text import fold
from market.core.workflow import timeline
from market.regions import queries as regions
from market.regions.queries import RegionView

TELEPHONE, CONTACT = "intake.telephone", "intake.contact"
TABS = {
    "new": ("new",),
    "doubtful": ("doubtful",),
    "calling": ("calling",),
    "completed": ("completed",),
    "dropped": ("dropped", "duplicate"),
}
MOST_EARLIER = 10


# Places as people type them


@dataclass(frozen=True)
class Place:
    """What was found for a typed place: one, or several to choose from, or why none."""

    found: RegionView | None = None
    several: Sequence[RegionView] = ()
    error: str = ""


def find_place(code: str, text: str) -> Place:
    """The county or prefecture that is meant.

    Args:
        code: of the region chosen before; counts only as long as the text still means it.
        text: a name, its pinyin or initials, or a code.
    """
    chosen = _by_code(code)
    if chosen is not None and text in {"", chosen.full_name, chosen.name, chosen.short_name}:
        return _checked(chosen)
    if not text:
        return Place(error=_("请写您在哪个县（市、区）。"))
    fits = [one for one in regions.search(text) if one.level != "province"]
    if chosen is not None and any(one.id == chosen.id for one in fits):
        return _checked(chosen)
    same = [one for one in fits if text in {one.full_name, one.name, one.short_name, one.code}]
    if len(fits) == 1 or len(same) == 1:
        return Place((same or fits)[0])
    if fits:
        return Place(several=fits, error=_("有几个地方都叫这个名字，请选一个。"))
    return Place(error=_("没有找到这个地方。请只写县名本身，如「东坡」，或写拼音、首字母。"))


def _by_code(code: str) -> RegionView | None:
    try:
        return regions.get(code) if code else None
    except NotFound:
        return None


def _checked(place: RegionView) -> Place:
    if place.level == "province":
        return Place(error=_("请写到县（市、区），如「东坡」。"))
    return Place(place)


def office_of(path: str) -> Contact | None:
    """The office that rings back for a place."""
    return accounts.contact_for([int(part) for part in path.strip("/").split("/")])


# Receipts


@dataclass(frozen=True)
class Receipt:
    """What a sender may see of his demand."""

    no: str
    state: str
    firm: str
    product: str
    problem: str
    target: str | None
    place: RegionView
    telephone: str
    created: datetime
    until: datetime
    due: date | None
    reason: str | None
    office: Contact | None
    # The address of the demand, once it is public.
    demand: str | None


def receipt_hash(key: str) -> str:
    """What the table keeps of a receipt's word."""
    return hashlib.sha256(key.encode()).hexdigest()


def receipt(key: str) -> Receipt:
    """The receipt at an address.

    Raises:
        NotFound: there is none, or its 30 days are over.
    """
    row = db.session.scalar(
        select(Intake)
        .where(Intake.receipt_hash == receipt_hash(key), Intake.receipt_until > clock.now())
        .options(joinedload(Intake.region))
    )
    if row is None or row.receipt_until is None:
        raise NotFound(_("没有这张回执，或已过了 30 天。可以打电话问本县科技管理部门。"))
    reason = None
    if row.state == "dropped":
        reason = db.session.scalar(
            select(CaseEvent.reason)
            .where(
                CaseEvent.kind == INTAKE.name,
                CaseEvent.object_id == row.id,
                CaseEvent.action == "drop",
            )
            .order_by(CaseEvent.id.desc())
            .limit(1)
        )
    # Whoever sends rubbish need not learn that it was noticed.
    state = "new" if row.state == "doubtful" else row.state
    return Receipt(
        no=row.no,
        state=state,
        firm=row.firm,
        product=row.product,
        problem=row.problem,
        target=row.target,
        place=regions.view(row.region),
        telephone=_masked_telephone(row),
        created=row.created_at,
        until=row.receipt_until,
        due=row.due if state == "new" else None,
        reason=reason,
        office=office_of(row.region.path),
        demand=_demand(row.submission_no),
    )


def _demand(submission_no: str | None) -> str | None:
    """The address of what was published of a draft; None as long as it is not public."""
    if submission_no is None:
        return None
    published = (
        select(Listing.no)
        .join(Submission, Submission.listing_id == Listing.id)
        .where(Submission.no == submission_no, Listing.state == "published")
    )
    no = db.session.scalar(published)
    return f"/demands/{no}" if no else None


# Lists and cases of offices


@dataclass(frozen=True)
class IntakeView:
    """A first demand as offices see it; the caller masked."""

    id: int
    no: str
    state: str
    source: str
    problem: str
    product: str
    target: str | None
    firm: str
    uscc: str | None
    name_hidden: bool
    region: RegionView
    contact: str
    telephone: str
    mobile: bool
    reachable: bool
    doubts: Sequence[str]
    consent_at: datetime
    sender: str
    calls: int
    due: date
    provisional: bool
    created_at: datetime
    organisation_id: int | None
    organisation_no: str | None
    organisation_name: str | None
    submission_no: str | None
    duplicate_of: str | None

    @property
    def url(self) -> str:
        return f"/intakes/{self.no}"

    @property
    def state_label(self) -> str:
        return STATES[self.state]

    @property
    def source_label(self) -> str:
        return SOURCES[self.source]

    @property
    def doubt_words(self) -> list[str]:
        return [DOUBTS[code] for code in self.doubts]

    @property
    def open(self) -> bool:
        return self.state in OPEN

    @property
    def late(self) -> bool:
        return self.open and self.due < clock.today()


def view(row: Intake) -> IntakeView:
    """The view of a row."""
    same = "id no state source problem product target firm uscc doubts consent_at sender calls due "
    same += "provisional created_at organisation_id submission_no name_hidden"
    telephone = unsealed(row.telephone, TELEPHONE)
    return IntakeView(
        **{name: getattr(row, name) for name in same.split()},
        region=regions.view(row.region),
        contact=mask_name(name) if (name := unsealed(row.contact, CONTACT)) else "已删除",
        telephone=_masked_telephone(row),
        reachable=telephone is not None,
        mobile=bool(telephone) and telephones.is_mobile(telephone or ""),
        organisation_no=row.organisation.no if row.organisation else None,
        organisation_name=row.organisation.name if row.organisation else None,
        duplicate_of=row.duplicate_of.no if row.duplicate_of else None,
    )


def unsealed(value: str | None, purpose: str) -> str | None:
    """A sealed value, None when it was erased or cannot be read any more."""
    return unseal(value, purpose) if value else None


def _masked_telephone(row: Intake) -> str:
    telephone = unsealed(row.telephone, TELEPHONE)
    return mask_telephone(telephone) if telephone else _("已删除")


def telephone_key(telephone: str) -> str:
    """By which the cases of one caller are found."""
    return pseudonym(telephones.line_of(telephone), TELEPHONE)


def _visible(actor: Actor) -> Any:
    joined = (
        joinedload(Intake.region),
        joinedload(Intake.organisation),
        joinedload(Intake.duplicate_of),
    )
    return select(Intake).where(policy.where(actor, READ, Intake)).options(*joined)


def find(actor: Actor, no: str) -> Intake:
    """The row of this number.

    Raises:
        NotFound: there is none, or it lies in another office's area.
    """
    row = db.session.scalar(_visible(actor).where(Intake.no == no))
    if row is None:
        raise NotFound(f"没有编号为 {no} 的来电。")
    return row


def completed_for(actor: Actor, organisation_id: int) -> str:
    """The number of the latest case that became a demand of an organisation; empty when none."""
    of_it = (Intake.organisation_id == organisation_id, Intake.state == "completed")
    row = db.session.scalar(_visible(actor).where(*of_it).order_by(Intake.id.desc()).limit(1))
    return "" if row is None else row.no


@dataclass(frozen=True)
class Case:
    """One first demand with all that its page shows.

    drafting: whether its draft is still to be filled in; demand: the address of what is public.
    """

    intake: IntakeView
    row: Intake
    events: Sequence[CaseEvent]
    drafting: bool = False
    demand: str | None = None
    earlier: Sequence[IntakeView] = field(default_factory=list)


def case(actor: Actor, no: str) -> Case:
    """A case, its timeline, and what the same telephone asked before. Raises NotFound."""
    row = find(actor, no)
    earlier: Sequence[Intake] = []
    if row.telephone_key:
        others = _visible(actor).where(
            Intake.telephone_key == row.telephone_key, Intake.id != row.id
        )
        earlier = db.session.scalars(others.order_by(Intake.id.desc()).limit(MOST_EARLIER)).all()
    draft = select(Submission.id).where(
        Submission.no == row.submission_no, Submission.state.in_(DRAFTING)
    )
    return Case(
        view(row),
        row,
        timeline(INTAKE.name, row.id),
        drafting=db.session.scalar(draft) is not None,
        demand=_demand(row.submission_no),
        earlier=[view(one) for one in earlier],
    )


def listed(
    actor: Actor, tab: str, *, q: str = "", page: int = 1, per_page: int = ROWS_PER_PAGE
) -> PageOf[IntakeView]:
    """Cases of the actor's area under one tab: open ones by when to ring, closed newest first.

    Args:
        tab: a key of `TABS`, or "" for all. q: a number, or words of the firm's name.
    """
    query = _visible(actor)
    if tab:
        query = query.where(Intake.state.in_(TABS[tab]))
    if q:
        query = query.where(_about(q))
    ids = query.with_only_columns(Intake.id).order_by(None).limit(EXACT_UP_TO + 1).subquery()
    total = db.session.scalar(select(func.count()).select_from(ids)) or 0
    order = (Intake.due, Intake.id) if tab in OPEN else (Intake.id.desc(),)
    rows = db.session.scalars(
        query.order_by(*order).limit(per_page).offset((page - 1) * per_page)
    ).all()
    total_is = "exact" if total <= EXACT_UP_TO else "at_least"
    return PageOf([view(row) for row in rows], min(total, EXACT_UP_TO), page, per_page, total_is)


def _about(q: str) -> ColumnElement[bool]:
    return or_(
        Intake.no == q.upper(),
        Intake.firm.contains(q, autoescape=True),
        Intake.firm.contains(fold(q), autoescape=True),
    )


def counts(actor: Actor) -> dict[str, int]:
    """How many open cases there are in the actor's area, by state."""
    query = (
        select(Intake.state, func.count())
        .where(policy.where(actor, READ, Intake), Intake.state.in_(OPEN))
        .group_by(Intake.state)
    )
    return {state: number for state, number in db.session.execute(query)}  # noqa: C416


def of_person(person_id: int) -> dict[str, list[dict[str, Any]]]:
    """What came in from a person's own mobile number, which he proved, for the export of his data."""
    sealed = db.session.scalar(select(Person.mobile).where(Person.id == person_id))
    mobile = unsealed(sealed, "person.mobile")
    query = select(Intake).where(Intake.telephone_key == telephone_key(mobile or ""))
    rows = db.session.scalars(query.order_by(Intake.id.desc()).limit(1_000)) if mobile else ()
    return {
        "来电与代录": [
            {
                "编号": one.no,
                "来源": SOURCES[one.source],
                "联系人": unsealed(one.contact, CONTACT),
                "单位": one.firm,
                "问题": one.problem,
                "产品": one.product,
                "目标": one.target,
                "状态": STATES[one.state],
                "时间": one.created_at.isoformat(),
            }
            for one in rows
        ]
    }
