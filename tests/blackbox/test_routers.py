"""Routers: every option, routers below others, and what bad options do. One Fairlead for all."""

import pytest
from support.fairlead import Fairlead, routes
from support.origin import Origin, respond
from support.ports import wait_for
from support.raw import ask


def header(name, value):
    return {"headers": {"customRequestHeaders": {name: value}}}


ROUTERS = {
    # order and priority
    "order": {"rule": "Host(`order`)", "service": "app", "middlewares": ["first", "second"]},
    "long": {"rule": "Host(`priority`) && PathPrefix(`/`) && Method(`GET`)", "service": "b"},
    "high": {"rule": "Host(`priority`)", "service": "app", "priority": 1000},
    # old rules
    "v2": {"rule": "HostRegexp(`{sub:[a-z]+}.v2`) && Path(`/p/{id:[0-9]+}`)", "service": "app", "ruleSyntax": "v2"},
    "v2-headers": {"rule": "Headers(`X-Mode`, `on`) && Query(`k=v`) && Host(`heads`)", "service": "app",
                   "ruleSyntax": "v2"},
    "v2-pairs": {"rule": "Query(`a=1`, `b=2`) && Host(`pairs`)", "service": "app", "ruleSyntax": "v2"},
    "arity": {"rule": "Host(`a`, `b`)", "service": "app"},
    "old-name": {"rule": "HostHeader(`a`)", "service": "app"},
    # bytes that are no text
    "text": {"rule": "Host(`text`)", "service": "app"},
    "text-admin": {"rule": "Host(`text`) && PathRegexp(`^/admin/.*$`)", "service": "b"},
    "text-header": {"rule": "Host(`text`) && HeaderRegexp(`X-Team`, `^.+$`)", "service": "b"},
    # records
    "unlogged": {"rule": "Host(`unlogged`)", "service": "app", "observability": {"accessLogs": False}},
    "unmeasured": {"rule": "Host(`unmeasured`)", "service": "app", "observability": {"metrics": False}},
    # routers below others
    "site": {"rule": "Host(`site`)", "middlewares": ["strip", "mark"]},
    "cart": {"rule": "PathPrefix(`/cart`)", "parentRefs": ["site"], "service": "app", "middlewares": ["deep"]},
    "cart-get": {"rule": "Path(`/cart`) && Method(`GET`)", "parentRefs": ["site"], "service": "b"},
    "marked": {"rule": "Header(`X-Mark`, `1`) && Path(`/marked`)", "parentRefs": ["site"], "service": "app"},
    "more": {"rule": "PathPrefix(`/more`)", "parentRefs": ["site", "other-site"]},
    "most": {"rule": "Path(`/more/most`)", "parentRefs": ["more"], "service": "app"},
    "least": {"rule": "PathPrefix(`/more/most`)", "parentRefs": ["more"], "service": "b", "priority": 1},
    "other-site": {"rule": "Host(`other-site`)"},
    "broken-child": {"rule": "PathPrefix(`/broken`)", "parentRefs": ["site"], "service": "app",
                     "middlewares": ["missing"]},
    "pretender": {"rule": "PathPrefix(`/cart/tls`)", "parentRefs": ["site"], "service": "app", "tls": {}},
    "guarded": {"rule": "Host(`guarded`)", "middlewares": ["missing"]},
    "behind": {"rule": "PathPrefix(`/`)", "parentRefs": ["guarded"], "service": "app"},
    "lonely": {"rule": "Host(`lonely`)"},
    "serving": {"rule": "Host(`serving`)", "service": "app"},
    "below-serving": {"rule": "PathPrefix(`/x`)", "parentRefs": ["serving"], "service": "b"},
    "loop": {"rule": "Host(`loop`)"},
    "loop-a": {"rule": "PathPrefix(`/a`)", "parentRefs": ["loop", "loop-b"]},
    "loop-b": {"rule": "PathPrefix(`/a/b`)", "parentRefs": ["loop-a"]},
    "loop-c": {"rule": "PathPrefix(`/a/b/c`)", "parentRefs": ["loop-b"], "service": "app"},
    "circle-a": {"rule": "Host(`circle`)", "parentRefs": ["circle-b"]},
    "circle-b": {"rule": "Host(`circle`)", "parentRefs": ["circle-a"]},
    "orphan": {"rule": "Host(`orphan`)", "parentRefs": ["nobody"], "service": "app"},
    "far": {"rule": "Host(`far`)", "service": "app", "priority": 9223372036854775000},
}
MIDDLEWARES = {
    "first": header("X-Order", "first"),
    "second": header("X-Order", "second"),
    "strip": {"stripPrefix": {"prefixes": ["/shop"]}},
    "mark": header("X-Mark", "1"),
    "deep": header("X-Deep", "1"),
}


