"""An order before it is placed: its provider by name, what it would get, how much a voucher bears."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from market.accounts.models import Organisation
from market.core.errors import Conflict, Invalid
from market.core.permissions import Actor
from market.vouchers import ordering
from market.vouchers.facts import Facts, Item, Outcome, Reason
from market.vouchers.firm_pages import queries
from market.vouchers.firm_pages.schemas import facts_in
from market.vouchers.knowing import firm_of
from market.vouchers.locking import seen, today
from market.vouchers.models import Scheme, SchemeVersion, Voucher
from market.vouchers.related import relations
from market.vouchers.rules import compute, voucher_ends
from market.vouchers.schemes import live_version, sheet_of
from market.vouchers.sheet import Sheet
from market.vouchers.workflow import READ_VOUCHER, VIEW

_FIELDS = (
    "voucher", "scheme", "service", "title", "note", "price_fen", "units", "voucher_fen",
    "contract_no", "service_from", "service_to",
)  # fmt: skip


@dataclass(frozen=True)
class Source:
    """What an order or a claim is under: a scheme's version, perhaps a voucher of it."""

    scheme: Scheme
    version: SchemeVersion
    voucher: Voucher | None = None

    @property
    def sheet(self) -> Sheet:
        return sheet_of(self.version)


@dataclass(frozen=True)
class Looked:
    """What is said before an order is placed.

    most_fen: what the voucher may bear at most; None: it cannot be told yet.
    relations: how firm and provider are related, in words; the scheme's own test is in `outcome`.
    until: the last day of the voucher, or of one whose clock starts today.
    """

    outcome: Outcome | None
    most_fen: int | None
    until: date | None
    provider: Organisation | None
    relations: Sequence[str]
    listed: bool

    @property
    def refusals(self) -> Sequence[Reason]:
        """Why nothing would be paid."""
        found = self.outcome.reasons if self.outcome else ()
        return [one for one in found if one.weight == "refuse"]


def source(actor: Actor, voucher_no: str, scheme_no: str) -> Source | None:
    """What a form is about; None: nothing was named yet.

    Raises:
        NotFound: no such voucher or scheme for this actor. Conflict: the scheme takes nothing now.
    """
    if voucher_no:
        voucher = seen(Voucher, actor, READ_VOUCHER, voucher_no)
        return Source(voucher.scheme, voucher.version, voucher)
    if scheme_no:
        scheme = seen(Scheme, actor, VIEW, scheme_no)
        return Source(scheme, live_version(scheme))
    return None


def look(found: Source, firm: Organisation, values: Mapping[str, Any]) -> Looked:
    """What an order would get by the rules, before anything is done."""
    provider = queries.provider_named(values["provider"]) if values.get("provider") else None
    known = relations(firm, provider) if provider is not None else {}
    outcome, most = None, None
    if values.get("service") and values.get("price_fen"):
        item = Item(values["service"], values["price_fen"], values.get("units"))
        facts = Facts(
            day=today(), stage="order", items=[item], relations=frozenset(known),
            firm=firm_of(firm, found.scheme, today(), facts_in(values)),
            year=found.voucher.year if found.voucher else None,
        )  # fmt: skip
        outcome = compute(found.version.content, facts)
        most = outcome.ceiling_fen if outcome.amount_fen is None else outcome.amount_fen
    if found.voucher is not None and most is not None:
        most = min(most, found.voucher.left_fen)
    return Looked(
        outcome, most, _until(found), provider, list(known.values()),
        provider is not None and ordering.is_provider(provider.id),
    )  # fmt: skip


def _until(found: Source) -> date | None:
    voucher = found.voucher
    if voucher is None or voucher.ends_on is not None:
        return voucher.ends_on if voucher else None
    return voucher_ends(found.sheet, today()) if found.sheet.validity_starts == "order" else None


def place(actor: Actor, firm_id: int, values: Mapping[str, Any]) -> str:
    """Place an order; the provider is given by name, code or number. Returns the order's number.

    Raises:
        Invalid: see `ordering.place`; the messages stand at the fields of the form.
    """
    provider = queries.provider_named(values.get("provider") or "")
    if provider is None:
        raise Invalid({"provider": ["名录里没有这家服务机构，请从列出的名称中选择。"]})
    if not values.get("voucher") and not values.get("scheme"):
        raise Conflict("请先选择用哪张券，或按哪个办法。")
    told = {name: values.get(name) for name in _FIELDS} | {"provider_id": provider.id}
    return ordering.place(actor, firm_id, {**told, "facts": facts_in(values)})
