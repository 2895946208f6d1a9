"""The composition root: settings, database, rooms, error pages."""

from __future__ import annotations

from flask import Flask
from flask_compress import Compress

from market.accounts.people.sessions import init_sessions
from market.core import logs
from market.core.api import init_api
from market.core.csrf import init_csrf
from market.core.db import init_db
from market.core.error_pages import init_errors
from market.core.http import init_http
from market.core.languages import init_languages
from market.core.ports import Market
from market.core.settings import Settings, load
from market.core.views import init_views
from market.paths import TEMPLATES, TRANSLATIONS
from market.rooms import FOREIGN_ROUTES, ROOMS

LARGEST_REQUEST = 20 * 1024 * 1024  # bytes


def create_app(settings: Settings | None = None) -> Flask:
    """The whole application.

    Args:
        settings: read from the environment when not given.

    Raises:
        SettingsError: a setting is malformed or unsafe.
    """
    settings = settings or load()
    logs.configure(settings.log_level)
    app = Flask("market", static_folder=None, template_folder=str(TEMPLATES))
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=LARGEST_REQUEST,
        BABEL_DEFAULT_LOCALE="zh_Hans_CN",
        BABEL_DEFAULT_TIMEZONE="Asia/Shanghai",
        BABEL_TRANSLATION_DIRECTORIES=str(TRANSLATIONS),
        COMPRESS_MIMETYPES=[
            "text/html",
            "text/css",
            "text/javascript",
            "application/javascript",
            "application/json",
            "application/problem+json",
            "application/atom+xml",
            "application/xml",
            "image/svg+xml",
            "text/csv",
        ],
        COMPRESS_ALGORITHM=["gzip"],
        COMPRESS_STREAMS=False,
    )
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]  # answers keep the order of forms
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.extensions["market"] = Market(settings, ROOMS, FOREIGN_ROUTES)
    init_languages(app)
    Compress(app)
    init_http(app)
    init_errors(app)
    init_csrf(app, secure=settings.base_url.startswith("https:"))
    init_db(app, settings)
    init_sessions(app)
    api = init_api(app, settings.site_name)
    for room in ROOMS:
        for blueprint in room.blueprints:
            app.register_blueprint(blueprint)
        for part in room.api:
            api.register_blueprint(part)
    init_views(app, settings)
    return app
