"""The text of mails: plain and simple HTML, why it came, and how to stop it with one click."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from typing import Any

from flask import current_app, render_template

from market.core import channel_settings
from market.core.languages import N_, in_language, url_in
from market.core.messages import MessageKind
from market.core.secrets import pseudonym
from market.core.settings import Settings
from market.notifications import rules
from market.notifications.channels import Mail

ALL = "*"  # instead of a kind: every kind that may be stopped
DIGEST = "digest"  # the kind of the daily mail
_PURPOSE = "message.unsubscribe"
_REASON = N_("您收到这封邮件是因为您在%(site)s的账号订阅了「%(kind)s」消息。")
_REASON_MUST = N_("您收到这封邮件是因为「%(kind)s」涉及您的权利或账号安全，不能关闭。")
_REASON_CONTACT = N_(
    "您收到这封邮件是因为有人在%(site)s办事时留下了这个邮箱；若不是您，请不必理会。"
)
_REASON_DIGEST = N_("您收到这封邮件是因为您在%(site)s选择了每天收一封消息汇总。")
_OPEN = N_("查看详情")
_STOP = N_("不再收这类邮件")
_STOP_THIS = N_("停止这一项订阅")


@dataclass(frozen=True)
class Letter:
    """What a mail is made of."""

    id: int
    to: str
    kind: str
    person_id: int | None
    language: str
    content: rules.Content
    created_at: datetime


class _Policy(EmailPolicy):
    """Leaves the address of List-Unsubscribe whole: the library would encode a long one."""

    def _fold(self, name: str, value: str, refold_binary: bool = False) -> str:
        if name.lower() == "list-unsubscribe":
            return f"{name}: {value}{self.linesep}"
        folded: str = super()._fold(name, value, refold_binary)  # type: ignore[misc]
        return folded


_POLICY = _Policy()


def link_in_sms(settings: Settings, letter: Letter) -> str:
    """The address that an SMS must carry to be of any use; empty for other kinds."""
    kind: MessageKind | None = current_app.extensions["market"].messages.get(letter.kind)
    if kind is None or not kind.link or not letter.content.url:
        return ""
    return settings.base_url + url_in(letter.content.url, letter.language)


def unsubscribe_token(person_id: int, kind: str) -> str:
    """The signed word that stops a kind (or `ALL`) for a person."""
    return f"{person_id}~{kind}~{pseudonym(f'{person_id}~{kind}', _PURPOSE)}"


def read_unsubscribe(token: str) -> tuple[int, str] | None:
    """Person and kind of a signed word; None when nobody signed it."""
    person, _, rest = token.partition("~")
    kind, _, signature = rest.rpartition("~")
    if not person.isdecimal() or not person.isascii():
        return None
    good = pseudonym(f"{person}~{kind}", _PURPOSE)
    return (int(person), kind) if hmac.compare_digest(signature.encode(), good.encode()) else None


def site_title(settings: Settings, language: str) -> str:
    """The site's name in a language."""
    own = settings.site_name_en if language == "en" else ""
    return own or in_language(settings.site_name, language)


def mail(letter: Letter) -> Mail:
    """The mail, with a Message-ID that stays the same when it is sent again."""
    settings: Settings = current_app.extensions["market"].settings
    sender = channel_settings.sender(settings.mail_from)
    message = EmailMessage(_POLICY)
    message["From"] = (
        sender
        if sender.display_name
        else Address(site_title(settings, letter.language), sender.username, sender.domain)
    )
    message["To"] = Address(addr_spec=letter.to)
    message["Subject"] = letter.content.subject
    message["Date"] = letter.created_at
    mark = pseudonym(str(letter.id), "message.id")[:12]
    message["Message-ID"] = f"<{letter.id}.{mark}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    parts = _parts(settings, letter)
    if parts["stop_url"]:
        message["List-Unsubscribe"] = f"<{parts['stop_url']}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["Content-Language"] = "en" if letter.language == "en" else "zh-CN"
    message.set_content(_plain(parts), cte="base64")
    html = render_template("email/message.html", **parts)
    message.add_alternative(html, subtype="html", cte="base64")
    return Mail(str(letter.id), message, letter.created_at)


def _parts(settings: Settings, letter: Letter) -> dict[str, Any]:
    language, content = letter.language, letter.content
    kind: MessageKind | None = current_app.extensions["market"].messages.get(letter.kind)
    site = site_title(settings, language)
    return {
        "language": language,
        "site": site,
        "subject": content.subject,
        "paragraphs": content.text.split("\n"),
        "url": settings.base_url + url_in(content.url, language) if content.url else "",
        "open_words": in_language(_OPEN, language),
        "reason": _reason(letter, kind, site),
        "stop_url": _stop_url(settings, letter, kind),
        "stop_words": in_language(_STOP_THIS if content.stop else _STOP, language),
    }


def _reason(letter: Letter, kind: MessageKind | None, site: str) -> str:
    if letter.person_id is None:
        said = _REASON_CONTACT
    elif letter.kind == DIGEST:
        said = _REASON_DIGEST
    else:
        said = _REASON_MUST if kind is None or kind.must else _REASON
    label = in_language(kind.label, letter.language) if kind else letter.kind
    return rules.fill(in_language(said, letter.language), {"site": site, "kind": label})


def _stop_url(settings: Settings, letter: Letter, kind: MessageKind | None) -> str:
    """Where one click stops it; "" for what may not be stopped and for people without an account."""
    if letter.content.stop:
        return settings.base_url + url_in(letter.content.stop, letter.language)
    if letter.person_id is None:
        return ""
    if letter.kind != DIGEST and (kind is None or kind.must):
        return ""
    stops = ALL if letter.kind == DIGEST else letter.kind
    address = f"/unsubscribe/{unsubscribe_token(letter.person_id, stops)}"
    return settings.base_url + url_in(address, letter.language)


def _plain(parts: dict[str, Any]) -> str:
    lines: Sequence[str] = [*parts["paragraphs"], ""]
    colon = ": " if parts["language"] == "en" else "："
    if parts["url"]:
        lines = [*lines, f"{parts['open_words']}{colon}{parts['url']}", ""]
    lines = [*lines, "--", parts["site"], parts["reason"]]
    if parts["stop_url"]:
        lines = [*lines, f"{parts['stop_words']}{colon}{parts['stop_url']}"]
    return "\n".join(lines) + "\n"
