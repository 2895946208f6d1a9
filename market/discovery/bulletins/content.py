"""What a bulletin says of a listing: copied when it is issued, hidden when its owner takes it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from market.catalogue.models import KINDS, STAGES
from market.catalogue.queries import PATHS, ListingView
from market.core.languages import N_

_LONGEST = 160  # characters of what it solves, and of its result
# Why a line of an issued bulletin says less than it did. The owner who withdraws a listing, and the
# office that takes one down, withdraw what it says; that it was named here stays on record.
HIDDEN = {
    "withdrawn": N_("信息已由发布单位撤回，内容不再显示。"),
    "taken_down": N_("信息已由科技管理部门下架，内容不再显示。"),
}
_NOTES = {"closed": N_("这项需求已结束，内容为发布时的文字。")}
_LABELS = {"withdrawn": N_("已撤回"), "taken_down": N_("已下架"), "closed": N_("已结束")}


def frozen(listing: ListingView) -> dict[str, Any]:
    """The texts of a listing as they are now."""
    best = listing.shown.get("result") or listing.shown.get("targets") or ""
    return {
        "no": listing.no,
        "kind": listing.kind,
        "title": listing.title,
        "solves": _short(listing.shown.get("problem") or listing.summary),
        "best": _short(best),
        "stage": listing.content.get("stage") or "",
        "price": str(listing.shown.get("price") or ""),
        "contact": str(listing.shown.get("contact") or ""),
        "telephone": listing.phone.telephone if listing.phone else "",
        "owner": listing.owner.name,
        "region": listing.region.full_name,
        "demo": listing.demo,
    }


def _short(value: Any) -> str:
    text = "；".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


@dataclass(frozen=True)
class Line:
    """A listing in a bulletin. Where `note` hides it, only number and title are left."""

    no: str
    kind: str
    title: str
    solves: str
    best: str
    stage: str
    price: str
    contact: str
    telephone: str
    owner: str
    region: str
    demo: bool
    state: str
    state_label: str
    note: str

    @property
    def url(self) -> str:
        """The listing's page; "" where it is closed to readers."""
        return "" if self.hidden else f"/{PATHS[self.kind]}/{self.no}"

    @property
    def hidden(self) -> bool:
        return self.state in HIDDEN

    @property
    def kind_label(self) -> str:
        return KINDS[self.kind]

    @property
    def stage_label(self) -> str:
        return STAGES.get(self.stage, "")


_KEPT = ("no", "kind", "title", "demo")
_TEXTS = ("solves", "best", "stage", "price", "contact", "telephone", "owner", "region")


def line(content: Mapping[str, Any], state: str) -> Line:
    """A line as readers see it now.

    Args:
        content: as it was frozen; state: of the listing now.
    """
    hidden = state in HIDDEN
    texts: dict[str, Any] = {name: "" if hidden else content[name] for name in _TEXTS}
    return Line(
        **{name: content[name] for name in _KEPT},
        **texts,
        state=state,
        state_label=_LABELS.get(state, ""),
        note=HIDDEN.get(state) or _NOTES.get(state, ""),
    )
