"""A demonstration firm that keeps its name back, and lets one who asks know it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from market.demo.play import Play, actor, listing, own_organisation
from market.matching import inquiring
from market.matching import service as inquiries
from market.matching.names import service
from market.matching.schemas import NeedSchema

Line = Mapping[str, Any]


def name(play: Play, line: Line) -> None:
    """Somebody asks about a demand without knowing whose it is; the firm answers and tells him."""
    who, about = actor(line["by"]), listing(line["about"])
    own = own_organisation(who)
    with play.step(line["ago"]):
        asker = inquiring.member(who, (own.id, own.name))
        no = inquiring.ask(who, about.kind, about.no, asker, NeedSchema().load(line["said"]))
    for step in line["steps"]:
        with play.step(step["ago"]):
            if step["do"] == "say":
                inquiries.say(actor(step["by"]), no, step["text"])
            else:
                service.act(actor(step["by"]), "inquiry", no, step["do"], step.get("means"))
