"""Tokens by which programs act for an organisation: made by its owner, shown once."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import func, select

from market.accounts.models import Organisation
from market.accounts.people.models import ApiToken
from market.accounts.people.schemas import LONGEST_DAYS, OFFICE, TOKEN_ROLES
from market.accounts.people.sessions import hashed
from market.accounts.roles import OFFICES, ROLES
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid, NotFound
from market.core.permissions import Actor, Own, policy
from market.core.text import clean_line
from market.core.unit_of_work import unit_of_work

CREATE = policy.declare("accounts:token:create", owner=Own())
READ = policy.declare("accounts:token:read", owner=Own(), editor=Own(), viewer=Own())
REVOKE = policy.declare("accounts:token:revoke", owner=Own(), editor=Own())
MOST = 20  # tokens in force for one organisation
_HINT = 6  # letters by which a token is recognised in a list


@dataclass(frozen=True)
class TokenView:
    """A token as lists show it; never the token itself."""

    id: int
    organisation: str
    organisation_no: str
    label: str
    hint: str
    role: str
    scopes: tuple[str, ...]
    created_at: datetime
    created_by: str
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None

    @property
    def in_force(self) -> bool:
        return self.revoked_at is None and self.expires_at > clock.now()

    @property
    def state(self) -> str:
        if self.revoked_at is not None:
            return "已撤销"
        return "有效" if self.in_force else "已到期"

    @property
    def scope_labels(self) -> list[str]:
        known = labels()
        return [known.get(scope, scope) for scope in self.scopes]

    @property
    def role_label(self) -> str:
        return ROLES[self.role].label


def labels() -> dict[str, str]:
    """What a program can be let do: `room:thing` → Chinese words, as the rooms name them."""
    rooms = current_app.extensions["market"].rooms
    return {scope: words for room in rooms for scope, words in room.scopes.items()}


def offered(role: str | None = None) -> dict[str, str]:
    """The scopes of which a token of this role (or any) could make use."""
    asked = {role} if role else set(TOKEN_ROLES)
    roles = asked - {OFFICE} | (set(OFFICES) if OFFICE in asked else set())
    useful = {name.rsplit(":", 1)[0] for name, rule in policy.rules.items() if roles & set(rule)}
    return {scope: words for scope, words in labels().items() if scope in useful}


def create(actor: Actor, organisation_id: int, values: Mapping[str, Any]) -> str:
    """A new token; returns it, for showing once.

    Args:
        values: label, role (of `TOKEN_ROLES`), scopes, days until it expires.

    Raises:
        Invalid: no or unknown scopes, too long a time, an office's role for another organisation.
        Denied: not an owner of the organisation, or not himself an officer of that office's region.
        Conflict: the organisation has 20 tokens already.
    """
    scopes, days = _checked(values)
    now, word = clock.now(), secrets.token_urlsafe(32)
    with unit_of_work(actor) as work:
        organisation = db.session.get(Organisation, organisation_id)
        if organisation is None or organisation.state != "active":
            raise NotFound("没有这个单位。")
        token = ApiToken(
            organisation_id=organisation.id,
            **_role(actor, organisation, values["role"]),
            label=values["label"],
            hint=word[:_HINT],
            token_hash=hashed(word),
            scopes=scopes,
            created_at=now,
            created_by=actor.label,
            created_by_id=actor.person_id,
            expires_at=now + timedelta(days=days),
        )
        work.require(CREATE, token)
        if _in_force(organisation.id) >= MOST:
            raise Conflict(f"一个单位最多有 {MOST} 个有效令牌：请先撤销不用的。")
        db.session.add(token)
        db.session.flush()
        after = {"label": token.label, "role": token.role, "scopes": scopes, "days": days}
        work.record("token.created", "api_token", token.id, no=organisation.no, after=after)
        return word


def _role(actor: Actor, organisation: Organisation, role: str) -> dict[str, Any]:
    """The columns of a token's role.

    An office's role asks for a second factor, which no program gives: it comes from somebody who
    holds it himself now, and so gave his.
    """
    if role != OFFICE:
        return {"role": role}
    if organisation.kind != "office" or organisation.verified_at is None:
        raise Invalid({"role": ["只有核验过的科技管理部门有这种令牌。"]})
    place = organisation.region
    own = next((code for code in OFFICES if ROLES[code].level == place.level), None)
    if own is None or not (actor.kind == "system" or place.path in actor.areas(own)):
        raise Denied("须由本人也是这一级经办的管理员建立。")
    return {"role": own, "region_id": place.id}


def _checked(values: Mapping[str, Any]) -> tuple[list[str], int]:
    """Raises Invalid."""
    wrong: dict[str, list[str]] = {}
    role, days = values.get("role"), values.get("days")
    scopes = sorted(set(values.get("scopes", ())))
    if role not in TOKEN_ROLES:
        wrong["role"] = ["请选择一种权限。"]
    elif not scopes:
        wrong["scopes"] = ["请至少选一项。"]
    elif unknown := [scope for scope in scopes if scope not in offered(role)]:
        wrong["scopes"] = [_unusable(role, unknown)]
    if not isinstance(days, int) or not 1 <= days <= LONGEST_DAYS:
        wrong["days"] = [f"请填 1 到 {LONGEST_DAYS} 的整数。"]
    if not clean_line(str(values.get("label") or "")):
        wrong["label"] = ["请写明给什么程序用。"]
    if wrong:
        raise Invalid(wrong)
    return scopes, int(days or 0)


def _unusable(role: str, scopes: Sequence[str]) -> str:
    """Which of the chosen a role has no use for, in the words of the form; codes for unknown ones."""
    known = labels()
    named = [f"「{known[scope]}」" for scope in scopes if scope in known]
    other = [f"「{clean_line(scope)[:60]}」" for scope in scopes if scope not in known][:3]
    said = []
    if named:
        words = "、".join(named)
        said.append(
            f"「{TOKEN_ROLES[role].split('：')[0]}」用不上：{words}。请去掉，或换一种权限。"
        )
    if other:
        said.append(f"没有这一项：{'、'.join(other)}。")
    return "".join(said)


def _in_force(organisation_id: int) -> int:
    query = select(func.count()).select_from(ApiToken)
    live = (ApiToken.revoked_at.is_(None)) & (ApiToken.expires_at > clock.now())
    return db.session.scalar(query.where(ApiToken.organisation_id == organisation_id, live)) or 0


def revoke(actor: Actor, token_id: int) -> None:
    """End a token at once.

    Raises:
        NotFound: no such token of an organisation of the actor. Conflict: revoked already.
    """
    with unit_of_work(actor) as work:
        query = select(ApiToken).where(ApiToken.id == token_id)
        token = db.session.scalar(query.where(policy.where(actor, REVOKE, ApiToken)))
        if token is None:
            raise NotFound("没有这个令牌。")
        work.require(REVOKE, token)
        if token.revoked_at is not None:
            raise Conflict("这个令牌已经撤销。")
        token.revoked_at = clock.now()
        after = {"label": token.label}
        work.record("token.revoked", "api_token", token.id, no=token.organisation.no, after=after)


def listed(actor: Actor) -> Sequence[TokenView]:
    """The tokens of one's organisations, newest first; at most 200."""
    query = select(ApiToken, Organisation.name, Organisation.no).join(ApiToken.organisation)
    rows = db.session.execute(
        query.where(policy.where(actor, READ, ApiToken)).order_by(ApiToken.id.desc()).limit(200)
    )
    return [_view(token, name, no) for token, name, no in rows]


def of_program(actor: Actor) -> TokenView | None:
    """The token by which a program acts."""
    if actor.kind != "token":
        return None
    token = db.session.get(ApiToken, actor.id)
    return _view(token, token.organisation.name, token.organisation.no) if token else None


def _view(token: ApiToken, name: str, no: str) -> TokenView:
    same = "id label hint role created_at created_by expires_at last_used_at revoked_at"
    values = {one: getattr(token, one) for one in same.split()}
    return TokenView(organisation=name, organisation_no=no, scopes=tuple(token.scopes), **values)


def own_organisations(actor: Actor) -> list[tuple[int, str]]:
    """Organisations for which one may make tokens: id and name."""
    own = Organisation.id.in_(actor.organisations("owner"))
    query = select(Organisation.id, Organisation.name).where(own, Organisation.state == "active")
    return [(key, name) for key, name in db.session.execute(query.order_by(Organisation.id))]
