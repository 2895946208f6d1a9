"""Settings: environment variables `MARKET_*`, declared once with meaning and default."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
SHORTEST_SECRET = 32


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
    Setting("SEARCH_ENGINE", "tantivy", "检索引擎名称"),
    Setting("SECRET_KEY", "", "签名密钥，至少 32 个字符；空则首次启动时生成并存入数据目录", True),
    Setting("BASE_URL", "", "对外网址，如 https://market.example.gov.cn；空则按监听地址"),
    Setting("BIND", "127.0.0.1:8000", "网站监听的地址和端口"),
    Setting("WEB_PROCESSES", "2", "网站进程数"),
    Setting("WEB_THREADS", "4", "每个网站进程的线程数"),
    Setting("NODE", "local", "本节点名称；多台服务器时各不相同"),
    Setting("DEMO", "0", "1 表示演示站，仅允许本机网址"),
    Setting("SITE_NAME", "县域技术市场", "页眉上的网站名称"),
    Setting("LOG_LEVEL", "INFO", "日志级别：DEBUG、INFO、WARNING、ERROR"),
    Setting("METRICS_TOKEN", "", "从其他机器读取 /metrics 时须带的令牌；空则只许本机", True),
)


@dataclass(frozen=True)
class Settings:
    """The settings in force. `sources` tells where each came from: environment or default."""

    instance: Path
    database_url: str
    search_engine: str
    secret_key: str = field(repr=False)
    base_url: str
    bind: str
    web_processes: int
    web_threads: int
    node: str
    demo: bool
    site_name: str
    log_level: str
    metrics_token: str = field(repr=False)
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")


def _whole_number(name: str, text: str, lowest: int, highest: int) -> int:
    if not text.isdecimal() or not lowest <= int(text) <= highest:
        raise SettingsError(
            f"MARKET_{name} 应为 {lowest} 到 {highest} 之间的整数，现为「{text}」。"
        )
    return int(text)


def _secret_key(given: str, instance: Path) -> str:
    """The configured key, else the one kept in the instance, made at the first start."""
    if given:
        if len(given) < SHORTEST_SECRET:
            raise SettingsError(
                f"MARKET_SECRET_KEY 太短（{len(given)} 个字符）：请用至少 {SHORTEST_SECRET} 个随机字符。"
            )
        return given
    kept = instance / "secret_key"
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return kept.read_text(encoding="ascii").strip()
    with os.fdopen(handle, "w", encoding="ascii") as file:
        key = secrets.token_urlsafe(48)
        file.write(key)
    return key


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
    unknown = {name for name in environ if name.startswith("MARKET_")} - {
        s.variable for s in DECLARED
    }
    if stray := sorted(name for name in unknown if not name.startswith("MARKET_BENCH_")):
        raise SettingsError(
            f"没有名为 {'、'.join(stray)} 的设置，请检查拼写（market doctor 列出全部）。"
        )
    instance = Path(values["INSTANCE"]).absolute()
    base_url = values["BASE_URL"].rstrip("/") or f"http://{values['BIND']}"
    demo = values["DEMO"] == "1"
    if demo and urlsplit(base_url).hostname not in LOOPBACK:
        raise SettingsError(
            f"MARKET_DEMO=1 只能用于本机网址，现为 {base_url}：正式网站请去掉 MARKET_DEMO。"
        )
    return Settings(
        instance=instance,
        database_url=values["DATABASE_URL"] or f"sqlite:///{instance / 'market.db'}",
        search_engine=values["SEARCH_ENGINE"],
        secret_key=_secret_key(values["SECRET_KEY"], instance),
        base_url=base_url,
        bind=values["BIND"],
        web_processes=_whole_number("WEB_PROCESSES", values["WEB_PROCESSES"], 1, 64),
        web_threads=_whole_number("WEB_THREADS", values["WEB_THREADS"], 1, 64),
        node=values["NODE"],
        demo=demo,
        site_name=values["SITE_NAME"],
        log_level=values["LOG_LEVEL"].upper(),
        metrics_token=values["METRICS_TOKEN"],
        sources=sources,
    )
