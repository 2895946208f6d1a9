"""Gunicorn's settings, read from ours. Threads, since pages wait on disk and the engine."""

from __future__ import annotations

import logging
from typing import Any

from gunicorn.http import message
from prometheus_client import multiprocess

from market.core import lifeline
from market.core.settings import load

_settings = load()
bind = _settings.bind
worker_class = "gthread"
workers = _settings.web_processes
threads = _settings.web_threads
timeout = 60
graceful_timeout = 10
keepalive = 5
accesslog = None
control_socket_disable = True
# A question of 10,000 Chinese characters is 90 KB in an address and gets a page, not an error;
# the setting alone stops at 8 KB.
message.MAX_REQUEST_LINE = 128 * 1024
limit_request_line = message.MAX_REQUEST_LINE
# A process is renewed now and then, so that no slow growth of memory ever matters.
max_requests = 20_000
max_requests_jitter = 2_000


def _says_nothing_typed(record: logging.LogRecord) -> bool:
    """Malformed requests are answered 400 and not logged: the line would hold what was asked."""
    return not record.getMessage().startswith("Invalid request")


logging.getLogger("gunicorn.error").addFilter(_says_nothing_typed)


def when_ready(_server: Any) -> None:
    """End with `market up`, however it ends."""
    lifeline.hold()


def child_exit(_server: Any, worker: Any) -> None:
    """Let the counters of a process that ended be summed with the others'."""
    multiprocess.mark_process_dead(worker.pid)
