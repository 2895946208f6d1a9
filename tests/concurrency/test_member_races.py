"""Eight at once: one founds, one is joined, one invitation is used, one owner stays."""

from sqlalchemy import func, select

from market.accounts.members import grants, service, staff
from market.accounts.models import Organisation
from market.accounts.verification import service as verifications
from market.accounts.verification.models import Verification
from market.core.db import db
from market.core.errors import Conflict
from market.core.models import AuditEntry
from tests import people
from tests.concurrency.test_races import THREADS, _in_threads
from tests.service.clerk import CODE

NEW = {"uscc": CODE, "name": "甲公司", "kind": "enterprise", "county": "dpq"}


def won(results):
    """Who was not refused; all others met a conflict."""
    db.session.rollback()  # this thread reads anew
    refused = [one for one in results if isinstance(one, Exception)]
    assert all(isinstance(one, Conflict) for one in refused), refused
    return [one for one in results if not isinstance(one, Exception)]


def no_of(key):
    db.session.rollback()
    return db.session.get(Organisation, key).no


def test_one_of_eight_founds(app):
    founders = [people.actor() for _ in range(THREADS)]
    results = _in_threads(app, lambda n: service.found(founders[n], NEW | {"telephone": "028-1"}))
    assert len(won(results)) == 1
    count = select(func.count()).select_from(Organisation).where(Organisation.uscc == CODE)
    assert db.session.scalar(count) == 1


def test_an_invitation_is_used_once(app):
    firm = people.organisation()
    word = staff.invite(people.actor(("owner", firm)), no_of(firm), "13900001111", "editor")
    invited = [people.actor() for _ in range(THREADS)]
    assert len(won(_in_threads(app, lambda n: staff.accept_invitation(invited[n], word)))) == 1
    assert len(grants.held(firm)) == 2


def test_one_owner_stays(app):
    firm = people.organisation()
    owners = [people.actor(("owner", firm)) for _ in range(THREADS)]
    no = no_of(firm)
    db.session.rollback()
    left = won(_in_threads(app, lambda n: staff.end_membership(owners[n], no, owners[n].id)))
    assert len(left) == THREADS - 1
    assert len(grants.held(firm)) == 1


def test_one_of_eight_decides(app):
    firm = people.organisation(verified=False)
    owner, no = people.actor(("owner", firm)), no_of(firm)
    verifications.keep_licence(owner, no, "a.pdf", b"%PDF-1.4")
    declared = {"legal_representative": "李四", "registered_address": "某街 1 号"}
    case = verifications.submit(owner, no, declared)
    clerks = [people.actor(("county", None, "511402")) for _ in range(THREADS)]
    db.session.rollback()

    def decide(number):
        action = "verify" if number % 2 else "reject"
        verifications.decide(clerks[number], case, action, {"reason": "核对过"})
        return action

    done = won(_in_threads(app, decide))
    assert len(done) == 1
    state = db.session.scalar(select(Verification.state))
    assert state == {"verify": "verified", "reject": "rejected"}[done[0]]
    told = select(AuditEntry.action).where(AuditEntry.object_kind == "verification")
    assert list(db.session.scalars(told.order_by(AuditEntry.id))) == [
        "verification.begin",
        f"verification.{done[0]}",
    ]
