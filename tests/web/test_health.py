"""The process answers, is ready, tells its figures to those who may have them."""


def test_healthz(client):
    response = client.get("/healthz")
    assert (response.status_code, response.json) == (200, {"status": "ok"})
    assert "default-src 'self'" in response.headers["Content-Security-Policy"]
    assert response.headers["X-Request-Id"]


def test_readyz(client):
    assert client.get("/readyz").json["missing"] in ([], ["search"])


def test_metrics_only_for_this_machine(client):
    assert b"market_requests_total" in client.get("/metrics").data
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
    assert client.get("/metrics", environ_base=elsewhere).status_code == 404
    forwarded = {"X-Forwarded-For": "192.0.2.7"}
    assert client.get("/metrics", headers=forwarded).status_code == 404


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
