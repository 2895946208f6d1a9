"""Settings: environment variables `MARKET_*`, declared once with meaning and default."""

from __future__ import annotations

import difflib
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from market.core import channel_settings
from market.core.instance import write_private
from market.core.languages import N_
from search_index import ENGINES

# Network logs are kept for six months at least: 网络安全法（日志留存不少于六个月的规定）.
LEAST_AUDIT_DAYS = 184
SHORTEST_SECRET = 32
DERIVED = "derived"  # a file key that is drawn from the site's secret key
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class SettingsError(Exception):
    """A setting is missing, malformed or unsafe; the message says what to do."""


@dataclass(frozen=True)
class Setting:
    """One declared setting: its variable, default (as text) and meaning in one line."""

    name: str
    default: str
    meaning: str
    secret: bool = False

    @property
    def variable(self) -> str:
        return f"MARKET_{self.name}"


DECLARED: tuple[Setting, ...] = (
    Setting("INSTANCE", "instance", "数据目录：数据库、索引、附件和密钥都在其中"),
    Setting(
        "DATABASE_URL", "", "数据库地址；空则用数据目录中的 SQLite，postgresql://… 用 PostgreSQL"
    ),
    Setting("SEARCH_ENGINE", "tantivy", "检索引擎：tantivy；小站或装不了它时用 whoosh"),
    Setting("SECRET_KEY", "", "签名密钥，至少 32 个字符；空则首次启动时生成并存入数据目录", True),
    Setting(
        "FILES_KEY",
        "",
        "附件的加密密钥，至少 32 个字符；derived 由 MARKET_SECRET_KEY 派生；空则不加密；多把用逗号隔开，第一把写入",
        True,
    ),
    Setting("SIGNING_KEY", "", "登记证明的签名证书：.p12 文件的路径；空则只打印，不签名"),
    Setting("SIGNING_PASSWORD", "", "签名证书文件的密码", True),
    Setting("BASE_URL", "", "对外网址，如 https://market.example.gov.cn；空则按监听地址"),
    Setting("BIND", "127.0.0.1:8000", "网站监听的地址和端口"),
    Setting("WEB_PROCESSES", "2", "网站进程数"),
    Setting("WEB_THREADS", "4", "每个网站进程的线程数"),
    Setting("NODE", "local", "本节点名称；多台服务器时各不相同"),
    Setting("DEMO", "0", "1 表示演示站，仅允许本机网址"),
    Setting("SITE_NAME", N_("县域技术市场"), "页眉上的网站名称"),
    Setting("SITE_NAME_EN", "", "英文页面上的网站名称；空则译出默认名称，自定的名称照写"),
    Setting("HOST_ORGANISATION", "", "主办单位全称：页脚和隐私说明中显示"),
    Setting("OPERATING_ORGANISATION", "", "承办单位全称：页脚中显示；没有则留空"),
    Setting("ICP_NUMBER", "", "ICP 备案号，如 蜀ICP备12345678号-1：页脚中显示并链接到备案系统"),
    Setting("POLICE_NUMBER", "", "公安联网备案号，如 川公网安备 51180202000001号：页脚中显示"),
    Setting("TELEPHONE", "", "主办单位电话：页脚中，以及信息、单位和所在地都没有电话时显示"),
    Setting(
        "MAIL_URL",
        "",
        "发邮件的服务器：smtp://用户:密码@主机:端口?tls=starttls 或 smtps://…；空则写成文件",
        True,
    ),
    Setting("MAIL_FROM", "", "发件人，如 县域技术市场 <market@example.gov.cn>；经服务器发信时必填"),
    Setting("SMS_URL", "", "短信网关：https://:令牌@主机/路径；空则写成文件", True),
    Setting("AUDIT_DAYS", "1095", "操作记录至少保存几天；不少于 184 天（六个月）；目前都不删除"),
    Setting("LOG_LEVEL", "INFO", "日志级别：DEBUG、INFO、WARNING、ERROR、CRITICAL"),
    Setting("METRICS_TOKEN", "", "从其他机器读取 /metrics 时须带的令牌；空则只许本机", True),
)


