"""Unsafe or malformed settings stop the start with a sentence."""

import pytest

from market.core.settings import SettingsError, load


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"MARKET_SECRET_KEY": "short"}, "至少 32"),
        ({"MARKET_DEMO": "1", "MARKET_BASE_URL": "https://market.example.gov.cn"}, "MARKET_DEMO"),
        ({"MARKET_WEB_THREADS": "many"}, "MARKET_WEB_THREADS"),
        ({"MARKET_DATABSE_URL": "x"}, "MARKET_DATABSE_URL"),
    ],
)
def test_refused(given, says, tmp_path):
    with pytest.raises(SettingsError, match=says):
        load({"MARKET_INSTANCE": str(tmp_path), **given})


def test_secret_key_is_made_once(tmp_path):
    first = load({"MARKET_INSTANCE": str(tmp_path)})
    assert len(first.secret_key) >= 32
    assert load({"MARKET_INSTANCE": str(tmp_path)}).secret_key == first.secret_key
    assert first.secret_key not in repr(first)
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0
