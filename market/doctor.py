"""`market doctor`: the settings in force and what is wrong with this instance, in sentences."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Iterator
from datetime import date, timedelta
from urllib.parse import urlsplit

from flask import Flask
from sqlalchemy import func, make_url, select, text
from sqlalchemy.exc import SQLAlchemyError

from market.contracts.papers import signing, typesetting
from market.core import (
    audit,
    calendar,
    channel_settings,
    clock,
    files,
    holidays,
    migrate,
    vitals,
)
from market.core.backups import snapshots
from market.core.db import db
from market.core.errors import Busy, MarketError
from market.core.instance import refuse_unfinished
from market.core.models import AuditEntry, StoredFile
from market.core.settings import DECLARED, Settings, is_loopback
from market.discovery import engine
from market.monitoring import checks
from market.notifications import queries as notifications
from search_index import dictionary

Finding = tuple[bool, str]
LEAST_DISK = 1024**3  # bytes, beside two more copies of the database
LATE = 300.0  # seconds that work may wait, or a heartbeat stay away
LATEST_BACKUP = 48 * 3600.0  # seconds
LEAST_KINDS = 12  # different characters in a key that somebody drew at random


def settings_lines(settings: Settings) -> Iterator[str]:
    """Each setting: variable, where its value came from, value, meaning."""
    for one in DECLARED:
        value = str(getattr(settings, one.name.lower()))
        if one.name == "DATABASE_URL":
            value = make_url(value).render_as_string(hide_password=True)
        shown = ("（已设置）" if value else "（空）") if one.secret else value or "（空）"
        source = "环境变量" if settings.sources[one.name] == "environment" else "默认"
        yield f"{one.variable} = {shown}  [{source}] {one.meaning}"


def findings(app: Flask, settings: Settings) -> Iterator[Finding]:
    """Each check: whether it is well, and a sentence that says what is, and what to do if not."""
    try:
        refuse_unfinished(settings.instance)
    except Busy as error:
        yield False, error.message
    yield from _folder(settings)
    yield from _address(settings)
    yield from _footer(settings)
    with app.app_context():
        try:
            version = db.session.scalar(text("SELECT version_num FROM alembic_version"))
        except SQLAlchemyError:
            yield _told(
                False,
                "数据库打不开或还没有建立",
                "请核对 MARKET_DATABASE_URL，再 market db upgrade",
            )
            return
        newest = migrate.newest(settings)
        fact = f"数据库结构 {version}，程序需要 {newest}"
        yield _told(version == newest, fact, "请运行 market db upgrade")
        if version != newest:
            return  # what follows asks tables that may not be there
        yield from _database(settings)
        yield from _worker(settings)
        yield from _messages(settings)
        yield from _index(app, settings)
        yield from _audit()
        yield from _desks(app)
        yield from _calendar()
        yield from _papers(settings)
        yield from _backup(app, settings)


def _told(well: bool, fact: str, remedy: str) -> Finding:
    return well, fact if well else f"{fact}。{remedy}。"


def _folder(settings: Settings) -> Iterator[Finding]:
    mode = stat.S_IMODE(settings.instance.stat().st_mode)
    fact = f"数据目录 {settings.instance} 的权限是 {mode:o}"
    remedy = "本机其他用户可读到其中的个人信息，请 chmod 700"
    yield _told(settings.demo or not mode & 0o077, fact, remedy)
    kept = settings.instance / "secret_key"
    if kept.exists() and settings.sources["SECRET_KEY"] == "default":
        mode = stat.S_IMODE(kept.stat().st_mode)
        yield _told(not mode & 0o077, f"密钥文件 {kept} 的权限是 {mode:o}", "请 chmod 600")
    kinds = len(set(settings.secret_key))
    fact = f"密钥有 {len(settings.secret_key)} 个字符，其中不同的 {kinds} 个"
    remedy = "像是手写的，请换成随机的（换密钥的后果见 docs/operators.md）"
    yield _told(kinds >= LEAST_KINDS, fact, remedy)


def _address(settings: Settings) -> Iterator[Finding]:
    fact = f"对外网址 {settings.base_url}"
    if settings.is_local:
        yield _told(settings.demo, fact, "只能在本机打开，正式网站请设 MARKET_BASE_URL")
    else:
        secure = urlsplit(settings.base_url).scheme == "https"
        yield _told(secure, fact, "不是 https，内容会被偷看和改动，请配置证书")
    host = urlsplit(f"//{settings.bind}").hostname or ""
    remedy = "他人可绕过 nginx 直接访问，请改为 127.0.0.1，或用防火墙只放行代理"
    yield _told(is_loopback(host), f"监听 {settings.bind}", remedy)


def _footer(settings: Settings) -> Iterator[Finding]:
    """What a public site must say of itself; one on this machine need not."""
    needed = ("HOST_ORGANISATION", "TELEPHONE", "ICP_NUMBER", "POLICE_NUMBER")
    empty = [f"MARKET_{name}" for name in needed if not getattr(settings, name.lower())]
    if not settings.is_local:
        yield _told(not empty, "页脚的主办单位、电话和备案号", f"请设 {'、'.join(empty)}")


def _database(settings: Settings) -> Iterator[Finding]:
    size, free = snapshots.size(settings), shutil.disk_usage(settings.instance).free
    needed = LEAST_DISK + 2 * size
    fact = f"数据库 {size / 1e6:,.0f} MB，磁盘剩余 {free / 1e9:.1f} GB"
    remedy = f"少于 {needed / 1e9:.1f} GB，备份和重建索引可能放不下，请清理或扩容"
    yield _told(free > needed, fact, remedy)
    last = db.session.scalar(select(func.max(AuditEntry.at)))
    fact = f"系统时钟是北京时间 {clock.local(clock.now()):%Y-%m-%d %H:%M}"
    remedy = "早于最后一条操作记录，请校准并启用自动对时（systemd-timesyncd）"
    yield _told(last is None or last <= clock.now() + timedelta(minutes=1), fact, remedy)
    if not settings.is_sqlite:
        lacking = [name for name in ("pg_dump", "pg_restore") if shutil.which(name) is None]
        remedy = f"没有 {'、'.join(lacking)}，请安装与服务器同版本的 postgresql-client"
        yield _told(not lacking, "备份和恢复要用 PostgreSQL 的客户端程序", remedy)


def _worker(settings: Settings) -> Iterator[Finding]:
    running = engine.is_written(settings)
    fact = f"后台进程{'在' if running else '没有'}运行"
    yield _told(running, fact, "更新不会进入检索，请启动 market up 或 market worker")
    age = vitals.heartbeat_age(settings.node)
    fact = f"后台最近一次报到：{'从未' if age is None else f'{age:.0f} 秒前'}"
    yield _told(age is not None and age < LATE, fact, "请查看后台进程的日志并重启")
    for consumer, waiting in vitals.outbox_waiting().items():
        fact = f"{consumer} 待办 {waiting.count} 条，最早的等了 {waiting.oldest:.0f} 秒"
        yield _told(waiting.oldest < LATE, fact, "请查看后台进程的日志")


def _messages(settings: Settings) -> Iterator[Finding]:
    """How mail and SMS leave, and whether they do."""
    server = channel_settings.mail_server(settings.mail_url)
    gateway = channel_settings.sms_gateway(settings.sms_url)
    for word, name, way in (("邮件", "MAIL_URL", server), ("短信", "SMS_URL", gateway)):
        fact = f"{word}经 {way.shown} 发出" if way else f"{word}写成文件，存入数据目录的 outbox"
        yield _told(
            way is not None or settings.is_local, fact, f"不会送到收信人，请设 MARKET_{name}"
        )
    if gateway is not None:
        host = urlsplit(gateway.url).hostname or ""
        secure = gateway.url.startswith("https:") or is_loopback(host)
        yield _told(
            secure, f"短信网关 {gateway.shown}", "不是 https，令牌和号码会被偷看，请改用 https"
        )
    trouble = notifications.troubles()
    fact = f"7 天内放弃发送的邮件和短信 {trouble.given_up} 条，正在重试的 {trouble.failing} 条"
    remedy = f"最近一次的原因：{trouble.reason}，请核对 MARKET_MAIL_URL、MARKET_SMS_URL 和对方地址"
    yield _told(not (trouble.given_up or trouble.failing), fact, remedy)


def _index(app: Flask, settings: Settings) -> Iterator[Finding]:
    held = engine.documents() if engine.ready() else None
    fact = f"检索索引{'不可用' if held is None else '可用'}，引擎 {settings.search_engine}"
    yield _told(held is not None, fact, "请启动后台进程，或运行 market search rebuild")
    searchables = app.extensions["market"].searchables.values()
    due = sum(1 for one in searchables for _ in one.versions())
    fact = f"索引中 {held or 0} 条，应有 {due} 条"
    remedy = "待办做完后仍不同时，请运行 market search check，再 market search rebuild"
    yield _told((held or 0) == due, fact, remedy)
    if lacking := dictionary.missing():
        effects = {"rjieba": "不分词，按相邻两字检索", "opencc": "繁体字不当简体字检索"}
        yield True, "；".join(f"没有安装 {name}，{effects[name]}" for name in lacking)


def _audit() -> Iterator[Finding]:
    verdict, tail = audit.verify(), vitals.audit_unsealed()
    fact = f"操作记录 {verdict.rows} 条，封存为 {verdict.seals} 批"
    remedy = f"第 {verdict.broken} 批核对不符，记录被改动过，请保留现场并与备份比对"
    yield _told(verdict.broken is None, fact, remedy)
    fact = f"未封存的操作记录 {tail.count} 条，最早的等了 {tail.oldest:.0f} 秒"
    yield _told(tail.oldest < LATE, fact, "请查看后台进程的日志")


def _desks(app: Flask) -> Iterator[Finding]:
    """Whether desks show what the rooms hold."""
    found = list(checks.differences(app.extensions["market"].workflows))
    missing = sum(one.what == "missing" for one in found)
    gone = sum(one.what == "gone" for one in found)
    fact = "工作台与各类办件一致"
    if found:
        other = len(found) - missing - gone
        fact = f"工作台与各类办件不一致：缺 {missing} 条，多 {gone} 条，内容不同 {other} 条"
    yield _told(not found, fact, "请运行 market desk rebuild")


def _calendar() -> Iterator[Finding]:
    """The notice for a year comes out in the autumn before; from December on it should be here."""
    today = clock.today()
    year = today.year + (today.month == 12)
    entered = holidays.overrides(date(year, 1, 1), date(year, 12, 31))
    known = bool(entered) or calendar.is_announced(year)
    fact = f"{year} 年的节假日安排{'已有' if known else '还没有'}"
    yield _told(known, fact, "期限暂按星期推算，请升级程序（chinesecalendar）")


def _papers(settings: Settings) -> Iterator[Finding]:
    """Whether stored files are encrypted, and whether certificates can be set and signed."""
    fact = "附件加密存放" if settings.files_keys else "附件没有加密存放（MARKET_FILES_KEY 是空的）"
    yield True, fact
    last = db.session.scalar(select(StoredFile).order_by(StoredFile.id.desc()).limit(1))
    if last is not None:
        yield _told(*_opens(last))
    trouble = typesetting.trouble()
    yield _told(trouble is None, trouble or "制作文书的字体可用", "请按 requirements.lock 重新安装")
    if not settings.signing_key:
        yield True, "登记证明不签名（MARKET_SIGNING_KEY 是空的），只加盖印章"
        return
    trouble = signing.trouble()
    fact = trouble or f"登记证明用 {signing.subject()} 的证书签名"
    yield _told(trouble is None, fact, "证明暂不出具，请核对证书文件和 MARKET_SIGNING_PASSWORD")


def _opens(row: StoredFile) -> tuple[bool, str, str]:
    """Whether a stored file can be read: its key is here, the storage has it."""
    try:
        files.content(row)
    except MarketError as error:
        return False, f"最近的附件打不开：{error.message.rstrip('。')}", "请核对密钥和数据目录"
    return True, "最近的附件打得开", ""


def _backup(app: Flask, settings: Settings) -> Iterator[Finding]:
    age = vitals.backup_age(app.extensions["market"])
    fact = f"最近一次备份：{'从未' if age is None else f'{age / 3600:.0f} 小时前'}"
    well = settings.demo or (age is not None and age < LATEST_BACKUP)
    yield _told(well, fact, "请运行 market backup，并检查定时备份")
