"""What subscribers of bulletins are told, and the word that ends a subscription."""

from __future__ import annotations

import hmac

from market.core.languages import N_
from market.core.messages import MessageKind
from market.core.secrets import pseudonym

_PURPOSE = "bulletin.stop"
ISSUED = MessageKind(
    "bulletin.issued",
    N_("订阅的成果信息简报"),
    N_("%(place)s成果信息简报 %(year)s 年第 %(number)s 期"),
    N_("%(place)s成果信息简报 %(year)s 年第 %(number)s 期已发布，共 %(n)s 条：\n%(lines)s"),
)


def stop_word(subscription_id: int) -> str:
    """The word that ends a subscription without signing in; nobody can guess it."""
    return f"{subscription_id}~{pseudonym(str(subscription_id), _PURPOSE)}"


def read_stop_word(word: str) -> int | None:
    """The subscription that a word ends; None when we did not make it."""
    key, _, signature = word.partition("~")
    if not (key.isascii() and key.isdecimal() and len(key) < 19):
        return None
    good = pseudonym(str(int(key)), _PURPOSE)
    return int(key) if hmac.compare_digest(signature.encode(), good.encode()) else None
