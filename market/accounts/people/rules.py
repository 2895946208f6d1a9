"""Rules of accounts that need no database: what a contact is, what a good password is."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from urllib.parse import urlsplit

from market.core.languages import translate as _
from market.core.secrets import pseudonym

SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 200
LONGEST_CONTACT = 254  # characters of an e-mail address (RFC 5321)
_MOBILE = re.compile(r"(?:\+?86|0086)?(1[3-9]\d{9})")
_EMAIL = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[a-z0-9-]{1,63}\.)+[a-z]{2,63}")
_FILLING = re.compile(r"[\s()-]+")
# What people choose first when ten characters are asked for; folded as `_plain` folds.
_COMMON = frozenset(
    [
        "1234567890",
        "0123456789",
        "9876543210",
        "12345678910",
        "1234567891",
        "0987654321",
        "1122334455",
        "1111111111",
        "0000000000",
        "8888888888",
        "6666666666",
        "1q2w3e4r5t",
        "1qaz2wsx3edc",
        "qwertyuiop",
        "qwerty1234",
        "asdfghjkl1",
        "password12",
        "password123",
        "password1234",
        "passw0rd123",
        "iloveyou123",
        "abcdefghij",
        "abc1234567",
        "abcd123456",
        "a123456789",
        "aa123456789",
        "q123456789",
        "z123456789",
        "woaini1314",
        "woaini5201314",
        "5201314520",
        "woaini520520",
        "administrator",
        "admin12345",
        "admin123456",
        "welcome123",
        "letmein123",
        "zhongguo123",
        "mima123456",
        "qq123456789",
        "1234554321",
        "1234512345",
        "123456789a",
        "123456789q",
    ]
)


@dataclass(frozen=True)
class Contact:
    """A telephone or an e-mail address in the form in which it is kept. kind: mobile or email."""

    kind: str
    value: str

    @property
    def key(self) -> str:
        """What it is looked up by."""
        return pseudonym(self.value, f"person.{self.kind}")

    @property
    def purpose(self) -> str:
        """What it is sealed for."""
        return f"person.{self.kind}"


def read_contact(text: str) -> Contact | None:
    """The mobile number or the e-mail address that was typed; None when it is neither."""
    folded = unicodedata.normalize("NFKC", text).strip()
    if match := _MOBILE.fullmatch(_FILLING.sub("", folded)):
        return Contact("mobile", match[1])
    lower = folded.casefold()
    if len(lower) <= LONGEST_CONTACT and _EMAIL.fullmatch(lower):
        return Contact("email", lower)
    return None


def account_key(text: str) -> str:
    """What stands for the account that was typed, whether there is one or not."""
    contact = read_contact(text)
    return contact.value if contact else unicodedata.normalize("NFKC", text).casefold()[:200]


def _plain(text: str) -> str:
    return re.sub(r"\W", "", unicodedata.normalize("NFKC", text)).casefold()


def is_common(password: str) -> bool:
    """Whether the password is among the first that anybody tries, or repeats a few characters."""
    plain = _plain(password) or password
    if plain in _COMMON or len(set(plain)) < 4:
        return True
    steps = {ord(after) - ord(before) for before, after in pairwise(plain)}
    return steps <= {1} or steps <= {-1}


def password_fault(password: str) -> str | None:
    """Why a password is not taken; None when it is good."""
    if len(password) < SHORTEST_PASSWORD:
        return _("密码至少 %(least)s 个字符，可以是一句容易记住的话。", least=SHORTEST_PASSWORD)
    if len(password) > LONGEST_PASSWORD:
        return _("密码最多 %(most)s 个字符。", most=LONGEST_PASSWORD)
    return _("这个密码太常见，容易被猜到，请换一个。") if is_common(password) else None


def holds_account(password: str, *accounts: str) -> bool:
    """Whether the password holds the telephone or the name before the @ of the account."""
    plain = _plain(password)
    names = (_plain(account.split("@", 1)[0]) for account in accounts if account)
    return any(len(name) >= 3 and name in plain for name in names)


def safe_next(address: str | None) -> str | None:
    """Where to go after signing in: a path of this site, and no other; None when it is not one."""
    text = address or ""
    if not re.fullmatch(r"/[^\\\x00-\x20\x7f]*", text) or text.startswith("//") or len(text) > 2000:
        return None
    parts = urlsplit(text)
    if parts.scheme or parts.netloc:
        return None
    own = parts.path.removeprefix("/en")
    return None if own in {"/login", "/logout", "/register", "/password"} else text


# Failed attempts and the seconds to wait before the next one: nothing for the first few, since
# people mistype; then longer each time; then locked.
_FREE_OF_ACCOUNT, _MOST_OF_ACCOUNT = 3, 10
_FREE_OF_NETWORK, _MOST_OF_NETWORK = 20, 100  # a whole office may sit behind one address
LOCKED = timedelta(minutes=30)
_FIRST_WAIT = 5  # seconds


def wait_after(failures: int, *, of_network: bool = False) -> timedelta:
    """How long the next attempt has to wait after this many failures within the hour."""
    free = _FREE_OF_NETWORK if of_network else _FREE_OF_ACCOUNT
    most = _MOST_OF_NETWORK if of_network else _MOST_OF_ACCOUNT
    if failures < free:
        return timedelta()
    if failures >= most:
        return LOCKED
    growth = min(failures - free, 6)
    return timedelta(seconds=_FIRST_WAIT * 2**growth if not of_network else _FIRST_WAIT + growth)
