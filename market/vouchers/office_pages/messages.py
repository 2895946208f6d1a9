"""What offices and the finance office are told when a batch goes from one to the other."""

from __future__ import annotations

from sqlalchemy import select

from market.accounts.people.models import RoleGrant
from market.core import clock
from market.core.db import db
from market.core.languages import N_
from market.core.messages import MessageKind, tell
from market.vouchers.claim_models import Batch, Claim

TO_COUNTERSIGN = MessageKind(
    "voucher_batch.to_countersign",
    N_("拨付批次待财政会签"),
    N_("拨付批次待会签：%(title)s"),
    N_("%(title)s（%(no)s）已经会议审定，等财政部门会签。"),
)
COUNTERSIGNED = MessageKind(
    "voucher_batch.countersigned",
    N_("拨付批次已由财政会签"),
    N_("财政已会签：%(title)s"),
    N_("%(title)s（%(no)s）已由财政部门会签，等拨付。"),
)
BOUNCED = MessageKind(
    "voucher_batch.bounced",
    N_("创新券拨付退票"),
    N_("退票：%(title)s"),
    N_("兑付申请 %(no)s（%(title)s）退票：%(reason)s。请核对收款账户。"),
)
KINDS = (TO_COUNTERSIGN, COUNTERSIGNED, BOUNCED)


def tell_countersign(batch: Batch) -> None:
    """Tell the finance officers of the scheme's region. In a unit of work."""
    day = clock.today()
    officers = select(RoleGrant.person_id).where(
        RoleGrant.role == "finance", RoleGrant.region_id == batch.region_id,
        RoleGrant.ended_at.is_(None), RoleGrant.valid_from <= day,
        RoleGrant.valid_to.is_(None) | (RoleGrant.valid_to >= day),
    )  # fmt: skip
    people = list(db.session.scalars(officers.distinct().order_by(RoleGrant.person_id)))
    if people:
        tell(
            TO_COUNTERSIGN, about=("voucher_batch", batch.id), people=people,
            url=f"/desk/vouchers/batches/{batch.no}",
            values={"no": batch.no, "title": batch.title},
        )  # fmt: skip


def tell_office(kind: MessageKind, batch: Batch) -> None:
    """Tell the office of the scheme's region. In a unit of work."""
    tell(
        kind, about=("voucher_batch", batch.id), region_path=batch.region.path,
        url=f"/desk/vouchers/batches/{batch.no}", values={"no": batch.no, "title": batch.title},
    )  # fmt: skip


def tell_bounced(claim: Claim, reason: str) -> None:
    """Tell the office of the scheme's region that money came back. In a unit of work."""
    tell(
        BOUNCED, about=("voucher_claim", claim.id), region_path=claim.scheme.region.path,
        url=f"/desk/vouchers/claims/{claim.no}",
        values={"no": claim.no, "title": claim.owner.name, "reason": reason},
    )  # fmt: skip
