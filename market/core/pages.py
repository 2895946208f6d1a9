"""Pages about the site itself: help, privacy, accessibility; and the door to the English pages."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template
from werkzeug.wrappers import Response

from market.core.languages import PREFIX
from market.core.permissions import Always, policy, requires

READ = policy.declare("core:page:read", public=Always())
blueprint = Blueprint("pages", __name__)


@blueprint.get("/help")
@requires(READ)
def help_page() -> str:
    """How to find, how to read, what to do by role, whom to ask."""
    return render_template("pages/help.html")


@blueprint.get("/privacy")
@requires(READ)
def privacy() -> str:
    """What is stored of a reader, why and how long, and his rights."""
    return render_template("pages/privacy.html")


@blueprint.get("/accessibility")
@requires(READ)
def accessibility() -> str:
    """Which standard the site meets, how that was tested, how to report a barrier."""
    return render_template("pages/accessibility.html")


@blueprint.get(PREFIX)
@requires(READ)
def english() -> Response:
    """The English home page has one address, with the stroke at its end."""
    return redirect(f"{PREFIX}/", code=301)