# Words that pages show as they stand.
_AS_GIVEN = (
    "SITE_NAME_EN",
    "HOST_ORGANISATION",
    "OPERATING_ORGANISATION",
    "ICP_NUMBER",
    "POLICE_NUMBER",
    "TELEPHONE",
)


@dataclass(frozen=True)
class Settings:
    """The settings in force. `sources` tells where each came from: environment or default."""

    instance: Path
    database_url: str
    search_engine: str
    secret_key: str = field(repr=False)
    files_key: str = field(repr=False)
    signing_key: str
    signing_password: str = field(repr=False)
    base_url: str
    bind: str
    web_processes: int
    web_threads: int
    node: str
    demo: bool
    site_name: str
    site_name_en: str
    host_organisation: str
    operating_organisation: str
    icp_number: str
    police_number: str
    telephone: str
    mail_url: str = field(repr=False)
    mail_from: str
    sms_url: str = field(repr=False)
    audit_days: int
    log_level: str
    metrics_token: str = field(repr=False)
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def files_keys(self) -> tuple[str, ...]:
        """Keys of stored files: the first one writes, all of them read; none: files stay plain."""
        return tuple(one for one in self.files_key.split(",") if one)

    @property
    def is_local(self) -> bool:
        """Whether the site's address can be reached from this machine alone."""
        return is_loopback(urlsplit(self.base_url).hostname or "")


def is_loopback(host: str) -> bool:
    """Whether a host's name or address means this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _whole_number(name: str, text: str, lowest: int, highest: int) -> int:
    if not text.isdecimal() or not lowest <= int(text) <= highest:
        raise SettingsError(
            f"MARKET_{name} 应为 {lowest} 到 {highest} 之间的整数，现为「{text}」。"
        )
    return int(text)


def _choice(name: str, text: str, known: tuple[str, ...]) -> str:
    if text not in known:
        raise SettingsError(f"MARKET_{name} 只能是 {'、'.join(known)}，现为「{text}」。")
    return text


def _engine(text: str) -> str:
    """The search engine, whose package has the same name."""
    engine = _choice("SEARCH_ENGINE", text, ENGINES)
    if find_spec(engine) is None:
        raise SettingsError(
            f"这台机器上没有安装 {engine}：请安装，或设 MARKET_SEARCH_ENGINE=whoosh（见 README.md）。"
        )
    return engine


def _known_variables(environ: Mapping[str, str]) -> None:
    """Refuse variables nobody reads: most often a known one misspelt."""
    known = [s.variable for s in DECLARED]
    for name in sorted(environ):
        if not name.startswith("MARKET_") or name.startswith("MARKET_BENCH_") or name in known:
            continue
        names = [s.name for s in DECLARED]  # without the prefix, which makes all look alike
        near = difflib.get_close_matches(name.removeprefix("MARKET_"), names, n=1)
        hint = f"是否想写 MARKET_{near[0]}？" if near else f"可用的有：{'、'.join(known)}。"
        raise SettingsError(f"没有名为 {name} 的设置，{hint}说明见 docs/operators.md。")


def _instance(text: str) -> Path:
    """The data folder, made when it is not there yet."""
    if not text:
        raise SettingsError("MARKET_INSTANCE 是空的：请写出数据目录，或去掉这个设置。")
    instance = Path(text).absolute()
    try:
        instance.mkdir(mode=0o700, parents=True, exist_ok=True)  # it holds personal data
    except OSError as error:
        raise SettingsError(
            f"MARKET_INSTANCE 指定的数据目录 {instance} 无法建立（{error.strerror}）："
            "请换一个可写的目录。"
        ) from error
    if not os.access(instance, os.W_OK | os.X_OK):
        raise SettingsError(f"MARKET_INSTANCE 指定的数据目录 {instance} 不可写：请改权限或换目录。")
    return instance


def _database_url(text: str, instance: Path) -> str:
    """The database's address; its password is never repeated in a message."""
    if not text:
        return f"sqlite:///{instance / 'market.db'}"
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.drivername not in {"sqlite", "postgresql"} or not url.database:
        raise SettingsError(
            "MARKET_DATABASE_URL 只支持 sqlite:///文件路径 和 "
            "postgresql://用户@主机/库名 两种写法，请改正。"
        )
    if url.drivername == "sqlite" and not Path(url.database).absolute().parent.is_dir():
        raise SettingsError(
            f"MARKET_DATABASE_URL 中 {url.database} 所在的目录不存在，请先建立或改正路径。"
        )
    return text


