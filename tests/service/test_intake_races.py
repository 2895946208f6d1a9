"""Several clerks at one case, several browsers with one code: one wins."""

import threading

from sqlalchemy import func, select

from market.accounts.models import Organisation
from market.accounts.people.models import Person, RoleGrant
from market.catalogue.intake import claiming, service
from market.catalogue.intake.models import Intake
from market.catalogue.publishing.models import Submission
from market.core.db import db
from market.core.errors import Conflict, MarketError
from market.core.models import AuditEntry, CaseEvent
from market.core.permissions import PUBLIC
from tests import people
from tests.service.test_intake import ASKED, SAID, code_sent
from tests.web.test_intake import FORM, fields_of
from tests.web.test_intake import SAID as TYPED

THREADS = 8


def at_once(app, act):
    """Run `act` in eight threads at once; returns results, refusals included."""
    results, barrier = [], threading.Barrier(THREADS)

    def one():
        with app.app_context(), app.test_request_context():
            barrier.wait()
            try:
                results.append(act())
            except MarketError as error:
                results.append(error)
            db.session.remove()

    threads = [threading.Thread(target=one) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def tabs(app, most):
    """Pages 核对 of one first demand in one browser: what each would send, and the browser."""
    browser = app.test_client()
    form = fields_of(browser.get(FORM)) | TYPED
    check = browser.post(FORM, data=form | {"step": "check"}).headers["Location"]
    sent = [fields_of(browser.get(check)) | {"step": "send"} for _ in range(most)]
    assert len({one["once"] for one in sent}) == most
    return sent, browser.get_cookie("form").value


def count(model, *where):
    return db.session.scalar(select(func.count()).select_from(model).where(*where))


def test_eight_clerks_complete_one_case_once(app):
    clerk, place = people.actor(("county", None, "511402")), people.region("511402").id
    no = service.enter(clerk, ASKED, place)
    done = at_once(app, lambda: service.complete(clerk, no, SAID, place))
    assert [type(one) for one in done if not isinstance(one, str)] == [Conflict] * (THREADS - 1)
    assert count(Submission) == 1
    assert count(Organisation, Organisation.name == SAID["firm"]) == 1
    assert count(AuditEntry, AuditEntry.action == "intake.complete") == 1
    assert count(CaseEvent, CaseEvent.action == "complete") == 1


def test_eight_browsers_claim_with_one_code_once(app):
    clerk, place = people.actor(("county", None, "511402")), people.region("511402").id
    service.enter_and_complete(clerk, ASKED, place)
    no = db.session.scalars(select(Intake.no)).one()
    claiming.send_code(clerk, no)
    code, before = code_sent(), count(Person)
    db.session.rollback()

    def act():
        said = SAID["telephone"], code
        return claiming.claim(PUBLIC, *said, password="pao4cai4-good", address="192.0.2.9")

    done = at_once(app, act)
    assert len([one for one in done if isinstance(one, claiming.Claimed)]) == 1
    assert count(Person) == before + 1
    assert count(RoleGrant, RoleGrant.role == "owner") == 1


def test_tabs_that_send_the_same_demand_at_once_send_it_once(demo):
    sent, cookie = tabs(demo, 4)
    before, led, barrier = count(Intake), [], threading.Barrier(len(sent))
    db.session.rollback()

    def one(fields):
        client = demo.test_client()
        client.set_cookie("form", cookie)
        barrier.wait()
        led.append(client.post(FORM, data=fields).headers.get("Location"))

    threads = [threading.Thread(target=one, args=(fields,)) for fields in sent]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()
    assert count(Intake) == before + 1
    assert len(led) == len(sent)
    assert len(set(led)) == 1
    assert "/intakes/receipt/" in led[0]
