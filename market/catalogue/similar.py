"""Warnings for rows of an import that look like another listing, published or in the same file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask import current_app

from market.catalogue.duplicates import ALIKE, DIFFERENT, Alike, likeness
from market.core.ports import Known, Market
from market.core.sheets import Row
from market.core.text import fold, title_key

# Fields whose number names one thing in the world.
_NUMBERS = ("variety_approval_no", "variety_right_no", "registration_no")
_SHOWN = 40  # characters of the other title that a sentence repeats


def likest(kind: str, title: str, own_no: str | None = None) -> tuple[float, Known] | None:
    """The published listing whose title is most like this one, None when none is alike.

    Args:
        own_no: the listing that bears the title itself, if it is published.
    """
    market: Market = current_app.extensions["market"]
    key = title_key(title)
    scored = [
        (likeness(key, title_key(known.title)), known)
        for known in market.finder.by_title(kind, title)
        if known.no != own_no
    ]
    alike = [pair for pair in scored if pair[0] >= ALIKE]
    return max(alike, key=lambda pair: pair[0], default=None)


def numbers_in(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The fields of a listing that hold numbers, each with one of its numbers."""
    for item in content.get("ip") or ():
        yield "ip", item["number"]
    for name in _NUMBERS:
        if content.get(name):
            yield name, content[name]


class Similar:
    """Judges the rows of one file, as they come."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._titles: Alike[int] = Alike()
        self._numbers: dict[tuple[str, str], int] = {}

    def judge(self, row: Row, content: Mapping[str, Any], own_no: str | None = None) -> None:
        """Warn of a title or a number that stands in another row or listing.

        Args:
            own_no: the listing that the row means, if there is one.
        """
        title = content["title"]
        inside = self._titles.find(title_key(title))
        self._titles.add(title_key(title), row.number)
        if inside is not None:
            score, number = inside
            message = f"与第 {number} 行的名称很像（{score:.0%}）：若是同一项，请只留一行。"
            row.report("title", message, warning=True)
        elif found := likest(self._kind, title, own_no):
            row.report("title", _alike(*found), warning=True)
        for field, number_text in numbers_in(content):
            self._judge_number(row, field, number_text, own_no)

    def _judge_number(self, row: Row, field: str, number: str, own_no: str | None) -> None:
        first = self._numbers.setdefault((field, fold(number)), row.number)
        if first != row.number:
            row.report(
                field, f"{number} 在第 {first} 行也有：若是同一项，请只留一行。", warning=True
            )
            return
        market: Market = current_app.extensions["market"]
        for known in market.finder.by_number(number):
            if known.no != own_no:
                message = f"{number} 已用于 {_name(known)}：若是同一项，请填它的编号再导入。"
                row.report(field, message, warning=True)
                return


def warn_of_other_title(row: Row, content: Mapping[str, Any], no: str, held_title: str) -> None:
    """Warn when a row names a listing by number but calls it quite differently.

    Args:
        held_title: key of the title that the listing bears now.
    """
    if likeness(title_key(content["title"]), held_title) < DIFFERENT:
        message = f"{no} 现在的名称与这里差别很大，请核对编号是否填错了行。"
        row.report("title", message, warning=True)


def warn_of_same_title(row: Row, no: str) -> None:
    """Warn when nothing but its title says which listing a row changes."""
    if not row.values.get("no"):
        message = f"与 {no} 同名，按它的更新导入；是另一项请换一个名称。"
        row.report("title", message, warning=True)


def _alike(score: float, known: Known) -> str:
    same = "相同" if score == 1 else f"很像（{score:.0%}）"
    return f"与 {_name(known)}的名称{same}：若是同一项，请填它的编号再导入。"


def _name(known: Known) -> str:
    title = known.title if len(known.title) <= _SHOWN else known.title[: _SHOWN - 1] + "…"
    return f"{known.no}「{title}」（{known.owner}）"
