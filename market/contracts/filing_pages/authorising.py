"""A firm lets a service point help with one contract: by a paper with its seal, until a day.

The point sees this contract and no other of the firm, and does what its powers name. What is
authorised before the registration covers the filing; after it, asking for changes.
"""

from __future__ import annotations

from datetime import date, timedelta

from market.contracts.filing_pages.rules import POINT
from market.contracts.locking import FILES, locked, touch
from market.contracts.models import OPEN, Contract
from market.contracts.workflow import AUTHORISE, CONTRACT, address
from market.core import clock, files
from market.core import workflow as flow
from market.core.errors import Conflict, Invalid, NotFound
from market.core.files import Upload
from market.core.languages import N_
from market.core.messages import MessageKind, tell
from market.core.permissions import Actor
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.service_points import queries as directory
from market.service_points.models import POINT as POINT_KIND

AUTHORISABLE = (*OPEN, "registered")
LONGEST = timedelta(days=366)
AUTHORISED = MessageKind(
    "contract.authorised",
    N_("企业委托本服务点帮办技术合同登记"),
    N_("受托帮办：%(title)s"),
    N_("%(filer)s 委托贵服务点帮办技术合同 %(no)s 的登记，到 %(until)s 为止。请打开查看。"),
)


def authorise(
    actor: Actor,
    no: str,
    point_no: str,
    until: date,
    paper: Upload | None,
    version: int | None = None,
) -> None:
    """Let a service point help until a day.

    Args:
        paper: the authorisation with the firm's seal; None where the same point goes on.

    Raises:
        Invalid: the point is none, does not work now; the day has passed or is too far; no paper.
        Conflict: the case is closed, or it moved meanwhile.
    """
    try:
        point = directory.find(actor, point_no)
    except NotFound as error:
        raise Invalid({"point": ["请选择服务点。"]}) from error
    wrong: dict[str, list[str]] = {}
    if point.kind != POINT_KIND or "help" not in directory.powers_of(point):
        wrong["point"] = [f"{point.title}现在不帮办登记，请另选一家服务点。"]
    today = clock.today()
    if not today <= until <= today + LONGEST:
        wrong["until"] = ["委托到哪一天：从今天起，最长一年。"]
    with unit_of_work(actor) as work:
        contract = locked(actor, no, version)
        work.require(AUTHORISE, contract)
        if contract.state not in AUTHORISABLE:
            raise Conflict("这件已经办结，不用再委托。")
        # For changes of what is registered a new paper says so.
        if paper is None and (contract.point_id != point.id or contract.state not in OPEN):
            wrong["paper"] = ["请上传盖章的授权书。"]
        if wrong:
            raise Invalid(wrong)
        if paper is not None:
            caption = f"委托{point.title}，到 {until}"
            files.attach(work, paper, FILES, contract.id, purpose=POINT, caption=caption)
        touch(contract, point_id=point.id, point_until=until)
        _note(work, contract, "authorise", f"委托{point.title}帮办，到 {until}")
        tell(
            AUTHORISED,
            about=("contract", contract.id),
            url=address(contract),
            values={
                "no": contract.no,
                "title": contract.title or contract.no,
                "filer": contract.filer.name if contract.filer else "",
                "until": until.isoformat(),
            },
            organisation_id=point.organisation_id,
            roles=("point_staff",),
        )


def revoke(actor: Actor, no: str, version: int | None = None) -> None:
    """End it: from this moment on the point does not see the contract.

    Raises:
        Conflict: no point helps, or the contract moved meanwhile.
    """
    with unit_of_work(actor) as work:
        contract = locked(actor, no, version)
        work.require(AUTHORISE, contract)
        if contract.point is None:
            raise Conflict("这件没有委托服务点。")
        title = contract.point.title
        touch(contract, point_id=None, point_until=None)
        _note(work, contract, "revoke", f"不再委托{title}")


def _note(work: UnitOfWork, contract: Contract, action: str, note: str) -> None:
    flow.add_event(
        work, CONTRACT.name, contract.id, action, before=contract.state, after=None, note=note
    )
    work.record(
        f"contract.{action}", CONTRACT.name, contract.id, no=contract.no, after={"note": note}
    )
