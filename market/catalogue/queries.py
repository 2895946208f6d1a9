"""Reading listings: one by its number, as pages and the API show it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from market.accounts import queries as accounts
from market.accounts.models import Organisation
from market.accounts.queries import Contact, OrganisationView
from market.catalogue import rules, terms
from market.catalogue.content import TERM_FIELDS, content_of
from market.catalogue.models import (
    COOPERATION_MODES,
    KINDS,
    PRICE_MODES,
    STAGES,
    Listing,
    Revision,
)
from market.catalogue.schemas import SCHEMAS
from market.core import clock
from market.core.db import db
from market.core.errors import Gone, NotFound
from market.core.fields import Choice, Choices, Day, YesNo, Yuan
from market.core.money import show_yuan
from market.core.permissions import Actor, StateIn, policy
from market.regions import queries as regions
from market.regions.queries import RegionView

READ = policy.declare("catalogue:listing:read", public=StateIn(("published",)))
# Names of the searchable parts of a listing, for reasons and highlights.
PART_LABELS = {
    "title": "名称",
    "problem": "解决的问题",
    "result": "结果",
    "summary": "简介",
    "keywords": "关键词",
    "targets": "指标",
    "advantage": "对比",
    "background": "背景",
    "use": "使用条件",
    "adoption": "应用",
    "owner": "单位",
    "place": "地区",
    "terms": "分类",
    "codes": "编号",
    "names": "名称拼音",
}
PATHS = {"achievement": "achievements", "demand": "demands"}

Shown = str | list[str]


@dataclass(frozen=True)
class ListingView:
    """A listing with everything a reader may see.

    content: raw values by field (codes, fen, ISO dates). shown: the same as display text, labels
    resolved, empty fields left out. labels: the Chinese name of each field.
    """

    id: int
    kind: str
    no: str
    title: str
    summary: str
    owner: OrganisationView
    region: RegionView
    phone: Contact | None
    content: Mapping[str, Any]
    shown: Mapping[str, Shown]
    labels: Mapping[str, str]
    published: datetime
    updated: datetime
    valid_until: date | None
    completeness: int
    advice: str | None
    version: int
    demo: bool

    @property
    def kind_label(self) -> str:
        return KINDS[self.kind]

    @property
    def url(self) -> str:
        return f"/{PATHS[self.kind]}/{self.no}"

    @property
    def expired(self) -> bool:
        return self.valid_until is not None and self.valid_until < clock.today()


def get(actor: Actor, kind: str, no: str) -> ListingView:
    """The listing with this public number.

    Raises:
        NotFound: there is none of this kind.
        Gone: it was public once and was withdrawn.
    """
    listing = db.session.scalar(
        select(Listing)
        .where(Listing.no == no, Listing.kind == kind)
        .options(
            joinedload(Listing.owner).joinedload(Organisation.region),
            joinedload(Listing.region),
            joinedload(Listing.current),
        )
    )
    if listing is None or listing.current is None:
        raise NotFound(f"没有编号为 {no} 的{KINDS[kind]}。")
    if not policy.allows(actor, READ, listing):
        if listing.published_at is not None and listing.state == "withdrawn":
            raise Gone(f"{KINDS[kind]} {no} 已撤回，不再公开。")
        raise NotFound(f"没有编号为 {no} 的{KINDS[kind]}。")
    return _view(listing, listing.current)


def _view(listing: Listing, revision: Revision) -> ListingView:
    content = content_of(revision)
    schema = SCHEMAS[listing.kind]
    owner = accounts.view(listing.owner)
    advice = rules.next_improvement(listing.kind, content)
    return ListingView(
        id=listing.id,
        kind=listing.kind,
        no=listing.no,
        title=revision.title,
        summary=revision.summary,
        owner=owner,
        region=regions.view(listing.region, regions.trail(listing.region)),
        phone=_phone(content, owner, listing),
        content=content,
        shown=shown(listing.kind, content),
        labels={f.attribute or key: f.metadata["label"] for key, f in schema.fields.items()},
        published=listing.published_at or listing.created_at,
        updated=revision.created_at,
        valid_until=revision.valid_until,
        completeness=revision.completeness,
        advice=f"{advice[0]}（完整度 +{advice[1]}）" if advice else None,
        version=revision.version,
        demo=listing.demo,
    )


def _phone(content: Mapping[str, Any], owner: OrganisationView, listing: Listing) -> Contact | None:
    """A telephone that answers: of the listing, its owner, the office of its place, the site."""
    telephone = content.get("contact_phone") or owner.telephone
    if telephone:
        return Contact(owner.name, telephone, owner.hours, owner.url)
    if office := accounts.contact_for(listing.region.path_ids):
        return office
    settings = current_app.extensions["market"].settings
    return (
        Contact(settings.site_name, settings.telephone, None, "/") if settings.telephone else None
    )


def shown(kind: str, content: Mapping[str, Any]) -> dict[str, Shown]:
    """Display text by field, in the order of the schema; empty fields are left out."""
    texts: dict[str, Shown] = {}
    for key, show in _SHOWERS[kind]:
        value = content.get(key)
        if value or value == 0:  # False and 0 say something, [] and "" do not
            texts[key] = show(value)
    if price := price_text(content):
        texts["price"] = price
    texts.pop("price_mode", None)
    return texts


def _shower(key: str, field: Any) -> Callable[[Any], Shown]:
    """How a field's raw value is shown."""
    if key in TERM_FIELDS:
        return lambda value: terms.labels(TERM_FIELDS[key], value)
    if key == "ip":
        return lambda value: [f"{item['kind']} {item['number']}".strip() for item in value]
    if isinstance(field, Choices):
        return lambda value: [field.choices.get(item, item) for item in value]
    if isinstance(field, Choice):
        return lambda value: str(field.choices.get(value, value))
    if isinstance(field, YesNo):
        return lambda value: "是" if value else "否"
    if isinstance(field, Yuan):
        return show_yuan
    if isinstance(field, Day):
        return lambda value: value.isoformat() if isinstance(value, date) else str(value)
    return lambda value: value if isinstance(value, list) else str(value)


_SHOWERS = {
    kind: tuple(
        (field.attribute or name, _shower(field.attribute or name, field))
        for name, field in schema.fields.items()
    )
    for kind, schema in SCHEMAS.items()
}


def price_text(content: Mapping[str, Any]) -> str | None:
    """What it costs, or what may be spent, in words: 面议, 12 万元, 入门费 10 万元 + 提成."""
    mode, low, high = (content.get(k) for k in ("price_mode", "price_min_fen", "price_max_fen"))
    if mode == "entry_royalty" and low is not None:
        return f"入门费 {show_yuan(low)} + 提成"
    if low is not None and high is not None:
        return show_yuan(low) if low == high else f"{show_yuan(low)} – {show_yuan(high)}"
    return PRICE_MODES[mode] if mode else None


def vocabulary(name: str) -> Mapping[str, str]:
    """Labels by code of a filter: kind, stage, mode, or a code list (field, industry, …)."""
    fixed: Mapping[str, Mapping[str, str]] = {
        "kind": KINDS,
        "stage": STAGES,
        "mode": COOPERATION_MODES,
    }
    return fixed[name] if name in fixed else terms.scheme(name).labels
