"""The access log says why an answer is Fairlead's own, and who ended a request early."""

import contextlib
import json

import pytest
from support.fairlead import routes
from support.origin import Origin, respond
from support.ports import free_port, wait_for
from support.raw import Closed, RawClient


def line_of(proxy, host, status):
    def found():
        lines = proxy.access_log()
        return next((line for line in lines if (line["RequestHost"], line["DownstreamStatus"]) == (host, status)), None)

    return wait_for(found, 15, f"the request to {host} is logged with {status}")


@pytest.fixture
def troubled(start):
    """A site whose servers fail, each in its way."""
    with Origin(lambda _request: None) as silent, Origin([2.0, respond()]) as slow:
        site = routes(dead=[f"http://127.0.0.1:{free_port()}"], silent=[silent.url], slow=[slow.url], empty=[])
        site["http"]["services"]["slow"]["loadBalancer"]["serversTransport"] = "hasty"
        site["http"]["serversTransports"] = {"hasty": {"forwardingTimeouts": {"responseHeaderTimeout": "100ms"}}}
        yield start(site)


@pytest.mark.parametrize("host, status, reason, detail", [
    ("dead", 502, "unreachable", "Connection refused"),
    ("silent", 502, "no valid answer", "closed the connection before a complete response head"),
    ("slow", 504, "no answer in time", "responseHeaderTimeout"),
    ("empty", 503, "no server", "service empty@file"),
])
def test_a_failure_toward_a_server_is_explained(troubled, host, status, reason, detail):
    answer = troubled.wait_status(status, host, headers=[("Accept", "application/json")])

    assert json.loads(answer.body)["reason"] == reason, "clients learn the class"
    logged = line_of(troubled, host, status)
    assert logged["Reason"].split(":")[0] == reason
    assert detail in logged["Reason"]


@pytest.mark.parametrize("host, status, said", [
    ("dead", 502, "answered 502: "), ("silent", 502, "answered 502: "), ("slow", 504, "answered 504: "),
    ("empty", 503, "answered 503: service empty@file: no available server"),
])
def test_the_log_tells_of_it_when_it_begins_and_then_counts(troubled, host, status, said):
    for _ in range(20):
        troubled.wait_status(status, host)

    def lines():
        return [line for line in troubled.log().splitlines() if f"router {host}@file: {said}" in line]

    wait_for(lines, 10, "it is told")
    assert len(lines()) <= 2, "once by each worker"
    assert all(" WRN " in line for line in lines())


def test_what_clients_do_wrong_is_told_at_debug_level(start, origin):
    site = routes(app=[origin.url])
    site["http"]["middlewares"] = {"office": {"ipAllowList": {"sourceRange": ["192.0.2.0/24"]}}}
    site["http"]["routers"]["app"]["middlewares"] = ["office"]
    proxy = start(site, {"log": {"level": "DEBUG"}})

    proxy.wait_status(403, "app")

    wait_for(lambda: "entry point web: router app@file: answered 403 to 127.0.0.1:" in proxy.log(), 10, "it is told")


def test_what_anybody_can_do_any_number_of_times_fills_no_log(start):
    """At the level that is the default. At DEBUG each one is told."""
    dead, many = free_port(), 30
    forward = {"routers": {"db": {"rule": "HostSNI(`*`)", "service": "db", "entryPoints": ["db"]}},
               "services": {"db": {"loadBalancer": {"servers": [{"address": f"127.0.0.1:{dead}"}]}}}}
    said = {"web": {b"\x16\x03\x01\x00\x05hello": "TLS handshake refused: the first message is no ClientHello",
                    b"GET x HTTP/1.1\r\n\r\n": "with 400: malformed request target"},
            "db": {b"hello": "TCP router db@file: the connection of "}}

    def asked(level):
        proxy = start({"tcp": forward}, {"log": {"level": level}}, entry_points=("web", "db"), workers=1)
        for entry_point, kinds in said.items():
            for payload in list(kinds) * many:
                with RawClient(proxy.port(entry_point)) as client:
                    client.send(payload)
                    with contextlib.suppress(Closed):
                        client.more()
        return proxy

    def counts(proxy):
        texts = [text for kinds in said.values() for text in kinds.values()]
        return [sum(text in line for line in proxy.log().splitlines()) for text in texts]

    quiet = asked("INFO")
    wait_for(lambda: 0 not in counts(quiet), 10, "each kind is told")
    loud = asked("DEBUG")
    wait_for(lambda: counts(loud) == [many, many, many], 10, "each one is told")
    assert counts(quiet) == [1, 1, 1]


def test_a_refused_login_is_explained(start, origin):
    site = routes(app=[origin.url])
    site["http"]["middlewares"] = {"login": {"basicAuth": {"users": ["test:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/"]}}}
    site["http"]["routers"]["app"]["middlewares"] = ["login"]
    proxy = start(site)

    proxy.wait_status(401, "app")

    assert line_of(proxy, "app", 401)["Reason"] == "basicAuth: no credentials"


def test_an_answer_that_is_too_large_to_be_buffered_is_told_with_its_server(start, origin):
    site = routes(app=[origin.url])
    site["http"]["middlewares"] = {"whole": {"buffering": {"maxResponseBodyBytes": 4}}}
    site["http"]["routers"]["app"]["middlewares"] = ["whole"]
    proxy = start(site, {"log": {"level": "INFO"}})
    origin.answer = respond(b"12345")

    proxy.wait_status(500, "app")

    wait_for(lambda: "(maxResponseBodyBytes)" in proxy.log(), 10, "it is told")
    line = next(line for line in proxy.log().splitlines() if "(maxResponseBodyBytes)" in line)
    assert f" WRN router app@file: answered 500: server {origin.url}: buffering: the answer: " in line


def test_a_try_that_succeeded_leaves_no_reason(start, origin):
    site = routes(app=[origin.url])
    site["http"]["middlewares"] = {"again": {"retry": {"attempts": 2, "status": ["503"]}}}
    site["http"]["routers"]["app"]["middlewares"] = ["again"]
    proxy = start(site)
    origin.script(None, None, respond(b"late"))

    assert proxy.wait_status(200, "app", method="PUT", body=b"x").body == b"late"
    assert "Reason" not in line_of(proxy, "app", 200)


@pytest.mark.parametrize("framing", ["Content-Length: 9", "Transfer-Encoding: chunked"])
def test_a_client_that_leaves_in_the_middle_of_its_body_is_logged_499(proxy, framing):
    proxy.wait_status(200, "app")
    with RawClient(proxy.port()) as client:
        client.send(f"POST / HTTP/1.1\r\nHost: app\r\n{framing}\r\n\r\n5\r\nhe")

    assert "in the middle of a body" in line_of(proxy, "app", 499)["Reason"]