@pytest.fixture(scope="module")
def house():
    with Origin() as a, Origin(respond(b"b")) as b:
        dynamic = routes(app=[a.url], b=[b.url])
        dynamic["http"] |= {"routers": ROUTERS, "middlewares": MIDDLEWARES}
        with Fairlead(dynamic, {"metrics": {"prometheus": {"addRoutersLabels": True}}}) as proxy:
            yield proxy, a


def reasons(proxy, router):
    return str(proxy.router(f"{router}@file").get("error", []))


def test_middlewares_run_in_their_order(house):
    proxy, origin = house

    assert proxy.ask(host="order").status == 200
    assert origin.last().header("X-Order") == "second"


def test_priority_decides_before_length(house):
    proxy, _ = house

    assert proxy.ask(host="priority").text == "ok"


@pytest.mark.parametrize("target,host,headers,status", [
    ("/p/12", "x.v2", {}, 200), ("/p/ab", "x.v2", {}, 404), ("/p/1", "1.v2", {}, 404),
    ("/?k=v", "heads", {"X-Mode": "on"}, 200), ("/?k=w", "heads", {"X-Mode": "on"}, 404),
    ("/?b=2&a=1", "pairs", {}, 200), ("/?b=2", "pairs", {}, 404),
])
def test_rules_of_the_old_syntax(house, target, host, headers, status):
    proxy, _ = house

    assert proxy.ask(target, host=host, headers=headers).status == status


@pytest.mark.parametrize("target,headers", [
    ("/admin/x", {}), ("/admin/%FF", {}), ("/admin/%c3%28", {}), ("/admin/%ED%A0%80", {}), ("/", {"X-Team": "\xff"}),
])
def test_bytes_that_are_no_text_do_not_get_past_a_regular_expression(house, target, headers):
    proxy, _ = house

    assert proxy.ask(target, host="text", headers=headers).text == "b"


def test_a_rule_with_too_many_values_names_the_new_spelling(house):
    proxy, _ = house

    assert "Host(`a`) || Host(`b`)" in reasons(proxy, "arity")
    assert "Host" in reasons(proxy, "old-name") and proxy.router("old-name@file")["status"] == "disabled"


def test_what_is_recorded_of_a_router(house):
    proxy, _ = house
    for host in ("unlogged", "unmeasured", "order"):
        proxy.ask(f"/recorded/{host}", host=host)

    def lines():
        return {line["RequestPath"] for line in proxy.access_log()}

    wait_for(lambda: {"/recorded/unmeasured", "/recorded/order"} <= lines(), 10, "lines")
    assert "/recorded/unlogged" not in lines()
    wait_for(lambda: 'router="unlogged@file"' in proxy.metrics() and 'router="order@file"' in proxy.metrics(), 5, "the counters")
    assert 'router="unmeasured@file"' not in proxy.metrics()


# Routers below others


def test_a_child_sees_the_request_as_the_middlewares_of_its_parent_left_it(house):
    proxy, origin = house

    assert proxy.ask("/shop/cart/1", host="site").status == 200
    seen = origin.last()
    assert (seen.target, seen.header("X-Mark"), seen.header("X-Deep")) == ("/cart/1", "1", "1")
    assert proxy.ask("/shop/marked", host="site").status == 200
    assert proxy.ask("/cart/1", host="elsewhere").status == 404


