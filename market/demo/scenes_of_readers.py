"""What readers keep and subscribe to, and the bulletins that offices issue for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from market.demo.play import Play, actor, listing
from market.discovery.bulletins import jobs
from market.discovery.bulletins import service as bulletins
from market.discovery.saved import service as saved_searches
from market.discovery.saved.schemas import SaveSchema

Line = Mapping[str, Any]


def saved(play: Play, line: Line) -> None:
    """Somebody keeps a search; some pause it."""
    who = actor(line["by"])
    with play.step(line["ago"]):
        key = saved_searches.save(who, SaveSchema().load(line["said"]))
        if line.get("paused"):
            saved_searches.pause(who, key)


def subscription(play: Play, line: Line) -> None:
    """Somebody wants to hear of a county's bulletins."""
    with play.step(line["ago"]):
        bulletins.subscribe(actor(line["by"]), line["region"], line.get("language", "zh"))


def bulletin(play: Play, line: Line) -> None:
    """A bulletin on its way."""
    who = actor(line["by"])
    with play.step(line["ago"]):
        no = bulletins.draft(who, line["region"], demo=True)
        order = [listing(source_id).no for source_id in line["items"]]
        bulletins.save(who, no, line["said"], order)
    for step in line["steps"]:
        with play.step(step["ago"]):
            bulletins.act(actor(step["by"]), no, step["do"], step.get("reason"))
            while jobs.tell_subscribers():
                pass
