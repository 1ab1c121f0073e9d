"""What passes between client and server beside plain bodies: Expect, interim answers, trailers, event streams,
and what happens when a server fails before it answered."""

import contextlib
import socket
import threading
import time

import pytest
from support.fairlead import Fairlead, routes
from support.origin import Origin, respond
from support.ports import connections_to, free_port, wait_for
from support.raw import RawClient


class Scripted:
    """A server for one connection at a time: `play(connection, read)` is its whole behaviour."""

    def __init__(self, play):
        self.play, self.heads, self.bodies = play, [], []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(60)
                self.play(self, connection)

    def head(self, connection):
        received = b""
        while b"\r\n\r\n" not in received:
            got = connection.recv(1)  # byte by byte: what follows the head is asked for on its own
            if not got:
                raise OSError("closed")
            received += got
        self.heads.append(received.decode("latin-1"))

    def body(self, connection, size):
        received = b""
        while len(received) < size:
            got = connection.recv(size - len(received))
            if not got:
                break
            received += got
        self.bodies.append(received)

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in accept
        self._listener.close()


def agrees(server, connection):
    server.head(connection)
    connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    server.body(connection, 4)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")


def refuses(server, connection):
    server.head(connection)
    connection.sendall(b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    connection.settimeout(0.3)
    with contextlib.suppress(TimeoutError):
        server.body(connection, 1)


def silent(server, connection):
    server.head(connection)
    server.body(connection, 4)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")


def resets(server, connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def ends(server, connection):
    server.head(connection)


@pytest.fixture(scope="module")
def house():
    plays = {"agrees": agrees, "refuses": refuses, "silent": silent, "resets": resets, "ends": ends}
    servers = {name: Scripted(play) for name, play in plays.items()}
    with Origin(respond(b"other")) as other:
        hosts = {name: [server.url] for name, server in servers.items()}
        hosts |= {"resets-then-other": [servers["resets"].url, other.url],
                  "ends-then-other": [servers["ends"].url, other.url],
                  "refused-then-other": [f"http://127.0.0.1:{free_port()}", other.url], "other": [other.url]}
        with Fairlead(routes(**hosts), workers=1) as proxy:
            yield proxy, servers, other
    for server in servers.values():
        server.close()


EXPECTING = "PUT / HTTP/1.1\r\nHost: {}\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"


def test_the_server_is_asked_whether_it_wants_the_body(house):
    proxy, servers, _ = house

    with RawClient(proxy.port()) as client:
        client.send(EXPECTING.format("agrees"))
        assert client.read_head().status == 100
        client.send("body")
        assert client.read_answer().status == 200
    assert "expect: 100-continue" in servers["agrees"].heads[-1].lower()
    assert servers["agrees"].bodies[-1] == b"body"


def test_a_body_that_the_server_refuses_is_neither_asked_for_nor_sent(house):
    proxy, servers, _ = house

    with RawClient(proxy.port()) as client:
        client.send(EXPECTING.format("refuses"))
        answer = client.read_answer()
        assert (answer.status, answer.interim) == (417, [])
    assert servers["refuses"].bodies in ([], [b""])


def test_a_server_that_does_not_answer_the_question_gets_the_body_after_a_second(house):
    proxy, servers, other = house

    begun = time.monotonic()
    with RawClient(proxy.port()) as client, RawClient(proxy.port()) as large:
        client.send(EXPECTING.format("silent"))
        large.send(EXPECTING.format("other").replace("Length: 4", "Length: 100000"))  # so much is moved, not read
        assert client.read_head().status == 100
        assert 0.8 < time.monotonic() - begun < 30
        client.send("body")
        assert client.read_answer().status == 200
        assert large.read_head().status == 100
        large.send(b"x" * 100_000)
        assert large.read_answer().status == 200
    assert servers["silent"].bodies[-1] == b"body"
    assert other.last().body == b"x" * 100_000


def test_several_interim_answers_pass_in_order(house):
    proxy, _, other = house
    other.script([b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n", 0.1,
                  b"HTTP/1.1 103 Early Hints\r\nLink: </b.js>\r\n\r\n" + respond(b"page")])

    answer = proxy.ask(host="other")
    assert [hint.header("Link") for hint in answer.interim] == ["</a.css>", "</b.js>"]
    assert answer.text == "page"


def test_trailers_pass_both_ways(house):
    proxy, _, other = house
    other.script(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                 b"3\r\nabc\r\n0\r\nX-Sum: 3\r\n\r\n")

    with RawClient(proxy.port()) as client:
        client.send("POST / HTTP/1.1\r\nHost: other\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\n\r\n"
                    "4\r\nwiki\r\n0\r\nX-End: yes\r\n\r\n")
        assert client.read_answer().trailers == [("X-Sum", "3")]
    assert other.last().trailers == [("X-End", "yes")]


@pytest.mark.parametrize("head", [b"Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n",
                                  b"Transfer-Encoding: chunked\r\n", b"Content-Length: 22\r\n"],
                         ids=["events", "chunked", "length"])
def test_every_part_of_a_stream_arrives_when_it_is_sent(house, head):
    proxy, _, other = house
    parts = [b"data: first", b"data: secon"]
    framed = [b"b\r\n" + part + b"\r\n" for part in parts] + [b"0\r\n\r\n"] if b"chunked" in head else [*parts, b""]
    arrived = threading.Event()

    def stream():
        yield b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + framed[0]
        assert arrived.wait(60)
        yield framed[1] + framed[2]

    other.script(lambda _: stream())

    with RawClient(proxy.port()) as client:
        client.send("GET / HTTP/1.1\r\nHost: other\r\n\r\n")
        client.read_head()
        client.read_until(b"first")
        arrived.set()
        client.read_until(b"secon")


@pytest.mark.parametrize("host", ["refused-then-other", "resets-then-other", "ends-then-other"])
def test_the_next_server_takes_what_another_has_not_begun(house, host):
    proxy, _, _ = house

    assert [proxy.ask(host=host).text for _ in range(6)] == ["other"] * 6


def test_a_request_with_a_body_goes_on_only_when_nothing_was_sent(house):
    proxy, servers, _ = house

    assert [proxy.ask(host="refused-then-other", method="POST", body=b"x").text for _ in range(4)] == ["other"] * 4
    before = len(servers["ends"].heads)
    statuses = {proxy.ask(host="ends", method="POST", body=b"x").status for _ in range(3)}
    assert statuses == {502}
    assert len(servers["ends"].heads) == before + 3, "each was sent once"


def test_a_pooled_connection_that_was_closed_costs_no_request(house):
    proxy, _, other = house

    for _ in range(10):
        assert proxy.ask(host="other").status == 200
        other.drop()
        wait_for(lambda: not connections_to(other.port), 10, "the router has seen it")
        assert proxy.ask(host="other", method="POST", body=b"once").status == 200
