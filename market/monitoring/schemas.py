"""What the address of a desk may say, and the form under its table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from marshmallow import EXCLUDE, Schema
from werkzeug.datastructures import MultiDict

from market.core.fields import Choice, Day, Line, LongText, Whole
from market.core.forms import read_form
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE
from market.core.workflow import LONGEST_REASON

TABS = {
    "mine": "我的待办",
    "unassigned": "待分配",
    "soon": "即将到期",
    "late": "已逾期",
    "returned": "已退回",
    "closed": "已办结",
    "open": "全部在办",
}
ORDERS = {"due": "到期在前", "opened": "最早在前"}
MOST_ROWS = 500  # cases that one act may take
MAX_ID = 2**53


class DeskSchema(Schema):
    """The filters of the desk, all in the address; what makes no sense is passed over."""

    class Meta:
        unknown = EXCLUDE

    tab = Choice(TABS)
    kind = Line(30)
    place = Line(12)
    assignee = Whole(0, 999_999_999)  # 0: nobody
    q = Line(60)
    order = Choice(ORDERS)
    page = Whole(1, EXACT_UP_TO)
    opened_from, opened_to = Day(), Day()
    closed_from, closed_to = Day(), Day()
    due_from, due_to = Day(), Day()


@dataclass(frozen=True)
class DeskForm:
    """A desk as asked for."""

    tab: str = "mine"
    kind: str = ""
    place: str = ""
    assignee: int | None = None
    q: str = ""
    order: str = "due"
    page: int = 1
    opened_from: date | None = None
    opened_to: date | None = None
    closed_from: date | None = None
    closed_to: date | None = None
    due_from: date | None = None
    due_to: date | None = None
    per_page: int = ROWS_PER_PAGE

    @property
    def narrowed(self) -> bool:
        """Whether anything but tab, order and page was chosen."""
        return self != DeskForm(
            tab=self.tab, order=self.order, page=self.page, per_page=self.per_page
        )

    @property
    def days(self) -> list[tuple[str, str, date]]:
        """Parameter, words and value of the dates that narrow it."""
        words = {
            "opened_from": "收到不早于",
            "opened_to": "收到不晚于",
            "closed_from": "办结不早于",
            "closed_to": "办结不晚于",
            "due_from": "到期不早于",
            "due_to": "到期不晚于",
        }
        found = [(name, label, getattr(self, name)) for name, label in words.items()]
        return [(name, label, value) for name, label, value in found if value is not None]


def read_desk(sent: MultiDict[str, str], **defaults: Any) -> DeskForm:
    """The desk that an address asks for; `defaults` for what it does not say."""
    return DeskForm(**{**defaults, **read_form(DeskSchema(), sent).values})


class BulkSchema(Schema):
    """The form under the table: what to do with the ticked cases."""

    class Meta:
        unknown = EXCLUDE

    act = Line(80, required=True)
    to = Whole(1, 999_999_999)
    reason = LongText(LONGEST_REASON)


class NothingSchema(Schema):
    """A form that is only a button."""

    class Meta:
        unknown = EXCLUDE
