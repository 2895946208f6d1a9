"""Who makes a request: the session of a cookie, or the token of a program.

Flask-Login holds the signed-in user of a request; what it loads is a row of `login_session`, so
that signing out everywhere works and a stolen signing key opens nothing.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import flask_login
from flask import Flask, Request, Response, current_app, g, request
from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import joinedload

from market.accounts.people.models import ApiToken, LoginSession, Person, RoleGrant
from market.accounts.roles import ADMINISTRATORS, OFFICES, ROLES
from market.core import clock
from market.core.db import db
from market.core.errors import Busy
from market.core.permissions import PUBLIC, SYSTEM, Actor, Grant, policy
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.regions.models import Region

COOKIE = "market"
IDLE, LONGEST = timedelta(hours=12), timedelta(days=7)
SEEN_EVERY = timedelta(minutes=5)  # how often reading pages writes that somebody was there
TOUCH = policy.declare("accounts:session:touch")
_BEARER = re.compile(r"Bearer ([\w-]{20,100})")


class Visitor(flask_login.AnonymousUserMixin):
    """Nobody in particular."""

    actor = PUBLIC


@dataclass
class SignedIn(flask_login.UserMixin):
    """Whom Flask-Login knows as the user of this request."""

    actor: Actor
    language: str = "zh"

    def get_id(self) -> str:
        """The person's id."""
        return str(self.actor.id)


def init_sessions(app: Flask) -> None:
    """Let Flask-Login load users from our table."""
    manager = flask_login.LoginManager(app)
    manager.session_protection = None  # sessions are rows; the cookie of forms tells nothing
    manager.anonymous_user = Visitor
    manager.request_loader(_load)
    app.after_request(_note_seen)
    app.jinja_env.globals.update(is_officer=is_officer, works_at_desk=works_at_desk)


def identify() -> Actor:
    """Who makes the present request."""
    # Flask-Login keeps its user in the application context, which may outlive a request.
    g.pop("_login_user", None)
    g.pop("session_word", None)
    user = flask_login.current_user
    return user.actor


def is_officer(actor: Actor) -> bool:
    """Whether the actor works for an office that looks after an area."""
    return bool(actor.areas(*OFFICES))


def works_at_desk(actor: Actor) -> bool:
    """Whether the actor has a 工作台: officers and the three administrators."""
    return is_officer(actor) or actor.has(*ADMINISTRATORS)


def hashed(word: str) -> str:
    """What tables keep of a secret word."""
    return hashlib.sha256(word.encode()).hexdigest()


def _load(asked: Request) -> SignedIn | None:
    if asked.path.startswith("/api/"):
        found = _BEARER.fullmatch(asked.headers.get("Authorization", ""))
        return _by_token(found[1]) if found else None
    word = asked.cookies.get(COOKIE, "")
    return _by_cookie(word) if word else None


def _by_cookie(word: str) -> SignedIn | None:
    now = clock.now()
    session = db.session.scalar(
        select(LoginSession)
        .where(
            LoginSession.token_hash == hashed(word),
            LoginSession.ended_at.is_(None),
            LoginSession.expires_at > now,
            LoginSession.last_seen_at > now - IDLE,
        )
        .options(joinedload(LoginSession.person))
    )
    if session is None or session.person.state != "active":
        return None
    g.session_word = word
    grants = grants_of(session.person_id)
    waiting: list[str] = []
    if session.second_factor_at is None and not current_app.extensions["market"].settings.demo:
        waiting = [grant.role for grant in grants if ROLES[grant.role].second_factor]
        grants = tuple(grant for grant in grants if not ROLES[grant.role].second_factor)
    person = session.person
    actor = Actor(
        "person",
        person.name,
        person.id,
        grants,
        session_id=session.id,
        waiting=tuple(dict.fromkeys(waiting)),
    )
    if session.last_seen_at < now - SEEN_EVERY:
        g.seen = (session.id, person.id)
    return SignedIn(actor, person.language)


def in_force() -> ColumnElement[bool]:
    """SQL: grants that hold today."""
    today = clock.today()
    return (
        RoleGrant.ended_at.is_(None)
        & (RoleGrant.valid_from <= today)
        & or_(RoleGrant.valid_to.is_(None), RoleGrant.valid_to >= today)
    )


def grants_of(person_id: int) -> tuple[Grant, ...]:
    """The roles a person holds today."""
    query = (
        select(RoleGrant.role, RoleGrant.organisation_id, Region.path)
        .outerjoin(Region, Region.id == RoleGrant.region_id)
        .where(RoleGrant.person_id == person_id, in_force())
        .order_by(RoleGrant.id)
    )
    return tuple(Grant(role, own, path) for role, own, path in db.session.execute(query))


