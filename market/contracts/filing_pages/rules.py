"""Fixed lists and limits of filing."""

from __future__ import annotations

from market.contracts.codes import PURPOSES
from market.contracts.models import OPEN, VOID

# What a list shows: code → (label, states).
TABS: dict[str, tuple[str, tuple[str, ...]]] = {
    "open": ("办理中", OPEN),
    "registered": ("已登记", ("registered",)),
    "closed": ("其他", ("refused", "withdrawn", *VOID)),
}
HELPED = "helped"  # the list of those with which one's service point helps

OFFICE = "office"  # stands for the office of the area where a body is chosen

# Three hundred scanned pages are usual for a contract with its annexes.
LARGEST = 60 * 1024 * 1024  # bytes of one file
WELCOME = ("pdf", "jpg", "png", "docx")
ACCEPTED = (
    "PDF、JPG、PNG 或 DOCX（不带宏、不设密码），每个最多 60 MB，共 20 个；盖章后的扫描件就可以"
)
POINT = "point"  # the purpose of the paper that authorises a service point
OFFERED = {code: label for code, label in PURPOSES.items() if code != POINT}

COPIED = ("refused", *VOID)  # what may be begun anew with the same fields
LONGEST_ANSWER = 500  # characters
# What the public may see by consent.
SHOWN = {"title": "项目名称", "seller": "卖方名称", "buyer": "买方名称"}
