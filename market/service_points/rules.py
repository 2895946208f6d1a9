"""What holds for admissions, as pure functions; each returns the sentence that tells what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from market.service_points.models import (
    BODY,
    BODY_POWERS,
    KINDS,
    PLACES,
    POINT,
    POINT_POWERS,
    POWERS,
)

SOON = timedelta(days=60)  # before its end an admission rises on the office's list
MOST_ROWS = 20_000  # of a table to take away
MOST_IMPORTED = 1_000  # rows of a file, which are written in one transaction


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