def actor_of(person: Person) -> Actor:
    """The person as an actor outside a request: in jobs and tests."""
    return Actor("person", person.name, person.id, grants_of(person.id))


def _by_token(word: str) -> SignedIn | None:
    now = clock.now()
    token = db.session.scalar(
        select(ApiToken)
        .where(
            ApiToken.token_hash == hashed(word),
            ApiToken.revoked_at.is_(None),
            ApiToken.expires_at > now,
        )
        .options(joinedload(ApiToken.organisation), joinedload(ApiToken.region))
    )
    actor = actor_of_token(token) if token is not None else None
    if token is None or actor is None:
        return None
    if token.last_used_at is None or token.last_used_at < now - SEEN_EVERY:
        g.token_used = token.id
    return SignedIn(actor)


def actor_of_token(token: ApiToken) -> Actor | None:
    """The program as an actor; None when its token holds no longer."""
    over = token.revoked_at is not None or token.expires_at <= clock.now()
    if over or token.organisation.state != "active":
        return None
    path = token.region.path if token.region else None
    grant = Grant(token.role, token.organisation_id, path)
    label = f"{token.organisation.name}（程序：{token.label}）"
    return Actor(
        "token",
        label,
        token.id,
        (grant,),
        scopes=frozenset(token.scopes),
        maker_id=token.created_by_id,
    )


def open_session(work: UnitOfWork, person: Person, *, second_factor: bool = False) -> str:
    """Begin a session for a person; returns the word for the cookie. Inside a unit of work."""
    now, word = clock.now(), secrets.token_urlsafe(32)
    session = LoginSession(
        token_hash=hashed(word),
        person_id=person.id,
        created_at=now,
        last_seen_at=now,
        expires_at=now + LONGEST,
        second_factor_at=now if second_factor else None,
        device=_device(),
        network=_network(),
    )
    db.session.add(session)
    person.last_seen_at = now
    db.session.flush()
    return word


def end_sessions(work: UnitOfWork, *conditions: ColumnElement[bool]) -> int:
    """End the open sessions that fit; returns how many. Inside a unit of work."""
    ended = db.session.execute(
        update(LoginSession)
        .where(LoginSession.ended_at.is_(None), *conditions)
        .values(ended_at=clock.now())
    )
    return int(ended.rowcount)  # type: ignore[attr-defined]


def set_cookie(response: Response, word: str) -> Response:
    """Hand the session's word to the browser; an empty one takes it back."""
    settings = current_app.extensions["market"].settings
    response.set_cookie(
        COOKIE,
        word,
        max_age=int(LONGEST.total_seconds()) if word else 0,
        httponly=True,
        samesite="Lax",
        secure=settings.base_url.startswith("https:"),
    )
    return response


def _note_seen(response: Response) -> Response:
    """Write that a person or a program was there, at most every five minutes."""
    seen, token = g.pop("seen", None), g.pop("token_used", None)
    if seen is not None or token is not None:
        with suppress(Busy):
            _write_seen(seen, token)
    return response


def _write_seen(seen: tuple[int, int] | None, token: int | None) -> None:
    now = clock.now()
    with unit_of_work(SYSTEM) as work:
        work.require(TOUCH)
        if seen is not None:
            at = {"last_seen_at": now}
            db.session.execute(update(LoginSession).where(LoginSession.id == seen[0]).values(at))
            db.session.execute(update(Person).where(Person.id == seen[1]).values(at))
        if token is not None:
            used = update(ApiToken).where(ApiToken.id == token)
            db.session.execute(used.values(last_used_at=now))


def _device() -> str:
    """Browser and system, as a person would say it."""
    sent = request.headers.get("User-Agent", "") if request else ""
    browsers = (
        ("Edg/", "Edge"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    )
    systems = (
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    )
    browser = next((name for mark, name in browsers if mark in sent), "")
    system = next((name for mark, name in systems if mark in sent), "")
    return " · ".join(word for word in (browser, system) if word)[:100]


def _network() -> str:
    """The network with its end masked: enough to recognise, too little to trace."""
    from market.core.http import client_address

    address = client_address() if request else ""
    if "." in address:
        return ".".join([*address.split(".")[:2], "*", "*"])
    return ":".join([*address.split(":")[:3], "*"]) if address else ""
