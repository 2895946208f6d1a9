"""Whom the directory knows to invite into an intent: brokers, service points, bodies near a side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from market.accounts.models import Organisation
from market.core import clock
from market.core.permissions import Actor
from market.matching.intents.models import Intent
from market.regions import queries as regions
from market.service_points import queries as directory

MOST = 20
_KINDS = {
    "broker": ("transfer_institution",),
    "point": ("service_point", "registration_body"),
}


@dataclass(frozen=True)
class Choice:
    """Somebody of the directory who may be invited.

    no: of the organisation, which is what takes part; organisation: how the entry is called;
    person: who it is.
    """

    no: str
    organisation: str
    person: str
    what: str
    place: str
    url: str

    @property
    def key(self) -> str:
        """By which a form tells them apart: several people may be of one organisation."""
        return self.url.rsplit("/", 1)[1]


def choices(actor: Actor, intent: Intent, own: Organisation, role: str, q: str) -> list[Choice]:
    """Those who fit a role: by words, or without any those near one's own organisation.

    Args:
        own: the side of the reader; role: one of `models.ROLES`.
    """
    found = [*(_people(own, q) if role == "broker" else ())]
    for kind in _KINDS[role]:
        found += _places(actor, own, kind, q)
    parties = {intent.buyer.no, intent.seller.no}
    there = {row.owner.no for row in intent.invitations if row.state in ("proposed", "invited")}
    joined = {row.owner.no for row in intent.invitations if row.state == "joined"}
    return [one for one in found if one.no not in parties | there | joined][:MOST]


def _people(own: Organisation, q: str) -> Iterable[Choice]:
    """Brokers with an organisation, which is what takes part."""
    region = None if q else regions.view(own.region)
    for one in directory.specialists(region=region, kind="broker", q=q, limit=MOST):
        if one.organisation_no and one.organisation:
            yield Choice(
                one.organisation_no,
                one.organisation,
                one.name,
                one.kind_label,
                one.region.full_name,
                one.url,
            )


def _places(actor: Actor, own: Organisation, kind: str, q: str) -> list[Choice]:
    if q:
        rows = directory.search(actor, directory.Asked(q=q, kind=kind), 1, MOST).items
        return [_entry(one) for one in rows]
    if kind == "registration_body":
        near = directory.bodies_for(own, clock.today())
    else:
        near = directory.institutions_in(regions.view(own.region), kind=kind)
    return [_entry(directory.entry_of(row)) for row in near[:MOST]]


def _entry(one: directory.Entry) -> Choice:
    host = one.organisation if one.organisation != one.title else ""
    what = f"{one.kind_label}（{host}）" if host else one.kind_label
    return Choice(one.organisation_no, one.title, "", what, one.region.full_name, one.url)


def entries_of(intent: Intent) -> dict[int, tuple[str, str]]:
    """Where the directory tells of those invited: words and address by id of the organisation."""
    found = {}
    for row in intent.invitations:
        known = directory.of_organisation(row.organisation_id)
        if known:
            found[row.organisation_id] = (known[0].kind_label, known[0].url)
    return found
