"""Every option of services, bad ones too: one Fairlead with a service for each. Balancing has its own file."""

import gzip
import hashlib
import threading
import time
import zlib

import pytest
from support.fairlead import Fairlead
from support.origin import Origin, respond
from support.ports import free_port, wait_for
from support.raw import RawClient, ask

MINUTE = {"path": "/", "interval": "60s"}


first_part_is_there = threading.Event()


def in_two_parts(until):
    yield b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4000\r\n\r\n" + b"a" * 2000
    until()
    yield b"b" * 2000


def answer(name):
    """Its name; /halves in two parts, the second once a test has the first, /slow in two parts two seconds apart, /sleep
    late, /fail and /health/… with other statuses."""
    def reply(request):
        path = request.target.split("?")[0]
        if path.endswith("/halves"):
            return in_two_parts(lambda: first_part_is_there.wait(60))
        if path.endswith("/slow"):
            return in_two_parts(lambda: time.sleep(2))
        if path.endswith("/sleep"):
            return [0.6, respond(name)]
        if path.endswith("/fail"):
            return respond(b"failed", status=503)
        if path.endswith("/long"):
            return respond(name * 3000, headers=[("Content-Type", "text/plain")])
        return respond(name)

    return reply


def balancer(*servers, **options):
    return {"loadBalancer": {"servers": [s if isinstance(s, dict) else {"url": s} for s in servers], **options}}


def services(a, b, dead):
    cookie = {"name": "p;in", "secure": True, "httpOnly": True, "sameSite": "STRICT", "maxAge": 60, "path": "/x",
              "domain": "example.com"}
    checked = {"path": "/", "interval": "100ms"}
    return {
        "a": balancer(a), "b": balancer(b), "dead": balancer(dead),
        "cookie": balancer(a, b, sticky={"cookie": cookie}),
        "plain-cookie": balancer(a, b, sticky={"cookie": {"maxAge": -5, "sameSite": "odd"}}),
        "no-cookie": balancer(a, b, sticky={}),
        "prefixed": balancer({"url": f"{a}/base/", "preservePath": True}),
        "unprefixed": balancer(f"{a}/base/"),
        "flushes": balancer(a, responseForwarding={"flushInterval": "-1ms"}),
        "wrapped": {**balancer(a), "middlewares": ["own"]},
        "wrapped-twice": {"weighted": {"services": [{"name": "wrapped"}]}, "middlewares": ["outer"]},
        # checks, options that change who is asked
        "slow-check": balancer(a, b, healthCheck={"path": "/sleep", "interval": "100ms", "timeout": "150ms"}),
        "moded": balancer(a, healthCheck={**checked, "mode": "http", "scheme": "http"}),
        "seldom": balancer(a, healthCheck={"path": "/fail", "interval": "100ms", "unhealthyInterval": "60s"}),
        "well": balancer(a, healthCheck=checked),
        "both": balancer(a, healthCheck={**checked, "interval": "1s"},
                         passiveHealthCheck={"failureWindow": "60s", "maxFailedAttempts": 1}),
        "ill": balancer(a, healthCheck={**checked, "path": "/fail"}),
        "ill-too": balancer(b, healthCheck={**checked, "path": "/fail"}),
        # nested, with health that passes up
        "split": {"weighted": {"services": [{"name": "ill", "weight": 9}, {"name": "well"}], "healthCheck": {}}},
        "split-ill": {"weighted": {"services": [{"name": "ill"}, {"name": "ill-too"}], "healthCheck": {}}},
        "hashed-ill": {"highestRandomWeight": {"services": [{"name": "ill"}, {"name": "split-ill"}], "healthCheck": {}}},
        "mirrored-ill": {"mirroring": {"service": "hashed-ill", "healthCheck": {}}},
        "spare-ill": {"failover": {"service": "mirrored-ill", "fallback": "ill-too", "healthCheck": {}}},
        "spare": {"failover": {"service": "spare-ill", "fallback": "b"}},
        "pinned": {"weighted": {"services": [{"name": "a"}, {"name": "b"}], "sticky": {"cookie": cookie}}},
        "hashed": {"highestRandomWeight": {"services": [{"name": "a", "weight": 0}, {"name": "b", "weight": 7}]}},
        "counted": {"weighted": {"services": [{"name": "a", "weight": 0}, {"name": "b"}]}},
        "next": {"weighted": {"services": [{"name": "dead", "weight": 5}, {"name": "b"}]}},
        "none-counts": {"weighted": {"services": [{"name": "a", "weight": 0}]}},
        "weightless": balancer({"url": a, "weight": 0}),
        "odd-status": balancer(a, healthCheck={**checked, "status": 204}),
    }


