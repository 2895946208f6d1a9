"""The treasury's file: lines for claims of batches, all of them good or nothing entered."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from market.core.errors import Invalid
from market.core.file_rows import columns_of, load_row
from market.core.sheets import FileRefused, open_table
from market.vouchers.office_pages.forms import PaymentRow

MOST_ROWS = 5_000
_MOST_SAID = 20  # troubles that a page lists
_ALSO = {
    "claim_no": ["兑付申请编号", "申请编号", "业务编号"],
    "treasury_no": ["国库支付凭证号", "支付凭证号", "凭证号"],
    "paid_on": ["支付日期", "付款日期", "凭证日期"],
    "amount_fen": [
        "金额",
        "支付金额",
        "付款金额",
        "拨付金额（元）",
        "金额（元）",
        "支付金额（元）",
    ],
}
SCHEMA = PaymentRow()
COLUMNS = columns_of(SCHEMA, _ALSO)


def read(name: str, data: bytes) -> list[dict[str, Any]]:
    """The lines of a file, as `paying.record_payments` takes them.

    Raises:
        Invalid: the file cannot be read, or a line has mistakes: each with its place.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"treasury{Path(name).suffix.lower() or '.xlsx'}"
        path.write_bytes(data)
        try:
            table = open_table(path, COLUMNS)
            rows = list(table.rows)
        except FileRefused as error:
            raise Invalid({"file": [str(error)]}) from error
    if len(rows) > MOST_ROWS:
        raise Invalid({"file": [f"超过 {MOST_ROWS:,} 行，请分成几个文件。"]})
    found = [(row.number, load_row(SCHEMA, row)) for row in rows]
    troubles = [str(one) for row in rows for one in row.problems if not one.warning]
    if troubles:
        more = f"另有 {len(troubles) - _MOST_SAID} 处。" if len(troubles) > _MOST_SAID else ""
        raise Invalid({"file": [*troubles[:_MOST_SAID], f"{more}什么都没有登记。"]})
    return [{"line": number, **one} for number, one in found if one is not None]
