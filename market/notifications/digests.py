"""The morning mail: what was told the day before and is not read yet, for those who want it so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from sqlalchemy import select, update

from market.core import clock
from market.core.db import db
from market.core.languages import N_, in_language
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.notifications import receivers, rules
from market.notifications.letters import DIGEST
from market.notifications.models import Delivery, InboxMessage
from market.notifications.notifying import WRITE, alone
from market.notifications.planning import new_delivery

PEOPLE = 100  # a batch
MOST_NAMED = 30  # messages in one mail; the inbox has the rest
_SUBJECT = N_("%(day)s 的消息汇总：%(n)s 条未读")
_MORE = N_("…… 还有 %(n)s 条，请到「消息」里查看。")


def digest() -> bool:
    """Prepare the morning mails of a batch of people; True when more wait."""
    today = clock.today()
    if clock.now() < rules.digest_moment(today):
        return False
    people = db.session.scalars(
        select(InboxMessage.person_id)
        .where(InboxMessage.digest_day <= today)
        .distinct()
        .limit(PEOPLE)
    ).all()
    db.session.rollback()
    if not people:
        return False
    with alone(DIGEST) as held:
        if held:
            _prepare(people, today)
    return held and len(people) == PEOPLE


def _prepare(people: Sequence[int], today: date) -> None:
    for_whom = receivers.load(people)
    found = _messages(people, today)
    made = [
        _mail(who, found[who.id], today) for who in for_whom.values() if who.mail and found[who.id]
    ]
    with unit_of_work(SYSTEM) as work:
        work.require(WRITE)
        keys = [one.key for one in made]
        there = set(db.session.scalars(select(Delivery.key).where(Delivery.key.in_(keys))))
        db.session.add_all(one for one in made if one.key not in there)
        db.session.execute(
            update(InboxMessage)
            .where(InboxMessage.person_id.in_(people), InboxMessage.digest_day <= today)
            .values(digest_day=None)
            .execution_options(synchronize_session=False)
        )


def _messages(people: Sequence[int], today: date) -> dict[int, list[tuple[str, str]]]:
    """Time and subject of what is to be told, by person, oldest first; what was read is left out."""
    query = (
        select(InboxMessage.person_id, InboxMessage.created_at, InboxMessage.subject)
        .where(
            InboxMessage.person_id.in_(people),
            InboxMessage.digest_day <= today,
            InboxMessage.read_at.is_(None),
        )
        .order_by(InboxMessage.id)
    )
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for person, at, subject in db.session.execute(query):
        found[person].append((f"{clock.local(at):%m-%d %H:%M}", subject))
    return found


def _mail(who: receivers.Receiver, told: Sequence[tuple[str, str]], today: date) -> Delivery:
    values = {"day": today.isoformat(), "n": str(len(told))}
    subject = rules.fill(in_language(_SUBJECT, who.language), values)
    lines = [f"{at}  {said}" for at, said in told[:MOST_NAMED]]
    if (more := len(told) - MOST_NAMED) > 0:
        lines.append(rules.fill(in_language(_MORE, who.language), {"n": str(more)}))
    content = rules.Content(subject, "\n".join(lines), "/my/messages")
    return new_delivery(
        rules.key(DIGEST, who.id, today),
        "mail",
        DIGEST,
        content,
        who.language,
        clock.now(),
        person_id=who.id,
    )
