"""Cleaning what people paste, and folding it for comparison."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache

_TAG_NAMES = (
    "p|br|div|span|b|i|u|strong|em|font|ul|ol|li|a|img|table|tbody|thead|tr|td|th|h[1-6]|sup|sub|"
    "center|section|article|script|style|o:p|hr|pre|blockquote|iframe"
)
# Only real tags: `x<b 且 c>d` is a comparison and stays. Values hold no "<", so that a long text
# of opened and never closed tags is read once, not once for each of them.
_TAG = re.compile(
    rf"</?(?:{_TAG_NAMES})(?:\s+[\w:-]+\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'|[^\s<>\"']+))*\s*/?>",
    re.IGNORECASE,
)
_UNSEEN = re.compile(r"<(script|style)\b[^<>]{0,500}>.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_BREAK = re.compile(r"</?(?:br|p|div|li|tr|h[1-6])\b[^<>]{0,500}>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:amp;|#0*38;|#x0*26;)*(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]\w{1,31});")
# `\n` in letters is a line break that some program wrote; `\nu` and `\nabla` are formulae.
_LETTERED_BREAK = re.compile(r"(?:\\r)?\\n(?![a-z])")
_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
# Controls, surrogates, and characters without a shape: zero-width ones, direction marks.
_CONTROLS = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2069"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)
# A zero-width joiner holds a composed emoji together and is junk elsewhere.
_JOINER = re.compile("(?<![\u2600-\u27bf\ufe0f\U0001f000-\U0001faff])\u200d")
_LINE_BREAKS = re.compile("[\t\n\r\x0b\x0c\x85\u2028\u2029]+")
_BLANKS = re.compile(r"[^\S\n]+")
_PUNCTUATION = re.compile(r"[\W_]+")
_BETWEEN_CLAUSES = re.compile(
    r"[\s\"'`“”‘’「」『』《》〈〉【】〔〕()\[\]{}、，,。；;：:！!？?·…—]+|\.(?!\d)|(?<=[^\W\d_])-(?=[^\W\d_])"
)
_PASSES = 4
_SPECIAL = re.compile(r"[<&\\]|\s\s|[^\S ]")  # what cleaning would change in a printable text


def clean_line(text: str) -> str:
    """One line as typed: no control characters, line breaks as blanks, ends trimmed."""
    if text.isprintable():  # nearly every cell; the rest is looked at closely
        return text.strip()
    return without_controls(_LINE_BREAKS.sub(" ", text)).strip()


def without_controls(text: str) -> str:
    """The text without characters that have no shape; tabs and line breaks stay."""
    if text.isprintable():
        return text
    return _JOINER.sub("", _CONTROLS.sub("", text))


def clean_text(text: str) -> str:
    r"""Several lines of a file: no control characters, literal `\n` understood, pasted HTML as plain text.

    Cleaning what is clean changes nothing, so that a file goes out and in again unchanged.
    """
    if text.isprintable() and not _SPECIAL.search(text):
        return text.strip()
    for _ in range(_PASSES):
        before, text = text, _clean_once(text)
        if text == before:
            return text
    # Markup within markup within markup: nobody typed that.
    return _clean_once(text.translate({ord("<"): None, ord("&"): None, ord("\\"): None}))


def _clean_once(text: str) -> str:
    text = _LETTERED_BREAK.sub("\n", _LINE_ENDS.sub("\n", text))
    if "<" in text or "&" in text:
        text = _TAG.sub("", _BREAK.sub("\n", _UNSEEN.sub("", text)))
        text = _ENTITY.sub(lambda found: html.unescape(f"&{found[1]};"), text)
    text = _BLANKS.sub(" ", without_controls(text))
    return re.sub(r" ?\n[ \n]*", "\n", text).strip()


def tidy_text(text: str) -> str:
    """Several lines as typed: no control characters, line ends and blanks in one form, ends trimmed.

    What looks like HTML stays: pages show it as the text that it is.
    """
    if text.isprintable() and "  " not in text:
        return text.strip()
    text = _BLANKS.sub(" ", without_controls(_LINE_ENDS.sub("\n", text)))
    return re.sub(r" ?\n[ \n]*", "\n", text).strip()


def fold(text: str) -> str:
    """For comparing names and titles: width and case folded, punctuation and blanks dropped."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _PUNCTUATION.sub("", folded) or folded.strip()


@lru_cache(2_000)  # asked several times for each row of an import
def title_key(text: str) -> str:
    """For telling titles apart: like `fold`, but what changes the meaning stays.

    1.5 吨 is not 15 吨, -20℃ not 20℃ and C++ not C#: only blanks, quotes, brackets and marks
    between clauses are dropped. At most 300 characters.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return (_BETWEEN_CLAUSES.sub("", folded) or folded.strip())[:300]
