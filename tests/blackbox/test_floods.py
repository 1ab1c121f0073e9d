"""Clients that ask and ask and never take an answer: what waits for them is bounded, and so is how long."""

import socket
import time

import pytest

from support.fairlead import routes
from support.h2 import (
    ENHANCE_YOUR_CALM,
    GET,
    H2Client,
    HEADERS,
    DATA,
    PADDED,
    POST,
    PREFACE,
    END_HEADERS,
    END_STREAM,
    block,
    frame,
    settings,
)
from support.ports import wait_for
from support.raw import RawClient


def memory(proxy):
    return proxy.resident_kib() / 1024


def mute(port):
    """A client that reads nothing, not even what would fit into large buffers."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", port))
    client.setblocking(False)
    return client


def pour(client, pieces, limit, patience=3.0):
    """Sends until the other side takes nothing for `patience` seconds, or closes, or `limit` bytes are out; how many."""
    sent, waiting, since = 0, b"", time.monotonic()
    while sent < limit and time.monotonic() - since < patience:
        if len(waiting) < 65_536:
            waiting += b"".join(next(pieces) for _ in range(1000))
        try:
            count = client.send(waiting)
        except BlockingIOError:
            time.sleep(0.01)
            continue
        except OSError:
            break
        sent, waiting, since = sent + count, waiting[count:], time.monotonic()
    return sent


def test_who_pipelines_and_never_reads_is_stopped(proxy):
    def heads():
        while True:
            yield b"HEAD / HTTP/1.1\r\nHost: nobody\r\n\r\n"  # answered by a head alone

    before = memory(proxy)
    with mute(proxy.port()) as client:
        assert pour(client, heads(), 60_000_000) < 30_000_000
        assert memory(proxy) - before < 60
    assert proxy.ask(host="app").status == 200


def test_who_pipelines_and_reads_late_gets_every_answer(proxy):
    count = 20_000
    with RawClient(proxy.port()) as client:
        client.send("HEAD / HTTP/1.1\r\nHost: nobody\r\n\r\n" * count)
        for _ in range(count):
            assert client.read_answer("HEAD").status == 404
        assert client.ask(host="app").status == 200


def test_requests_beyond_the_limit_before_it_is_acknowledged_are_a_flood(start):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        proxy = start(routes(app=[f"http://127.0.0.1:{silent.getsockname()[1]}"]))

        def requests():
            yield PREFACE + settings()
            for number in range(1, 2**31, 2):
                yield frame(HEADERS, END_HEADERS | END_STREAM, number, block(*GET))

        before = memory(proxy)
        with mute(proxy.port()) as client:
            pour(client, requests(), 60_000_000, patience=30)
            assert memory(proxy) - before < 40
        wait_for(lambda: "a flood of HEADERS frames" in proxy.log(), 10, "it is said")


def test_data_frames_of_padding_alone_are_a_flood(proxy):
    with H2Client(proxy.port()) as client:
        client.headers(1, POST, ends=False)
        try:
            for _ in range(40):
                client.send(frame(DATA, PADDED, 1, b"\0") * 500)
        except OSError:
            pass  # it is over
        assert client.error() in (ENHANCE_YOUR_CALM, "closed")
    wait_for(lambda: "a flood of empty DATA frames" in proxy.log(), 10, "it is said")


@pytest.mark.no_descriptors
def test_a_want_of_descriptors_is_no_illness_of_servers(start, origin):
    dynamic = routes(app=[origin.url])
    balancer = dynamic["http"]["services"]["app"]["loadBalancer"]
    # A new connection for each check.
    dynamic["http"]["serversTransports"] = {"single": {"maxIdleConnsPerHost": -1}}
    balancer.update(serversTransport="single", healthCheck={"path": "/", "interval": "100ms", "timeout": "30s"})
    proxy = start(dynamic, prefix=("prlimit", "--nofile=60:60"))
    proxy.wait_status(200, "app")

    clients = [socket.create_connection(("127.0.0.1", proxy.port()), 5) for _ in range(80)]
    wait_for(lambda: "out of file descriptors" in proxy.log(), 10, "none is left")
    checks = len(origin.requests)
    time.sleep(1)
    for client in clients:
        client.close()

    wait_for(lambda: len(origin.requests) > checks + 3, 10, "servers are checked again")
    assert "is down" not in proxy.log()
    assert proxy.ask(host="app").status == 200
