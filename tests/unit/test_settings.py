"""Unsafe or malformed settings stop the start with a sentence."""

import pytest

from market.core.settings import SettingsError, load


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"MARKET_SECRET_KEY": "short"}, "至少 32"),
        ({"MARKET_FILES_KEY": f"derived,{'k' * 31}"}, "MARKET_FILES_KEY 太短（31 个字符）"),
        ({"MARKET_SIGNING_KEY": "/no/such/key.p12"}, "/no/such/key.p12 不存在"),
        ({"MARKET_DEMO": "1", "MARKET_BASE_URL": "https://market.example.gov.cn"}, "MARKET_DEMO"),
        ({"MARKET_WEB_THREADS": "many"}, "MARKET_WEB_THREADS"),
        ({"MARKET_DATABSE_URL": "x"}, "MARKET_DATABSE_URL 的设置，是否想写 MARKET_DATABASE_URL？"),
        ({"MARKET_FOO": "x"}, "可用的有：MARKET_INSTANCE、"),
        ({"MARKET_DATABASE_URL": "mysql://x"}, "只支持 sqlite:///"),
        ({"MARKET_DATABASE_URL": "garbage"}, "只支持 sqlite:///"),
        ({"MARKET_DATABASE_URL": "sqlite://"}, "只支持 sqlite:///"),
        ({"MARKET_DATABASE_URL": "postgresql://a@b:port/c"}, "只支持 sqlite:///"),
        ({"MARKET_DATABASE_URL": "sqlite:////no/such/folder/x.db"}, "目录不存在"),
        ({"MARKET_SEARCH_ENGINE": "lucene"}, "MARKET_SEARCH_ENGINE 只能是 tantivy、whoosh"),
        ({"MARKET_LOG_LEVEL": "abc"}, "MARKET_LOG_LEVEL 只能是 DEBUG"),
        ({"MARKET_INSTANCE": "/dev/null/instance"}, "/dev/null/instance 无法建立"),
        ({"MARKET_INSTANCE": "/dev/null"}, "/dev/null 无法建立"),
        ({"MARKET_INSTANCE": ""}, "MARKET_INSTANCE 是空的"),
        ({"MARKET_BIND": "127.0.0.1:99999"}, "MARKET_BIND"),
        ({"MARKET_BIND": "127.0.0.1:0"}, "MARKET_BIND"),
        ({"MARKET_BIND": "127.0.0.1"}, "MARKET_BIND"),
        ({"MARKET_BIND": ":8000"}, "MARKET_BIND"),
        ({"MARKET_BIND": "127.0.0.1:8000/x"}, "MARKET_BIND"),
        ({"MARKET_BASE_URL": "market.example.gov.cn"}, "MARKET_BASE_URL"),
        ({"MARKET_DEMO": "yes"}, "MARKET_DEMO 只能是"),
        ({"MARKET_DEMO": "1", "MARKET_BIND": "0.0.0.0:8000"}, "MARKET_DEMO"),
        (
            {
                "MARKET_DEMO": "1",
                "MARKET_BIND": "0.0.0.0:8000",
                "MARKET_BASE_URL": "http://localhost:8000",
            },
            "MARKET_BIND 现为 0.0.0.0",
        ),
        ({"MARKET_MAIL_URL": "mail.example.cn"}, "MARKET_MAIL_URL 应为 smtp://"),
        ({"MARKET_MAIL_URL": "smtp://a@b:port"}, "MARKET_MAIL_URL 应为"),
        ({"MARKET_MAIL_URL": "smtp://a:b#c@host"}, "MARKET_MAIL_URL 应为"),
        ({"MARKET_MAIL_URL": "smtp://host?tls=no"}, "MARKET_MAIL_URL 应为"),
        ({"MARKET_MAIL_URL": "smtp://host?tsl=starttls"}, "MARKET_MAIL_URL 应为"),
        ({"MARKET_MAIL_URL": "smtp://a:b@mail.example.cn"}, "不加密地发给 mail.example.cn"),
        ({"MARKET_MAIL_URL": "smtps://mail.example.cn"}, "同时设 MARKET_MAIL_FROM"),
        ({"MARKET_MAIL_FROM": "market"}, "MARKET_MAIL_FROM 应为"),
        ({"MARKET_SMS_URL": "sms.example.cn"}, "MARKET_SMS_URL 应为 https://"),
    ],
)
def test_refused(given, says, tmp_path):
    with pytest.raises(SettingsError, match=says):
        load({"MARKET_INSTANCE": str(tmp_path), **given})


@pytest.mark.parametrize(
    "given",
    [
        {"MARKET_DATABASE_URL": "postgresql://market@/market?host=/run/postgresql"},
        {"MARKET_BIND": "[::1]:8000", "MARKET_DEMO": "1"},
        {"MARKET_DEMO": ""},
        {"MARKET_LOG_LEVEL": "warning"},
        {"MARKET_MAIL_URL": "smtp://a:b@localhost", "MARKET_MAIL_FROM": "市场 <a@b.cn>"},
        {"MARKET_MAIL_URL": "", "MARKET_SMS_URL": "file:"},
    ],
)
def test_accepted(given, tmp_path):
    made = load({"MARKET_INSTANCE": str(tmp_path), **given})
    assert made.demo == (given.get("MARKET_DEMO") == "1")
    assert made.is_local


def test_secrets_in_addresses_are_not_repeated(tmp_path):
    given = {"MARKET_MAIL_URL": "smtp://a:hidden@mail.example.cn", "MARKET_INSTANCE": str(tmp_path)}
    with pytest.raises(SettingsError) as caught:
        load(given)
    assert "hidden" not in str(caught.value)
    made = load(given | {"MARKET_MAIL_URL": "smtps://a:hidden@x.cn", "MARKET_MAIL_FROM": "a@b.cn"})
    assert "hidden" not in repr(made)


def test_secret_key_is_made_once(tmp_path):
    first = load({"MARKET_INSTANCE": str(tmp_path)})
    assert len(first.secret_key) >= 32
    assert load({"MARKET_INSTANCE": str(tmp_path)}).secret_key == first.secret_key
    assert first.secret_key not in repr(first)
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("kept", [b"", b"cut off\n", b"\xff" * 64])
def test_a_key_file_that_was_not_written_whole(tmp_path, kept):
    """A disk that was full would otherwise leave the site with a key that anybody can guess."""
    (tmp_path / "secret_key").write_bytes(kept)
    with pytest.raises(SettingsError, match="secret_key"):
        load({"MARKET_INSTANCE": str(tmp_path)})
    assert (tmp_path / "secret_key").read_bytes() == kept


def test_a_key_that_cannot_be_written_leaves_nothing(tmp_path, monkeypatch):
    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(SettingsError, match="No space left"):
        load({"MARKET_INSTANCE": str(tmp_path)})
    assert list(tmp_path.iterdir()) == []