def _bind(text: str) -> tuple[str, str]:
    """The address to listen on, and its host."""
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not port or parts.netloc != text or "@" in text:
        raise SettingsError(
            f"MARKET_BIND 应为「地址:端口」，如 127.0.0.1:8000，端口 1 到 65535，现为「{text}」。"
        )
    return text, host


def _base_url(text: str, bind: str) -> str:
    base_url = text.rstrip("/") or f"http://{bind}"
    try:
        parts = urlsplit(base_url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname)
        _ = parts.port  # raises when it is no port
    except ValueError:
        good = False
    if not good:
        raise SettingsError(
            f"MARKET_BASE_URL 应为 https://market.example.gov.cn 这样的网址，现为「{text}」。"
        )
    return base_url


def _demo(text: str, base_url: str, host: str) -> bool:
    if text not in {"", "0", "1"}:
        raise SettingsError(f"MARKET_DEMO 只能是 1（演示站）、0 或空，现为「{text}」。")
    if text != "1":
        return False
    if not is_loopback(urlsplit(base_url).hostname or ""):
        raise SettingsError(
            f"MARKET_DEMO=1 只能用于本机网址，现为 {base_url}：正式网站请去掉 MARKET_DEMO。"
        )
    if not is_loopback(host):
        raise SettingsError(
            f"MARKET_DEMO=1 只能监听本机地址，MARKET_BIND 现为 {host}："
            "请改为 127.0.0.1，正式网站请去掉 MARKET_DEMO。"
        )
    return True


def _secret_key(given: str, instance: Path) -> str:
    """The configured key, else the one kept in the instance, made at the first start."""
    if given:
        if len(given) < SHORTEST_SECRET:
            raise SettingsError(
                f"MARKET_SECRET_KEY 太短（{len(given)} 个字符）：请用至少 {SHORTEST_SECRET} 个随机字符。"
            )
        return given
    kept = instance / "secret_key"
    draft = instance / f"secret_key.{os.getpid()}"
    try:
        if not kept.exists():
            write_private(draft, secrets.token_urlsafe(48))
            with suppress(FileExistsError):  # another process was first
                os.link(draft, kept)
        key = kept.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "内容不是文字"
        raise SettingsError(f"密钥文件 {kept} 不能读写（{reason}）：请检查权限和磁盘。") from error
    finally:
        draft.unlink(missing_ok=True)
    if len(key) < SHORTEST_SECRET:
        raise SettingsError(
            f"密钥文件 {kept} 是空的或不完整：请写回原来的密钥（market backup --keys 保存过），"
            "或删除这个文件，重新生成（换密钥的后果见 docs/operators.md）。"
        )
    return key


def _files_key(text: str) -> str:
    """Keys of stored files, by commas; what is typed by hand is too weak and refused."""
    words = [one.strip() for one in text.split(",") if one.strip()]
    if short := [one for one in words if one != DERIVED and len(one) < SHORTEST_SECRET]:
        raise SettingsError(
            f"MARKET_FILES_KEY 太短（{len(short[0])} 个字符）："
            f"请用至少 {SHORTEST_SECRET} 个随机字符，或写 {DERIVED} 由 MARKET_SECRET_KEY 派生。"
        )
    return ",".join(words)


