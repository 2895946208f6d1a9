"""What holds for admissions, as pure functions; each returns the sentence that tells what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from market.core.money import show_yuan
from market.service_points.models import (
    AMOUNT_BASES,
    BODY,
    BODY_POWERS,
    KINDS,
    PLACES,
    POINT,
    POINT_POWERS,
    POWERS,
)

SOON = timedelta(days=60)  # before its end an admission rises on the office's list
WARNED = timedelta(days=30)  # before its end an organisation is told
MOST_ROWS = 20_000  # of a table to take away
MOST_IMPORTED = 1_000  # rows of a file, which are written in one transaction


@dataclass(frozen=True)
class Above:
    """What a body lets those below it do. areas: paths of the regions that it serves."""

    title: str
    areas: Sequence[str]
    valid_from: date
    valid_to: date | None
    amount_fen: int | None
    amount_base: str | None


def period_trouble(begins: date, ends: date | None) -> str | None:
    """Validity that ends before it begins."""
    if ends is not None and ends < begins:
        return f"有效期止（{ends}）早于有效期起（{begins}），请核对。"
    return None


def powers_trouble(kind: str, powers: Iterable[str]) -> str | None:
    """Powers that this kind can never have.

    A service point helps and never certifies: only bodies examine, register and certify (2000 年
    技术合同认定登记管理办法 art. 3).
    """
    strange = [power for power in powers if power not in POWERS.get(kind, {})]
    if not strange:
        return None
    words = "、".join((BODY_POWERS | POINT_POWERS)[power] for power in strange)
    if kind == POINT:
        may = "、".join(POINT_POWERS.values())
        return f"服务点不能「{words}」：这是登记机构的权限。服务点只能{may}。"
    if kind == BODY:
        may = "、".join(BODY_POWERS.values())
        return f"「{words}」是服务点的事项，登记机构的权限是{may}。"
    return f"{KINDS[kind]}不办登记，没有「{words}」这项权限，请清空。"


def belongs_to_body_trouble(kind: str, key: str) -> str | None:
    """Columns that only registration bodies (for `parent`, also service points) have."""
    if kind == BODY or (key == "parent" and kind == POINT):
        return None
    words = {"parent": "登记机构和服务点", "units": "登记机构"}.get(key, "登记机构")
    return f"只有{words}才填这一项，请清空。"


def outside(paths: Iterable[str], parents: Sequence[str]) -> list[str]:
    """The paths of regions that lie in none of the parent's regions."""
    return [path for path in paths if not any(path.startswith(above) for above in parents)]


def area_trouble(names: Sequence[str], parent: str) -> str:
    """A service area that reaches beyond that of the parent."""
    shown = "、".join(names[:3]) + (" 等" if len(names) > 3 else "")
    return f"「{shown}」不在上级「{parent}」的服务范围内：请改小范围，或先请上级扩大它的范围。"


def reach_trouble(names: Sequence[str]) -> str:
    """A body or a point that is to serve what its office does not look after."""
    shown = "、".join(names[:3]) + (" 等" if len(names) > 3 else "")
    return f"「{shown}」不在您负责的地区：跨地区的服务范围请由上级科技管理部门录入。"


def overlaps(begins: date, ends: date | None, from_: date, until: date | None) -> bool:
    """Whether two periods share a day; an end that is not known is far away."""
    return (ends is None or from_ <= ends) and (until is None or begins <= until)


def twice_trouble(kind: str, no: str, place: str) -> str:
    """The same organisation admitted a second time at the same time."""
    where = f"在{place}" if kind in PLACES else ""
    return f"这家单位{where}同一时间已经是{KINDS[kind]}（{no}）：请修改那一条，或把有效期错开。"


def location_trouble(latitude: float | None, longitude: float | None) -> str | None:
    """Half a place on the map."""
    if (latitude is None) != (longitude is None):
        return "经度和纬度要么都填，要么都空着。"
    return None


def ended_trouble(title: str, no: str) -> str:
    """A parent that has ended."""
    return f"「{title}」（{no}）已终止，不能作上级：请另选一家在册的登记机构。"


def over_trouble(above: Above, begins: date, today: date) -> str | None:
    """A parent whose time is over before this one begins, or today."""
    if above.valid_to is None or above.valid_to >= max(begins, today):
        return None
    return f"上级「{above.title}」的有效期到 {above.valid_to} 为止，不能再作上级：请先给它续期，或另选一家。"


def amount_trouble(amount: int | None, base: str | None, above: Above) -> str | None:
    """A limit beyond that of the parent.

    A technical value is part of a total value, so a limit on the whole of a contract says nothing
    against a parent's limit on that part; all others are compared as they stand.
    """
    if amount is None or above.amount_fen is None or amount <= above.amount_fen:
        return None
    if (base, above.amount_base) == ("total_value", "technical_value"):
        return None
    words = f"{show_yuan(above.amount_fen)}（{AMOUNT_BASES[above.amount_base or 'unknown']}）"
    return f"登记限额超过了上级「{above.title}」的{words}：请改小，或先请上级的限额改大。"
