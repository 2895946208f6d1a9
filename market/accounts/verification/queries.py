"""Reading verifications, licences and masked profiles."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from market.accounts.models import Organisation
from market.accounts.queries import OrganisationView, view
from market.accounts.verification.models import STATES, Profile, Verification
from market.accounts.verification.schemas import FIELDS, RETURNED, percent
from market.accounts.verification.workflow import READ, VERIFICATION, next_step
from market.core.db import db
from market.core.errors import NotFound
from market.core.files import files_of
from market.core.masking import mask_account, mask_name, mask_text
from market.core.models import CaseEvent, StoredFile
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE, PageOf
from market.core.permissions import Actor, policy
from market.core.secrets import unseal
from market.core.workflow import Transition, timeline

LICENCE = "organisation_licence"  # the kind of object that licences are attached to


@dataclass(frozen=True)
class CaseView:
    """A verification as both sides see it; `declared` is masked."""

    no: str
    state: str
    organisation: OrganisationView
    due: date | None
    provisional: bool
    returned_field: str | None
    returned_rule: str | None
    licence: StoredFile | None = None
    declared: Mapping[str, Any] = field(default_factory=dict)
    events: Sequence[CaseEvent] = ()
    actions: Sequence[Transition] = ()

    @property
    def state_label(self) -> str:
        return STATES[self.state]

    @property
    def returned_label(self) -> str:
        return RETURNED.get(self.returned_field or "", "")

    @property
    def next_step(self) -> str:
        return next_step(self.state)

    @property
    def url(self) -> str:
        return f"/verifications/{self.no}"


def load(actor: Actor, no: str, permission: str = READ) -> Verification:
    """The case with this number on which the actor has the permission.

    Raises:
        NotFound: there is none for him.
    """
    query = select(Verification).where(
        Verification.no == no.upper(), policy.where(actor, permission, Verification)
    )
    case = db.session.scalar(query)
    if case is None:
        raise NotFound(f"没有编号为 {no} 的核验。")
    return case


def get(actor: Actor, no: str) -> CaseView:
    """A case with its papers, timeline and what the actor may do. Raises NotFound."""
    case = load(actor, no)
    licence = None
    if case.licence_no:
        found = select(StoredFile).where(StoredFile.no == case.licence_no)
        licence = db.session.scalar(found)
    return CaseView(
        **_said(case),
        licence=licence,
        declared=masked(case.organisation_id),
        events=timeline(VERIFICATION.name, case.id),
        actions=VERIFICATION.actions(actor, case),
    )


def _said(case: Verification) -> dict[str, Any]:
    names = "no state due provisional returned_field returned_rule"
    return {name: getattr(case, name) for name in names.split()} | {
        "organisation": view(case.owner)
    }


def latest(actor: Actor, organisation_id: int) -> CaseView | None:
    """The newest case of an organisation, without its papers."""
    query = (
        select(Verification)
        .where(
            Verification.organisation_id == organisation_id,
            policy.where(actor, READ, Verification),
        )
        .options(joinedload(Verification.owner).joinedload(Organisation.region))
    )
    case = db.session.scalar(query.order_by(Verification.id.desc()).limit(1))
    return None if case is None else CaseView(**_said(case))


def waiting(organisation_id: int) -> str | None:
    """The number of the case in which an office looks at papers of this organisation now."""
    query = select(Verification.no).where(
        Verification.organisation_id == organisation_id, Verification.state == "submitted"
    )
    return db.session.scalar(query)


def page(
    actor: Actor, *, state: str = "", page: int = 1, per_page: int = ROWS_PER_PAGE
) -> PageOf[CaseView]:
    """Cases that the actor may see, newest first."""
    query = select(Verification).where(policy.where(actor, READ, Verification))
    if state:
        query = query.where(Verification.state == state)
    limited = query.with_only_columns(Verification.id).limit(EXACT_UP_TO + 1).subquery()
    total = db.session.scalar(select(func.count()).select_from(limited)) or 0
    owners = joinedload(Verification.owner).joinedload(Organisation.region)
    rows = db.session.scalars(
        query.options(owners)
        .order_by(Verification.id.desc())
        .limit(per_page)
        .offset((page - 1) * per_page)
    )
    items = [CaseView(**_said(row)) for row in rows]
    total_is = "exact" if total <= EXACT_UP_TO else "at_least"
    return PageOf(items, min(total, EXACT_UP_TO), page, per_page, total_is)


def latest_licence(organisation_id: int) -> StoredFile | None:
    """The licence that was uploaded last."""
    return next(reversed(files_of(LICENCE, organisation_id, "licence")), None)


def may_have_licence(actor: Actor, row: StoredFile) -> bool:
    """Whether an actor may download a licence: who may see the verification."""
    organisation = db.session.get(Organisation, row.object_id)
    return organisation is not None and policy.allows(actor, READ, organisation)


def masked(organisation_id: int) -> dict[str, Any]:
    """What an organisation declared, masked; nothing of what it left out."""
    profile = db.session.get(Profile, organisation_id)
    shown: dict[str, Any] = {}
    for key in FIELDS:
        token = getattr(profile, key) if profile else None
        if not token:
            continue
        text = unseal(token, f"organisation.{key}")
        shown[key] = "无法读取（密钥已更换）" if text is None else _masked(key, text)
    return shown


def _masked(key: str, text: str) -> Any:
    if key == "shareholders":
        return [f"{mask_name(name)}　{percent(share)}" for name, share in json.loads(text)]
    if key == "legal_representative":
        return mask_name(text)
    return mask_account(text) if key == "account" else mask_text(text)
