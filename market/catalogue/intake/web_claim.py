"""认领: telephone and code, and the organisation is its caller's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, render_template, request
from marshmallow import EXCLUDE, Schema, ValidationError, validates_schema
from werkzeug.wrappers import Response as AnyResponse

from market.accounts.people import sessions
from market.catalogue.intake import claiming
from market.catalogue.intake.schemas import Telephone
from market.catalogue.intake.workflow import CLAIM
from market.core.errors import Invalid
from market.core.fields import Line
from market.core.forms import Form
from market.core.http import client_address, current_actor
from market.core.languages import translate as _
from market.core.permissions import requires
from market.core.submitting import Trouble, show, submit

blueprint = Blueprint("claim", __name__)


class ClaimSchema(Schema):
    """What is asked of whoever claims."""

    class Meta:
        unknown = EXCLUDE

    telephone = Telephone(metadata={"label": "手机号"})
    code = Line(20, metadata={"label": "认领码"})

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def needed(self, values: Mapping[str, Any], sent: Mapping[str, Any], **_more: Any) -> None:
        """Both are."""
        if not sent.get("telephone"):
            raise ValidationError(_("请填收到认领码的手机号。"), "telephone")
        code = values.get("code") or ""
        if not (code.isascii() and code.isdecimal() and len(code) == 6):
            raise ValidationError(_("认领码是 6 位数字，在短信里。"), "code")


@blueprint.get("/claim")
@requires(CLAIM)
def form() -> Response:
    """The empty form."""
    return show(_page)


@blueprint.post("/claim")
@requires(CLAIM)
def send() -> AnyResponse:
    """Take the organisation over; a new person is signed in."""
    words: list[str] = []

    def act(values: Mapping[str, Any]) -> str:
        password = request.form.get("password", "")
        if not current_actor().signed_in and password != request.form.get("password_again", ""):
            raise Invalid({"password_again": [_("两次填的密码不一样。")]})
        done = claiming.claim(
            current_actor(),
            values["telephone"],
            values["code"],
            password=password,
            address=client_address(),
        )
        words.extend([done.word] if done.word else [])
        return "/my"

    answer = submit(ClaimSchema(), act, _page, twice=True)
    if words:
        assert isinstance(answer, Response)
        sessions.set_cookie(answer, words[0])
    return answer


def _page(form: Form, trouble: Trouble) -> str:
    return render_template(
        "intake/claim.html", form=form, trouble=trouble, sign_in=trouble.status == 409
    )