def test_the_longest_rule_wins_among_siblings_and_priority_over_it(house):
    proxy, _ = house

    assert proxy.ask("/cart", host="site").text == "b"
    assert proxy.ask("/cart", host="site", method="POST", body=b"").text == "ok"
    assert proxy.ask("/more/most", host="site").text == "ok"
    assert proxy.ask("/more/most/x", host="site").text == "b"


def test_no_child_that_matches_is_404(house):
    proxy, _ = house

    assert proxy.ask("/", host="site").status == 404
    assert proxy.ask("/more/none", host="site").status == 404


def test_a_child_may_have_several_parents(house):
    proxy, _ = house

    for host in ("site", "other-site"):
        assert proxy.ask("/more/most", host=host).text == "ok"
    assert proxy.ask("/cart", host="other-site").status == 404


def test_the_access_log_names_the_way_and_metrics_the_child(house):
    proxy, _ = house
    proxy.ask("/more/most?way", host="site")

    line = wait_for(lambda: next((line for line in proxy.access_log() if "?way" in line["RequestPath"]), None), 10, "a line")
    assert line["RouterName"] == "site@file -> more@file -> most@file"
    assert line["ServiceName"] == "app@file"
    wait_for(lambda: 'router="most@file"' in proxy.metrics(), 5, "the metric")


def test_a_broken_child_answers_503_in_its_place(house):
    proxy, origin = house
    before = len(origin.requests)

    assert proxy.ask("/broken", host="site").status == 503
    assert proxy.ask("/cart/tls", host="site").status == 503
    assert "may not have entryPoints, tls" in reasons(proxy, "pretender")
    assert len(origin.requests) == before


def test_a_parent_with_a_broken_middleware_closes_all_below_it(house):
    proxy, origin = house
    before = len(origin.requests)

    assert proxy.ask("/", host="guarded").status == 503
    assert len(origin.requests) == before


def test_a_router_with_neither_service_nor_children_is_broken(house):
    proxy, _ = house

    assert proxy.ask(host="lonely").status == 503
    assert "names no service" in reasons(proxy, "lonely")


def test_a_router_with_a_service_is_no_parent(house):
    proxy, _ = house

    assert proxy.ask("/x", host="serving").text == "ok"
    assert "cannot be a parent" in reasons(proxy, "below-serving")


def test_a_link_that_closes_a_circle_is_left_out(house):
    proxy, _ = house

    assert proxy.ask("/a/b/c", host="loop").status == 200
    router = proxy.router("loop-a@file")
    assert (router["status"], router["parentRefs"]) == ("warning", ["loop"])


def test_routers_that_nothing_leads_to_serve_nothing_and_say_so(house):
    proxy, _ = house

    for name, host, reason in [("circle-a", "circle", "cannot be reached"), ("circle-b", "circle", "cannot be reached"),
                               ("orphan", "orphan", "does not exist")]:
        assert proxy.ask(host=host).status == 404
        assert reason in reasons(proxy, name)


def test_a_priority_that_is_reserved_breaks_its_router(house):
    proxy, _ = house

    assert proxy.ask(host="far").status == 503
    assert "reserved" in reasons(proxy, "far")


def test_children_change_with_their_parents(start, origin):
    dynamic = routes(app=[origin.url])
    dynamic["http"]["routers"] = {"site": {"rule": "Host(`app`)"},
                                  "old": {"rule": "Path(`/old`)", "parentRefs": ["site"], "service": "app"}}
    proxy = start(dynamic)
    assert [proxy.ask(target, host="app").status for target in ("/old", "/new")] == [200, 404]

    dynamic["http"]["routers"]["new"] = {"rule": "Path(`/new`)", "parentRefs": ["site"], "service": "app"}
    del dynamic["http"]["routers"]["old"]
    proxy.write_dynamic(dynamic)

    proxy.wait_status(200, "app", "/new")
    assert proxy.ask("/old", host="app").status == 404
    assert ask(proxy.port(), target="/new", host="elsewhere").status == 404
