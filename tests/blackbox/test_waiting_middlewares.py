"""Middlewares that wait, repeat or change bodies, each with real requests. One instance serves all of them: the
middlewares of the host `x` are those of the row named `x`."""

import base64
import gzip
import hashlib
import re
import socket
import threading
import time

import pytest
from support.fairlead import Fairlead
from support.origin import Origin, respond
from support.ports import free_port, wait_for
from support.raw import RawClient

APR1 = "test:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/"  # the password is "test"
HA1 = hashlib.md5(b"test:traefik:test").hexdigest()


def middlewares(auth_url, pages):
    return {
        "basic": {"basicAuth": {"users": [APR1], "realm": "shop", "headerField": "X-User", "removeHeader": True}},
        "digest": {"digestAuth": {"users": [f"test:traefik:{HA1}"], "headerField": "X-User"}},
        "forward": {
            "forwardAuth": {
                "address": f"{auth_url}/verify",
                "trustForwardHeader": False,
                "authResponseHeaders": ["X-Auth-User"],
                "authResponseHeadersRegex": "^X-Group-",
                "addAuthCookiesToResponse": ["session"],
                "headerField": "X-Auth-User",
            }
        },
        "forwardbody": {"forwardAuth": {"address": auth_url, "forwardBody": True, "maxBodySize": 10,
                                        "preserveRequestMethod": True, "maxResponseBodySize": 100}},
        "signin": {"forwardAuth": {"address": auth_url, "authSigninURL": "https://sso.example/"}},
        "noauth": {"forwardAuth": {"address": f"http://127.0.0.1:{free_port()}/"}},
        "rate": {"rateLimit": {"average": 1, "period": "1m", "burst": 2}},
        "rateheader": {"rateLimit": {"average": 1, "period": "1m",
                                     "sourceCriterion": {"requestHeaderName": "X-Tenant"}}},
        "one": {"inFlightReq": {"amount": 1}},
        "pair": {"rateLimit": {"average": 1, "period": "1m", "burst": 2}},
        "group": {"chain": {"middlewares": ["pair", "one"]}},
        "service": {"rateLimit": {"average": 1, "period": "1m", "burst": 2}},
        "retry": {"retry": {"attempts": 3, "status": ["503"], "initialInterval": "1ms"}},
        "buffer": {"buffering": {"maxRequestBodyBytes": 3_000_000, "memRequestBodyBytes": 1000,
                                 "maxResponseBodyBytes": 2_000_000, "memResponseBodyBytes": 1000}},
        "bufferretry": {"buffering": {"retryExpression": "IsNetworkError() && Attempts() <= 2"}},
        "breaker": {"circuitBreaker": {"expression": "ResponseCodeRatio(500, 600, 0, 600) > 0.5 && RequestThreshold() > 2",
                                       "checkPeriod": "1ms", "fallbackDuration": "1m", "responseCode": 418}},
        "compress": {"compress": {}},
        "errors": {"errors": {"status": ["500-599"], "service": pages, "query": "/{status}.html?from={url}",
                              "statusRewrites": {"501": 404}}},
        "grpc": {"grpcWeb": {"allowOrigins": ["https://a.example"]}},
    }


class Setup:
    pass


@pytest.fixture(scope="module")
def all_of_them():
    with Origin() as origin, Origin() as auth, Origin(respond(b"a page")) as pages:
        rows = middlewares(auth.url, "pages")
        dynamic = {
            "http": {
                "routers": {**{name: {"rule": f"Host(`{name}`)", "service": "app", "middlewares": [name]} for name in rows},
                            "twice": {"rule": "Host(`twice`)", "service": "app",
                                      "middlewares": ["one", "pair", "compress", "group", "pair", "one"]},
                            "apart": {"rule": "Host(`apart`)", "service": "app", "middlewares": ["pair"]},
                            **{name: {"rule": f"Host(`{name}`)", "service": "limited", "middlewares": ["service"]}
                               for name in ("limited1", "limited2")}},
                "services": {
                    "limited": {"loadBalancer": {"servers": [{"url": origin.url}]}, "middlewares": ["service", "one"]},
                    "app": {"loadBalancer": {"servers": [{"url": origin.url}]}},
                    "pages": {"loadBalancer": {"servers": [{"url": pages.url}]}},
                },
                "middlewares": rows,
            }
        }
        with Fairlead(dynamic) as instance:
            setup = Setup()
            setup.proxy, setup.origin, setup.auth, setup.pages = instance, origin, auth, pages
            yield setup
            assert origin.violations == [] and auth.violations == [] and pages.violations == []


