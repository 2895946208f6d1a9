"""The OpenAPI document and the behaviour of the API, compared by generated requests."""

from __future__ import annotations

import re
import shutil

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import negative_data_rejection, positive_data_acceptance
from schemathesis.generation import GenerationMode

from market.app import create_app
from tests.conftest import let_go

pytestmark = pytest.mark.long

EXAMPLES = 100
DOCUMENT = "/api/v1/openapi.json"
# Generated path parameters name nothing; every other request is for something that is there.
THERE = {
    "getAchievement": "CG2026000001",
    "getDemand": "XQ2026000001",
    "getOrganisation": "DW2026000034",
    "listListingsOfOrganisation": "DW2026000034",
    "getRegion": "511402",
    "listPins": "511402",
    "getBulletin": "CF2026000001",
    "getTaxonomy": "industry",
    "getServicePoint": "FW2026000001",
    "getSpecialist": "ZJ2026000001",
    "getNotice": "GS2026000001",
    "getAnnouncement": "GG2026000001",
    "getVoucherScheme": "QB202600002",
    "checkVoucherScheme": "QB202600002",
    "getVoucherSheet": "yuhuan-2023",
    "checkVoucherSheet": "yuhuan-2023",
}
WITH_QUERY = [
    "search",
    "suggest",
    "listAchievements",
    "listBulletins",
    "listDemands",
    "listListingsOfOrganisation",
    "listOrganisations",
    "listRegions",
    "listServicePoints",
    "listNearServicePoints",
    "listNotices",
    "listAnnouncements",
    "listSpecialists",
    "listVoucherSchemes",
    "listVoucherSheets",
    "checkVoucherScheme",
    "checkVoucherSheet",
]
OPERATIONS = sorted({*WITH_QUERY, *THERE, "listTaxonomies"})
# Any text is a path, so that only queries can be wrong.
CASES = [(name, GenerationMode.POSITIVE) for name in OPERATIONS]
CASES += [(name, GenerationMode.NEGATIVE) for name in WITH_QUERY]
# Addresses are read as pages read them, so what makes no sense is passed over; and what fits the
# document may still name nothing (404) or be no cursor of ours (422).
NOT_ASKED = [negative_data_rejection, positive_data_acceptance]
PLAIN = {"Accept-Encoding": "identity"}  # the WSGI transport unpacks nothing


@pytest.fixture(scope="module")
def document(tmp_path_factory, store, prepared_demo):
    """The document as schemathesis reads it from the application."""
    folder = tmp_path_factory.mktemp("api_schema") / "demo"
    made = store.clone(prepared_demo, folder)
    shutil.copytree(prepared_demo.instance / "search", folder / "search")
    app = create_app(made)
    yield schemathesis.openapi.from_wsgi(DOCUMENT, app)
    with app.app_context():
        let_go(app)
    store.drop(made)


# Visitors may send one, so its input is looked at first; a report's state is for who has its number.
FOR_VISITORS_TOO = {
    "getFile",
    "listCallFiles",
    "createInquiry",
    "createReport",
    "getCall",
    "getReportState",
    "getContractText",  # a document
    "verifyRegistration",  # what finds nothing is counted
}


def test_all_operations_are_tried(document):
    """All that need no token; those that do refuse who brings none, and other tests ask them."""
    found = [operation.ok() for operation in document.get_all_operations()]
    client = document.app.test_client()
    taken = {}
    for one in found:
        name = one.definition.raw["operationId"]
        if name not in OPERATIONS:
            path = re.sub(r"\{\w+\}", "1", one.path)
            taken[name] = client.open(path, method=one.method.upper()).status_code
    assert {name for name in taken if name not in FOR_VISITORS_TOO and taken[name] != 401} == set()
    assert {name for name in FOR_VISITORS_TOO if taken[name] < 400} == set()
    assert {one.definition.raw["operationId"] for one in found} - set(taken) == set(OPERATIONS)


@pytest.mark.parametrize(("name", "mode"), CASES)
def test_answers_are_as_documented(document, name, mode):
    operation = document.find_operation_by_id(name)
    documented = {code for code in operation.definition.raw["responses"] if code.isdecimal()}

    @given(operation.as_strategy(generation_mode=mode), st.booleans())
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def check(case, there):
        if there and name in THERE:
            case.path_parameters = dict.fromkeys(case.path_parameters, THERE[name])
        response = case.call_and_validate(excluded_checks=NOT_ASKED, headers=PLAIN)
        assert str(response.status_code) in documented
        if there and name in THERE and not case.query:
            assert response.status_code == 200

    check()
