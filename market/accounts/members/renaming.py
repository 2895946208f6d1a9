"""An office enters the new name of an organisation (名称变更); the old one is kept."""

from __future__ import annotations

from market.accounts.members import grants
from market.accounts.members.merging import show_open_cases
from market.accounts.members.workflow import RENAMED
from market.accounts.models import FormerName, Organisation
from market.accounts.queries import find
from market.accounts.roles import MEMBERS, OFFICES
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid
from market.core.messages import tell
from market.core.permissions import Actor, InArea, policy
from market.core.text import clean_line, fold
from market.core.unit_of_work import unit_of_work

RENAME = policy.declare("accounts:organisation:rename", **dict.fromkeys(OFFICES, InArea()))
LONGEST = 200


def rename(actor: Actor, no: str, text: str, reason: str, seen: str | None = None) -> None:
    """Give an organisation, verified or not, the name that its new licence bears.

    Its own people are told. By the old name the directory still finds it.

    Args:
        text: the new name; reason: on what it rests.
        seen: the name as the officer saw it; when it is another by now, nothing is changed.

    Raises:
        NotFound: it is not in the actor's area. Denied: it is the actor's own.
        Invalid: no name, no reason, or the same name. Conflict: somebody was quicker.
    """
    organisation_id = find(actor, RENAME, no).id
    name = clean_line(text)
    if not 2 <= len(name) <= LONGEST:
        raise Invalid({"name": [f"请写单位名称，2 到 {LONGEST} 个字。"]})
    if len(reason.strip()) < 2:
        raise Invalid({"reason": ["请写明依据，如：名称变更登记，换发了新执照。"]})
    with unit_of_work(actor) as work:
        row = grants.lock(organisation_id)
        work.require(RENAME, row)
        if organisation_id in actor.organisations(*MEMBERS):
            raise Denied("这是您自己所在的单位，须由另一位同事办理。")
        if seen and row.name != seen:
            raise Conflict(f"名称刚改成「{row.name}」，请核对后再改。")
        if row.name == name:
            raise Invalid({"name": ["与现在的名称相同。"]})
        before, now = row.name, clock.now()
        _keep(row, before, actor.label)
        row.name, row.folded_name, row.updated_at = name, fold(name)[:LONGEST], now
        row.lock_version += 1
        db.session.flush()
        show_open_cases(row.id)
        after = {"name": name, "reason": reason.strip()[:500]}
        work.record(
            "organisation.renamed",
            "organisation",
            row.id,
            no=no,
            before={"name": before},
            after=after,
        )
        work.announce("organisation", row.id)
        tell(
            RENAMED,
            about=("organisation", row.id),
            url=f"/my/organisation?no={row.no}",
            values={"before": before, "name": name, "by": actor.label, "reason": after["reason"]},
            organisation_id=row.id,
            roles=("owner",),
        )


def _keep(row: Organisation, name: str, by: str) -> None:
    former = FormerName(
        organisation_id=row.id,
        name=name,
        folded_name=fold(name)[:LONGEST],
        ended_at=clock.now(),
        recorded_by=by,
    )
    db.session.add(former)