@pytest.fixture
def setup(all_of_them):
    for server in (all_of_them.origin, all_of_them.auth):
        server.answer = respond()
        server.requests.clear()
    return all_of_them


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_basic_auth_asks_and_lets_the_right_password_pass(setup):
    asked = setup.proxy.ask(host="basic")
    assert asked.status == 401
    assert asked.header("WWW-Authenticate") == 'Basic realm="shop"'
    assert setup.proxy.ask(host="basic", headers=[("Authorization", basic("test:wrong"))]).status == 401
    assert setup.proxy.ask(host="basic", headers=[("Authorization", basic("ghost:test"))]).status == 401
    for _ in range(3):
        spoofed = [("Authorization", basic("test:test")), ("X_User", "admin"), ("x.user", "admin")]
        assert setup.proxy.ask(host="basic", headers=spoofed).status == 200
        seen = setup.origin.last()
        assert seen.all("X-User") == ["test"] and not seen.all("Authorization")
        assert not [name for name, value in seen.headers if value == "admin"]


def test_digest_auth_takes_a_proof_once(setup):
    challenge = setup.proxy.ask("/d", host="digest").header("WWW-Authenticate")
    nonce, opaque = (re.search(f'{name}="([^"]*)"', challenge).group(1) for name in ("nonce", "opaque"))
    ha2 = hashlib.md5(b"GET:/d").hexdigest()
    proof = hashlib.md5(f"{HA1}:{nonce}:00000001:c:auth:{ha2}".encode()).hexdigest()
    answer = (f'Digest username="test", realm="traefik", nonce="{nonce}", uri="/d", qop=auth, nc=00000001, cnonce="c", '
              f'response="{proof}", opaque="{opaque}"')
    assert setup.proxy.ask("/d", host="digest", headers=[("Authorization", answer)]).status == 200
    assert setup.origin.last().header("X-User") == "test"
    again = setup.proxy.ask("/d", host="digest", headers=[("Authorization", answer)])
    assert again.status == 401 and "stale=true" in again.header("WWW-Authenticate")


def test_forward_auth_asks_and_takes_headers_and_cookies_over(setup):
    setup.auth.answer = respond(headers=[("X-Auth-User", "jo"), ("X-Group-A", "1"), ("Set-Cookie", "session=new"),
                                         ("Set-Cookie", "other=1")])
    spoofed = [("x-auth-user", "admin"), ("X_Auth_User", "admin"), ("X-Group-B", "1"), ("X-Forwarded-Prefix", "/x"),
               ("Connection", "X-Hop"), ("X-Hop", "1")]
    answer = setup.proxy.ask("/a?b=c", host="forward", headers=spoofed)
    assert answer.status == 200 and answer.all("Set-Cookie") == ["session=new"]
    asked = setup.auth.last()
    assert (asked.method, asked.target) == ("GET", "/verify")
    assert asked.header("X-Forwarded-Method") == "GET" and asked.header("X-Forwarded-Uri") == "/a?b=c"
    assert asked.header("X-Forwarded-For") == "127.0.0.1" and asked.header("X-Forwarded-Host") == "forward"
    assert asked.header("X-Forwarded-Proto") == "http" and asked.header("X-Forwarded-Prefix") is None
    assert asked.header("X-Hop") is None
    seen = setup.origin.last()
    assert seen.all("X-Auth-User") == ["jo"] and seen.all("X-Group-A") == ["1"]
    assert not seen.all("X_Auth_User") and not seen.all("X-Group-B")


def test_forward_auth_passes_a_refusal_on(setup):
    setup.auth.answer = respond(b"not you", 403, [("X-Why", "because")], "Forbidden")
    answer = setup.proxy.ask(host="forward")
    assert (answer.status, answer.body, answer.header("X-Why")) == (403, b"not you", "because")
    setup.auth.answer = respond(b"", 302, [("Location", "/login")], "Found")
    assert setup.proxy.ask(host="forward").header("Location") == f"{setup.auth.url}/login"
    assert setup.origin.requests == []


def test_forward_auth_sends_the_body_within_its_limits(setup):
    assert setup.proxy.ask(host="forwardbody", method="PUT", body=b"0123456789").status == 200
    assert (setup.auth.last().method, setup.auth.last().body) == ("PUT", b"0123456789")
    assert setup.origin.last().body == b"0123456789"
    assert setup.proxy.ask(host="forwardbody", method="PUT", body=b"0123456789x").status == 401
    setup.auth.answer = respond(b"x" * 101)
    assert setup.proxy.ask(host="forwardbody").status == 401


