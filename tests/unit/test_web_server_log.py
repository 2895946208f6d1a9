"""What the web server itself writes to the log."""

import importlib
import logging


def test_malformed_requests_are_not_repeated(tmp_path, monkeypatch):
    monkeypatch.setenv("MARKET_INSTANCE", str(tmp_path))
    importlib.import_module("market.gunicorn_conf")
    log = logging.getLogger("gunicorn.error")

    def shown(message):
        return bool(log.filter(logging.makeLogRecord({"msg": message})))

    assert not shown("Invalid request from ip=203.0.113.9: GET /search?q=typed")
    assert shown("Worker was told to end")
