"""The URL map, walked: every route names a declared permission."""

from market.core.http import permission_of
from market.core.permissions import policy


def test_every_route_names_its_permission(app):
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}
    named = {endpoint: permission_of(app, endpoint) for endpoint in endpoints}
    assert [endpoint for endpoint, name in named.items() if name not in policy.rules] == []


def test_a_route_without_permission_is_denied(app):
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    assert app.test_client().get("/forgotten").status_code == 403
