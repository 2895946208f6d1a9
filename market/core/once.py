"""The same form or request twice is carried out once.

A form carries a random word made when it was opened; a program sends `Idempotency-Key`. The key is
taken in the transaction that does the work, so that of two at the same moment one waits for the
other and then repeats its answer.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import bindparam, delete, select, text, update

from market.core import clock
from market.core.db import UtcDateTime, db
from market.core.errors import Conflict
from market.core.languages import translate
from market.core.models import OnceKey
from market.core.permissions import SYSTEM, Actor, Always, policy
from market.core.secrets import seal, unseal
from market.core.unit_of_work import unit_of_work

FIELD = "once"
# Answers hold addresses that open something to whoever has them (a receipt, an inquiry).
SEALED = "once.answer"
KEPT = timedelta(days=1)
CLEAN = policy.declare("core:once:clean")
# To be told again what the first time was answered; the key names the actor.
REPEAT = policy.declare("core:once:repeat", public=Always())
_TAKE = text(
    "INSERT INTO once_key (key, digest, answer, at) VALUES (:key, :digest, NULL, :at) "
    "ON CONFLICT (key) DO NOTHING"
).bindparams(bindparam("at", type_=UtcDateTime()))


def new_word() -> str:
    """The word for the hidden field of a form."""
    return secrets.token_urlsafe(18)


def digest(content: bytes) -> str:
    """What stands for the content of a request."""
    return hashlib.sha256(content).hexdigest()


def key_of(actor: Actor, place: str, word: str) -> str:
    """The key: whose, for which address, which word."""
    return hashlib.sha256(f"{actor.kind}:{actor.id}:{place}:{word}".encode()).hexdigest()


def earlier_answer(key: str, content: bytes) -> str | None:
    """Take the key; None when it is new, else the answer of the first time. In a unit of work.

    Raises:
        Conflict: the key was used for something else, or the site's secret key changed since.
    """
    said = digest(content)
    taken = db.session.execute(_TAKE, {"key": key, "digest": said, "at": clock.now()})
    if taken.rowcount:  # type: ignore[attr-defined]
        return None
    found = db.session.execute(
        select(OnceKey.digest, OnceKey.answer).where(OnceKey.key == key)
    ).one()
    if found.digest != said:
        raise Conflict(translate("这个请求编号已经用过，内容却不一样：请换一个新的编号。"))
    if not found.answer:
        return ""
    answer = unseal(found.answer, SEALED)
    if answer is None:
        raise Conflict(translate("这个请求编号已经用过，内容却不一样：请换一个新的编号。"))
    return answer


def keep_answer(key: str, answer: str) -> None:
    """Note the answer, sealed, for the next time. In the same unit of work."""
    kept = {"answer": seal(answer, SEALED)}
    db.session.execute(update(OnceKey).where(OnceKey.key == key).values(kept))


def forget_old() -> bool:
    """Delete keys older than a day."""
    old = OnceKey.at < clock.now() - KEPT
    if db.session.scalar(select(OnceKey.key).where(old).limit(1)) is None:
        return False
    with unit_of_work(SYSTEM) as work:
        work.require(CLEAN)
        db.session.execute(delete(OnceKey).where(old))
    return False
