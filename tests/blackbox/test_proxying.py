"""HTTP/1.1 through the router, seen from both ends."""

import asyncio
import hashlib
import os
import threading
import time

import pytest
import websockets
from support.fairlead import routes
from support.origin import Origin, respond
from support.ports import free_port, wait_for
from support.raw import Closed, RawClient


def test_forwards_a_request_and_its_answer(proxy, origin):
    origin.script(respond(b"hello", headers=[("X-From", "origin")]))

    answer = proxy.ask("/a/b?c=d", host="app", headers={"X-Mine": "1"})

    assert (answer.status, answer.body, answer.header("X-From")) == (200, b"hello", "origin")
    seen = origin.last()
    assert (seen.method, seen.target, seen.header("Host"), seen.header("X-Mine")) == ("GET", "/a/b?c=d", "app", "1")


def test_says_who_asked(proxy, origin):
    proxy.ask(host="app", headers={"X-Forwarded-For": "6.6.6.6", "X-Real-Ip": "6.6.6.6"})

    seen = origin.last()
    assert seen.header("X-Forwarded-For") == "127.0.0.1"
    assert seen.header("X-Forwarded-Proto") == "http"
    assert seen.header("X-Forwarded-Host") == "app"
    assert seen.header("X-Forwarded-Port") == "80"  # the port of the Host header, else the scheme's
    assert seen.header("X-Real-Ip") == "127.0.0.1"


def test_an_unknown_host_is_404(proxy, origin):
    assert proxy.ask(host="nobody").status == 404
    assert origin.requests == []


def test_both_sides_keep_their_connections(start, origin):
    proxy = start(routes(app=[origin.url]), workers=1)

    with RawClient(proxy.port()) as client:
        for _ in range(20):
            assert client.ask(host="app").status == 200

    assert origin.connections == 1


def test_headers_of_one_hop_stay_on_it(proxy, origin):
    proxy.ask(host="app", headers={"Connection": "close, X-Private", "X-Private": "1", "Keep-Alive": "timeout=5",
                                   "Proxy-Connection": "keep-alive", "TE": "trailers", "X-Public": "2"})

    seen = origin.last()
    assert seen.header("X-Private") is None
    assert seen.header("Keep-Alive") is None
    assert seen.header("Proxy-Connection") is None
    assert seen.header("X-Public") == "2"


