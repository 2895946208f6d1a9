"""What stands in a text that its writer and its reviewer should look at again. Refuses nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from market.catalogue.dates import past_deadline
from market.catalogue.publishing import rules


@dataclass(frozen=True)
class Hint:
    """Something about a field."""

    field: str
    label: str
    message: str


def hints(kind: str, typed: Mapping[str, str]) -> list[Hint]:
    """The hints on what was typed, in the order of the fields."""
    content, _ = rules.load(kind, typed)
    late = past_deadline(content.get("deadline"))
    found = [("deadline", late)] if late else []
    known = rules.fields_of(kind)
    return [Hint(key, known[key].metadata["label"], words) for key, words in found]
