"""Cleaning what people paste, and folding it for comparison."""

from __future__ import annotations

import html
import re
import unicodedata

_TAG_NAMES = (
    "p|br|div|span|b|i|u|strong|em|font|ul|ol|li|a|img|table|tbody|thead|tr|td|th|h[1-6]|sup|sub|"
    "center|section|article|script|style|o:p|hr|pre|blockquote|iframe"
)
# Only real tags: `x<b 且 c>d` is a comparison and stays.
_TAG = re.compile(
    rf"</?(?:{_TAG_NAMES})(?:\s+[\w:-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s>\"']+))*\s*/?>",
    re.IGNORECASE,
)
_BREAK = re.compile(r"<(?:br|/p|/div|/li|/tr|/h[1-6])\b[^<>]*>", re.IGNORECASE)
# Controls, zero-width characters, lone surrogates, and code points that are no characters.
_NO_CHARACTERS = "".join(
    chr(plane * 0x10000 + end) for plane in range(17) for end in (0xFFFE, 0xFFFF)
)
_CONTROLS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200d\u2060\ufeff\ud800-\udfff\ufdd0-\ufdef"
    + _NO_CHARACTERS
    + "]"
)
_BLANKS = re.compile(r"[^\S\n]+")
_PUNCTUATION = re.compile(r"[\W_]+")


def clean_line(text: str) -> str:
    """One line as typed: no control characters, blanks folded to one, ends trimmed."""
    return " ".join(_CONTROLS.sub("", text).split())


def clean_text(text: str) -> str:
    r"""Several lines: no control characters, literal `\n` understood, pasted HTML as plain text."""
    text = text.replace("\\r\\n", "\n").replace("\\n", "\n").replace("\r\n", "\n")
    text = text.replace("\r", "\n")
    if "<" in text or "&" in text:
        text = html.unescape(_TAG.sub("", _BREAK.sub("\n", text)))
    text = _BLANKS.sub(" ", _CONTROLS.sub("", text))
    return re.sub(r"\s*\n\s*", "\n", text).strip()


def fold(text: str) -> str:
    """For comparing names and titles: width and case folded, punctuation and blanks dropped."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _PUNCTUATION.sub("", folded) or folded.strip()
