"""Hostile input in combinations: what one rule holds alone must also hold beside the others."""

import contextlib
import socket
import struct
import threading
import time

import pytest
from support.fairlead import routes
from support.h2 import CONTINUATION, END_HEADERS, END_STREAM, GET, HEADERS, H2Client, block, frame, replaced
from support.h2_origin import H2Origin
from support.origin import Origin, respond
from support.ports import wait_for
from support.raw import Closed, RawClient

SSL_REQUEST = struct.pack(">II", 8, 80877103)
ALERT = b"\x15"


def eventually(condition, seconds=8.0):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.002)
    return condition()


def early_hints(size):
    return b"HTTP/1.1 103 Early Hints\r\nLink: </" + b"a" * size + b">\r\n\r\n"


def test_interim_heads_are_no_longer_together_than_a_head_may_be(proxy, origin):
    """Nobody can hold them back on their way to a client: 32 of 256 KiB for each of 250 streams would be 2 GiB."""
    origin.script([early_hints(100_000) * 2, respond()], [early_hints(100_000) * 3, respond(), Origin.CLOSE])

    assert len(proxy.ask(host="app").interim) == 2
    assert proxy.ask(host="app").status == 502
    assert proxy.ask(host="app").status == 200


def test_an_interim_head_leaves_the_fields_of_its_hop_behind(proxy, origin):
    hop = b"Connection: X-Hop\r\nX-Hop: 1\r\nTE: gzip\r\nTrailer: X-Sum\r\nKeep-Alive: timeout=5\r\n"
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n" + hop + b"\r\n"
    origin.script([hints, respond()], [hints, respond()])

    assert [answer.headers for answer in proxy.ask(host="app").interim] == [[("Link", "</a>")]]
    with H2Client(proxy.port()) as client:
        assert client.ask().interim == [[(":status", "103"), ("link", "</a>")]]


@pytest.mark.parametrize("size", [70, 200])
def test_long_heads_pass_over_http_2_both_ways(start, origin, size):
    """nghttp2 leaves out, without a word to anybody, what is longer than 64 KiB."""
    fields = [(f"X-Long-{number}", "a" * 1000) for number in range(size)]
    origin.answer = respond(headers=fields)
    with H2Origin() as h2_origin:
        proxy = start(routes(app=[origin.url], h2=[h2_origin.url]), workers=1)
        with H2Client(proxy.port()) as client:
            client.decoder.max_header_list_size = 1 << 20
            answer = client.ask()
            assert answer.status == 200 and len([name for name, _ in answer.headers if name.startswith("x-long-")]) == size

        assert proxy.ask(host="h2").status == 200
        h2_origin.connections[0].h2.decoder.max_header_list_size = 1 << 20
        assert proxy.ask(host="h2", headers=fields).status == 200
        assert len([name for name, _ in h2_origin.streams[-1].headers if name.startswith("x-long-")]) == size


def test_a_trusted_peer_is_not_believed_what_a_client_wrote_in_another_spelling(start, origin):
    """A proxy that replaces X-Forwarded-Proto lets X_Forwarded_Proto through, and a server may take it for the same."""
    proxy = start(routes(app=[origin.url]), {"entryPoints": {"web": {"forwardedHeaders": {"trustedIPs": ["127.0.0.1"]}}}})
    forged = [("X_Forwarded_Proto", "forged"), ("X.Forwarded.For", "forged"), ("x_real_ip", "forged"), ("X-Forwarded_Host", "forged")]

    assert proxy.ask(host="app", headers=[("X-Forwarded-Proto", "https"), *forged]).status == 200

    seen = origin.last()
    assert (seen.all("X-Forwarded-Proto"), "forged" in str(seen.headers)) == (["https"], False)


def test_the_replaced_path_is_told_by_nobody_else(start, origin):
    proxy = start({"http": {
        "routers": {"app": {"rule": "Host(`app`)", "service": "app", "middlewares": ["one", "two"]}},
        "middlewares": {"one": {"replacePath": {"path": "/first"}},
                        "two": {"replacePathRegex": {"regex": "^/first$", "replacement": "/second"}}},
        "services": {"app": {"loadBalancer": {"servers": [{"url": origin.url}]}}},
    }})
    forged = "X-Replaced-Path: /forged\r\nx_replaced_path: /forged\r\nX.Replaced.Path: /forged\r\n"

    with RawClient(proxy.port()) as client:
        client.send(f"POST /old HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked\r\n{forged}\r\n0\r\n{forged}X-Sum: 1\r\n\r\n")
        assert client.read_answer().status == 200

    seen = origin.last()
    assert (seen.target, seen.all("X-Replaced-Path")) == ("/second", ["/old", "/first"])
    assert "forged" not in str(seen.headers) and seen.trailers == [("X-Sum", "1")]