def test_forward_auth_without_its_server_is_500_and_401_leads_to_the_sign_in_page(setup):
    assert setup.proxy.ask(host="noauth").status == 500
    setup.auth.answer = respond(b"", 401, reason="Unauthorized")
    answer = setup.proxy.ask(host="signin")
    assert (answer.status, answer.header("Location")) == (302, "https://sso.example/")


def test_a_request_counts_once_where_its_limits_are_named_twice(setup):
    assert [setup.proxy.ask(host="twice").status for _ in range(3)] == [200, 200, 429]


def test_each_router_has_limits_of_its_own_and_a_service_has_one_for_all_of_its_routers(setup):
    assert [setup.proxy.ask(host="apart").status for _ in range(3)] == [200, 200, 429]
    assert [setup.proxy.ask(host=f"limited{n}").status for n in (1, 2, 1, 2)] == [200, 200, 429, 429]


def test_rate_limit_answers_429_with_the_time_to_retry(setup):
    assert [setup.proxy.ask(host="rate").status for _ in range(2)] == [200, 200]
    refused = setup.proxy.ask(host="rate")
    assert (refused.status, refused.body) == (429, b"Too Many Requests")
    assert 20 <= int(refused.header("Retry-After")) <= 60  # a minute at once, less on a busy machine
    assert re.fullmatch(r"[0-9.]+s", refused.header("X-Retry-In"))
    for tenant in ("a", "b"):
        tried = [setup.proxy.ask(host="rateheader", headers=[("X-Tenant", tenant)]).status for _ in range(2)]
        assert tried == [200, 429]


def test_retry_sends_the_same_body_again(setup):
    setup.origin.script(respond(status=503, reason="X"), respond(status=503, reason="X"), respond(b"third"))
    answer = setup.proxy.ask(host="retry", method="PUT", body=b"x" * 200_000)
    assert answer.body == b"third"
    assert [len(request.body) for request in setup.origin.requests] == [200_000] * 3


def test_buffering_reads_first_and_bounds_both_ways(setup):
    body = bytes(range(256)) * 10_000
    with RawClient(setup.proxy.port()) as client:
        client.send("POST / HTTP/1.1\r\nHost: buffer\r\nTransfer-Encoding: chunked\r\n\r\n")
        for at in range(0, len(body), 100_000):
            part = body[at:at + 100_000]
            client.send(f"{len(part):x}\r\n", part, "\r\n")
        time.sleep(0.1)
        assert setup.origin.requests == []
        client.send("0\r\n\r\n")
        assert client.read_answer().status == 200
    assert setup.origin.last().header("Content-Length") == str(len(body))
    assert setup.origin.last().body == body
    assert setup.proxy.ask(host="buffer", method="POST", body=b"x" * 3_000_001).status == 413
    setup.origin.answer = respond(b"y" * 1_999_999)
    assert setup.proxy.ask(host="buffer").body == b"y" * 1_999_999
    setup.origin.answer = respond(b"y" * 2_000_001)
    assert setup.proxy.ask(host="buffer").status == 500


def test_buffering_sends_again_while_its_expression_holds(setup):
    setup.origin.script(respond(status=502, reason="X"), respond(status=504, reason="X"), respond(b"third"))
    assert setup.proxy.ask(host="bufferretry", method="POST", body=b"abc").body == b"third"
    assert [request.body for request in setup.origin.requests] == [b"abc"] * 3


def test_circuit_breaker_stops_asking(setup):
    setup.origin.answer = respond(status=500, reason="X")
    answer = wait_for(lambda: (got := setup.proxy.ask(host="breaker")).status == 418 and got, 5, "it trips")
    assert answer.body == b"I'm a teapot"
    before = len(setup.origin.requests)
    assert before > 2
    for _ in range(6):
        assert setup.proxy.ask(host="breaker").status == 418
    assert len(setup.origin.requests) == before


