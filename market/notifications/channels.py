"""Ways out: a mail server, an SMS gateway, or files that one can open."""

from __future__ import annotations

import json
import smtplib
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from email.message import EmailMessage
from pathlib import Path

from market.core import clock
from market.core.channel_settings import Gateway, MailServer
from market.core.instance import write_private

TIME_LIMIT = 10.0  # seconds for each answer of a server
FOLDER = "outbox"
_PERMANENT = range(500, 600)  # answers of a mail server that will not change


class NotSent(Exception):
    """It could not be sent. The sentence names no receiver and holds no secret.

    Args:
        for_good: trying again would not help.
        server: the trouble is the server's, so that others need not be tried now.
    """

    def __init__(self, sentence: str, *, for_good: bool = False, server: bool = False) -> None:
        super().__init__(sentence)
        self.sentence, self.for_good, self.server = sentence, for_good, server


@dataclass(frozen=True)
class Sms:
    """One SMS, with an id by which a repeat is recognised."""

    id: str
    to: str
    text: str
    created_at: datetime


@dataclass(frozen=True)
class Mail:
    """One mail, ready to be sent."""

    id: str
    message: EmailMessage
    created_at: datetime


SendMail = Callable[[Mail], None]
SendSms = Callable[[Sms], None]


@contextmanager
def mail_by(server: MailServer | None, instance: Path) -> Iterator[SendMail]:
    """A way to send some mails, by one connection.

    Raises:
        NotSent: the server cannot be reached or does not let us in; also by each sending.
    """
    if server is None:
        yield lambda mail: _write(instance, "mail", mail.created_at, f"{mail.id}.eml", _file(mail))
        return
    connection = _connect(server)
    try:
        yield lambda mail: _send(connection, mail)
    finally:
        with suppress(OSError, smtplib.SMTPException):
            connection.quit()


def _file(mail: Mail) -> str:
    return mail.message.as_bytes(policy=mail.message.policy.clone(linesep="\r\n")).decode("ascii")


def _connect(server: MailServer) -> smtplib.SMTP:
    context = ssl.create_default_context()
    try:
        if server.tls == "smtps":
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, timeout=TIME_LIMIT, context=context
            )
        else:
            connection = smtplib.SMTP(server.host, server.port, timeout=TIME_LIMIT)
    except (OSError, smtplib.SMTPException) as error:
        raise _server_trouble(error) from error
    try:
        if server.tls == "starttls":
            connection.starttls(context=context)
        if server.user:
            connection.login(server.user, server.password)
    except (OSError, smtplib.SMTPException) as error:
        connection.close()
        raise _server_trouble(error) from error
    return connection


def _server_trouble(error: Exception) -> NotSent:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        sentence = "邮件服务器不接受用户名或密码"
    elif isinstance(error, ssl.SSLError):
        sentence = "邮件服务器的证书或加密方式不对"
    elif isinstance(error, smtplib.SMTPResponseException):
        sentence = f"邮件服务器拒绝连接（{error.smtp_code}）"
    elif isinstance(error, TimeoutError):
        sentence = "邮件服务器没有在时限内应答"
    else:
        sentence = f"连不上邮件服务器（{type(error).__name__}）"
    return NotSent(sentence, server=True)


def _send(connection: smtplib.SMTP, mail: Mail) -> None:
    """Send one mail; the server's words are left out, since they repeat the address."""
    try:
        connection.send_message(mail.message)
    except smtplib.SMTPRecipientsRefused as error:
        code = next((code for code, _ in error.recipients.values()), 0)
        raise NotSent(f"对方邮件服务器拒收（{code}）", for_good=code in _PERMANENT) from error
    except smtplib.SMTPServerDisconnected as error:
        raise NotSent("邮件服务器中断了连接", server=True) from error
    except smtplib.SMTPResponseException as error:
        raise NotSent(f"邮件服务器拒收（{error.smtp_code}）") from error
    except smtplib.SMTPNotSupportedError as error:
        raise NotSent("邮件服务器不支持这个地址", for_good=True) from error
    except (OSError, smtplib.SMTPException) as error:
        raise _server_trouble(error) from error


@contextmanager
def sms_by(gateway: Gateway | None, instance: Path) -> Iterator[SendSms]:
    """A way to send some SMS.

    Raises:
        NotSent: by each sending that failed.
    """
    if gateway is None:
        yield lambda sms: _write(instance, "sms", sms.created_at, f"{sms.id}.txt", _sheet(sms))
    else:
        yield lambda sms: _post(gateway, sms)


def _sheet(sms: Sms) -> str:
    return f"收信人：{sms.to}\n编号：{sms.id}\n\n{sms.text}\n"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A gateway that moved would get the token at a place nobody chose."""

    def redirect_request(self, *_args: object, **_more: object) -> None:
        return None


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)


def _post(gateway: Gateway, sms: Sms) -> None:
    body = json.dumps({"to": sms.to, "text": sms.text, "id": sms.id}, ensure_ascii=False)
    headers = {"Content-Type": "application/json; charset=utf-8"}
    if gateway.token:
        headers["Authorization"] = f"Bearer {gateway.token}"
    asked = urllib.request.Request(gateway.url, body.encode(), headers, method="POST")
    try:
        with _OPENER.open(asked, timeout=TIME_LIMIT) as answer:
            answer.read(1)
    except urllib.error.HTTPError as error:
        error.close()
        ours = error.code in {401, 403, 404, 429} or error.code >= 500
        # 400, 422 and the like: this text or this number is not taken, now or later.
        raise NotSent(
            f"短信网关拒收（{error.code}）",
            for_good=400 <= error.code < 500 and not ours,
            server=ours,
        ) from error
    except TimeoutError as error:
        raise NotSent("短信网关没有在时限内应答", server=True) from error
    except (OSError, ValueError) as error:
        raise NotSent(f"连不上短信网关（{type(error).__name__}）", server=True) from error


def _write(instance: Path, channel: str, at: datetime, name: str, text: str) -> None:
    """Write a message's file; a repeat writes the same one again."""
    folder = instance / FOLDER / channel
    try:
        for one in (instance / FOLDER, folder):
            one.mkdir(mode=0o700, exist_ok=True)
        write_private(folder / f"{clock.local(at):%Y-%m-%d}-{name}", text)
    except OSError as error:
        raise NotSent(f"写不了文件（{error.strerror}）", server=True) from error


def prune(instance: Path, before: date) -> int:
    """Delete message files of days before this one; returns how many."""
    old = [
        path
        for path in (instance / FOLDER).glob("*/*")
        if path.suffix in {".eml", ".txt"} and path.name[:10] < before.isoformat()
    ]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)
