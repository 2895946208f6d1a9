"""Reading accounts: one's own data, sessions and roles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from market.accounts.people import person_values
from market.accounts.people.models import PERSON_STATES, LoginSession, Person, RoleGrant
from market.accounts.people.proving import myself
from market.accounts.people.sessions import IDLE, in_force
from market.accounts.roles import ROLES
from market.core import clock
from market.core.db import db
from market.core.models import AuditEntry
from market.core.permissions import Actor
from market.core.secrets import unseal
from market.regions import queries as regions

MOST_ENTRIES = 1000


@dataclass(frozen=True)
class Role:
    """A role somebody holds."""

    code: str
    label: str
    organisation: str
    organisation_no: str
    region: str
    valid_from: date
    valid_to: date | None
    second_factor: bool


@dataclass(frozen=True)
class Account:
    """One's own account, in full."""

    id: int
    name: str
    mobile: str | None
    email: str | None
    language: str
    state: str
    password_at: datetime | None
    second_factor_at: datetime | None
    created_at: datetime
    demo: bool
    roles: Sequence[Role]


@dataclass(frozen=True)
class Session:
    """A browser that is signed in."""

    id: int
    device: str
    network: str
    created_at: datetime
    last_seen_at: datetime
    here: bool


def account(actor: Actor) -> Account:
    """One's own account."""
    person = myself(actor)
    return Account(
        id=person.id,
        name=person.name,
        mobile=unseal(person.mobile, "person.mobile") if person.mobile else None,
        email=unseal(person.email, "person.email") if person.email else None,
        language=person.language,
        state=person.state,
        password_at=person.password_at,
        second_factor_at=person.totp_at,
        created_at=person.created_at,
        demo=person.demo,
        roles=roles_of(person.id),
    )


def roles_of(person_id: int) -> list[Role]:
    """The roles a person holds today."""
    query = (
        select(RoleGrant)
        .where(RoleGrant.person_id == person_id, in_force())
        .options(joinedload(RoleGrant.organisation), joinedload(RoleGrant.region))
        .order_by(RoleGrant.id)
    )
    return [
        Role(
            code=grant.role,
            label=ROLES[grant.role].label,
            organisation=grant.organisation.name if grant.organisation else "",
            organisation_no=grant.organisation.no if grant.organisation else "",
            region=regions.view(grant.region).name if grant.region else "",
            valid_from=grant.valid_from,
            valid_to=grant.valid_to,
            second_factor=ROLES[grant.role].second_factor,
        )
        for grant in db.session.scalars(query)
    ]


def sessions(actor: Actor) -> list[Session]:
    """The browsers in which one is signed in, the latest first; at most 50."""
    now = clock.now()
    query = (
        select(LoginSession)
        .where(
            LoginSession.person_id == actor.id,
            LoginSession.ended_at.is_(None),
            LoginSession.expires_at > now,
            LoginSession.last_seen_at > now - IDLE,
        )
        .order_by(LoginSession.last_seen_at.desc(), LoginSession.id.desc())
        .limit(50)
    )
    return [
        Session(
            one.id,
            one.device or "未知设备",
            one.network or "未知网络",
            one.created_at,
            one.last_seen_at,
            one.id == actor.session_id,
        )
        for one in db.session.scalars(query)
    ]


def export(actor: Actor) -> dict[str, Any]:
    """All that is kept about oneself, as it goes into a file (PIPL art. 45)."""
    own = account(actor)
    person = db.session.get_one(Person, own.id)
    query = (
        select(AuditEntry)
        .where(AuditEntry.object_kind == "person", AuditEntry.object_id == own.id)
        .order_by(AuditEntry.id.desc())
        .limit(MOST_ENTRIES)
    )
    return {
        "账号": {
            "姓名": own.name,
            "手机号": own.mobile,
            "邮箱": own.email,
            "语言": own.language,
            "状态": PERSON_STATES[own.state],
            "注册时间": own.created_at.isoformat(),
            "最近更改密码": own.password_at.isoformat() if own.password_at else None,
            "开启两步验证": own.second_factor_at.isoformat() if own.second_factor_at else None,
        },
        "角色": [
            {
                "角色": role.label,
                "单位": role.organisation,
                "地区": role.region,
                "起": role.valid_from.isoformat(),
                "止": role.valid_to.isoformat() if role.valid_to else None,
            }
            for role in own.roles
        ],
        "登录": [
            {
                "设备": one.device,
                "网络": one.network,
                "登录时间": one.created_at.isoformat(),
                "最近使用": one.last_seen_at.isoformat(),
            }
            for one in sessions(actor)
        ],
        "账号记录": [
            {
                "时间": entry.at.isoformat(),
                "操作": entry.action,
                "之前": person_values.read_for(person, entry.before),
                "之后": person_values.read_for(person, entry.after),
            }
            for entry in db.session.scalars(query)
        ],
    }


def second_factor_done(actor: Actor) -> bool:
    """Whether the second factor was done in this session."""
    session = db.session.get(LoginSession, actor.session_id) if actor.session_id else None
    return session is not None and session.second_factor_at is not None
