"""API, dashboard, ping and metrics behind routers of users."""

import json
import re
import signal
import time

import pytest
from support.fairlead import routes
from support.origin import Origin, respond
from support.ports import wait_for
from support.raw import ask


def internal(rule, service, **more):
    return {"http": {"routers": {"own": {"rule": rule, "service": f"{service}@internal", "entryPoints": ["web"], **more}},
                     "middlewares": {"strip": {"stripPrefix": {"prefixes": ["/lead"]}}}}}


def test_one_router_to_the_api_serves_the_dashboard_too(start):
    proxy = start(internal("Host(`lead`) && (PathPrefix(`/api`) || PathPrefix(`/dashboard`))", "api"), {"api": {"insecure": False}})

    assert json.loads(proxy.wait_status(200, "lead", "/api/overview").body)["http"]["routers"]["total"] >= 1
    page = proxy.ask("/dashboard/", host="lead")
    assert (page.status, page.header("Content-Type")) == (200, "text/html; charset=utf-8")
    assert proxy.ask("/dashboard", host="lead").header("Location") == "/dashboard/"
    assert proxy.ask("/", host="lead").status == 404, "the rule decides"


def test_the_way_to_the_dashboard_keeps_the_prefix_that_was_stripped(start):
    proxy = start(internal("PathPrefix(`/lead`)", "api", middlewares=["strip"]))

    first = proxy.wait_status(302, "any", "/lead/")
    assert first.header("Location") == "/lead/dashboard/"
    assert proxy.ask("/lead/dashboard/").status == 200


@pytest.mark.parametrize("base", ["/lead", "/lead/"])
def test_below_a_base_all_ways_lead_to_the_dashboard(start, base):
    proxy = start(internal("Host(`own`)", "api"), {"api": {"basePath": base}})
    proxy.wait_status(200, "own", "/lead/api/version")

    for way in ("/lead", "/lead/", "/lead/dashboard"):
        assert ask(proxy.api_port, target=way).header("Location").endswith("/lead/dashboard/"), way
        assert proxy.ask(way, host="own").header("Location") == "/lead/dashboard/", way
    assert ask(proxy.api_port, target="/lead/dashboard/").status == 200
    for elsewhere in ("/leader", "/leader/dashboard/", "/dashboard/", "/"):
        assert ask(proxy.api_port, target=elsewhere).status == 404, elsewhere


def test_without_a_dashboard_the_api_has_none(start):
    proxy = start(internal("Host(`lead`)", "api"), {"api": {"dashboard": False}})

    assert proxy.wait_status(200, "lead", "/api/version")
    assert proxy.ask("/dashboard/", host="lead").status == 404


@pytest.mark.parametrize("precedence, wins", [(None, b"file"), (["http", "file"], b"http"), (["HTTP", "File"], b"http")])
def test_providers_have_an_order_that_decides_between_equal_routers(start, precedence, wins):
    def one(name, server):
        return {"http": {"routers": {name: {"rule": "Host(`app`)", "service": name}},
                         "services": {name: {"loadBalancer": {"servers": [{"url": server.url}]}}}}}

    with Origin(respond(b"file")) as file, Origin(respond(b"http")) as http:
        with Origin(respond(json.dumps(one("a", http)).encode())) as source:
            install = {"providers": {"http": {"endpoint": source.url}}}
            if precedence:
                install["providers"]["precedence"] = precedence
            proxy = start(one("z", file), install)
            wait_for(lambda: proxy.router("a@http") and proxy.router("z@file"), 10, "both routers are there")

            assert proxy.ask(host="app").body == wins


PUT = "/api/providers/rest"


def test_a_configuration_is_put_over_the_api_as_a_whole(start, origin):
    proxy = start(None, {"providers": {"rest": {"insecure": True}}})

    def put(configuration, path=PUT, method="PUT"):
        body = configuration if isinstance(configuration, bytes) else json.dumps(configuration).encode()
        return ask(proxy.api_port, target=path, method=method, body=body)

    assert proxy.ask(host="one").status == 404
    answer = put(routes(one=[origin.url]))
    assert (answer.status, json.loads(answer.body)) == (200, routes(one=[origin.url]))
    proxy.wait_status(200, "one")
    assert proxy.router("one@rest")["status"] == "enabled"

    assert put(routes(two=[origin.url])).status == 200
    proxy.wait_status(200, "two")
    assert proxy.ask(host="one").status == 404, "it is replaced"

    for bad in (b"{", b"[]", b"http: {}"):
        assert put(bad).status == 400
    assert put({}, "/api/providers/file").status == 400
    assert put({}, method="POST").status == 405
    assert proxy.ask(host="two").status == 200
    assert "Rest" in proxy.api("/api/overview")["providers"]

    proxy.signal(signal.SIGHUP)
    time.sleep(0.5)
    assert proxy.ask(host="two").status == 200, "it outlives a reload"


def test_a_router_of_ones_own_may_take_what_is_put(start, origin):
    proxy = start(internal("PathPrefix(`/lead`)", "rest", middlewares=["strip"]), {"providers": {"rest": {}}})

    assert ask(proxy.api_port, method="PUT", target=PUT, body=b"{}").status != 200
    assert proxy.ask("/lead" + PUT, method="PUT", body=json.dumps(routes(one=[origin.url])).encode()).status == 200
    proxy.wait_status(200, "one")


AUTH = {"auth": {"basicAuth": {"users": ["u:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="]}}}


