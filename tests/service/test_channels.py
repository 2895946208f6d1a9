"""Mail and SMS to servers on this machine, and files that open as what they are."""

from __future__ import annotations

import email
import json
import logging
import socketserver
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from email import policy
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from sqlalchemy import select

from market.app import create_app
from market.core import clock
from market.core.channel_settings import Gateway, MailServer
from market.core.db import db
from market.core.messages import MessageKind
from market.core.permissions import SYSTEM
from market.core.secrets import pseudonym, seal
from market.core.unit_of_work import unit_of_work
from market.doctor import findings, settings_lines
from market.notifications import channels, letters, rules
from market.notifications.channels import NotSent, Sms
from market.notifications.letters import Letter
from market.notifications.models import Delivery
from market.notifications.notifying import notify
from market.notifications.sending import send
from tests import people
from tests.conftest import let_go, settings_in
from tests.messages import TELL, ask, declare

ASKED = MessageKind("tests.asked", "有人来问", "有人问「%(title)s」", "请回复。", sms=True)


class _Smtp(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as smtplib needs."""

    def handle(self):
        self.say("220 ready")
        while line := self.rfile.readline().decode().strip():
            verb = line.split(" ", 1)[0].upper()
            if verb == "EHLO":
                self.say("250-here", "250 AUTH PLAIN")
            elif verb == "AUTH":
                self.server.logins.append(line.split()[-1])
                self.say("235 welcome" if self.server.lets_in else "535 no")
            elif verb == "RCPT" and "no@" in line:
                self.say(f"{self.server.refusal} <no@example.cn> unknown")
            elif verb == "DATA":
                self.take()
            else:
                self.say("250 ok")
            if verb == "QUIT":
                return

    def say(self, *lines):
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

    def take(self):
        self.say("354 go on")
        lines = iter(self.rfile.readline, b".\r\n")
        raw = b"".join(lines)
        self.server.raw.append(raw)
        self.server.mails.append(email.message_from_bytes(raw, policy=policy.default))
        self.say("250 taken")


class _Gateway(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, dict(self.headers), json.loads(body)))
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_any):
        pass


@contextmanager
def _serving(server):
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def smtp():
    server = socketserver.TCPServer(("127.0.0.1", 0), _Smtp)
    server.mails, server.raw, server.logins = [], [], []
    server.lets_in, server.refusal = True, 550
    with _serving(server):
        yield server


@pytest.fixture
def gateway():
    server = HTTPServer(("127.0.0.1", 0), _Gateway)
    server.got, server.status = [], 200
    with _serving(server):
        yield server


@pytest.fixture
def served(store, prepared, tmp_path, smtp, gateway):
    """An application that sends by both servers."""
    settings = store.clone(
        prepared,
        tmp_path,
        MARKET_MAIL_URL=f"smtp://market:p%40ss@127.0.0.1:{smtp.server_address[1]}",
        MARKET_MAIL_FROM="market@example.gov.cn",
        MARKET_SMS_URL=f"http://:t%2Fken@127.0.0.1:{gateway.server_address[1]}/send?a=1",
    )
    app = create_app(settings)
    with app.app_context():
        declare(app, ASKED)
        yield app
        let_go(app)
    store.drop(settings)


def reachable(mail):
    return people.person(
        email=seal(mail, "person.email"), email_key=pseudonym(mail, "person.email")
    )


def letter(**more):
    given = {
        "id": 7,
        "to": "a@example.cn",
        "kind": ASKED.name,
        "person_id": 1,
        "language": "zh",
        "content": rules.Content("题", "一\n二", "/x"),
        "created_at": datetime(2026, 11, 20, 17, tzinfo=UTC),
    }
    return Letter(**(given | more))


@pytest.mark.net
def test_one_connection_for_all_and_a_refused_one_between(served, smtp, gateway, caplog):
    for mail in ("a@example.cn", "no@example.cn", "b@example.cn"):
        ask(ASKED, people=[reachable(mail).id], values={"title": "题"})
    notify()
    with caplog.at_level(logging.DEBUG):
        send()
    assert [one["To"] for one in smtp.mails] == ["a@example.cn", "b@example.cn"]
    assert len(smtp.logins) == 1
    first = smtp.mails[0]
    assert first["Subject"] == "有人问「题」"
    assert first["From"] == "县域技术市场 <market@example.gov.cn>"
    assert first["Message-ID"].endswith("@example.gov.cn>")
    assert b"\r\nList-Unsubscribe: <http://127.0.0.1:8000/unsubscribe/" in smtp.raw[0]
    assert smtp.raw[0].isascii()
    assert "请回复。" in first.get_body(("plain",)).get_content()
    db.session.rollback()
    refused = db.session.scalars(select(Delivery).where(Delivery.state == "given_up")).one()
    assert refused.error == "对方邮件服务器拒收（550）"
    path, headers, body = gateway.got[0]
    assert len(gateway.got) == 3
    assert path == "/send?a=1"
    assert headers["Authorization"] == "Bearer t/ken"
    assert body["to"].startswith("139")
    assert body["text"] == "【县域技术市场】请回复。"
    assert body["id"].isdecimal()
    said = " ".join(str(one.msg) for one in caplog.records)
    assert "message not sent" in said
    for secret in ("no@example.cn", "p@ss", "t/ken", "139"):
        assert secret not in said


@pytest.mark.net
def test_a_full_mailbox_is_tried_again(served, smtp):
    smtp.refusal = 452
    ask(ASKED, people=[reachable("no@example.cn").id])
    notify()
    send()
    db.session.rollback()
    row = db.session.scalars(select(Delivery).where(Delivery.channel == "mail")).one()
    assert (row.state, row.tries) == ("failed", 1)
    assert row.next_try_at > clock.now()


@pytest.mark.net
def test_a_password_that_is_not_taken_and_a_server_that_is_away(smtp, tmp_path):
    smtp.lets_in = False
    port = smtp.server_address[1]
    with pytest.raises(NotSent, match="用户名或密码") as caught:  # noqa: SIM117
        with channels.mail_by(MailServer("127.0.0.1", port, "u", "secret", ""), tmp_path):
            pass
    assert caught.value.server
    with pytest.raises(NotSent, match="邮件服务器"):  # noqa: SIM117
        with channels.mail_by(MailServer("127.0.0.1", port, "", "", "starttls"), tmp_path):
            pass
    with pytest.raises(NotSent, match="连不上"):  # noqa: SIM117
        with channels.mail_by(MailServer("127.0.0.1", 1, "", "", ""), tmp_path):
            pass


@pytest.mark.net
@pytest.mark.parametrize(
    ("status", "for_good", "server"),
    [(400, True, False), (401, False, True), (429, False, True), (500, False, True)],
)
def test_what_a_gateway_refuses(gateway, tmp_path, status, for_good, server):
    gateway.status = status
    way = Gateway(f"http://127.0.0.1:{gateway.server_address[1]}/", "")
    with (
        channels.sms_by(way, tmp_path) as send_one,
        pytest.raises(NotSent, match=str(status)) as caught,
    ):
        send_one(Sms("1", "13900000000", "文", clock.now()))
    assert (caught.value.for_good, caught.value.server) == (for_good, server)
    assert "Authorization" not in gateway.got[0][1]


@pytest.mark.net
def test_the_token_does_not_follow_a_gateway_that_moved(gateway, tmp_path):
    gateway.status = 302
    way = Gateway(f"http://127.0.0.1:{gateway.server_address[1]}/", "secret")
    with channels.sms_by(way, tmp_path) as send_one, pytest.raises(NotSent):
        send_one(Sms("1", "13900000000", "文", clock.now()))
    assert [path for path, _, _ in gateway.got] == ["/"]


def test_a_mail_file_opens_as_a_mail(app):
    declare(app, ASKED)
    instance = app.extensions["market"].settings.instance
    with channels.mail_by(None, instance) as send_one:
        send_one(letters.mail(letter()))
    (path,) = (instance / "outbox" / "mail").iterdir()
    assert path.name == "2026-11-21-7.eml"  # the day in China
    assert path.stat().st_mode & 0o077 == 0
    read = email.message_from_bytes(path.read_bytes(), policy=policy.default)
    assert read.defects == []
    assert read.get_content_type() == "multipart/alternative"
    assert read["From"] == "县域技术市场 <market@127.0.0.1>"
    assert read["Date"].datetime == letter().created_at
    assert "一\n二\n\n查看详情：http://127.0.0.1:8000/x" in read.get_body(("plain",)).get_content()
    assert '<html lang="zh-CN">' in read.get_body(("html",)).get_content()


def test_an_address_no_mail_can_have_ends_there(app):
    declare(app, ASKED)
    for bad in ("a b@example.cn", "a@example.cn\nBcc: b@example.cn", "@"):
        ask(ASKED, people=[reachable(bad).id])
    good = reachable("good@example.cn")
    ask(ASKED, people=[good.id])
    notify()
    send()
    db.session.rollback()
    by_mail = db.session.scalars(
        select(Delivery.state).where(Delivery.channel == "mail").order_by(Delivery.id)
    ).all()
    assert by_mail == ["given_up"] * 3 + ["sent"]


def test_a_full_disk_is_tried_again(app, monkeypatch):
    def full(_path, _text):
        raise OSError(28, "No space left on device")

    declare(app, ASKED)
    monkeypatch.setattr(channels, "write_private", full)
    ask(ASKED, people=[reachable("a@example.cn").id])
    notify()
    send()
    db.session.rollback()
    assert set(db.session.scalars(select(Delivery.state))) == {"failed"}


def test_doctor_tells_of_ways_and_failures_and_shows_no_secret(store, prepared, tmp_path):
    settings = store.clone(
        prepared,
        tmp_path,
        MARKET_BASE_URL="https://market.example.gov.cn",
        MARKET_MAIL_URL="smtps://market:p%40ss@mail.example.gov.cn",
        MARKET_MAIL_FROM="market@example.gov.cn",
        MARKET_SMS_URL="http://:token@10.0.0.9/send",
    )
    app = create_app(settings)
    said = {sentence: well for well, sentence in findings(app, settings)}
    assert said["邮件经 mail.example.gov.cn:465 发出"]
    assert said["短信经 10.0.0.9 发出"]
    assert not next(well for line, well in said.items() if "不是 https，令牌" in line)
    assert said["7 天内放弃发送的邮件和短信 0 条，正在重试的 0 条"]
    with app.app_context(), unit_of_work(SYSTEM) as work:
        work.require(TELL)
        now = clock.now()
        ended = {"state": "given_up", "error": "邮件服务器拒收（554）", "created_at": now}
        given = {"channel": "mail", "kind": "x", "language": "zh", "contact": "x", "ended_at": now}
        db.session.add(Delivery(key="1", **ended, **given))
    wrong = [sentence for well, sentence in findings(app, settings) if not well]
    assert any("放弃发送的邮件和短信 1 条" in one and "拒收（554）" in one for one in wrong)
    lines = "\n".join(settings_lines(settings)) + "\n".join(said)
    assert "p%40ss" not in lines
    assert "token@" not in lines
    with app.app_context():
        let_go(app)
    public = settings_in(tmp_path / "b", MARKET_BASE_URL="https://market.example.gov.cn")
    assert public.mail_from == "market@market.example.gov.cn"
    store.drop(settings)
