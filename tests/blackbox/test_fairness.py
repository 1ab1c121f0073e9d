"""One client that is always faster than its worker does not keep that worker's other clients waiting."""

import contextlib
import socket
import threading
import time

import pytest
from support.fairlead import Fairlead, routes
from support.h2 import GET, PREFACE, H2Client, frame, replaced, settings
from support.origin import Origin, respond
from support.raw import RawClient
from support.tls12 import APPLICATION_DATA, HANDSHAKE, Tls12Client, client_hello

UNKNOWN = 0x42  # RFC 9113 §5.5: frames of an unknown type are skipped


@contextlib.contextmanager
def pouring(port, first, again):
    """Sends `first`, then `again` without end, and reads whatever comes."""
    stop = threading.Event()
    client = socket.create_connection(("127.0.0.1", port), 60)

    def send():
        with contextlib.suppress(OSError):
            client.sendall(first)
            while not stop.is_set():
                client.sendall(again)

    def read():
        room = bytearray(1 << 20)
        with contextlib.suppress(OSError):
            while client.recv_into(room):
                pass

    threads = [threading.Thread(target=work, daemon=True) for work in (send, read)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(60)
        client.close()


GREEDY = {
    "HTTP/2 frames that nobody knows": (PREFACE + settings(), frame(UNKNOWN) * 20_000),
    "pipelined requests answered at once": (b"", b"HEAD / HTTP/1.1\r\nHost: nobody\r\n\r\n" * 5_000),
}


@pytest.mark.parametrize("case", GREEDY)
def test_who_sends_without_a_pause_lets_others_have_their_turn(case):
    with Fairlead(routes(), workers=1) as proxy, pouring(proxy.port(), *GREEDY[case]):
        time.sleep(0.3)
        for _ in range(5):
            assert proxy.ask(host="nobody", timeout=5).status == 404
        with H2Client(proxy.port(), timeout=5) as client:
            for number in (1, 3, 5):
                assert client.ask(number, replaced(GET, authority="nobody")).status == 404
        with RawClient(proxy.port(), timeout=5) as client:
            client.send("HEAD / HTTP/1.1\r\nHost: nobody\r\n\r\n" * 20)
            assert [client.read_answer("HEAD").status for _ in range(20)] == [404] * 20


def test_large_answers_leave_their_connection_to_the_next_request():
    size = 1_000_000
    with Origin(respond(b"x" * size)) as origin, Fairlead(routes(app=[origin.url]), workers=1) as proxy:
        with RawClient(proxy.port()) as client:
            for _ in range(10):
                assert len(client.ask(host="app").body) == size
        assert origin.connections == 1


SECURE = {"http": {"routers": {"app": {"rule": "Host(`app`)", "service": "noop@internal", "tls": {}}}}}


def test_a_client_of_tls_1_2_that_makes_its_own_records_is_understood():
    with Fairlead(SECURE) as proxy, Tls12Client(proxy.port(), "app") as client:
        client.socket.sendall(client.protect(APPLICATION_DATA, b"GET / HTTP/1.1\r\nHost: app\r\n\r\n"))
        assert client.socket.recv(1)[0] == APPLICATION_DATA


def test_who_wishes_to_renegotiate_without_end_is_parted_with():
    """OpenSSL refuses each by a warning and goes on inside its own call: as long as more came, nothing else ran."""
    with Fairlead(SECURE, workers=1) as proxy, Tls12Client(proxy.port(), "app") as client:
        wishes = b"".join(client.protect(HANDSHAKE, client_hello()) for _ in range(60_000))
        client.socket.settimeout(30)
        try:
            client.socket.sendall(wishes)
            while client.socket.recv(1 << 20):
                pass
        except ConnectionError:
            pass  # a TimeoutError would mean that it is kept
        assert proxy.ask(host="nobody").status in (400, 404)
