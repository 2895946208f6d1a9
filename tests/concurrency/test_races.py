"""Real threads on one database."""

import threading
from datetime import timedelta

from sqlalchemy import select

from market.catalogue import service
from market.catalogue.models import Listing, Revision
from market.core import leases, numbers
from market.core.db import db
from market.core.errors import Conflict
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.core.worker import NODES

THREADS = 8


def _in_threads(app, work):
    """Run `work(number)` in eight threads at once; returns results, exceptions included."""
    results = [None] * THREADS
    barrier = threading.Barrier(THREADS)

    def one(number):
        with app.app_context():
            barrier.wait()
            try:
                results[number] = work(number)
            except Exception as error:
                results[number] = error
            db.session.remove()

    threads = [threading.Thread(target=one, args=(n,)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_numbers_are_never_given_twice(app):
    def take(_number):
        taken = []
        for _ in range(20):
            with unit_of_work(SYSTEM) as work:
                work.require(NODES)
                taken += numbers.take("CG2026", 3)
        return taken

    taken = [number for result in _in_threads(app, take) for number in result]
    assert sorted(taken) == list(range(1, THREADS * 20 * 3 + 1))


def test_eight_edits_of_one_listing_make_a_gapless_history(demo):
    no = db.session.scalar(select(Listing.no).limit(1))
    db.session.rollback()

    def edit(number):
        return service.revise(SYSTEM, no, {"contact": f"岗位 {number}"})

    results = _in_threads(demo, edit)
    done = sorted(result for result in results if isinstance(result, int))
    refused = [result for result in results if not isinstance(result, int)]
    assert all(isinstance(error, Conflict) for error in refused), refused
    assert done == list(range(2, 2 + len(done)))
    versions = select(Revision.version).join(Listing, Listing.id == Revision.listing_id)
    held = sorted(db.session.scalars(versions.where(Listing.no == no)))
    assert held == [1, *done]


def test_a_lease_has_one_holder(app):
    held = _in_threads(app, lambda n: leases.hold("sealer", f"holder {n}", timedelta(seconds=30)))
    assert sum(held) == 1
