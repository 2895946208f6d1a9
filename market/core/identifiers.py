"""National identifiers that more than one room reads."""

from __future__ import annotations

import re
import unicodedata

from marshmallow import ValidationError
from stdnum.cn import uscc as uscc_rule
from stdnum.exceptions import InvalidChecksum
from stdnum.exceptions import ValidationError as NotValid

from market.core.text import without_controls


def read_uscc(text: str) -> str:
    """A unified social credit code in its compact form (GB 32100-2015).

    Raises:
        ValidationError: wrong length, letters that the standard leaves out, or check digit.
    """
    folded = unicodedata.normalize("NFKC", without_controls(text))
    compact = re.sub(r"[\s._-]", "", folded).upper()
    if len(compact) != 18:
        raise ValidationError(f"统一社会信用代码应为 18 位，现为 {len(compact)} 位。")
    if not re.fullmatch(r"[0-9A-Z]{18}", compact):
        raise ValidationError(f"统一社会信用代码「{compact}」格式不对：只含数字和大写字母。")
    try:
        return str(uscc_rule.validate(compact))
    except InvalidChecksum as error:
        raise ValidationError(
            f"统一社会信用代码「{compact}」校验位不对，请对照执照核对每一位。"
        ) from error
    except NotValid as error:
        raise ValidationError(
            f"统一社会信用代码「{compact}」格式不对：不含字母 I、O、S、V、Z。"
        ) from error
