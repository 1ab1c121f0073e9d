"""Requests that two parsers could read differently never reach a server."""

import socket
import time

import pytest
from support.fairlead import routes
from support.ports import wait_for
from support.raw import Closed, RawClient

H = "Host: app\r\n"

REFUSED = {
    # RFC 9112 §6.3: both lengths, or lengths that disagree
    "both lengths": (f"POST / HTTP/1.1\r\n{H}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400}),
    "two lengths": (f"POST / HTTP/1.1\r\n{H}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", {400}),
    "list of lengths": (f"POST / HTTP/1.1\r\n{H}Content-Length: 5, 6\r\n\r\nhello!", {400}),
    "signed length": (f"POST / HTTP/1.1\r\n{H}Content-Length: +5\r\n\r\nhello", {400}),
    "negative length": (f"POST / HTTP/1.1\r\n{H}Content-Length: -5\r\n\r\nhello", {400}),
    "hexadecimal length": (f"POST / HTTP/1.1\r\n{H}Content-Length: 0x5\r\n\r\nhello", {400}),
    "huge length": (f"POST / HTTP/1.1\r\n{H}Content-Length: 99999999999999999999\r\n\r\n", {400, 413}),
    # RFC 9112 §6.1: only chunked, once, last
    "unknown coding": (f"POST / HTTP/1.1\r\n{H}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", {400, 501}),
    "chunked not last": (f"POST / HTTP/1.1\r\n{H}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", {400, 501}),
    "chunked twice": (f"POST / HTTP/1.1\r\n{H}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", {400, 501}),
    "two codings": (f"POST / HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
                    {400, 501}),
    "chunked in 1.0": (f"POST / HTTP/1.0\r\n{H}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400, 501}),
    "tab before colon": (f"POST / HTTP/1.1\r\n{H}Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n", {400}),
    # RFC 9112 §5.1, §5.2
    "space before colon": (f"GET / HTTP/1.1\r\n{H}X-A : b\r\n\r\n", {400}),
    "obsolete folding": (f"GET / HTTP/1.1\r\n{H}X-A: b\r\n c\r\n\r\n", {400}),
    "leading space in first header": ("GET / HTTP/1.1\r\n Host: app\r\n\r\n", {400}),
    "empty header name": (f"GET / HTTP/1.1\r\n{H}: x\r\n\r\n", {400}),
    "NUL in a value": (f"GET / HTTP/1.1\r\n{H}X-A: b\0c\r\n\r\n", {400}),
    "bare CR in a value": (f"GET / HTTP/1.1\r\n{H}X-A: b\rc\r\n\r\n", {400}),
    "bare LF in a value": (f"GET / HTTP/1.1\r\n{H}X-A: b\nX-B: c\r\n\r\n", {400}),
    # RFC 9112 §3
    "two spaces": (f"GET  / HTTP/1.1\r\n{H}\r\n", {400}),
    "no version": (f"GET /\r\n{H}\r\n", {400}),
    "version 2.0 in text": (f"GET / HTTP/2.0\r\n{H}\r\n", {400, 505}),
    "lower-case version": (f"GET / http/1.1\r\n{H}\r\n", {400, 505}),
    "space in the target": (f"GET /a b HTTP/1.1\r\n{H}\r\n", {400}),
    "control character in the target": (f"GET /a\x01b HTTP/1.1\r\n{H}\r\n", {400}),
    "method with a parenthesis": (f"G(T / HTTP/1.1\r\n{H}\r\n", {400}),
    # RFC 9112 §3.2: exactly one Host
    "no Host": ("GET / HTTP/1.1\r\n\r\n", {400}),
    "two Hosts": (f"GET / HTTP/1.1\r\n{H}Host: other\r\n\r\n", {400}),
    "Host with a path": ("GET / HTTP/1.1\r\nHost: app/x\r\n\r\n", {400}),
    "Host with userinfo": ("GET / HTTP/1.1\r\nHost: a@app\r\n\r\n", {400}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused_and_nothing_is_forwarded(proxy, origin, name):
    request, statuses = REFUSED[name]
    with RawClient(proxy.port()) as client:
        client.send(request)
        try:
            assert client.read_answer().status in statuses
        except Closed as closed:
            assert closed.received == b"", "closed in the middle of an answer"
        assert client.is_closed(), "a connection in doubt was kept"

    assert origin.requests == []
    assert proxy.ask(host="app").status == 200


@pytest.mark.parametrize("request_line,host", [
    ("GET http://jo:s3cret@app/ HTTP/1.1", "app"), ("GET http://jo:s3cret@app/ HTTP/0.9", "app"), ("GET / HTTP/1.1", "jo:s3cret@app"),
    (f"GET http://jo:{'s3cret' * 20}@app/ HTTP/1.1", "app"), ("GET http://jo:s3cret@app/ HTTP/1.1x", "app"),
], ids=["target", "version", "host", "long", "line"])
def test_a_refused_password_is_logged_nowhere(start, origin, request_line, host):
    proxy = start(routes(app=[origin.url]))

    with RawClient(proxy.port()) as client:
        client.send(f"{request_line}\r\nHost: {host}\r\n\r\n")
        assert client.read_answer().status in (400, 505)

    wait_for(lambda: "at byte" in proxy.log(), 30, "the refusal is logged")
    assert "s3cret" not in proxy.log() + str(proxy.access_log())


@pytest.mark.parametrize("body", ["G\r\nx\r\n0\r\n\r\n", "-1\r\nx\r\n0\r\n\r\n", "1 \r\nx\r\n0\r\n\r\n", "0x1\r\nx\r\n0\r\n\r\n",
                                  "1\r\nxy\r\n0\r\n\r\n", "1\nx\n0\n\n", "FFFFFFFFFFFFFFFFF\r\n", ";a\r\n",
                                  "1;" + "a" * 20000 + "\r\nx\r\n0\r\n\r\n"],
                         ids=["not hexadecimal", "negative", "space after the size", "prefix 0x", "longer than its size",
                              "bare LF", "too large a size", "no size", "endless extension"])
def test_a_malformed_chunk_ends_the_request_and_both_connections(proxy, origin, body):
    with RawClient(proxy.port()) as client:
        client.send(f"POST / HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\n\r\n", body)
        try:
            assert client.read_answer().status in {400, 413, 502}
        except Closed:
            pass
        assert client.is_closed()

    assert origin.requests == [], "a request with a malformed body was passed on as complete"
    assert proxy.ask(host="app").status == 200


def test_a_smuggled_second_request_is_never_seen(proxy, origin):
    with RawClient(proxy.port()) as client:
        client.send(f"POST / HTTP/1.1\r\n{H}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
                    f"5c\r\nGET /smuggled HTTP/1.1\r\n{H}Content-Length: 15\r\n\r\nx=1\r\n0\r\n\r\n")
        client.read_all()

    assert all("smuggled" not in request.target for request in origin.requests)


def test_a_head_that_is_too_large_is_431(proxy, origin):
    with RawClient(proxy.port()) as client:
        try:
            client.send(f"GET / HTTP/1.1\r\n{H}", *[f"X-{i}: {'a' * 8000}\r\n" for i in range(200)], "\r\n")
        except ConnectionError:
            pass
        try:
            assert client.read_answer().status == 431
        except Closed as closed:
            assert closed.received == b""

    assert origin.requests == []


def test_a_target_that_is_too_long_is_414(proxy, origin):
    with RawClient(proxy.port()) as client:
        try:
            client.send(f"GET /{'a' * 2_000_000} HTTP/1.1\r\n{H}\r\n")
        except ConnectionError:
            pass
        try:
            assert client.read_answer().status in {414, 431}
        except Closed as closed:
            assert closed.received == b""

    assert origin.requests == []


def test_a_head_that_comes_byte_by_byte_is_understood(proxy):
    with RawClient(proxy.port()) as client:
        for byte in b"GET / HTTP/1.1\r\nHost: app\r\n\r\n":
            client.send(bytes([byte]))
        assert client.read_answer().status == 200


def test_empty_lines_before_a_request_are_skipped(proxy):
    with RawClient(proxy.port()) as client:
        client.send(f"\r\nGET / HTTP/1.1\r\n{H}\r\n")
        assert client.read_answer().status == 200


def test_the_absolute_form_decides_over_the_host_header(proxy, origin):
    with RawClient(proxy.port()) as client:
        client.send("GET http://app/x HTTP/1.1\r\nHost: elsewhere\r\n\r\n")
        assert client.read_answer().status == 200

    assert (origin.last().target, origin.last().header("Host")) == ("/x", "app")


def test_a_drip_of_header_bytes_is_cut_off(start, origin):
    from support.fairlead import routes

    proxy = start(routes(app=[origin.url]), {"entryPoints": {
        "web": {"transport": {"respondingTimeouts": {"readTimeout": "1s"}}}}})
    with RawClient(proxy.port()) as client:
        begun = time.monotonic()
        try:
            client.send("GET / HTTP/1.1\r\n")
            while time.monotonic() - begun < 50:
                client.send("X: y\r\n")
                time.sleep(0.1)
        except ConnectionError:
            pass
        assert time.monotonic() - begun < 40


def test_many_connections_that_say_nothing_do_not_stop_the_others(proxy):
    idle = [socket.create_connection(("127.0.0.1", proxy.port())) for _ in range(500)]
    try:
        assert proxy.ask(host="app").status == 200
    finally:
        for connection in idle:
            connection.close()