def test_what_guards_the_entry_point_of_the_api_guards_the_api(start):
    proxy = start({"http": {"middlewares": AUTH}}, ready=False, install={
        "metrics": {"prometheus": {}}, "entryPoints": {"traefik": {"http": {"middlewares": ["auth@file"]}}}})

    def status(path, **more):
        return ask(proxy.api_port, target=path, **more).status

    wait_for(lambda: "listens on" in proxy.log() and status("/ping"), 15, "the entry point listens")
    for path in ("/api/rawdata", "/dashboard/", "/", "/metrics", "/ping"):
        assert status(path) == 401, path
    assert status("/api/version", headers=[("Authorization", "Basic dTpwdw==")]) == 401
    shown = ask(proxy.api_port, target="/api/http/routers/api@internal", headers=[("Authorization", "Basic dTpwYXNzd29yZA==")])
    assert json.loads(shown.body)["middlewares"] == ["auth@file"]


def test_what_guards_the_api_is_not_the_api_in_logs_and_metrics(start):
    guarded = {"routers": {"own": {"rule": "Host(`own`)", "service": "api@internal", "middlewares": ["login"]}},
               "middlewares": {"login": {"basicAuth": {"users": ["test:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/"]}}}}
    proxy = start({"http": guarded}, {"metrics": {"prometheus": {}, "addInternals": True}, "accessLog": {"addInternals": True}})

    proxy.wait_status(401, "own")
    proxy.api("/api/version")

    lines = wait_for(lambda: len(proxy.access_log()) >= 3 and proxy.access_log(), 10, "all are logged")
    services = {(line["RouterName"], line["DownstreamStatus"]): line.get("ServiceName") for line in lines}
    assert services["own@file", 401] is None
    assert services["api@internal", 200] == "api@internal"
    counted = [line for line in proxy.metrics().splitlines() if line.startswith("traefik_service_requests_total{")]
    assert any('code="200"' in line and 'service="api@internal"' in line for line in counted)
    assert not any('code="401"' in line for line in counted)


def test_a_redirection_stands_behind_the_middlewares_of_its_entry_point(start):
    proxy = start({"http": {"middlewares": AUTH}}, {"entryPoints": {"web": {"http": {
        "middlewares": ["auth@file"], "redirections": {"entryPoint": {"to": ":8443"}}}}}})

    proxy.wait_status(401, "app")
    answer = proxy.ask(host="app", headers=[("Authorization", "Basic dTpwYXNzd29yZA==")])
    assert (answer.status, answer.header("Location")) == (301, "https://app:8443/")


def test_a_bare_middleware_of_an_entry_point_is_the_routers_providers_own(start, origin):
    dynamic = routes(app=[origin.url])
    dynamic["http"]["middlewares"] = AUTH
    proxy = start(dynamic, {"entryPoints": {"web": {"http": {"middlewares": ["auth"]}}}})

    proxy.wait_status(401, "app")
    assert proxy.ask(host="app", headers=[("Authorization", "Basic dTpwYXNzd29yZA==")]).status == 200


def test_a_router_serves_on_at_the_entry_points_that_lack_nothing(start, origin):
    guarded = {"web": {"http": {"middlewares": ["gone@file"]}}, "bad": {"http": {"middlewares": ["bad@file"]}},
               "strict": {"http": {"tls": {"options": "gone@file"}}}}
    dynamic = routes(app=[origin.url])
    dynamic["http"]["middlewares"] = {"bad": {"ipAllowList": {"sourceRange": ["nowhere"]}}}
    proxy = start(dynamic, {"entryPoints": guarded}, entry_points=("web", "bad", "strict", "plain"))

    proxy.wait_status(200, "app", entry_point="plain")
    assert [proxy.ask(host="app", entry_point=name).status for name in ("web", "bad")] == [503, 503]
    assert proxy.router("app@file")["status"] == "warning"
    told = " ".join(proxy.router("app@file")["error"])
    for name in ("web", "bad", "strict"):
        assert f"entry point `{name}`: " in told, told


SERVICE_COUNTS = re.compile(r'traefik_service_requests_total\{code="(\d+)",method="GET",protocol="http",service="(\w+)@file"\} (\d+)')


def services_behind(what, first, second):
    """Routers of which each asks two services, one after the other."""
    dynamic = routes(first=[first.url], second=[second.url])
    http = dynamic["http"]
    http["middlewares"] = {"pages": {"errors": {"status": ["500-599"], "service": "second", "query": "/{status}"}},
                           "again": {"retry": {"attempts": 2, "status": ["503"], "initialInterval": "1ms"}}}
    http["services"]["both"] = {"failover": {"service": "first", "fallback": "second", "errors": {"status": ["503"]}}}
    http["routers"]["app"] = {"errors": {"rule": "Host(`app`)", "service": "first", "middlewares": ["pages"]},
                              "retry": {"rule": "Host(`app`)", "service": "first", "middlewares": ["again"]},
                              "failover": {"rule": "Host(`app`)", "service": "both"}}[what]
    return dynamic


@pytest.mark.parametrize("what, status, counts", [
    ("errors", 503, {("503", "first"): 1, ("200", "second"): 1}),
    ("retry", 503, {("503", "first"): 2}),
    ("failover", 200, {("503", "first"): 1, ("200", "second"): 1}),
])
def test_each_service_that_a_request_passes_is_counted_as_it_answered(start, what, status, counts):
    with Origin(respond(b"ill", status=503)) as first, Origin(respond(b"well")) as second:
        proxy = start(services_behind(what, first, second), {"metrics": {"prometheus": {}}})
        proxy.wait_status(status, "app")

        def counted():
            return {(code, service): int(count) for code, service, count in SERVICE_COUNTS.findall(proxy.metrics())}

        wait_for(lambda: counted() == counts, 10, f"{counts} are counted")
        assert f'traefik_entrypoint_requests_total{{code="{status}",entrypoint="web"' in proxy.metrics()
