"""The form of a claim as cells: `items-1-cost_fen`; nothing typed is lost by reading it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from marshmallow import Schema
from werkzeug.datastructures import MultiDict

from market.core.errors import Invalid
from market.core.fields import Choice, Choices, Words
from market.core.forms import Form, read_form
from market.vouchers.checking import invoice_key
from market.vouchers.claim_models import Claim
from market.vouchers.firm_pages.schemas import FactsSchema
from market.vouchers.typed import BankSchema, ClaimSchema, InvoiceSchema, ItemSchema

_CELL = re.compile(r"(items|invoices)-([1-9]\d?)-([a-z_]+)")
ROWS: Mapping[str, tuple[type[Schema], str]] = {
    "items": (ItemSchema, "服务"),
    "invoices": (InvoiceSchema, "发票"),
}
PLAIN = ("contract_no", "service_from", "service_to", "asked_fen")
_PLAIN_SCHEMA = ClaimSchema(only=PLAIN)
MOST = {"items": 30, "invoices": 60}


@dataclass
class Read:
    """What a form of a claim says. errors: cell → sentence; labels: cell → what it is called."""

    values: dict[str, Any]
    errors: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)


def read(sent: MultiDict[str, str]) -> Read:
    """The values of a form; rows that are all blank are none."""
    found = Read({})
    for name, (schema, label) in ROWS.items():
        found.values[name] = [
            values
            for number in _numbers(sent, name)
            if (values := _row(found, sent, f"{name}-{number}", schema(), f"{label} {number}"))
        ]
    for one in found.values["invoices"]:
        one |= {name: "".join(one[name].split()) for name in ("number", "code") if one.get(name)}
    for row in _numbers(sent, "invoices"):
        _judge_number(found, f"invoices-{row}")
    bank = _row(found, sent, "bank", BankSchema(), "收款账户")
    if bank:
        found.values["bank"] = bank
    found.values["facts"] = _row(found, sent, "facts", FactsSchema(), "企业情况") or {}
    form = read_form(_PLAIN_SCHEMA, sent)
    _take(found, form, "", _PLAIN_SCHEMA, "")
    found.values |= form.values
    begins, ends = found.values.get("service_from"), found.values.get("service_to")
    if begins and ends and begins > ends:
        found.errors["service_to"] = "完成日期早于开始日期。"
    if not found.values["items"] and not any(one.startswith("items-") for one in found.errors):
        found.errors["items-1-cost_fen"] = "请至少填一项服务和费用。"
    return found


def _numbers(sent: MultiDict[str, str], name: str) -> list[int]:
    matches = (_CELL.fullmatch(one) for one in sent)
    numbers = {int(one[2]) for one in matches if one is not None and one[1] == name}
    return sorted(one for one in numbers if one <= MOST[name])


def _row(
    found: Read, sent: MultiDict[str, str], prefix: str, schema: Schema, label: str
) -> dict[str, Any] | None:  # fmt: skip
    """The values of a row; None when it is blank. Its mistakes go to `found`."""
    part: MultiDict[str, str] = MultiDict(
        (one.removeprefix(f"{prefix}-"), text)
        for one in sent
        if one.startswith(f"{prefix}-")
        for text in sent.getlist(one)
    )
    form = read_form(schema, part)
    if not any(form.typed.values()):
        return None
    _take(found, form, f"{prefix}-", schema, label)
    return dict(form.values)


def _take(found: Read, form: Form, prefix: str, schema: Schema, label: str) -> None:
    for name, text in form.typed.items():
        found.typed[prefix + name] = text
        words = schema.fields[name].metadata.get("label", "")
        found.labels[prefix + name] = f"{label}：{words}" if label else words
    for name, messages in form.errors.items():
        found.errors[prefix + name] = " ".join(messages)


def _judge_number(found: Read, prefix: str) -> None:
    """Twenty digits alone, or the old code and number: told at once, at the number."""
    number = "".join(found.typed.get(f"{prefix}-number", "").split())
    if not number or f"{prefix}-number" in found.errors:
        return
    try:
        invoice_key("".join(found.typed.get(f"{prefix}-code", "").split()), number)
    except Invalid as error:
        found.errors[f"{prefix}-number"] = " ".join(error.fields["invoices"])


def write(claim: Claim) -> dict[str, str]:
    """A stored claim as the cells of its form. The account is sealed: its cells stay blank."""
    found: dict[str, str] = {}
    for number, one in enumerate(claim.items, start=1):
        found |= _cells(ItemSchema(), one, f"items-{number}-")
    for number, row in enumerate(claim.invoices, start=1):
        values = {name: getattr(row, name, None) for name in InvoiceSchema().fields}
        if row.currency == "CNY":
            values["currency"] = None  # what a blank cell means
        found |= _cells(InvoiceSchema(), values, f"invoices-{number}-")
    found |= _cells(FactsSchema(), claim.facts, "facts-")
    names = {name: getattr(claim, name) for name in PLAIN if name != "asked_fen"}
    if asked_less(claim):
        names["asked_fen"] = claim.asked_fen
    return found | _cells(_PLAIN_SCHEMA, names, "")


def asked_less(claim: Claim) -> bool:
    """Whether the claimant asks for another amount than the rules gave."""
    outcome = claim.outcome or {}
    given = outcome.get("amount_fen")
    bound = outcome.get("ceiling_fen") if given is None else given
    return bool(bound) and claim.asked_fen != bound


def _cells(schema: Schema, values: Mapping[str, Any], prefix: str) -> dict[str, str]:
    found = {}
    for name, one in schema.fields.items():
        value = values.get(name)
        if value is None or value == []:
            continue
        if isinstance(one, Choice):
            found[prefix + name] = str(value)
        elif isinstance(one, (Choices, Words)):
            found[prefix + name] = "；".join(value)
        else:
            found[prefix + name] = str(one.serialize(name, {name: value}))
    return found


def count(typed: Mapping[str, str], name: str, more: int = 0) -> int:
    """How many rows a form shows: those that are filled in, and blank ones to go on."""
    numbers = [int(one[2]) for key in typed if (one := _CELL.fullmatch(key)) and one[1] == name]
    return min(max(numbers, default=0) + more, MOST[name]) or 1