BAD = {
    "strategy": (balancer("http://127.0.0.1:1", strategy="fastest"), "strategy"),
    "url": (balancer("127.0.0.1:80"), "server URL"),
    "negative": ({"weighted": {"services": [{"name": "a", "weight": -1}, {"name": "b"}]}}, "counts as 0"),
    "circle-a": ({"weighted": {"services": [{"name": "circle-b"}]}}, "circle-"),
    "circle-b": ({"mirroring": {"service": "circle-a"}}, "circle-"),
    "mirror-of-itself": ({"mirroring": {"service": "a", "mirrors": [{"name": "mirror-of-itself", "percent": 5}]}},
                         "leads back to"),
    "percent": ({"mirroring": {"service": "a", "mirrors": [{"name": "b", "percent": 101}]}}, "percent"),
    "often": (balancer("http://127.0.0.1:1", healthCheck={"path": "/", "interval": "1ns"}), "interval of 1ns"),
    "never": (balancer("http://127.0.0.1:1", healthCheck={"path": "/", "interval": "-5s"}), "interval must be above 0"),
    "eternal": (balancer("http://127.0.0.1:1", healthCheck={"path": "/", "interval": "20000h"}), "out of reason"),
    "absolute": (balancer("http://127.0.0.1:1", healthCheck={"path": "http://other/"}), "relative"),
    "port": (balancer("http://127.0.0.1:1", healthCheck={"path": "/", "port": 70000}), "no port"),
    "missing-child": ({"weighted": {"services": [{"name": "nobody"}]}}, "does not exist"),
    "nothing": ({}, "does not have any type"),
    "several": ({**balancer("http://127.0.0.1:1"), "weighted": {"services": [{"name": "a"}]}}, "multi-types"),
    "status": ({"failover": {"service": "a", "fallback": "b", "errors": {"status": ["5xx"]}}}, "status"),
    "transport": (balancer("http://127.0.0.1:1", serversTransport="nobody"), "nobody"),
    "authority": (balancer("https://127.0.0.1:1", serversTransport="unreadable"), "/nowhere/ca.pem"),
    "middleware": ({**balancer("http://127.0.0.1:1"), "middlewares": ["range"]}, "range"),
    "attempts": (balancer("http://127.0.0.1:1", passiveHealthCheck={"maxFailedAttempts": -1}), "maxFailedAttempts"),
    "same-site": (balancer("http://127.0.0.1:1", sticky={"cookie": {"sameSite": "laxx"}}), "use none, lax or strict"),
    "childless": ({"weighted": {"services": []}}, "has no service below it"),
    "dropped": ({"weighted": {"services": [{"name": "a"}], "sticky": {"cookie": {"sameSite": "None"}}}},
                "set sticky.cookie.secure=true"),
}
WORKING = {"negative", "often", "never", "eternal", "attempts", "same-site", "dropped", "childless"}  # a warning, and what was meant


@pytest.fixture(scope="module")
def house():
    with Origin(answer(b"a")) as a, Origin(answer(b"b")) as b:
        made = services(a.url, b.url, f"http://127.0.0.1:{free_port()}")
        made |= {f"bad-{name}": service for name, (service, _) in _renamed(BAD).items()}
        dynamic = {"http": {
            "routers": {name: {"rule": f"Host(`{name}`)", "service": name} for name in made} | {
                f"zipped-{name}": {"rule": f"Host(`zipped-{name}`)", "service": name, "middlewares": ["zip"]}
                for name in ("a", "flushes")},
            "services": made,
            "middlewares": {
                "own": {"headers": {"customRequestHeaders": {"X-Seen": "inner"}}},
                "outer": {"headers": {"customRequestHeaders": {"X-Seen": "outer", "X-Outer": "1"}}},
                "zip": {"compress": {"minResponseBodyBytes": 100}},
                "range": {"ipAllowList": {"sourceRange": ["300.1.2.3/8"]}},
            },
            "serversTransports": {"unreadable": {"rootCAs": ["/nowhere/ca.pem"]}},
        }}
        with Fairlead(dynamic, {"reasons": {"detail": "full"}, "metrics": {"prometheus": {}}}) as proxy:
            yield proxy, a, b


def _renamed(bad):
    """References between bad services carry their prefix too."""
    def walk(value):
        if isinstance(value, dict):
            return {key: walk(item) for key, item in value.items()}
        if isinstance(value, list):
            return [walk(item) for item in value]
        return f"bad-{value}" if value in bad else value

    return {name: (walk(service), why) for name, (service, why) in bad.items()}


