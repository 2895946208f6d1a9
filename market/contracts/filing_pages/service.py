"""What a filer changes beside the fields: begin from an intent, answers to 补正, consents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from market.accounts.roles import EDITORS
from market.contracts import content as fields
from market.contracts import filing, prefill
from market.contracts.filing_pages import queries
from market.contracts.filing_pages.rules import COPIED, LONGEST_ANSWER, POINT
from market.contracts.locking import FILES, locked, touch, version_of
from market.contracts.models import Deficiency
from market.contracts.workflow import CONTRACT, EDIT, READ, SHOW
from market.core import files
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid
from market.core.files import Upload
from market.core.permissions import Actor
from market.core.unit_of_work import unit_of_work
from market.matching.intents.models import Intent


def from_intent(actor: Actor, intent_no: str) -> str:
    """Begin a contract from an agreed intent, or go on with the one that is there; gives its number.

    Raises:
        NotFound: no such intent for this actor. Conflict: nothing was agreed; the owner hides.
        Denied: the actor does not file for the seller.
    """
    there = queries.of_intent(actor, intent_no)
    given = prefill.from_intent(actor, intent_no) if there is None else None
    if given is not None and given.filer_id not in actor.organisations(*EDITORS):
        raise Denied("技术合同由卖方申请登记；请卖方单位的编辑或管理员办理。")
    with unit_of_work(actor) as work:
        # Of two at once the second goes on with what the first began.
        db.session.scalar(select(Intent.id).where(Intent.no == intent_no).with_for_update())
        there = queries.of_intent(actor, intent_no)
        if there is not None:
            work.require(READ, there)
            return there.no
        if given is None:
            raise Conflict("这件合同刚被撤回，请再点一次。")
        return filing.begin(
            actor,
            given.filer_id,
            given.values,
            origins=given.origins,
            intent_no=given.intent_no,
            listing_no=given.listing_no,
        )


def from_scratch(actor: Actor, filer_id: int, values: Mapping[str, Any]) -> str:
    """Begin a contract of an organisation, itself as its seller; gives the number.

    Raises:
        Denied: the actor files for no such organisation. Conflict: too many drafts.
    """
    if filer_id not in actor.organisations(*EDITORS):
        raise Denied("请选择以哪家单位的名义申请。")
    whole, origins = dict(values), {}
    if not whole.get("sellers"):
        whole["sellers"], origins["sellers"] = [prefill.party(filer_id)], "organisation"
    return filing.begin(actor, filer_id, whole, origins=origins)


def copy(actor: Actor, no: str) -> str:
    """Begin anew what was not registered, or is registered no more, with its fields and papers.

    What was refused and is sent in unchanged is told so (`filing.submit`).

    Raises:
        NotFound: no such contract. Denied: the actor does not file for its organisation.
        Conflict: it is under way or registered: there is nothing to begin anew.
    """
    old = queries.read(actor, no)
    if old.state not in COPIED or old.filer_id is None:
        raise Conflict("只有不予登记、已注销或已撤销的，才照着另填一份。")
    old_id, refused = old.id, old.refused_hash
    values = fields.unpack(version_of(old).content)
    filer_id, intent_no, listing_no = old.filer_id, old.intent_no, old.listing_no
    with unit_of_work(actor) as work:
        made = filing.begin(
            actor,
            filer_id,
            values,
            origins=dict.fromkeys(values, "copy"),
            intent_no=intent_no,
            listing_no=listing_no,
        )
        new = locked(actor, made)
        for one in files.files_of(FILES, old_id):
            if one.purpose != POINT:
                same = Upload(one.name, one.media_type, one.size, one.hash, one.derived)
                files.attach(work, same, FILES, new.id, purpose=one.purpose, caption=one.caption)
        touch(new, refused_hash=refused)
    return made


def answer(actor: Actor, no: str, answers: Mapping[int, str], version: int | None = None) -> None:
    """Write, one by one, how what was asked for in the latest round was mended.

    Args:
        answers: by the id of the deficiency; an empty one takes the answer back.

    Raises:
        NotFound, Denied: not this actor's. Conflict: it is not to be mended now, or it moved.
        Invalid: too long.
    """
    with unit_of_work(actor) as work:
        contract = locked(actor, no, version)
        work.require(EDIT, contract)
        if contract.state != "returned":
            raise Conflict("现在没有要补正的内容。")
        latest = select(func.max(Deficiency.round)).where(Deficiency.contract_id == contract.id)
        rows = db.session.scalars(
            select(Deficiency).where(
                Deficiency.contract_id == contract.id, Deficiency.round == latest.scalar_subquery()
            )
        ).all()
        known = {row.id: row for row in rows}
        if set(answers) - set(known):
            raise Conflict("补正的内容刚有变化，请刷新后再写。")
        for number, words in answers.items():
            if len(words) > LONGEST_ANSWER:
                raise Invalid({f"answer-{number}": [f"最多 {LONGEST_ANSWER} 个字。"]})
            known[number].answered = words or None
        work.record(
            "contract.answer", CONTRACT.name, contract.id, no=no,
            after={"answered": sum(row.answered is not None for row in rows)},
        )  # fmt: skip
        touch(contract)


def show(actor: Actor, no: str, shown: Mapping[str, bool], version: int | None = None) -> None:
    """Say what the public may see of the contract once it is registered; each side its own.

    Args:
        shown: "title", "seller" (the filer's to say) or "buyer" → whether.

    Raises:
        NotFound: no such contract. Denied: it is the other side's to say. Conflict: it moved.
    """
    with unit_of_work(actor) as work:
        contract = locked(actor, no, version)
        work.require(SHOW, contract)
        if set(shown) - set(queries.consents(actor, contract)):
            raise Denied("对方的名称由对方决定是否公开。")
        touch(contract, shows={**contract.shows, **{name: bool(on) for name, on in shown.items()}})
        work.record(
            "contract.show", CONTRACT.name, contract.id, no=no, after={"shows": dict(shown)}
        )
