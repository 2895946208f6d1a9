"""The process answers, is ready, tells its figures to those who may have them."""

from dataclasses import replace

import pytest

from market.app import create_app
from market.core.health import FORWARDED
from market.discovery.indexer import Indexer
from market.doctor import findings
from tests.conftest import let_go


def test_healthz(client):
    response = client.get("/healthz")
    assert (response.status_code, response.json) == (200, {"status": "ok"})
    assert "default-src 'self'" in response.headers["Content-Security-Policy"]
    assert response.headers["X-Request-Id"]


def test_readyz(client):
    assert client.get("/readyz").json["missing"] in ([], ["search"])


def test_not_ready_before_the_first_migration(store, tmp_path):
    settings = store.fresh(tmp_path)
    app = create_app(settings)
    response = app.test_client().get("/readyz")
    assert (response.status_code, response.json["missing"]) == (503, ["database"])
    with app.app_context():
        let_go(app)
    store.drop(settings)


def test_metrics_only_for_this_machine(client):
    assert b"market_requests_total" in client.get("/metrics").data
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
    assert client.get("/metrics", environ_base=elsewhere).status_code == 404


@pytest.mark.parametrize("header", FORWARDED)
def test_metrics_are_not_passed_on(client, header):
    assert client.get("/metrics", headers={header: "192.0.2.7"}).status_code == 404


def test_metrics_of_a_public_site_need_the_token(app, client):
    market = app.extensions["market"]
    market.settings = replace(
        market.settings, base_url="https://market.example.gov.cn", metrics_token="t" * 32
    )
    assert client.get("/metrics").status_code == 404
    given = {"Authorization": "Bearer " + "t" * 32, "Via": "1.1 proxy"}
    assert client.get("/metrics", headers=given).status_code == 200


def test_doctor_tells_whether_the_worker_runs(app, settings):
    def running():
        [well] = [well for well, says in findings(app, settings) if says.startswith("后台进程")]
        return well

    assert not running()
    indexer = Indexer()
    assert indexer.become_writer()
    assert running()
    indexer.close()
    assert not running()
    assert indexer.become_writer()  # the probe let the lock go
    indexer.close()


def test_unknown_page_and_method(client):
    response = client.get("/no-such-page")
    assert response.status_code == 404
    assert "没有找到这一页" in response.text
    assert client.post("/healthz").status_code == 405


def test_given_request_id_is_kept_only_when_harmless(client):
    kept = client.get("/healthz", headers={"X-Request-Id": "abc-12345"})
    assert kept.headers["X-Request-Id"] == "abc-12345"
    other = client.get("/healthz", headers={"X-Request-Id": "<script>alert(1)</script>"})
    assert "<" not in other.headers["X-Request-Id"]