def test_heads_of_requests_under_way_count_as_buffered_bytes(start):
    """A server that takes its time holds the heads of all who wait for it."""
    with Origin(lambda request: [60, respond()]) as slow, Origin() as quick:
        proxy = start(routes(slow=[slow.url], quick=[quick.url]), {"memory": {"limit": 16 << 20}})
        head = block(*replaced(GET, authority="slow"), *((f"x-{i}", "a" * 8000) for i in range(100)))
        clients = [H2Client(proxy.port()) for _ in range(30)]
        for client in clients:
            served = len(slow.requests)
            client.block(1, head)
            wait_for(lambda: len(slow.requests) > served or client.answer(1, 0.01).status == 503, 10, "served or refused")
        assert 10 <= len(slow.requests) < 30
        for client in clients:
            client.socket.close()
        proxy.wait_status(200, "quick")


def test_connections_that_were_there_before_do_not_gather_heads_beyond_the_budget(start, origin):
    proxy = start(routes(app=[origin.url]), {"memory": {"limit": 16 << 20}})
    head = "GET / HTTP/1.1\r\nHost: app\r\n" + "".join(f"X-{i}: {'a' * 8000}\r\n" for i in range(100))
    clients = [RawClient(proxy.port()) for _ in range(60)]
    proxy.wait_status(200, "app")  # all are accepted
    refused = 0
    for client in clients:
        with contextlib.suppress(ConnectionError):
            client.send(head)
        client.socket.settimeout(0.05)
        with contextlib.suppress(socket.timeout, Closed):
            refused += client.read_answer().status == 503

    assert 20 <= refused <= 55
    for client in clients:
        client.close()
    proxy.wait_status(200, "app")


@pytest.mark.own_heap
def test_bodies_that_an_authority_does_not_read_are_not_gathered_beyond_the_budget(start, origin):
    def upload(port, refused):
        with RawClient(port) as client:
            try:
                refused.append(client.ask("POST", host="app", body=b"a" * (30 << 20)).status)
            except (OSError, Closed):  # while it still sends
                refused.append(503)

    with Origin(lambda request: [60], read_body=False) as authority:
        dynamic = routes(app=[origin.url])
        dynamic["http"]["middlewares"] = {"auth": {"forwardAuth": {"address": authority.url, "forwardBody": True}}}
        dynamic["http"]["routers"]["app"]["middlewares"] = ["auth"]
        proxy = start(dynamic, {"memory": {"limit": 32 << 20}})
        before, refused = proxy.resident_kib(), []
        for _ in range(10):
            threading.Thread(target=upload, args=(proxy.port(), refused), daemon=True).start()
        wait_for(lambda: len(refused) >= 7, 20, "the others are refused")

        assert set(refused) == {503}
        assert proxy.resident_kib() - before < 160 << 10
        authority.stop()


@pytest.mark.own_heap
def test_an_answer_of_an_authority_is_not_gathered_beyond_the_budget(start, origin):
    """Its container's labels may ask for answers without a limit."""
    endless = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"] + [b"100000\r\n" + b"a" * (1 << 20) + b"\r\n"] * 300
    with Origin(endless) as authority:
        dynamic = routes(app=[origin.url], free=[origin.url])
        dynamic["http"]["middlewares"] = {"auth": {"forwardAuth": {"address": authority.url, "maxResponseBodySize": -1}}}
        dynamic["http"]["routers"]["app"]["middlewares"] = ["auth"]
        proxy = start(dynamic, {"memory": {"limit": 32 << 20}})

        assert proxy.ask(host="app").status == 500
        reason = wait_for(lambda: [line["Reason"] for line in proxy.access_log() if line["RequestHost"] == "app"], 5, "logged")
        assert "budget of buffered bytes" in reason[0]
        proxy.wait_status(200, "free")


@pytest.mark.own_heap
def test_half_heads_of_http_2_are_not_gathered_beyond_the_budget(start, origin):
    proxy = start(routes(app=[origin.url]), {"memory": {"limit": 16 << 20}}, workers=1)
    clients = [H2Client(proxy.port()) for _ in range(100)]
    fields = [frame(CONTINUATION, 0, 1, block((f"x-{number}", "a" * 16_000))) for number in range(50)]
    for client in clients:
        client.ping()
    before = proxy.resident_kib()
    for client in clients:
        client.send(frame(HEADERS, END_STREAM, 1, block(*replaced(GET, authority="app"))), *fields)
    for client in clients[-10:]:
        client.send(frame(CONTINUATION, END_HEADERS, 1, b""))
        assert client.answer(1).status == 503

    # All together have sent 80 MB; each connection may hold a frame or two.
    assert proxy.resident_kib() < before + 40_000
    for client in clients:
        client.socket.close()
    proxy.wait_status(200, "app")


def test_heads_of_answers_that_nobody_reads_count_as_buffered_bytes(start, origin):
    """No window of HTTP/2 holds them back."""
    origin.answer = respond(headers=[(f"X-{number}", "a" * 2000) for number in range(100)])
    proxy = start(routes(app=[origin.url]), {"memory": {"limit": 16 << 20}})
    with H2Client(proxy.port(), receive_buffer=4096) as deaf:
        for number in range(200):
            before = len(origin.requests)
            deaf.headers(2 * number + 1, GET)
            if not eventually(lambda: len(origin.requests) > before):
                break
        assert 20 <= len(origin.requests) < 150
    proxy.wait_status(200, "app")


