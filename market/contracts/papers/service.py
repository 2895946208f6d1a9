"""Certificates: issued by the worker as soon as something is registered here, and kept as they are.

What is due is read from the contracts themselves, so that no crash and no way of registering loses
one: a contract of a register kept here whose content in force has no certificate yet.
"""

from __future__ import annotations

from sqlalchemy import func, select, text, update

from market.contracts.locking import locked, touch
from market.contracts.models import UNCERTIFIED, Contract
from market.contracts.papers import sheets, signing
from market.contracts.papers.access import AGAIN, STORE
from market.contracts.papers.models import FAILED, ISSUED, ContractPaper
from market.contracts.papers.typesetting import CannotSet, typeset
from market.core import clock, files
from market.core.db import db
from market.core.errors import Conflict
from market.core.files import Upload
from market.core.permissions import SYSTEM, Actor
from market.core.unit_of_work import unit_of_work
from market.service_points import queries as directory
from market.service_points.models import AdmissionPower

PAPER_FILES = "contract_paper"  # the kind of object that issued papers are attached to


def issue_due() -> bool:
    """Issue the certificate that is due longest; True when another may be due.

    Raises:
        RuntimeError: certificates are to be signed, and the key cannot sign; tried again later.
    """
    certifies = select(AdmissionPower.power).where(
        AdmissionPower.admission_id == Contract.body_id, AdmissionPower.power == "certify"
    )
    query = select(Contract.id).where(text(UNCERTIFIED), certifies.exists())
    key = db.session.scalar(query.order_by(Contract.id).limit(1))
    if key is None:
        db.session.rollback()
        return False
    if (trouble := signing.trouble()) is not None:
        raise RuntimeError(f"登记证明没有出具：{trouble}")
    _issue(key)
    return True


def _issue(key: int) -> None:
    """Set and sign one, then store it; what cannot be set is kept with the reason."""
    contract = db.session.get_one(Contract, key)
    seen = (contract.effective, contract.lock_version)
    number, upload, trouble = sheets.edition(contract), None, None
    try:
        made = typeset("certificate", sheets.registered(contract), clock.now())
        name = f"技术合同登记证明-{contract.registration_no}.pdf"
        upload = files.keep(name, _signed(made, contract), "pdf")
    except CannotSet as error:
        trouble = error.message
    signer = signing.subject()[:200] if upload and signing.configured() else None
    _store(key, seen, number, upload, trouble, signer)


def _signed(made: bytes, contract: Contract) -> bytes:
    if not signing.configured():
        return made
    return signing.sign(made, f"技术合同登记证明 {contract.registration_no}")


def _store(
    key: int,
    seen: tuple[int | None, int],
    number: int,
    upload: Upload | None,
    trouble: str | None,
    signer: str | None,
) -> None:
    """Write down what was made, unless the contract moved meanwhile: then it is made anew."""
    with unit_of_work(SYSTEM) as work:
        work.require(STORE)
        marked = db.session.execute(
            update(Contract)
            .where(Contract.id == key, text(UNCERTIFIED), Contract.lock_version == seen[1])
            .values(certified=seen[0])
            .execution_options(synchronize_session=False)
        )
        if not marked.rowcount:  # type: ignore[attr-defined]
            return
        contract = db.session.get_one(Contract, key)
        last = select(func.max(ContractPaper.issue)).where(ContractPaper.contract_id == key)
        row = ContractPaper(
            contract_id=key,
            issue=(db.session.scalar(last) or 0) + 1,
            version=seen[0],
            edition=number,
            state=ISSUED if upload else FAILED,
            trouble=trouble,
            hash=upload.hash if upload else None,
            signer=signer,
            issued_on=clock.today(),
            created_at=clock.now(),
        )
        db.session.add(row)
        db.session.flush()
        if upload is not None:
            files.attach(work, upload, PAPER_FILES, row.id, purpose="certificate")
        after = {"edition": number, "issue": row.issue, "hash": row.hash, "trouble": trouble}
        told = {name: value for name, value in after.items() if value is not None}
        work.record("contract.certify", "contract", key, no=contract.no, after=told)


def again(actor: Actor, no: str, version: int | None = None) -> None:
    """Have a certificate issued anew: after a name was mended, or another key was put in.

    Raises:
        NotFound, Denied: not this actor's. Conflict: nothing is registered here, or the body may
            not certify; it moved meanwhile.
    """
    with unit_of_work(actor) as work:
        contract = locked(actor, no, version)
        work.require(AGAIN, contract)
        if contract.mode != "own" or contract.state != "registered" or contract.body is None:
            raise Conflict("只有在本站登记、现在有效的合同，才能重新出具登记证明。")
        if "certify" not in directory.powers_of(contract.body):
            raise Conflict(f"{contract.body.title}现在没有出具登记证明的权限。")
        touch(contract, certified=None)
        work.record("contract.certify_again", "contract", contract.id, no=no)
