"""What a draft lacks before it may be sent, and what it looks like among the published ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from market.catalogue import naming, terms
from market.catalogue import rules as listing_rules
from market.catalogue.content import TERM_FIELDS
from market.catalogue.dates import past_validity
from market.catalogue.publishing import rules
from market.catalogue.publishing.attachments import files_of_edit
from market.catalogue.publishing.drafts import region_of
from market.catalogue.publishing.models import Submission
from market.catalogue.similar import likest, numbers_in
from market.core.errors import Invalid
from market.core.ports import Known, Market


@dataclass(frozen=True)
class Checked:
    """A draft as the schema reads it.

    content: the good values, ready for a revision. errors: messages by field. unknown: words that
    stand in no code list, kept as text. alike: published listings that may be the same thing, each
    with a sentence.
    """

    content: Mapping[str, Any]
    errors: Mapping[str, list[str]]
    completeness: int
    advice: tuple[str, int] | None
    alike: Sequence[tuple[str, Known]] = field(default_factory=tuple)


def check(row: Submission) -> Checked:
    """Read a draft; nothing is searched for yet. Call outside a unit of work."""
    kind = row.kind
    content, errors = rules.load(kind, row.content)
    region_id, wrong = row.region_id, ""
    if row.content.get("region", "").strip() != row.region.full_name:
        found, wrong = region_of(row.content)
        region_id = found or region_id
    if wrong:
        errors["region"] = [wrong]
    if late := past_validity(content.get("valid_until")):
        errors["valid_until"] = [late]
    if not row.cleared:
        errors["cleared"] = [rules.CLEARANCE_OF_OTHERS if row.for_others else rules.CLEARANCE]
    content.pop("region", None)
    for key, scheme in TERM_FIELDS.items():
        if content.get(key):
            content[key], _ = terms.resolve(scheme, content[key])
    content["region_id"] = region_id
    for key, words in _names_itself(row, content):
        errors.setdefault(key, []).append(words)
    return Checked(
        content,
        errors,
        listing_rules.completeness(kind, content),
        listing_rules.next_improvement(kind, content),
    )


def _names_itself(row: Submission, content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Where a firm that keeps its name back writes it all the same: field and sentence."""
    if not naming.hides(content):
        return []
    names = naming.names_of(row.organisation_id, row.owner.name)
    written = dict(content)
    for file in files_of_edit(row):
        parts = (written.get("files"), file.name, file.caption)
        written["files"] = "；".join(one for one in parts if one)
    found = naming.naming_fields(written, names)
    return [(key, naming.NAMES_ITSELF) for key in found]


def require_complete(row: Submission) -> Mapping[str, Any]:
    """The content of a draft that may be sent.

    Raises:
        Invalid: with messages by field.
    """
    checked = check(row)
    if checked.errors:
        raise Invalid(checked.errors)
    return checked.content


def alike(row: Submission, content: Mapping[str, Any], market: Market) -> list[tuple[str, Known]]:
    """Published listings that look like this draft: by title, or by a number that names one thing."""
    own = row.listing.no
    found: dict[str, tuple[str, Known]] = {}
    title = content.get("title")
    if title and (nearest := likest(row.kind, title, own)) is not None:
        score, known = nearest
        words = "名称相同" if score == 1 else f"名称很像（{score:.0%}）"
        found[known.no] = (words, known)
    for _, number in numbers_in(content):
        for known in market.finder.by_number(number):
            if known.no != own:
                found.setdefault(known.no, (f"也用了号码 {number}", known))
    return list(found.values())
