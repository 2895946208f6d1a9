"""The settings of mail and SMS: addresses with secrets in them, which no message repeats."""

from __future__ import annotations

from dataclasses import dataclass
from email.headerregistry import Address
from email.utils import parseaddr
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

FILES = "file:"
_PORTS = {"smtp": 25, "smtps": 465}


@dataclass(frozen=True)
class MailServer:
    """A mail server. tls: "" for none, "starttls", or "smtps" from the first byte."""

    host: str
    port: int
    user: str
    password: str
    tls: str

    @property
    def shown(self) -> str:
        """The server as a sentence may name it."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Gateway:
    """An SMS gateway. token: sent as bearer token; "" for none."""

    url: str
    token: str

    @property
    def shown(self) -> str:
        """The gateway as a sentence may name it."""
        return urlsplit(self.url).netloc


def mail_server(text: str) -> MailServer | None:
    """What MARKET_MAIL_URL names; None for files.

    Raises:
        ValueError: it is no such address, with what it should be.
    """
    if text in {"", FILES}:
        return None
    how = "应为 smtp://用户:密码@主机:端口?tls=starttls、smtps://… 或 file:"
    parts, port = _split(text, how)
    asked = parse_qs(parts.query)
    tls = asked.get("tls", [""])[0]
    known = parts.scheme in _PORTS and set(asked) <= {"tls"} and parts.path in {"", "/"}
    if not known or tls not in {"", "starttls"} or parts.fragment or not parts.hostname:
        raise ValueError(f"{how}；用户名和密码中的特殊字符写成 %40 的形式")
    return MailServer(
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        tls="smtps" if parts.scheme == "smtps" else tls,
    )


def sms_gateway(text: str) -> Gateway | None:
    """What MARKET_SMS_URL names; None for files.

    Raises:
        ValueError: it is no such address, with what it should be.
    """
    if text in {"", FILES}:
        return None
    how = "应为 https://:令牌@网关主机/路径 或 file:"
    parts, port = _split(text, how)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(how)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    place = host + (f":{port}" if port else "")
    address = parts._replace(netloc=place, fragment="").geturl()
    return Gateway(address, unquote(parts.password or parts.username or ""))


def _split(text: str, how: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(text)
        return parts, parts.port
    except ValueError as error:
        raise ValueError(how) from error


def sender(text: str) -> Address:
    """What MARKET_MAIL_FROM names: `a@b` or `Name <a@b>`.

    Raises:
        ValueError: it is no address.
    """
    name, address = parseaddr(text)
    try:
        found = Address(display_name=name, addr_spec=address)
    except Exception as error:  # the parser of the standard library raises many kinds
        raise ValueError("应为 market@example.gov.cn 或 名称 <market@example.gov.cn>") from error
    if not found.username or not found.domain or not address.isascii():
        raise ValueError("应为 market@example.gov.cn 或 名称 <market@example.gov.cn>")
    return found
