"""Papers set by typst: one template, its data as JSON, one font that comes with the program.

Data never becomes part of a template's text: it goes in as JSON and is read as data, so nothing
that people type can act as markup. Nothing is read from the machine or the network.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from market.core.errors import MarketError
from market.paths import TEMPLATES

ROOT = TEMPLATES / "documents"
# Of NotoSansCJK-Regular.ttc: what papers look like must not hang on what a machine has.
FONT_SHA256 = "b76b0433203017ca80401b2ee0dd69350349871c4b19d504c34dbdd80541690a"
_LACKING = re.compile(r'the text `"(.+?)"` could not be displayed', re.DOTALL)
_CODE_POINT = re.compile(r"\\u\{([0-9a-fA-F]+)\}")


class CannotSet(MarketError):
    """The paper cannot be made; the sentence says which character or what is in the way."""

    status = 422
    title = "这份文书做不出来"


@cache
def font_file() -> Path:
    """The font, as it comes with its package."""
    import noto_cjk_sans_otc

    return Path(str(noto_cjk_sans_otc.FONT_PATH))


@cache
def _fonts() -> Any:
    """The one font, read once a process."""
    import typst

    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(font_file().parent)],
    )


def trouble() -> str | None:
    """What is in the way of setting papers, in a sentence; None when nothing is."""
    try:
        found = hashlib.sha256(font_file().read_bytes()).hexdigest()
    except (ImportError, OSError) as error:
        return f"文书的字体读不出来（{error}）"
    return None if found == FONT_SHA256 else "文书的字体不是随程序核对过的那一份"


def typeset(template: str, data: Mapping[str, Any], moment: datetime) -> bytes:
    """A paper as PDF/A-2b.

    Args:
        template: name of a file of `templates/documents`, without its ending.
        data: what the template reads, as JSON values.
        moment: when it is made; it stands in the file.

    Raises:
        CannotSet: the font has no shape for a character; the sentence names it.
    """
    import typst

    # A compiler for each paper: threads share nothing but the fonts.
    compiler = typst.Compiler(root=ROOT, font_paths=_fonts(), ignore_system_fonts=True)
    try:
        made, warnings = compiler.compile_with_warnings(
            str(ROOT / f"{template}.typ"),
            format="pdf",
            sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
            pdf_standards=["a-2b"],
            timestamp=moment.replace(microsecond=0),
        )
    except typst.TypstError as error:
        if (found := _LACKING.search(error.message)) is None:
            raise
        raise CannotSet(_lacking(_plain(found[1]), data)) from error
    if warnings:
        raise RuntimeError(f"{template}.typ: {warnings[0].message}")
    assert isinstance(made, bytes)  # one file, since it is a PDF
    return made


def _plain(text: str) -> str:
    """Characters as they are, from how the compiler quotes them."""
    return _CODE_POINT.sub(lambda match: chr(int(match[1], 16)), text)


def _lacking(character: str, data: Mapping[str, Any]) -> str:
    code = " ".join(f"U+{ord(one):04X}" for one in character)
    where = next((text for text in _texts(data) if character in text), "")
    at = f"，它出现在「{where[:40]}」中" if where else ""
    return f"文书的字体里没有「{character}」（{code}）这个字{at}：请改用常用的写法后再打印。"


def _texts(value: Any) -> list[str]:
    """All texts in the data."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for one in value.values() for text in _texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return []
