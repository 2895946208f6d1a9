"""Technology contracts for tests: filed, examined, registered here or elsewhere, by the services."""

from __future__ import annotations

import itertools
from datetime import date, timedelta

from sqlalchemy import insert, select

from market.contracts import content, examining, filing, locking, queries
from market.contracts.desk import elsewhere
from market.contracts.models import Contract, ContractVersion
from market.contracts.schemas import ContentSchema
from market.core import clock, files
from market.core.db import db
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.regions import queries as regions
from market.service_points.models import Admission
from tests import people

PDF = b"%PDF-1.4\n%%EOF\n"
FIELDS = {
    "title": "复合调味包常温胀袋控制",
    "contract_class": "development",
    "subclass": "commissioned",
    "signed_on": "2026-01-05",
    "valid_from": "2026-01-05",
    "valid_to": "2028-01-04",
    "field": "agriculture",
    "rights": [{"kind": "none"}],
    "total_fen": "280000",
    "technical_fen": "250000",
    "non_technical_fen": "30000",
    "payment": "once",
    "subject": "常温胀袋率由 3.2 % 降到 0.5 % 以下，货架期由 6 个月延长到 9 个月。",
    "sellers": [
        {
            "name": "食品研究所",
            "uscc": "12511402DEM900001X",
            "region_code": "360982",
            "legal_person": "李四",
            "contact": "王小五",
            "telephone": "13900000001",
        }
    ],
    "buyers": [{"name": "调味品厂", "region_code": "511402", "telephone": "13900000002"}],
}
_serials = itertools.count(1)


def values(**more):
    """All fields of a contract as the service takes them, some of them other ones."""
    return ContentSchema().load({**FIELDS, **more})


def body(mode="own", code=None):
    """A registration body of the demonstration directory."""
    query = select(Admission).where(Admission.mode == mode, Admission.state == "active")
    found = db.session.scalars(query.order_by(Admission.id)).all()
    return next(one for one in found if code is None or one.region.code == code)


def examiners(of):
    """A first and a second examiner of a body."""
    return (
        people.actor(("first_examiner", of.organisation_id), name="初审"),
        people.actor(("second_examiner", of.organisation_id), name="复审"),
    )


def row(no):
    """The contract with this number."""
    return db.session.scalars(select(Contract).where(Contract.no == no)).one()


def with_text(no):
    """Attach the contract's text."""
    upload = files.take_in("合同.pdf", PDF)
    contract = queries.find(SYSTEM, no)
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        files.attach(work, upload, "contract", contract.id, purpose="contract")
    return no


def number():
    """A registration number of the national system that nobody has."""
    return f"2026000000{next(_serials):06d}"


def drafted(filer, seller_id, **fields):
    """A draft with its text."""
    return with_text(filing.begin(filer, seller_id, values(**fields)))


def registered_here(filer, seller_id, of, **fields):
    """Registered in a body's own register, by two examiners."""
    no = drafted(filer, seller_id, **fields)
    first, second = examiners(of)
    filing.submit(filer, no, of.no)
    examining.accept(first, no)
    examining.examine(first, no, {"opinion": "符合"})
    examining.register(second, no)
    return no


def registered_nationally(filer, seller_id, office, body_no=None, **fields):
    """Examined beforehand by a body or an office; the national system's result typed in."""
    no = drafted(filer, seller_id, **fields)
    filing.submit(filer, no, body_no)
    examining.accept(office, no)
    examining.step(office, no, "clear")
    examining.record(office, no, result(no))
    return no


def result(no, **more):
    """What the national system says of a contract, as it was filed."""
    contract = row(no)
    return {
        "registration_no": number(),
        "registered_on": date(2026, 2, 2),
        "registered_by": "技术合同登记处",
        "total_fen": contract.total_fen,
        "technical_fen": contract.technical_fen,
        **more,
    }


def recorded_elsewhere(office, code, **fields):
    """补录: a county records what the seller registered at another place."""
    given = values(**fields)
    told = {name: given.get(name) for name in ("title", "contract_class", "subclass", "field")}
    told |= {name: given[name] for name in ("signed_on", "total_fen", "technical_fen")}
    for side in ("seller", "buyer"):
        one = given[f"{side}s"][0]
        told |= {side: one["name"], f"{side}_uscc": one.get("uscc")}
        told[f"{side}_region"] = regions.view(people.region(one["region_code"]))
    told |= {"registration_no": number(), "registered_on": date(2026, 2, 2)}
    told["registered_by"] = "技术合同登记处"
    return elsewhere.record(office, told, area=people.region(code).path)


def helped_by(no, point):
    """Let a service point help with a contract, as its filer would in writing, for a year."""
    given = {"point_id": point.id, "point_until": clock.today() + timedelta(days=365)}
    known = Contract.__table__.columns.keys()
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        locking.touch(row(no), **{name: value for name, value in given.items() if name in known})


def many_examined(count, of):
    """So many contracts that wait for the second examiner, made at once; returns their numbers."""
    seller = people.organisation("食品研究所", kind="institute", code="360982")
    packed = content.pack(values())
    now, digest = clock.now(), content.digest(packed)
    nos = [f"HT9{index:07d}" for index in range(count)]
    shared = {
        "mode": "own",
        "state": "examined",
        "filer_id": seller,
        "body_id": of.id,
        "office_region_id": of.region_id,
        "version": 1,
        "shows": {},
        "due_provisional": False,
        "demo": False,
        "lock_version": 1,
        "created_at": now,
        "updated_at": now,
        **locking.columns_of(packed),
        "seller_id": seller,
    }
    with unit_of_work(SYSTEM, may_be_long=True) as work:
        work.require(people.MAKE)
        db.session.execute(insert(Contract), [{"no": no, **shared} for no in nos])
        ids = db.session.scalars(select(Contract.id).where(Contract.no.in_(nos))).all()
        version = {
            "version": 1,
            "state": "working",
            "content": packed,
            "hash": digest,
            "origins": {},
            "findings": {},
            "author": "测试",
            "created_at": now,
            "updated_at": now,
        }
        db.session.execute(
            insert(ContractVersion), [{"contract_id": one, **version} for one in ids]
        )
    return nos
