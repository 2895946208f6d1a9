"""The page of a claim: what it says, where it stands, reasons and answers, what comes next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from market.core.forms import Form
from market.core.http import current_actor
from market.core.permissions import policy, requires
from market.core.submitting import Page, Trouble, show, submit
from market.core.workflow import timeline
from market.vouchers import answering, claiming, evidence
from market.vouchers.claim_models import CHECK_RESULTS, CLAIM_STATES, PAYMENT_STATES, Claim
from market.vouchers.codes import EXCLUSIONS
from market.vouchers.firm_pages import checks, queries
from market.vouchers.firm_pages.schemas import PlainSchema, answers_schema
from market.vouchers.firm_pages.web_apply import facts_shown
from market.vouchers.locking import seen
from market.vouchers.schemes import sheet_of
from market.vouchers.workflow import CLAIM, CLAIM_MONEY, READ_CLAIM, READ_ORDER, READ_VOUCHER

blueprint = Blueprint("voucher_cases", __name__)
# What the reasons of a return stand at, in words.
FIELDS = {
    "items": "服务和费用",
    "invoices": "发票",
    "bank": "收款账户",
    "evidence": "佐证材料",
    "contract_no": "合同编号",
    "service": "服务时间",
    "facts": "企业情况",
    "asked": "申请金额",
    "provider": "服务机构",
    "other": "其他",
}
OWN_ACTS = ("withdraw",)


@blueprint.get("/vouchers/claims/<string:no>")
@requires(READ_CLAIM)
def case(no: str) -> AnyResponse:
    """A claim."""
    seen(Claim, current_actor(), READ_CLAIM, no)
    return show(_page(no))


@blueprint.post("/vouchers/claims/<string:no>/withdraw")
@requires(READ_CLAIM)
def withdraw(no: str) -> AnyResponse:
    """Take it back: what it held is free again."""
    actor = current_actor()
    seen(Claim, actor, READ_CLAIM, no)

    def act(values: Mapping[str, Any]) -> str:
        claiming.withdraw(actor, no, values.get("seen"))
        return f"/vouchers/claims/{no}"

    return submit(PlainSchema(), act, _page(no))


@blueprint.post("/vouchers/claims/<string:no>/answers")
@requires(READ_CLAIM)
def answers(no: str) -> AnyResponse:
    """How each thing was mended that it was returned for."""
    actor = current_actor()
    review = answering.asked_of(seen(Claim, actor, READ_CLAIM, no))
    names = list(review.reasons) if review else []

    def act(values: Mapping[str, Any]) -> str:
        told = {name: values.get(f"answer-{name}") or "" for name in names}
        answering.answer(actor, no, told, values.get("version"))
        to_check = request.form.get("next") == "check"
        return f"/vouchers/claims/{no}{'/check' if to_check else '?saved=1'}"

    return submit(answers_schema(names), act, _page(no, "answers"))


def _page(no: str, tried: str = "") -> Page:
    def page(form: Form, trouble: Trouble) -> str:
        actor = current_actor()
        claim = seen(Claim, actor, READ_CLAIM, no)
        sheet, item = sheet_of(claim.version), CLAIM.item(claim)
        mine = policy.allows(actor, CLAIM_MONEY, claim)
        offered = CLAIM.actions(actor, claim) if mine else []
        return render_template(
            "vouchers/claim.html",
            claim=claim,
            sheet=sheet,
            form=form,
            trouble=trouble,
            tried=tried,
            edits=queries.may_write(actor, claim),
            buttons=[one for one in offered if one.action in OWN_ACTS],
            step=item,
            mine=mine,
            desk=queries.desk_address(actor, claim),
            services=claiming.service_labels(claim),
            exclusions=EXCLUSIONS,
            order_readable=claim.order is not None
            and policy.allows(actor, READ_ORDER, claim.order),
            voucher_readable=claim.voucher is not None
            and policy.allows(actor, READ_VOUCHER, claim.voucher),
            review=answering.asked_of(claim),
            fields=FIELDS,
            longest=answering.LONGEST,
            papers=checks.papers_of(claim),
            files=evidence.files_of(claim),
            purposes=evidence.PURPOSES,
            facts=facts_shown(claim.facts),
            payments=queries.payments_of(claim),
            payment_states=PAYMENT_STATES,
            results=CHECK_RESULTS,
            states=CLAIM_STATES,
            events=timeline(CLAIM.name, claim.id),
            words={one.action: one.label for one in CLAIM.transitions}
            | {"begin": "开始填写", "cut": "按比例核减", "account": "更正收款账户"},
        )

    return page
