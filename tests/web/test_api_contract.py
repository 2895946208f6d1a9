"""The JSON API: its errors, its OpenAPI document, its reference page."""

from __future__ import annotations

import gzip
import json

import pytest
from flask import Flask
from marshmallow import fields

from market.core.api import ApiBlueprint
from market.core.api_schemas import Input
from market.core.permissions import requires
from market.core.static_files import READ as ANYBODY
from tests.web.test_api import API, PROBLEM, problem


def test_unknown_addresses_and_methods_below_the_api(visitor):
    for path in ("/api/", "/api/v1", "/api/v1/no-such-thing", "/api/v2/search"):
        problem(visitor.get(path), 404)
    for method in ("post", "put", "patch", "delete"):
        response = getattr(visitor, method)(f"{API}/search")
        problem(response, 405)
        assert {"GET", "HEAD", "OPTIONS"} == set(response.headers["Allow"].split(", "))


def test_pages_outside_the_api_keep_their_error_pages(visitor):
    response = visitor.get("/no-such-page")
    assert (response.status_code, response.mimetype) == (404, "text/html")
    assert visitor.post("/search").mimetype == "text/html"


class _Person(Input):
    name = fields.String(required=True)


class _Order(Input):
    amount = fields.Integer(required=True)
    when = fields.Date()
    agreed = fields.Boolean()
    people = fields.List(fields.Nested(_Person))


@pytest.fixture
def taking(demo) -> Flask:
    """An application with a route that takes a body."""
    blueprint = ApiBlueprint("orders", __name__, "试验")

    @blueprint.route("/orders", methods=["POST"])
    @blueprint.arguments(_Order)
    @blueprint.response(200)
    @requires(ANYBODY)
    def order(body):
        return {"amount": body["amount"]}

    demo.extensions["market_api"].register_blueprint(blueprint)
    return demo


def test_mistakes_in_a_body_are_told_in_chinese_and_by_place(taking):
    body = {
        "amount": "many",
        "when": "soon",
        "agreed": "maybe",
        "people": [{"name": "甲"}, {"name": None, "age": 3}],
        "colour": "red",
    }
    response = taking.test_client().post(f"{API}/orders", json=body)
    found = {one["pointer"]: one["message"] for one in problem(response, 422)["errors"]}
    assert found == {
        "/amount": "请填整数。",
        "/when": "请写成 2026-08-21 这样的日期。",
        "/agreed": "请填 true 或 false。",
        "/people/1/name": "不能为空。",
        "/people/1/age": "没有这一项。",
        "/colour": "没有这一项。",
    }
    assert taking.test_client().post(f"{API}/orders", json={"amount": 3}).json == {"amount": 3}


def test_a_body_that_is_no_object_or_no_json(taking):
    client = taking.test_client()
    errors = problem(client.post(f"{API}/orders", json={}), 422)["errors"]
    assert errors == [{"pointer": "/amount", "message": "必填。"}]
    problem(client.post(f"{API}/orders", json=[1]), 422)
    broken = client.post(f"{API}/orders", data="{", content_type="application/json")
    assert "Invalid" not in problem(broken, 400)["detail"]


# The document and the reference page


def test_every_operation_is_described(visitor):
    document = visitor.get(f"{API}/openapi.json").json
    assert document["openapi"] == "3.1.0"
    assert document["info"]["title"].endswith("数据接口")
    operations = [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method != "parameters"
    ]
    identifiers = [operation["operationId"] for *_, operation in operations]
    assert len(operations) == len(set(identifiers)) == 22
    for path, _, operation in operations:
        for text in (operation["summary"], _answered(operation)):
            assert not text.isascii(), path
        for parameter in operation.get("parameters", ()):
            assert not parameter["description"].isascii(), (path, parameter["name"])
    tags = {tag["name"] for tag in document["tags"]}
    assert {tag for *_, operation in operations for tag in operation["tags"]} == tags
    text = json.dumps(document)
    for reference in set(_references(document)):
        assert reference.split("/")[2] in document["components"], reference
        name = reference.rsplit("/", 1)[1]
        assert name in document["components"][reference.split("/")[2]], reference
    assert PROBLEM in text


def _answered(operation):
    """How the answer is described when all went well."""
    good = next(code for code in operation["responses"] if code.startswith("2"))
    return operation["responses"][good]["description"]


def _references(node):
    if isinstance(node, dict):
        yield from (value for key, value in node.items() if key == "$ref")
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def test_every_route_of_the_api_is_in_the_document(visitor, demo):
    documented = set(visitor.get(f"{API}/openapi.json").json["paths"])
    apart = {f"{API}/openapi.json", f"{API}/docs", f"{API}/docs/assets/{{name}}"}
    routes = {
        str(rule).replace("<string:", "{").replace(">", "}")
        for rule in demo.url_map.iter_rules()
        if str(rule).startswith(API)
    }
    assert routes - apart == documented


def test_files_of_the_reference_are_ours_and_kept_for_long(visitor):
    page = visitor.get(f"{API}/docs").text
    for name, kind in (("swagger-ui.css", "text/css"), ("swagger-ui-bundle.js", "text/javascript")):
        address = f"{API}/docs/assets/{name}"
        assert f"{address}?v=" in page
        response = visitor.get(address, headers={"Accept-Encoding": "gzip"})
        assert (response.status_code, response.mimetype) == (200, kind)
        assert response.headers["Content-Encoding"] == "gzip"
        plain = visitor.get(address)
        assert "Content-Encoding" not in plain.headers
        assert gzip.decompress(response.data) == plain.data
        assert response.cache_control.max_age == 365 * 24 * 3600
    problem(visitor.get(f"{API}/docs/assets/index.css"), 404)
    problem(visitor.get(f"{API}/docs/assets/..%2f__init__.py"), 404)
