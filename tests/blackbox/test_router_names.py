"""The names under which routers appear in the access log, the counters and the API, and what of the program's own
services appears there at all."""

import pytest
from support.ports import wait_for


def lines_of(proxy, path):
    return wait_for(lambda: [line for line in proxy.access_log() if line["RequestPath"] == path], 5, f"{path} is logged")


@pytest.fixture
def guarded(start, origin):
    """Two entry points by default, one of which adds a middleware; and a router that names one entry point only."""
    return start(
        {"http": {
            "routers": {
                "shop": {"rule": "Host(`shop`)", "service": "app"},
                "one": {"rule": "Host(`one`)", "service": "app", "entryPoints": ["guarded"]},
                "status": {"rule": "Host(`status`)", "service": "ping@internal", "entryPoints": ["web"]},
                "closed": {"rule": "Host(`closed`)", "service": "app", "entryPoints": ["web"], "middlewares": ["nobody"]},
                "blue-green": {"rule": "Host(`blue-green`)", "service": "both", "entryPoints": ["web"]},
            },
            "middlewares": {
                "mark": {"headers": {"customResponseHeaders": {"X-Mark": "yes"}}},
                "nobody": {"ipAllowList": {"sourceRange": ["192.0.2.1"]}},
            },
            "services": {
                "app": {"loadBalancer": {"servers": [{"url": origin.url}]}},
                "both": {"weighted": {"services": [{"name": "app"}]}},
            }}},
        {"entryPoints": {"web": {"asDefault": True}, "guarded": {"asDefault": True, "http": {"middlewares": ["mark@file"]}}},
         "metrics": {"prometheus": {"addRoutersLabels": True}}},
        entry_points=("web", "guarded"))


def test_a_router_of_several_entry_points_has_a_name_for_each_that_adds_something(guarded):
    for entry_point in ("web", "guarded"):
        assert guarded.ask(f"/{entry_point}", "shop", entry_point).status == 200
    assert guarded.ask("/one", "one", "guarded").status == 200

    assert lines_of(guarded, "/web")[0]["RouterName"] == "shop@file"
    assert lines_of(guarded, "/guarded")[0]["RouterName"] == "guarded-shop@file"
    assert lines_of(guarded, "/one")[0]["RouterName"] == "one@file"


def test_the_api_shows_each_of_them_with_what_the_entry_point_adds(guarded):
    plain, marked, one = (guarded.router(f"{name}@file") for name in ("shop", "guarded-shop", "one"))

    assert plain["entryPoints"] == plain["using"] == ["web"]
    assert "middlewares" not in plain
    assert marked["entryPoints"] == marked["using"] == ["guarded"]
    assert marked["middlewares"] == ["mark@file"], "with its provider"
    assert one["middlewares"] == ["mark@file"]
    assert guarded.api("/api/http/routers/guarded-shop@file")["rule"] == "Host(`shop`)"
    assert set(guarded.service("app@file")["usedBy"]) >= {"shop@file", "guarded-shop@file", "one@file"}
    assert set(guarded.api("/api/rawdata")["routers"]) >= {"shop@file", "guarded-shop@file"}


def test_a_router_without_entry_points_is_shown_with_the_default_ones(start, origin):
    proxy = start({"http": {"routers": {"r": {"rule": "Host(`r`)", "service": "app"}},
                            "services": {"app": {"loadBalancer": {"servers": [{"url": origin.url}]}}}}},
                  entry_points=("web", "other"))

    assert proxy.router("r@file")["entryPoints"] == ["other", "web"]


def test_a_users_router_to_an_own_service_is_internal(guarded):
    assert guarded.ask("/status", "status").body == b"OK"
    assert guarded.ask("/shop", "shop").status == 200

    lines_of(guarded, "/shop")
    assert "/status" not in [line["RequestPath"] for line in guarded.access_log()]
    assert "status@file" not in guarded.metrics()


def test_a_service_counts_what_reached_it_and_not_what_a_middleware_refused(guarded):
    assert guarded.ask("/", "closed").status == 403
    assert guarded.ask("/", "blue-green").status == 200

    def counted(start, *words):
        return [line for line in guarded.metrics().splitlines()
                if line.startswith(start) and "_requests_total{" in line and all(word in line for word in words)]

    wait_for(lambda: counted("traefik_router", 'router="closed@file",service="app@file"'), 5, "the refusal")
    wait_for(lambda: counted("traefik_router", 'router="blue-green@file",service="both@file"'), 5, "the answer")
    wait_for(lambda: counted("traefik_service", 'code="200"', 'service="app@file"'), 5, "the answer of the service")
    assert counted("traefik_service", 'code="403"') == counted("traefik_service", "both@file") == []
