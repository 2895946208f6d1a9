"""Papers, contract texts and the public check in the API."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Response

from market.contracts import queries as contracts
from market.contracts.papers import queries, service, texts, verifying
from market.contracts.papers.access import AGAIN, TEXTS, VERIFY
from market.contracts.papers.api_schemas import (
    PaperListSchema,
    VerifiedSchema,
    VerifyQuery,
)
from market.contracts.papers.queries import TEXT, Printed
from market.contracts.papers.verifying import Face
from market.contracts.papers.web import handed_out
from market.contracts.workflow import BEGIN, READ
from market.core.api import MISSING, PREFIX, ApiBlueprint
from market.core.api_writes import as_seen, edits, tagged
from market.core.errors import NotFound
from market.core.http import client_address, current_actor
from market.core.languages import translate
from market.core.pagination import PageOf, whole
from market.core.permissions import requires

blueprint = ApiBlueprint("contract_papers_api", __name__, "技术合同的文书、合同文本和证明查验")
_TOKEN: list[dict[str, list[str]]] = [{"token": []}]
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FILE: dict[Any, Any] = {
    "200": {"description": "文件", "content": {"application/octet-stream": _BINARY}}
}


def _papers(no: str) -> list[dict[str, str]]:
    actor = current_actor()
    contract = contracts.find(actor, no)
    return [
        {"kind": kind, "label": label, "url": f"{PREFIX}/contracts/{no}/papers/{kind}"}
        for kind, label in queries.kinds_for(actor, contract).items()
    ]


@blueprint.route("/contracts/<string:no>/papers")
@blueprint.doc(operationId="listContractPapers", summary="一份合同现有的文书", security=_TOKEN)
@blueprint.response(200, PaperListSchema, description="文书和下载的地址")
@blueprint.alt_response(404, MISSING)
@requires(READ)
def papers(no: str) -> PageOf[dict[str, str]]:
    """The papers of a contract that the program may have."""
    return whole(_papers(no))


@blueprint.route("/contracts/<string:no>/papers/<string:kind>")
@blueprint.doc(
    operationId="getContractPaper",
    summary="下载一份文书",
    description="回答就是 PDF 文件（合同文本是 DOCX）。每次下载留记录。",
    responses=_FILE,
    security=_TOKEN,
)
@blueprint.alt_response(404, MISSING)
@requires(READ)
def paper(no: str, kind: str) -> Response:
    """A paper as a file."""
    return _closed(
        texts.of_contract(current_actor(), no)
        if kind == TEXT
        else queries.printed(current_actor(), no, kind)
    )


def _closed(made: Printed) -> Response:
    response = handed_out(made)
    response.headers["Cache-Control"] = "private, no-store"
    return response


@blueprint.route("/contracts/<string:no>/papers/certificate", methods=["POST"])
@blueprint.doc(
    operationId="reissueCertificate",
    summary="重新出具登记证明",
    description="名称改正或换了签名证书以后用。须带 If-Match（合同的版本）。几秒后可以下载。",
    security=_TOKEN,
)
@blueprint.response(200, PaperListSchema, description="现有的文书")
@blueprint.alt_response(404, MISSING)
@edits
@requires(AGAIN)
def again(no: str) -> Response:
    """Have the certificate issued anew."""
    actor = current_actor()
    with as_seen(lambda: contracts.find(actor, no).lock_version):
        service.again(actor, no)
    body: dict[str, Any] = PaperListSchema().dump(whole(_papers(no)))
    return tagged(body, contracts.find(actor, no).lock_version)


@blueprint.route("/contract-texts/<string:contract_class>")
@blueprint.doc(
    operationId="getContractText",
    summary="一类合同的参考文本",
    description="回答就是 DOCX 文件；development、assignment、licence、consulting、service 之一。",
    responses=_FILE,
)
@blueprint.alt_response(404, MISSING)
@requires(TEXTS)
def text(contract_class: str) -> Response:
    """The text of a class with nothing filled in."""
    return handed_out(texts.blank(contract_class))


@blueprint.route("/intents/<string:no>/contract-text")
@blueprint.doc(
    operationId="getContractTextOfIntent",
    summary="按达成的意向填好的合同文本",
    description="回答就是 DOCX 文件。",
    responses=_FILE,
    security=_TOKEN,
)
@blueprint.alt_response(404, MISSING)
@requires(BEGIN)
def text_of_intent(no: str) -> Response:
    """The text filled from an agreed intent."""
    return _closed(texts.of_intent(current_actor(), no))


@blueprint.route("/verify")
@blueprint.doc(
    operationId="verifyRegistration",
    summary="证明查验",
    description="不要令牌。编号和查验码都对，回答现在的登记内容；只有编号，只答是否有效、登记机构和日期。"
    "查不到或查验码不对的，同一网络每小时最多 60 次。",
)
@blueprint.arguments(VerifyQuery, location="query")
@blueprint.response(200, VerifiedSchema, description="登记现在的情形")
@blueprint.alt_response(404, MISSING)
@blueprint.alt_response(429, HTTPStatus(429).name)
@requires(VERIFY)
def verify(query: dict[str, Any]) -> Face:
    """What the public may learn of a registration."""
    found = verifying.verify(query["no"], query["code"], client_address())
    if found.face is None:
        raise NotFound(translate(found.sentence))
    return found.face
