"""What is told of saved searches, and the word that stops one."""

from __future__ import annotations

import hmac

from market.core.languages import N_
from market.core.messages import MessageKind
from market.core.secrets import pseudonym

_PURPOSE = "saved.stop"
NEWS = MessageKind(
    "saved.news",
    N_("订阅搜索有新信息"),
    N_("订阅搜索「%(name)s」有 %(n)s 条新信息"),
    N_(
        "「%(name)s」（%(rhythm)s）新增 %(n)s 条，都含全部搜索词：\n%(lines)s\n"
        "这些信息今后不再重复告诉您。"
    ),
)
MORE = N_("…… 还有 %(n)s 条，请打开查看。")


def stop_word(search_id: int) -> str:
    """The word that stops a saved search without signing in; nobody can guess it."""
    return f"{search_id}~{pseudonym(str(search_id), _PURPOSE)}"


def read_stop_word(word: str) -> int | None:
    """The search that a word stops; None when we did not make it."""
    key, _, signature = word.partition("~")
    if not (key.isascii() and key.isdecimal() and len(key) < 19):
        return None
    good = pseudonym(str(int(key)), _PURPOSE)
    return int(key) if hmac.compare_digest(signature.encode(), good.encode()) else None