def test_compress_by_what_the_client_accepts(setup):
    text = b"<p>" + b"all work and no play " * 500
    setup.origin.answer = respond(text, headers=[("Content-Type", "text/html"), ("Accept-Ranges", "bytes")])
    answer = setup.proxy.ask(host="compress", headers=[("Accept-Encoding", "br;q=0.5, gzip")])
    assert answer.header("Content-Encoding") == "gzip" and answer.header("Vary") == "Accept-Encoding"
    assert answer.header("Content-Length") is None
    assert gzip.decompress(answer.body) == text
    assert setup.proxy.ask(host="compress").body == text
    assert setup.proxy.ask(host="compress", headers=[("Accept-Encoding", "gzip;q=0")]).body == text
    assert setup.proxy.ask(host="compress", headers=[("Accept-Encoding", "br")]).header("Content-Encoding") == "br"
    assert setup.proxy.ask(host="compress", headers=[("Accept-Encoding", "zstd")]).header("Content-Encoding") == "zstd"
    head = setup.proxy.ask(host="compress", method="HEAD", headers=[("Accept-Encoding", "gzip")])
    assert head.header("Content-Encoding") is None


def test_compress_flushes_a_stream(setup):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    arrived = threading.Event()

    def stream():
        yield head + b"9\r\ndata: 1\n\n\r\n"
        assert arrived.wait(60)
        yield b"0\r\n\r\n"

    setup.origin.script(lambda _: stream())
    with RawClient(setup.proxy.port()) as client:
        client.send("GET / HTTP/1.1\r\nHost: compress\r\nAccept-Encoding: gzip\r\n\r\n")
        received = b""
        while b"\x1f\x8b" not in received or len(received.split(b"\x1f\x8b")[1]) < 12:
            received += client.socket.recv(4096)
        arrived.set()


def test_errors_shows_the_page_of_another_service(setup):
    setup.origin.answer = respond(b"internal details", 503, [("X-Origin", "1")], "X")
    answer = setup.proxy.ask("/a", host="errors", headers=[("Cookie", "s=1"), ("Accept", "text/html")])
    assert (answer.status, answer.body, answer.header("X-Origin")) == (503, b"a page", None)
    asked = setup.pages.last()
    assert asked.target == "/503.html?from=http%3A%2F%2Ferrors%2Fa"
    assert asked.header("Cookie") is None and asked.header("Accept") == "text/html"
    assert asked.header("Host") == "errors"
    setup.origin.answer = respond(b"", 501, reason="X")
    assert setup.proxy.ask(host="errors").status == 404
    assert setup.pages.last().target.startswith("/404.html")


def test_grpc_web_becomes_grpc(setup):
    answer = (b"HTTP/1.1 200 OK\r\nContent-Type: application/grpc+proto\r\nTransfer-Encoding: chunked\r\n"
              b"Trailer: Grpc-Status\r\n\r\n3\r\nabc\r\n0\r\nGrpc-Status: 0\r\n\r\n")
    setup.origin.script(answer)
    headers = [("Content-Type", "application/grpc-web+proto"), ("Origin", "https://a.example")]
    got = setup.proxy.ask("/s/m", host="grpc", method="POST", headers=headers, body=b"xyz")
    assert setup.origin.last().header("Content-Type") == "application/grpc+proto"
    assert got.header("Content-Type") == "application/grpc-web+proto"
    assert got.header("Access-Control-Allow-Origin") == "https://a.example"
    assert got.body == b"abc\x80\0\0\0\x10grpc-status: 0\r\n"


@pytest.mark.parametrize("host", ["buffer", "compress", "retry", "errors", "breaker", "grpc", "bufferretry"])
def test_tunnels_pass_them_all(all_of_them, host):
    """A server of its own per test: the breaker of this one is tripped already."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    def serve():
        connection, _ = listener.accept()
        while b"\r\n\r\n" not in connection.recv(4096):
            pass
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        connection.sendall(b"from the server")
        data = connection.recv(100)
        connection.sendall(data.upper())
        connection.close()

    threading.Thread(target=serve, daemon=True).start()
    rows = middlewares(all_of_them.auth.url, "app")
    dynamic = {
        "http": {
            "routers": {"r": {"rule": "PathPrefix(`/`)", "service": "app", "middlewares": [host]}},
            "services": {"app": {"loadBalancer": {"servers": [{"url": url}]}}},
            "middlewares": {host: rows[host]},
        }
    }
    with Fairlead(dynamic) as instance, RawClient(instance.port()) as client:
        client.send("GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                    "Accept-Encoding: gzip\r\n\r\n")
        received = b""
        while b"from the server" not in received:
            received += client.socket.recv(4096)
        assert b" 101 " in received
        client.send(b"to the server")
        assert client.socket.recv(100) == b"TO THE SERVER"
    listener.close()