@pytest.mark.own_heap
def test_what_slow_clients_held_goes_back_to_the_system(proxy):
    """Here and there one of them stays, so that what was taken from the system last is still in use."""
    before = proxy.resident_kib()
    head = b"GET / HTTP/1.1\r\nHost: app\r\nX-Slow: " + b"a" * 60_000 + b"\r\n"
    clients = [RawClient(proxy.port()) for _ in range(1500)]
    try:
        for part in (head[:20_000], head[20_000:]):
            for client in clients:
                client.send(part)
        wait_for(lambda: proxy.resident_kib() > before + 60_000, 30, "their bytes are held")
        time.sleep(1.5)  # it is looked at once a second
        for number, client in enumerate(clients):
            if number % 100:
                client.close()
        wait_for(lambda: proxy.resident_kib() < before + 30_000, 30, "little is left of it")
        assert proxy.ask(host="app").status == 200
    finally:
        for client in clients:
            client.close()


def test_no_escape_sequence_of_a_peer_reaches_a_terminal(start, origin):
    """U+009B begins one as ESC [ does (ECMA-48 §5.3)."""
    proxy = start(routes(app=[origin.url]), {"accessLog": {"format": "common", "fields": {"headers": {"names": {"User-Agent": "keep"}}}}})

    assert proxy.ask(host="app", headers={"User-Agent": "caf\xc3\xa9 \xc2\x9b31m \x9b2J \xe2\x80\x94"}).status == 200

    line = wait_for(proxy.access_path.read_bytes, 5, "a line of the access log")
    assert b'"caf\xc3\xa9 \xc2\\x9b31m \\x9b2J \xe2\x80\x94"' in line


def test_plain_bytes_behind_an_agreed_starttls_are_refused_and_told(start, origin):
    proxy = start(routes(app=[origin.url]), {"log": {"level": "DEBUG"}})  # where each one is told

    for behind in (b"GET / HTTP/1.1\r\nHost: app\r\n\r\n", SSL_REQUEST):
        with RawClient(proxy.port()) as client:
            client.send(SSL_REQUEST, behind)
            said = client.read_all()
            assert said[:1] == b"S" and said[1:2] in (b"", ALERT)

    wait_for(lambda: proxy.log().count("no TLS after") == 2, 5, "the log says so")
    assert origin.requests == [] and proxy.ask(host="app").status == 200


def test_one_address_has_one_spelling(start, origin):
    """Rules see the canonical form of a host, also of IPv6 addresses (RFC 5952)."""
    proxy = start({"http": {
        "routers": {"own": {"rule": "Host(`2001:DB8:0:0::1`)", "service": "own"},
                    "rest": {"rule": "HostRegexp(`.*`)", "service": "noop@internal", "priority": 1}},
        "services": {"own": {"loadBalancer": {"servers": [{"url": origin.url}]}}},
    }})

    for spelling in ("2001:db8::1", "2001:DB8::1", "2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::0.0.0.1", "2001:db8:0::0:1"):
        assert proxy.ask(host=f"[{spelling}]").status == 200, spelling
        assert origin.last().header("Host") == f"[{spelling}]"
    with H2Client(proxy.port()) as client:
        assert client.ask(fields=replaced(GET, authority="[2001:db8::0.0.0.1]")).status == 200


def test_what_is_refused_leaves_no_credential_in_the_log(start, origin):
    """A space too much at the end of a token is enough to refuse a field of HTTP/2."""
    with H2Origin(lambda stream: stream.respond(headers=[("set-cookie", "id=5up3r-h1dden ")])) as modern:
        proxy = start(routes(app=[origin.url], modern=[modern.url]), {"log": {"level": "DEBUG"}})
        fields = {"authorization": "Bearer 5up3r-h1dden ", "cookie": "id=5up3r-h1dden\n"}

        for number, (name, value) in enumerate(fields.items(), 1):
            with H2Client(proxy.port()) as client:
                client.headers(1, (*GET, (name, value)))
                assert client.answer(1).status is None
            with RawClient(proxy.port()) as client:
                client.send(f"GET / HTTP/1.1\r\nHost: app\r\n{name}: {value.strip()}\x01\r\n\r\n")
                assert client.read_answer().status == 400
            wait_for(lambda: proxy.log().count("refused a request") == 2 * number, 10, "both are told")
            assert proxy.log().count(f"[{name}]") == 1, "the log says which field it was"
        assert proxy.ask(host="modern").status == 502
        wait_for(lambda: any(line["RequestHost"] == "modern" for line in proxy.access_log()), 10, "the access log tells it")

        assert "5up3r-h1dden" not in proxy.log() + proxy.access_path.read_text()