def texts(proxy, host, times=8, **more):
    return [proxy.ask(host=host, **more).text for _ in range(times)]


# Cookies


def test_a_cookie_has_the_attributes_that_were_asked_for(house):
    proxy, a, b = house

    answer = proxy.ask(host="cookie")
    pair, *attributes = answer.header("Set-Cookie").split("; ")
    url = a.url if answer.text == "a" else b.url
    assert pair == f"p_in={hashlib.sha256(url.encode()).hexdigest()[:16]}"
    assert sorted(attributes) == ["Domain=example.com", "HttpOnly", "Max-Age=60", "Path=/x", "SameSite=Strict", "Secure"]


def test_a_cookie_has_a_name_of_its_own_by_default(house):
    proxy, _, _ = house

    name = "_" + hashlib.sha1(b"_TRAEFIK_BACKEND_plain-cookie@file").hexdigest()[:5]
    pair, *attributes = proxy.ask(host="plain-cookie").header("Set-Cookie").split("; ")
    assert pair.split("=")[0] == name
    assert sorted(attributes) == ["Max-Age=0", "Path=/"]
    assert proxy.ask(host="no-cookie").header("Set-Cookie") is None


def fnv1(text):
    value = 14695981039346656037
    for byte in text.encode():
        value = value * 1099511628211 % 2**64 ^ byte
    return f"{value:x}"


@pytest.mark.parametrize("form", [lambda url: url, fnv1, lambda url: fnv1(fnv1(url))], ids=["url", "fnv", "fnv twice"])
def test_cookies_of_older_versions_keep_their_server_and_are_renewed(house, form):
    proxy, a, b = house

    for origin, name in ((a, "a"), (b, "b")):
        for _ in range(4):
            answer = proxy.ask(host="cookie", headers={"Cookie": f"x=y; p_in={form(origin.url)}"})
            assert answer.text == name
            assert answer.header("Set-Cookie").startswith(f"p_in={hashlib.sha256(origin.url.encode()).hexdigest()[:16]};")


# Servers, forwarding, middlewares


def test_the_path_of_a_server_counts_only_when_it_is_preserved(house):
    proxy, a, _ = house

    for host, target in [("prefixed", "/base/x?y=z"), ("unprefixed", "/x?y=z")]:
        assert proxy.ask("/x?y=z", host=host).status == 200
        assert a.last_of(host).target.replace("//", "/") == target


def test_a_negative_flush_interval_sends_every_part_at_once_even_compressed(house):
    proxy, _, _ = house

    with RawClient(proxy.port()) as client:
        first_part_is_there.clear()
        client.send("GET /halves HTTP/1.1\r\nHost: zipped-flushes\r\nAccept-Encoding: gzip\r\n\r\n")
        head = client.read_head()
        assert head.header("Content-Encoding") == "gzip"
        part = client.read_exactly(int(client.read_until(b"\r\n"), 16))
        first_part_is_there.set()
        assert zlib.decompressobj(31).decompress(part) == b"a" * 2000


def test_parts_leave_when_they_come(house):
    proxy, _, _ = house

    with RawClient(proxy.port()) as client:
        first_part_is_there.clear()
        client.send("GET /halves HTTP/1.1\r\nHost: a\r\n\r\n")
        client.read_head()
        assert client.read_exactly(2000) == b"a" * 2000
        first_part_is_there.set()
        assert client.read_exactly(2000) == b"b" * 2000


def test_the_record_covers_the_time_of_the_whole_answer(house):
    proxy, _, _ = house
    proxy.ask("/slow?timed", host="a")

    line = wait_for(lambda: next((line for line in proxy.access_log() if "?timed" in line["RequestPath"]), None), 10, "a line")
    assert line["OriginDuration"] > 1.9e9
    assert line["Overhead"] < 1.5e9


def test_middlewares_of_services_run_innermost(house):
    proxy, a, _ = house

    for host, outer in [("wrapped", None), ("wrapped-twice", "1")]:
        assert proxy.ask(host=host).status == 200
        seen = a.last_of(host)
        assert (seen.header("X-Seen"), seen.header("X-Outer")) == ("inner", outer)