def _signing_key(text: str) -> str:
    """The file with the certificate that signs; whether it opens, `market doctor` says."""
    if text and not Path(text).is_file():
        raise SettingsError(
            f"MARKET_SIGNING_KEY 指定的文件 {text} 不存在：请写出 .p12 文件的路径，或去掉这个设置。"
        )
    return text


def _channels(mail_url: str, mail_from: str, sms_url: str, base_url: str) -> dict[str, str]:
    """How mail and SMS leave; secrets in the addresses are never repeated in a message."""
    try:
        server = channel_settings.mail_server(mail_url)
    except ValueError as error:
        raise SettingsError(f"MARKET_MAIL_URL {error}。") from error
    if server is not None and server.password and not server.tls and not is_loopback(server.host):
        raise SettingsError(
            f"MARKET_MAIL_URL 会把密码不加密地发给 {server.host}："
            "请在末尾加 ?tls=starttls，或改用 smtps://。"
        )
    try:
        channel_settings.sms_gateway(sms_url)
    except ValueError as error:
        raise SettingsError(f"MARKET_SMS_URL {error}。") from error
    if server is not None and not mail_from:
        raise SettingsError("设了 MARKET_MAIL_URL，请同时设 MARKET_MAIL_FROM（发件人地址）。")
    host = urlsplit(base_url).hostname or ""
    mail_from = mail_from or f"market@{'localhost' if ':' in host else host}"
    try:
        channel_settings.sender(mail_from)
    except ValueError as error:
        raise SettingsError(f"MARKET_MAIL_FROM {error}，现为「{mail_from}」。") from error
    return {"mail_url": mail_url, "mail_from": mail_from, "sms_url": sms_url}


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read all settings.

    Args:
        environ: the environment; the process's own when not given.

    Raises:
        SettingsError: a value is malformed or unsafe, with a sentence that says what to do.
    """
    environ = os.environ if environ is None else environ
    values = {s.name: environ.get(s.variable, s.default) for s in DECLARED}
    sources = {s.name: "environment" if s.variable in environ else "default" for s in DECLARED}
    _known_variables(environ)
    bind, host = _bind(values["BIND"])
    base_url = _base_url(values["BASE_URL"], bind)
    demo = _demo(values["DEMO"], base_url, host)
    engine = _engine(values["SEARCH_ENGINE"])
    log_level = _choice("LOG_LEVEL", values["LOG_LEVEL"].upper(), LOG_LEVELS)
    instance = _instance(values["INSTANCE"])
    return Settings(
        instance=instance,
        database_url=_database_url(values["DATABASE_URL"], instance),
        search_engine=engine,
        secret_key=_secret_key(values["SECRET_KEY"], instance),
        files_key=_files_key(values["FILES_KEY"]),
        signing_key=_signing_key(values["SIGNING_KEY"]),
        signing_password=values["SIGNING_PASSWORD"],
        base_url=base_url,
        bind=bind,
        web_processes=_whole_number("WEB_PROCESSES", values["WEB_PROCESSES"], 1, 64),
        web_threads=_whole_number("WEB_THREADS", values["WEB_THREADS"], 1, 64),
        node=values["NODE"],
        demo=demo,
        site_name=values["SITE_NAME"],
        **{name.lower(): values[name].strip() for name in _AS_GIVEN},
        **_channels(values["MAIL_URL"], values["MAIL_FROM"], values["SMS_URL"], base_url),
        audit_days=_whole_number("AUDIT_DAYS", values["AUDIT_DAYS"], LEAST_AUDIT_DAYS, 36_500),
        log_level=log_level,
        metrics_token=values["METRICS_TOKEN"],
        sources=sources,
    )