def test_rfc_9110_7_6_1_trailers_of_one_hop_stay_on_it(proxy, origin):
    origin.script(b"HTTP/1.1 200 OK\r\nConnection: x-hop\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Hop: 1\r\nX-Sum: 2\r\n\r\n")

    with RawClient(proxy.port()) as client:
        client.send("POST / HTTP/1.1\r\nHost: app\r\nConnection: keep-alive, x-hop\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "3\r\nabc\r\n0\r\nX-Hop: 1\r\nX-Sum: 2\r\n\r\n")
        assert client.read_answer().trailers == [("X-Sum", "2")]

    assert origin.last().trailers == [("X-Sum", "2")]


@pytest.mark.parametrize("size", [0, 1, 16384, 65536, 300_000, 5_000_000])
def test_bodies_pass_unchanged_both_ways(proxy, origin, size):
    body = os.urandom(size)
    origin.answer = lambda request: respond(request.body)

    answer = proxy.ask(host="app", method="POST", body=body)

    assert hashlib.sha256(answer.body).digest() == hashlib.sha256(body).digest()


@pytest.mark.parametrize("method, length", [("POST", "0"), ("PUT", "0"), ("PATCH", "0"), ("GET", None), ("DELETE", None)])
def test_rfc_9110_8_6_a_request_that_should_have_content_says_that_it_has_none(proxy, origin, method, length):
    """curl -X POST says no length, and servers that want one answer 411."""
    assert proxy.ask(host="app", method=method).status == 200

    assert origin.last().header("Content-Length") == length
    assert origin.last().header("Transfer-Encoding") is None


def test_chunked_bodies_and_trailers_pass_both_ways(proxy, origin):
    origin.script(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                  b"3\r\nabc\r\n2;note=1\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n")

    with RawClient(proxy.port()) as client:
        client.send("POST / HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\n"
                    "Trailer: X-End\r\n\r\n4\r\nwiki\r\n5\r\npedia\r\n0\r\nX-End: yes\r\n\r\n")
        answer = client.read_answer()

    assert answer.body == b"abcde"
    assert ("X-Sum", "5") in answer.trailers
    assert (answer.header("Trailer"), origin.last().header("Trailer")) == ("X-Sum", "X-End")
    assert origin.last().body == b"wikipedia"
    assert ("X-End", "yes") in origin.last().trailers


def test_an_answer_without_length_ends_with_its_connection(proxy, origin):
    origin.script([b"HTTP/1.1 200 OK\r\n\r\nuntil the end", Origin.CLOSE])

    assert proxy.ask(host="app").body == b"until the end"


def test_a_truncated_answer_is_not_passed_off_as_complete(proxy, origin):
    origin.script([b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this", Origin.CLOSE])

    with pytest.raises(Closed):
        proxy.ask(host="app")


def test_head_has_a_length_and_no_body(proxy, origin):
    origin.script(b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n")

    with RawClient(proxy.port()) as client:
        answer = client.ask("HEAD", host="app")
        assert answer.header("Content-Length") == "1234"
        assert client.ask(host="app").body == b"ok"


@pytest.mark.parametrize("status", [204, 304])
def test_answers_that_have_no_body_leave_the_connection_usable(proxy, origin, status):
    origin.script(f"HTTP/1.1 {status} X\r\nETag: \"1\"\r\n\r\n".encode())

    with RawClient(proxy.port()) as client:
        assert client.ask(host="app").status == status
        assert client.ask(host="app").status == 200


def test_pipelined_requests_are_answered_in_order(proxy, origin):
    origin.answer = lambda request: respond(request.target.encode())

    with RawClient(proxy.port()) as client:
        client.send(*[f"GET /{i} HTTP/1.1\r\nHost: app\r\n\r\n" for i in range(10)])
        assert [client.read_answer().body for _ in range(10)] == [f"/{i}".encode() for i in range(10)]


def test_interim_answers_pass(proxy, origin):
    origin.script(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" + respond(b"page"))

    answer = proxy.ask(host="app")

    assert [i.status for i in answer.interim] == [103]
    assert answer.body == b"page"


def test_expect_continue_is_answered_before_the_body_is_sent(proxy, origin):
    with RawClient(proxy.port()) as client:
        client.send("PUT / HTTP/1.1\r\nHost: app\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        assert client.read_head().status == 100
        client.send("body")
        assert client.read_answer().status == 200

    assert origin.last().body == b"body"


def test_http_1_0_is_closed_unless_it_asks_otherwise(proxy):
    with RawClient(proxy.port()) as client:
        client.send("GET / HTTP/1.0\r\nHost: app\r\n\r\n")
        assert client.read_answer().status == 200
        assert client.is_closed()
    with RawClient(proxy.port()) as client:
        for _ in range(2):
            client.send("GET / HTTP/1.0\r\nHost: app\r\nConnection: keep-alive\r\n\r\n")
            assert client.read_answer().status == 200


def test_http_1_0_is_answered_in_its_own_version(proxy, origin):
    for target, status in (("/", b"200"), ("http://other/", b"404")):
        with RawClient(proxy.port()) as client:
            client.send(f"GET {target} HTTP/1.0\r\nHost: app\r\n\r\n")
            assert client.read_until(b"\r\n").startswith(b"HTTP/1.0 " + status)

    assert origin.last().version == "HTTP/1.1"


@pytest.mark.parametrize("body", [b"5\r\nhello\r\n", b"5\r\nhel", b"5\r\nhello\r\nx\r\n"], ids=["no end", "half", "malformed"])
def test_http_1_0_sees_a_reset_when_an_answer_breaks_off(proxy, origin, body):
    """Its body ends with the connection: an orderly end would make half an answer look like all of it."""
    origin.script([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", body, 0.2, Origin.CLOSE])
    with RawClient(proxy.port()) as client:
        client.send("GET / HTTP/1.0\r\nHost: app\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            while client.socket.recv(65536):
                pass


def test_requests_alternate_between_servers(start):
    with Origin(respond(b"a")) as a, Origin(respond(b"b")) as b:
        proxy = start(routes(app=[a.url, b.url]))

        answers = [proxy.ask(host="app").body for _ in range(10)]

        assert answers.count(b"a") == answers.count(b"b") == 5


def test_a_refused_server_is_passed_over(start):
    with Origin(respond(b"a")) as a:
        proxy = start(routes(app=[f"http://127.0.0.1:{free_port()}", a.url]))

        assert [proxy.ask(host="app").status for _ in range(10)] == [200] * 10


def test_no_server_reachable_is_502(start):
    proxy = start(routes(app=[f"http://127.0.0.1:{free_port()}"]))

    assert proxy.ask(host="app").status == 502


def test_a_kept_connection_that_the_server_closed_costs_no_request(proxy, origin):
    for _ in range(20):
        assert proxy.ask(host="app").status == 200
        origin.drop()


def test_a_post_that_may_have_been_acted_on_is_not_repeated(proxy, origin):
    origin.script(None)

    assert proxy.ask(host="app", method="POST", body=b"once").status == 502
    assert len(origin.requests) == 1


@pytest.mark.parametrize("answer", [
    b"nonsense\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
    b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, identity\r\n\r\n",
    b"HTTP/1.1 20 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n",
])
def test_a_malformed_answer_is_502_and_its_connection_is_not_used_again(proxy, origin, answer):
    origin.script([answer, 0.2])

    assert proxy.ask(host="app").status == 502
    assert proxy.ask(host="app").status == 200
    assert origin.connections == 2


def test_a_slow_reader_holds_the_server_back_and_gets_everything(proxy, origin):
    body = os.urandom(1 << 20)
    sent = []

    def stream(request):
        def parts():
            yield b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (64 * len(body))
            for _ in range(64):
                sent.append(1)
                yield body
        return parts()

    origin.answer = stream
    with RawClient(proxy.port()) as client:
        client.send("GET / HTTP/1.1\r\nHost: app\r\n\r\n")
        time.sleep(1.0)
        assert len(sent) < 60, "the router swallowed 64 MB that nobody read"
        client.read_head()
        got = bytearray(client.buffer)
        while len(got) < 64 * len(body):
            part = client.socket.recv(1 << 20)
            assert part, f"the answer ends after {len(got)} bytes"
            got += part
    assert got == 64 * body


def test_a_tunnel_passes_bytes_both_ways(proxy, origin):
    def upgrade(request):
        assert request.header("Upgrade") == "echo"
        return [b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nwelcome", 0.3, b"bye",
                Origin.CLOSE]

    origin.answer = upgrade
    with RawClient(proxy.port()) as client:
        client.send("GET /chat HTTP/1.1\r\nHost: app\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
        assert client.read_head().status == 101
        assert client.read_all() == b"welcomebye"


def test_a_websocket_echoes(start):
    async def echo(socket, *_):
        async for message in socket:
            await socket.send(message)

    async def through_router():
        async with websockets.serve(echo, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            proxy = await asyncio.get_running_loop().run_in_executor(
                None, lambda: start(routes(app=[f"http://127.0.0.1:{port}"])))
            async with websockets.connect("ws://app/", host="127.0.0.1", port=proxy.port(), open_timeout=60) as socket:
                for message in ["hello", "ü" * 1000, b"\0" * 200_000]:
                    await socket.send(message)
                    assert await socket.recv() == message

    asyncio.run(through_router())


def test_reloads_lose_no_request(start, origin):
    proxy = start(routes(app=[origin.url]))
    failures, done = [], threading.Event()

    def load():
        while not done.is_set():
            try:
                answer = proxy.ask(host="app")
                if answer.status != 200:
                    failures.append(answer)
            except Exception as failure:
                failures.append(failure)

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for i in range(20):
        proxy.write_dynamic(routes(app=[origin.url], **{f"extra{i}": [origin.url]}))
        proxy.wait_status(200, f"extra{i}")
    done.set()
    for thread in threads:
        thread.join()

    assert failures == []
    assert proxy.ask(host="extra0").status == 404


def test_a_file_that_cannot_be_parsed_keeps_what_was(start, origin):
    proxy = start(routes(app=[origin.url]))

    proxy.write_dynamic("http: [unclosed")
    wait_for(lambda: "dynamic.yml" in proxy.log(), 10, "the log names the file")

    assert proxy.ask(host="app").status == 200


def test_a_router_with_an_unknown_middleware_is_never_served_without_it(start, origin):
    dynamic = routes(app=[origin.url])
    dynamic["http"]["routers"]["app"]["middlewares"] = ["guard"]
    proxy = start(dynamic)

    assert proxy.ask(host="app").status == 503
    assert origin.requests == []
    assert "guard" in str(proxy.router("app@file"))


def test_a_request_under_way_is_finished_before_the_end(proxy, origin):
    origin.answer = lambda request: [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab", 1.0, b"cd"]

    with RawClient(proxy.port()) as client:
        client.send("GET / HTTP/1.1\r\nHost: app\r\n\r\n")
        client.read_until(b"\r\n\r\n")
        proxy.signal(15)
        assert client.read_exactly(4) == b"abcd"
    proxy.process.wait(60)
    assert proxy.process.returncode == 0


def test_the_access_log_has_one_line_for_each_request(proxy):
    for status_host in ["app", "nobody"]:
        proxy.ask("/logged?x=1", host=status_host)

    lines = wait_for(lambda: [line for line in proxy.access_log() if "/logged" in line.get("RequestPath", "")][:2]
                     if len(proxy.access_log()) >= 2 else None, 10, "two lines")

    assert sorted(line["DownstreamStatus"] for line in lines) == [200, 404]
    assert all(line["Duration"] > 0 for line in lines), "in nanoseconds, also of what needed no wait"
    served = next(line for line in lines if line["DownstreamStatus"] == 200)
    assert served["RouterName"] == "app@file"
    assert served["RequestMethod"] == "GET"
    assert served["RequestHost"] == "app"