def test_compressed_as_a_whole_when_the_length_is_known(house):
    proxy, _, _ = house

    answer = proxy.ask("/long", host="zipped-a", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(answer.body) == b"a" * 3000


# Health


def test_a_check_that_takes_too_long_is_a_failure(house):
    proxy, _, _ = house

    proxy.wait_status(503, "slow-check")
    wait_for(lambda: len(proxy.service("slow-check@file").get("serverReasons", {})) == 2, 10, "both are out")


def test_a_mode_and_a_scheme(house):
    proxy, a, _ = house

    wait_for(lambda: any(r.target == "/" for r in a.requests), 10, "a check")
    assert proxy.ask(host="moded").status == 200


def test_servers_that_are_down_are_asked_at_their_own_interval(house):
    proxy, a, _ = house

    proxy.wait_status(503, "seldom")
    time.sleep(0.4)
    # Only "ill" goes on asking the same path; "seldom" asked once.
    assert proxy.service("seldom@file")["serverStatus"] == {a.url: "DOWN"}


def test_the_reason_and_its_time_are_in_the_api_the_metrics_and_the_503(house):
    proxy, a, _ = house

    answer = proxy.wait_status(503, "ill", headers={"Accept": "application/problem+json"})
    told = proxy.service("ill@file")["serverReasons"][a.url]
    assert (told["kind"], told["text"]) == ("unhealthy", "status 503")
    assert abs(time.time() - time.mktime(time.strptime(told["since"], "%Y-%m-%dT%H:%M:%SZ")) + time.timezone) < 600
    assert "status 503" in answer.text and "unhealthy for" in answer.text
    assert 'traefik_service_server_up{service="ill@file"' in proxy.metrics()
    up = dict(line.rsplit(" ", 1) for line in proxy.metrics().splitlines() if line.startswith("traefik_service_server_up"))
    assert [value for key, value in up.items() if '"ill@file"' in key] == ["0"]
    assert [value for key, value in up.items() if '"well@file"' in key] == ["1"]


@pytest.mark.parametrize("host, reason", [
    ("none-counts", "no child service has a weight"),
    ("weightless", "its weight is 0"),
    ("odd-status", "status 200 instead of 204"),
])
def test_the_503_says_why_a_server_that_is_well_was_not_asked(house, host, reason):
    proxy, _, _ = house

    answer = proxy.wait_status(503, host, headers={"Accept": "application/problem+json"})
    assert reason in answer.text


def test_what_requests_find_and_what_checks_find_is_one_state(house):
    proxy, a, _ = house

    def requests_found_it_ill():
        """The active check may say otherwise at any moment."""
        if proxy.ask("/fail", host="both").text != "failed":
            return None
        told = proxy.service("both@file").get("serverReasons", {})
        return proxy.ask(host="both").status == 503 and told.get(a.url)

    assert "1 requests failed" in wait_for(requests_found_it_ill, 10, "it is out")["text"]
    proxy.wait_status(200, "both")  # by the active check, long before the window ends


# Composites


def test_a_weighted_service_passes_a_child_that_is_down_whatever_its_weight(house):
    proxy, _, _ = house

    wait_for(lambda: texts(proxy, "split") == ["a"] * 8, 10, "only the one that is well")


@pytest.mark.parametrize("host", ["split-ill", "hashed-ill", "mirrored-ill", "spare-ill"])
def test_a_composite_of_what_is_down_is_503(house, host):
    proxy, _, _ = house

    proxy.wait_status(503, host)


def test_being_down_passes_up_through_every_kind_of_composite(house):
    proxy, _, _ = house

    wait_for(lambda: texts(proxy, "spare") == ["b"] * 8, 10, "the last resort")


@pytest.mark.parametrize("host", ["hashed", "counted"])
def test_a_child_of_weight_zero_is_never_picked(house, host):
    proxy, _, _ = house

    assert texts(proxy, host) == ["b"] * 8


def test_a_cookie_of_a_weighted_service_has_its_attributes_and_keeps_its_child(house):
    proxy, _, _ = house

    first = proxy.ask(host="pinned")
    pair, *attributes = first.header("Set-Cookie").split("; ")
    assert pair == f"p_in={hashlib.sha256(first.text.encode()).hexdigest()[:16]}"
    assert sorted(attributes) == ["Domain=example.com", "HttpOnly", "Max-Age=60", "Path=/x", "SameSite=Strict", "Secure"]
    assert texts(proxy, "pinned", headers={"Cookie": pair}) == [first.text] * 8


def test_a_child_that_refuses_hands_the_request_to_the_next(house):
    proxy, _, _ = house

    assert texts(proxy, "next", method="POST", body=b"once") == ["b"] * 8


# Bad input: the reason stands at the element, and all others serve


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_told_at_its_element(house, name):
    proxy, _, _ = house

    service = proxy.service(f"bad-{name}@file")
    told = str(service.get("error", []))
    assert BAD[name][1] in told
    status = "warning" if name in WORKING else "disabled"
    assert service["status"] == status, told
    if status == "disabled":
        assert proxy.ask(host=f"bad-{name}").status == 503
    assert ask(proxy.port(), host="a").status == 200
