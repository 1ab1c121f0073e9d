"""Balancers, composites and health checks, seen from both ends."""

import collections
import contextlib
import threading
import time

import pytest
from support.origin import Origin, respond
from support.ports import free_port, wait_for
from support.raw import RawClient, ask


@pytest.fixture
def named():
    """named("a", …) → an origin that answers with its name; more keywords go to Origin."""
    with contextlib.ExitStack() as stack:

        def make(name, **more):
            return stack.enter_context(Origin(respond(name.encode()), **more))

        yield make


def balancer(*servers, **options):
    return {"loadBalancer": {"servers": [s if isinstance(s, dict) else {"url": s} for s in servers], **options}}


def config(services, **routers):
    """Host(`name`) → service, for each keyword; without keywords Host(`app`) → `app`."""
    routers = routers or {"app": "app"}
    return {"http": {"routers": {name: {"rule": f"Host(`{name}`)", "service": service}
                                 for name, service in routers.items()}, "services": services}}


def shares(proxy, times, host="app", **more):
    with RawClient(proxy.port()) as client:
        return collections.Counter(client.ask(host=host, **more).text for _ in range(times))


def memory(proxy):
    """Resident memory, MiB."""
    with open(f"/proc/{proxy.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


# Balancers


def test_weights_share_a_thousand_requests(start, named):
    a, b = named("a"), named("b")
    proxy = start(config({"app": balancer({"url": a.url, "weight": 3}, {"url": b.url, "weight": 1})}))

    assert shares(proxy, 1000) == {"a": 750, "b": 250}


def test_a_weight_of_zero_is_never_picked(start, named):
    a, b = named("a"), named("b")
    proxy = start(config({"app": balancer({"url": a.url, "weight": 0}, b.url)}))

    assert shares(proxy, 50) == {"b": 50}


def test_a_cookie_keeps_its_server(start, named):
    a, b = named("a"), named("b")
    proxy = start(config({"app": balancer(a.url, b.url, sticky={"cookie": {"name": "pin", "httpOnly": True}})}))

    first = proxy.ask(host="app")
    cookie = first.header("Set-Cookie")
    assert cookie.startswith("pin=") and "HttpOnly" in cookie and "Path=/" in cookie
    kept = cookie.split(";")[0]
    assert shares(proxy, 20, headers={"Cookie": kept}) == {first.text: 20}
    assert proxy.ask(host="app", headers={"Cookie": kept}).header("Set-Cookie") is None

    gone, other = (a, b) if first.text == "a" else (b, a)
    gone.stop()
    moved = proxy.ask(host="app", headers={"Cookie": kept})
    assert moved.text != first.text
    assert moved.header("Set-Cookie").startswith("pin=")


def test_a_cookie_of_a_server_whose_weight_became_zero_moves(start, named):
    a, b = named("a"), named("b")
    sticky = {"cookie": {"name": "pin"}}
    proxy = start(config({"app": balancer(a.url, sticky=sticky)}))
    kept = proxy.ask(host="app").header("Set-Cookie").split(";")[0]

    proxy.write_dynamic(config({"app": balancer({"url": a.url, "weight": 0}, b.url, sticky=sticky)}))

    moved = wait_for(lambda: (got := proxy.ask(host="app", headers={"Cookie": kept})).text == "b" and got, 10, "b serves")
    assert moved.header("Set-Cookie").startswith("pin=") and not moved.header("Set-Cookie").startswith(kept)


def test_p2c_avoids_a_slow_server(start, named):
    slow, fast = named("slow"), named("fast")
    slow.answer = lambda request: [0.5, respond(b"slow")]
    proxy = start(config({"app": balancer(slow.url, fast.url, strategy="p2c")}), workers=1)
    turns, answers = iter(range(200)), []

    def client():
        with RawClient(proxy.port()) as connection:
            while next(turns, None) is not None:
                answers.append(connection.ask(host="app").text)

    threads = [threading.Thread(target=client) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == 200
    assert answers.count("fast") > 2 * answers.count("slow")


def test_hrw_keeps_a_client_and_moves_only_those_of_a_server_that_leaves(start, named):
    origins = {name: named(name) for name in ("a", "b", "c", "d")}
    proxy = start(config({"app": balancer(*(o.url for o in origins.values()), strategy="hrw")}))
    clients = [f"127.0.0.{n}" for n in range(2, 42)]

    def pick(client):
        with RawClient(proxy.port(), source=client) as connection:
            return connection.ask(host="app").text

    before = {client: pick(client) for client in clients}
    assert {client: pick(client) for client in clients} == before
    gone = collections.Counter(before.values()).most_common(1)[0][0]
    origins[gone].stop()
    for client in clients:
        now = pick(client)
        assert now != gone if before[client] == gone else now == before[client]


def test_leasttime_prefers_the_fast_server(start, named):
    slow, fast = named("slow"), named("fast")
    slow.answer = lambda request: [0.5, respond(b"slow")]
    proxy = start(config({"app": balancer(slow.url, fast.url, strategy="leasttime")}))

    counts = shares(proxy, 60)
    assert counts["fast"] > 50 and counts["slow"] >= 1


def test_hrw_moves_only_the_clients_of_the_one_server_of_ten_that_leaves(start, named):
    urls = {name: named(name).url for name in "abcdefghij"}
    proxy = start(config({"app": balancer(*urls.values(), strategy="hrw")}))
    clients = [f"127.0.{n // 200}.{n % 200 + 2}" for n in range(400)]

    def picks():
        found = {}
        for client in clients:
            with RawClient(proxy.port(), source=client) as connection:
                found[client] = connection.ask(host="app").text
        return found

    before = picks()
    # How evenly depends on the ports, which differ in the last digits: FNV-1a mixes those least.
    shares = collections.Counter(before.values())
    assert len(shares) > 2, "several servers share 400 clients"
    leaver, _ = shares.most_common(1)[0]
    kept = {name: url for name, url in urls.items() if name != leaver}
    proxy.write_dynamic(config({"app": balancer(*kept.values(), strategy="hrw")}))
    wait_for(lambda: len(proxy.service("app@file")["serverStatus"]) == 9, 10, "nine are left")
    after = picks()

    assert {client for client in clients if before[client] != after[client]} == {
        client for client in clients if before[client] == leaver}


def test_an_unknown_strategy_breaks_the_service(start, named):
    proxy = start(config({"app": balancer(named("a").url, strategy="random")}))

    assert proxy.ask(host="app").status == 503


# Weighted services


def two(a, b, **more):
    return {"a": balancer(a.url), "b": balancer(b.url), **more}


def test_weighted_services_share_three_to_one(start, named):
    weighted = {"weighted": {"services": [{"name": "a", "weight": 3}, {"name": "b", "weight": 1}]}}
    proxy = start(config(two(named("a"), named("b"), app=weighted)))

    assert shares(proxy, 400) == {"a": 300, "b": 100}


def test_a_reload_does_not_reset_weights_or_cookies(start, named):
    weighted = {"weighted": {"services": [{"name": "a", "weight": 3}, {"name": "b", "weight": 1}],
                             "sticky": {"cookie": {"name": "pin"}}}}
    services = two(named("a"), named("b"), app=weighted)
    proxy = start(config(services))
    counts = collections.Counter()
    pinned = next(c for c in iter(lambda: proxy.ask(host="app"), None) if c.text == "b")
    cookie = pinned.header("Set-Cookie").split(";")[0]
    while shares(proxy, 1) != {"b": 1}:  # now a round begins
        pass

    for turn in range(10):
        proxy.write_dynamic(config({**services, f"other{turn}": services["a"]}, app="app", other=f"other{turn}"))
        wait_for(lambda: (r := proxy.router("other@file")) and r["service"].startswith(f"other{turn}"), 10, "a reload")
        counts.update(shares(proxy, 2))

    assert counts == {"a": 15, "b": 5}
    assert shares(proxy, 10, headers={"Cookie": cookie}) == {"b": 10}


def test_a_reload_does_not_reset_positions_health_or_cookies_of_servers(start, named):
    a, b, ill = named("a"), named("b"), Sick(named("ill"), "ill", status=500)
    check = {**CHECK, "interval": "400ms"}
    servers = [{"url": a.url, "weight": 3}, {"url": b.url, "weight": 1}, {"url": ill.origin.url, "weight": 1}]
    services = {"app": balancer(*servers, healthCheck=check),
                "kept": balancer(*servers, sticky={"cookie": {"name": "pin"}})}
    proxy = start(config(services, app="app", kept="kept"))
    wait_for(lambda: "ill" not in shares(proxy, 10), 10, "the ill one is out")
    cookie = next(c for c in iter(lambda: proxy.ask(host="kept"), None) if c.text == "b").header("Set-Cookie").split(";")[0]
    counts = collections.Counter()

    for turn in range(10):
        counts.update(shares(proxy, 7))
        more = {**services, f"other{turn}": balancer(a.url)}
        proxy.write_dynamic(config(more, app="app", kept="kept", other=f"other{turn}"))
        wait_for(lambda: (r := proxy.router("other@file")) and r["service"].startswith(f"other{turn}"), 10, "a reload")
        counts.update(shares(proxy, 1))
        assert proxy.ask(host="kept", headers={"Cookie": cookie}).text == "b"

    # 80 requests are 20 rounds of 3 + 1 turns, wherever they began; the ill one lets its turn pass.
    assert counts == {"a": 60, "b": 20}


def test_weighted_services_nest(start, named):
    inner = {"weighted": {"services": [{"name": "a"}, {"name": "b"}]}}
    outer = {"weighted": {"services": [{"name": "inner", "weight": 2}, {"name": "c", "weight": 1}]}}
    proxy = start(config(two(named("a"), named("b"), c=balancer(named("c").url), inner=inner, app=outer)))

    assert shares(proxy, 300) == {"a": 100, "b": 100, "c": 100}


def test_highest_random_weight_keeps_a_client(start, named):
    hrw = {"highestRandomWeight": {"services": [{"name": "a"}, {"name": "b"}]}}
    proxy = start(config(two(named("a"), named("b"), app=hrw)))

    assert len(shares(proxy, 20)) == 1


def test_a_service_made_of_itself_is_broken(start, named):
    loop = {"weighted": {"services": [{"name": "app"}, {"name": "a"}]}}
    proxy = start(config({"a": balancer(named("a").url), "app": loop}))

    assert proxy.ask(host="app").status == 503


# Health checks

CHECK = {"path": "/health", "interval": "100ms", "timeout": "30s"}


class Sick:
    """An origin whose /health answers `status`."""

    def __init__(self, origin, name, status=200):
        self.status, self.checks, self.origin = status, [], origin
        origin.answer = lambda request: self._answer(request, name)

    def _answer(self, request, name):
        if request.target.startswith("/health"):
            self.checks.append(request)
            return respond(b"", status=self.status)
        return respond(name.encode())


def test_a_server_that_fails_its_check_goes_and_comes_back(start, named):
    a, b = Sick(named("a"), "a"), named("b")
    proxy = start(config({"app": balancer(a.origin.url, b.url, healthCheck=CHECK)}))
    assert shares(proxy, 10) == {"a": 5, "b": 5}

    a.status = 500
    wait_for(lambda: shares(proxy, 10) == {"b": 10}, 10, "a is out")
    wait_for(lambda: "is down: health check" in proxy.log(), 5, "the log says so")
    wait_for(lambda: next(s for s in proxy.api("/api/http/services") if s["name"] == "app@file")["serverStatus"][
        a.origin.url] == "DOWN", 5, "the API says so")

    a.status = 200
    wait_for(lambda: shares(proxy, 10) == {"a": 5, "b": 5}, 10, "a is back")
    wait_for(lambda: "is up again" in proxy.log(), 5, "the log says so")


def test_a_check_asks_as_configured(start, named):
    main, side = named("main"), Sick(named("side"), "side", status=418)
    check = {"path": "/health?full=1", "interval": "100ms", "port": side.origin.port, "hostname": "check.example.com",
             "method": "HEAD", "status": 418, "headers": {"X-Probe": "yes"}, "followRedirects": False}
    proxy = start(config({"app": balancer(main.url, healthCheck=check)}))

    wait_for(lambda: len(side.checks) > 2, 10, "checks")
    seen = side.checks[0]
    assert (seen.method, seen.target, seen.header("Host"), seen.header("X-Probe")) == (
        "HEAD", "/health?full=1", "check.example.com", "yes")
    assert proxy.ask(host="app").text == "main"


def test_a_check_follows_redirects_when_told(start, named):
    a, b = named("a"), named("b")
    target = Sick(named("target"), "target", status=500)
    for origin in (a, b):
        origin.answer = lambda request, name=("a" if origin is a else "b"): (
            respond(b"", 302, [("Location", f"{target.origin.url}/health")]) if request.target == "/health"
            else respond(name.encode()))
    proxy = start(config({"follows": balancer(a.url, healthCheck=CHECK),
                          "stays": balancer(b.url, healthCheck={**CHECK, "followRedirects": False})},
                         follows="follows", stays="stays"))

    proxy.wait_status(503, "follows")
    assert proxy.ask(host="stays").text == "b"


def test_health_survives_a_reload(start, named):
    a, b = Sick(named("a"), "a", status=500), named("b")
    services = {"app": balancer(a.origin.url, b.url, healthCheck={**CHECK, "interval": "1s"})}
    proxy = start(config(services))
    wait_for(lambda: shares(proxy, 10) == {"b": 10}, 10, "a is out")

    proxy.write_dynamic(config({**services, "other": balancer(b.url)}, app="app", other="other"))
    proxy.wait_status(200, "other")
    assert shares(proxy, 10) == {"b": 10}


def test_no_healthy_server_is_503_with_the_reason(start, named):
    proxy = start(config({"app": balancer(Sick(named("a"), "a", status=500).origin.url, healthCheck=CHECK)}))

    answer = proxy.wait_status(503, "app")
    assert "no available server" in answer.text


def test_a_passive_check_takes_a_server_out_for_a_while(start, named):
    a, b = named("a"), named("b")
    a.answer = respond(b"bad", status=500)
    passive = {"failureWindow": "5s", "maxFailedAttempts": 2}
    proxy = start(config({"app": balancer(a.url, b.url, passiveHealthCheck=passive)}))

    assert shares(proxy, 4)["bad"] == 2
    assert shares(proxy, 10) == {"b": 10}
    a.answer = respond(b"a")
    wait_for(lambda: shares(proxy, 4) == {"a": 2, "b": 2}, 10, "a is tried again")


# Failover


def failover(a, b, **more):
    return two(a, b, app={"failover": {"service": "a", "fallback": "b", **more}})


def test_failover_follows_the_health_of_the_main_service(start, named):
    a, b = Sick(named("a"), "a"), named("b")
    services = failover(a.origin, b)
    services["a"]["loadBalancer"]["healthCheck"] = CHECK
    proxy = start(config(services))
    assert shares(proxy, 5) == {"a": 5}

    a.status = 500
    wait_for(lambda: shares(proxy, 5) == {"b": 5}, 10, "the fallback serves")
    a.status = 200
    wait_for(lambda: shares(proxy, 5) == {"a": 5}, 10, "the main service serves")


def test_failover_by_status_sends_the_body_again(start, named):
    a, b = named("a"), named("b")
    a.answer = respond(b"broken", status=503)
    proxy = start(config(failover(a, b, errors={"status": ["500-599"], "maxRequestBodyBytes": 100_000})))

    body = b"x" * 100_000
    answer = proxy.ask(host="app", method="POST", body=body)
    assert (answer.status, answer.text) == (200, "b")
    assert a.last().body == body and b.last().body == body

    assert proxy.ask(host="app", method="POST", body=body + b"x").status == 413
    a.answer = respond(b"missing", status=404)
    assert proxy.ask(host="app", method="POST", body=body).text == "missing"


def test_failover_with_both_down_is_503(start, named):
    services = failover(Sick(named("a"), "a", 500).origin, Sick(named("b"), "b", 500).origin)
    for name in "ab":
        services[name]["loadBalancer"]["healthCheck"] = CHECK
    proxy = start(config(services))

    proxy.wait_status(503, "app")


def test_failover_needs_a_main_service_that_knows_its_state(start, named):
    proxy = start(config(failover(named("a"), named("b"))))

    assert proxy.ask(host="app").status == 503
    assert "cannot report its status" in proxy.log()


def test_a_weighted_service_passes_the_child_that_is_down(start, named):
    a, b = Sick(named("a"), "a"), Sick(named("b"), "b")
    services = two(a.origin, b.origin, app={"weighted": {"services": [{"name": "a"}, {"name": "b"}], "healthCheck": {}}})
    for name in "ab":
        services[name]["loadBalancer"]["healthCheck"] = CHECK
    proxy = start(config(services))
    assert shares(proxy, 10) == {"a": 5, "b": 5}

    a.status = 500
    wait_for(lambda: shares(proxy, 10) == {"b": 10}, 10, "b takes all")


# Mirroring


def mirroring(main, mirror_url, percent=100, **more):
    return {"main": balancer(main.url), "copy": balancer(mirror_url),
            "app": {"mirroring": {"service": "main", "mirrors": [{"name": "copy", "percent": percent}], **more}}}


def test_a_mirror_gets_the_same_request_and_its_answer_is_dropped(start, named):
    main, copy = named("main"), named("copy")
    copy.answer = respond(b"never seen", status=500)
    proxy = start(config(mirroring(main, copy.url)))

    answer = proxy.ask("/cart?a=b", host="app", method="POST", body=b"body" * 1000, headers={"X-Mine": "1"})
    assert (answer.status, answer.text) == (200, "main")
    wait_for(lambda: copy.requests, 5, "the copy")
    seen = copy.last()
    assert (seen.method, seen.target, seen.header("Host"), seen.header("X-Mine")) == ("POST", "/cart?a=b", "app", "1")
    assert seen.body == b"body" * 1000 == main.last().body
    assert seen.header("X-Forwarded-For") == main.last().header("X-Forwarded-For")


def test_a_mirror_gets_its_share(start, named):
    main, copy = named("main"), named("copy")
    proxy = start(config(mirroring(main, copy.url, percent=30)), {"metrics": {"prometheus": {}}})

    shares(proxy, 100)
    wait_for(lambda: len(copy.requests) == 30, 5, "30 copies")
    time.sleep(0.3)
    assert len(copy.requests) == 30

    labels = '{code="200",method="GET",protocol="http",service="%s@file"} %d\n'
    wait_for(lambda: "traefik_service_requests_total" + labels % ("copy", 30) in proxy.metrics(), 5, "they are counted")
    assert "traefik_service_responses_bytes_total" + labels % ("copy", 120) in proxy.metrics()
    assert "traefik_service_requests_total" + labels % ("main", 100) in proxy.metrics()
    assert 'traefik_entrypoint_requests_total{code="200",entrypoint="web",method="GET",protocol="http"} 100\n' in proxy.metrics()


def test_a_chunked_body_is_mirrored_and_a_large_one_is_not(start, named):
    main, copy = named("main"), named("copy")
    proxy = start(config(mirroring(main, copy.url, maxBodySize=10)))
    with RawClient(proxy.port()) as client:
        client.send("POST / HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwiki\r\n0\r\n\r\n")
        assert client.read_answer().text == "main"
        wait_for(lambda: copy.requests, 5, "the copy")
        assert copy.last().body == b"wiki"
        assert client.ask(method="POST", host="app", body=b"x" * 11).text == "main"
    time.sleep(0.3)
    assert len(copy.requests) == 1


def test_mirrors_get_no_body_when_that_is_off(start, named):
    main, copy = named("main"), named("copy")
    proxy = start(config(mirroring(main, copy.url, mirrorBody=False, maxBodySize=2)))

    assert proxy.ask(host="app", method="POST", body=b"body").text == "main"
    wait_for(lambda: copy.requests, 5, "the copy")
    assert copy.last().body == b""
    assert main.last().body == b"body"


def test_a_dead_mirror_and_large_bodies_change_nothing(start, named):
    main = named("main")
    main.answer = lambda request: respond(str(len(request.body)).encode())
    proxy = start(config(mirroring(main, f"http://127.0.0.1:{free_port()}")))
    body = bytes(50 << 20)
    proxy.ask(host="app", method="POST", body=body[: 5 << 20])
    before = memory(proxy)
    peak = before

    for _ in range(3):
        done = threading.Event()
        answers = []

        def send():
            try:
                answers.append(ask(proxy.port(), "POST", host="app", body=body, timeout=200))
            finally:
                done.set()

        threading.Thread(target=send).start()
        while not done.wait(0.02):
            peak = max(peak, memory(proxy))
        assert answers[0].status == 200 and answers[0].text == str(len(body))
        main.requests.clear()
    assert peak - before < 35, f"{peak - before} MiB more"


def test_a_large_body_reaches_the_mirror_whole(start, named):
    main, copy = named("main"), named("copy")
    proxy = start(config(mirroring(main, copy.url)))
    body = bytes(range(256)) * (20 << 12)  # 20 MiB

    assert proxy.ask(host="app", method="POST", body=body).status == 200
    wait_for(lambda: copy.requests, 20, "the copy")
    assert copy.last().body == body


@pytest.mark.parametrize("middleware, copies", [
    ({"errors": {"status": ["500"], "service": "pages", "query": "/sorry"}}, 1),
    ({"retry": {"attempts": 2, "status": ["500"], "initialInterval": "1ms"}}, 2)])
def test_an_answer_that_gives_way_to_another_is_mirrored_all_the_same(start, named, middleware, copies):
    main, copy, pages = named("main"), named("copy"), named("pages")
    main.answer = respond(b"broken", status=500)
    given = config({**mirroring(main, copy.url), "pages": balancer(pages.url)})
    given["http"]["middlewares"] = {"other": middleware}
    for router in given["http"]["routers"].values():
        router["middlewares"] = ["other"]
    proxy = start(given)

    assert proxy.ask(host="app", method="PUT", body=b"body").status == 500
    wait_for(lambda: len(copy.requests) == copies, 10, f"{copies} copies")
    assert all(seen.body == b"body" for seen in copy.requests)


def test_a_client_that_left_is_not_mirrored(start, named):
    main, copy = named("main"), named("copy")
    main.answer = lambda request: [respond(b"x" * 10)[:-5], 3.0] if request.target == "/slow" else respond(b"main")
    proxy = start(config(mirroring(main, copy.url)))
    with RawClient(proxy.port()) as client:
        client.send("GET /slow HTTP/1.1\r\nHost: app\r\n\r\n")
        wait_for(lambda: main.requests, 10, "the request")
    assert proxy.ask(host="app").text == "main"
    wait_for(lambda: copy.requests, 10, "the copy of the second request")
    time.sleep(0.3)
    assert [seen.target for seen in copy.requests] == ["/"]


def test_a_slow_mirror_delays_nobody(start, named):
    main, copy = named("main"), named("copy")
    copy.answer = lambda request: [3.0, respond(b"late")]
    proxy = start(config(mirroring(main, copy.url)))

    begun = time.monotonic()
    assert shares(proxy, 20) == {"main": 20}
    assert time.monotonic() - begun < 30, "twenty times three seconds else"
