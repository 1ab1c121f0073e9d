"""WebSocket, other upgrades, and streams that never end, with python3-websockets at both ends."""

import asyncio
import pathlib
import resource
import signal
import socket
import subprocess
import threading
import time

import pytest
import websockets
from support import tunnels
from support.fairlead import BINARY, routes
from support.h2_origin import H2Origin
from support.origin import Origin, respond
from support.ports import wait_for
from support.raw import RawClient
from support.websocket_echo import EchoServer

SOME_TUNNELS = 300
# AddressSanitizer opens them at a third of the speed, and puts its own marks around each piece of memory.
SANITIZED = b"__asan_init" in pathlib.Path(BINARY).read_bytes()
TUNNELS = 3000 if SANITIZED else 9000
KIB_PER_TUNNEL = 100 if SANITIZED else 16


@pytest.fixture(scope="module", autouse=True)
def descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 16384)), hard))


@pytest.fixture
def echo():
    with EchoServer() as server:
        yield server


def connect(proxy, **more):
    return websockets.connect(f"ws://127.0.0.1:{proxy.port()}/chat", **{
        "ping_interval": None, "max_size": None, "open_timeout": 60, "close_timeout": 60, **more})


def any_host(url):
    """Every host goes to that server: websockets.connect sends the address it was given."""
    dynamic = routes(app=[url])
    dynamic["http"]["routers"]["app"]["rule"] = "PathPrefix(`/`)"
    return dynamic


def run(coroutine, seconds=250):
    return asyncio.run(asyncio.wait_for(coroutine, seconds))


def test_messages_of_every_kind_pass(start, echo):
    proxy = start(any_host(echo.url))

    async def talk():
        async with connect(proxy, subprotocols=["chat"]) as socket:
            assert socket.subprotocol == "chat"
            for message in ("text \u00e9", "", b"\x00\xff", b"x" * 125, "y" * 126, b"z" * 65536, b"w" * 5_000_000):
                await socket.send(message)
                assert await socket.recv() == message
            await socket.send(["one ", "message ", "in fragments"])
            assert await socket.recv() == "one message in fragments"
            await asyncio.wait_for(await socket.ping(b"are you there"), 60)
            for i in range(500):
                await socket.send(str(i))
            assert [await socket.recv() for _ in range(500)] == [str(i) for i in range(500)]

    run(talk())


def test_close_codes_pass_both_ways(start, echo):
    proxy = start(any_host(echo.url))

    async def talk():
        async with connect(proxy) as socket:
            await socket.send("close 4001")
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await socket.recv()
            assert (closed.value.code, closed.value.reason) == (4001, "as you wish")
        async with connect(proxy) as socket:
            await socket.close(4002, "enough")

    run(talk())
    wait_for(lambda: echo.closed == [4001, 4002], 10, "the server hears the client's code")


def test_a_client_that_vanishes_ends_the_tunnel(start, echo):
    proxy = start(any_host(echo.url))

    async def talk():
        socket = await connect(proxy)
        await socket.send("x")
        await socket.recv()
        socket.transport.abort()

    run(talk())
    wait_for(lambda: echo.closed == [1006], 5, "the server's end closes as well")


def test_many_tunnels_all_work(start, echo):
    proxy = start(any_host(echo.url))

    async def hold():
        sockets = []
        for _ in range(SOME_TUNNELS // 100):
            sockets += await asyncio.gather(*(connect(proxy, compression=None) for _ in range(100)))
        while echo.open < SOME_TUNNELS:  # a client may be told before its handler runs
            await asyncio.sleep(0.02)
        await asyncio.gather(*(socket.send(str(i)) for i, socket in enumerate(sockets)))
        assert await asyncio.gather(*(socket.recv() for socket in sockets)) == [str(i) for i in range(SOME_TUNNELS)]
        await asyncio.gather(*(socket.close() for socket in sockets))

    run(hold())
    wait_for(lambda: echo.open == 0, 10, "all of them ended")


def test_thousands_of_tunnels_rest_without_cost_and_are_drained(start):
    files = 2 * TUNNELS + 1500  # two descriptors of ours for each
    life = {"transport": {"lifeCycle": {"graceTimeOut": "8s"}}}
    with tunnels.Process("serve") as server:
        proxy = start(any_host(f"http://127.0.0.1:{server.ask()['port']}"), {"entryPoints": {"web": life, "traefik": life}},
                      prefix=("prlimit", f"--nofile={files}:{files}"))
        before = proxy.resident_kib()
        with tunnels.Process("hold", proxy.port(), TUNNELS) as clients:
            assert clients.ask() == {"open": TUNNELS}
            assert (proxy.resident_kib() - before) / TUNNELS < KIB_PER_TUNNEL

            def rest():
                used = proxy.cpu_seconds()
                time.sleep(3)
                return proxy.cpu_seconds() - used < 0.3

            time.sleep(1)
            wait_for(rest, 5, "what the opening left to be done is over")
            assert clients.ask("echo", 300) == {"echoed": 300}

            proxy.signal(signal.SIGTERM)
            wait_for(lambda: "stopping: no new connections" in proxy.log(), 10, "it drains")
            assert clients.ask("echo", 300) == {"echoed": 300}
            assert clients.ask("end") == {"ended": TUNNELS}
            assert proxy.process.wait(120) == 0
            assert "graceTimeOut passed: what was still open has been closed" in proxy.log()


def test_idle_limits_do_not_apply_to_tunnels(start, echo):
    proxy = start(any_host(echo.url), {"entryPoints": {"web": {"transport": {"respondingTimeouts": {
        "readTimeout": "2s", "idleTimeout": "2s", "writeTimeout": "2s"}}}}})

    async def talk():
        async with connect(proxy) as socket:
            await asyncio.sleep(5)
            await socket.send("still here")
            assert await socket.recv() == "still here"

    run(talk())


def test_drain_waits_for_tunnels_for_the_stated_time(start, echo):
    life = {"transport": {"lifeCycle": {"graceTimeOut": "6s"}}}
    proxy = start(any_host(echo.url), {"entryPoints": {"web": life, "traefik": life}})

    async def talk():
        async with connect(proxy) as socket:
            begun = time.monotonic()
            proxy.signal(signal.SIGTERM)
            await asyncio.sleep(1.5)
            await socket.send("draining")
            assert await socket.recv() == "draining"
            with pytest.raises(websockets.ConnectionClosed):
                await socket.recv()
            return time.monotonic() - begun

    assert 5.5 < run(talk()) < 60
    assert proxy.process.wait(60) == 0


def test_a_refused_handshake_is_an_ordinary_answer(start):
    with Origin(respond(b"no", status=403, reason="Forbidden")) as origin:
        proxy = start(any_host(origin.url))

        async def talk():
            with pytest.raises(websockets.InvalidStatusCode) as refused:
                await connect(proxy)
            assert refused.value.status_code == 403

        run(talk())
        assert origin.last().header("Upgrade") == "websocket"


def upgrade_to(token):
    return f"GET / HTTP/1.1\r\nHost: app\r\nConnection: Upgrade\r\nUpgrade: {token}\r\n\r\n"


def test_any_single_token_but_h2c_is_upgraded(start):
    def answer(request):
        token = request.header("Upgrade")
        if token is None:
            return respond(b"none")
        return f"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {token}\r\n\r\n".encode() + b"go"

    with Origin(answer) as origin:
        proxy = start(routes(app=[origin.url]))
        for token in ("raw", "tls-tunnel/1.0", "SPDY/3.1"):
            with RawClient(proxy.port()) as client:
                client.send(upgrade_to(token))
                head = client.read_head()
                assert (head.status, head.header("Upgrade"), client.read_exactly(2)) == (101, token, b"go")
        with RawClient(proxy.port()) as client:
            client.send(upgrade_to("h2c"))
            assert client.read_answer().status != 101


def test_an_unasked_switch_is_502(start):
    with Origin(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n") as origin:
        assert start(routes(app=[origin.url])).ask(host="app").status == 502


def test_connect_is_501(start, origin):
    proxy = start(routes(app=[origin.url]))
    with RawClient(proxy.port()) as client:
        client.send("CONNECT app:443 HTTP/1.1\r\nHost: app:443\r\n\r\n")
        assert client.read_answer("CONNECT").status == 501
    assert origin.requests == []


# Event streams and long polling


def event_stream(gate):
    def answer(_):
        yield b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
        for i in range(3):
            yield b"data: %d\n\n" % i
            assert gate.acquire(timeout=90)

    return answer


def test_events_arrive_one_by_one(start):
    gate = threading.Semaphore(0)
    with Origin(event_stream(gate)) as origin:
        proxy = start(routes(app=[origin.url]))
        with RawClient(proxy.port()) as client:
            client.send("GET / HTTP/1.1\r\nHost: app\r\nAccept: text/event-stream\r\n\r\n")
            client.read_head()
            for i in range(3):
                # The server sends the next one only when this one is here.
                client.read_until(b"data: %d\n\n" % i)
                gate.release()


class Watched:
    """An HTTP/1.1 server that answers with `head`, and tells when its client left."""

    def __init__(self, head):
        self.left = threading.Event()
        self.asked = threading.Event()
        self.head = head
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        connection, _ = self.listener.accept()
        connection.settimeout(120)
        connection.recv(65536)
        self.asked.set()
        connection.sendall(self.head)
        try:
            if connection.recv(1) == b"":
                self.left.set()
        except ConnectionError:
            self.left.set()


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 0\n\n"],
                         ids=["long polling", "event stream"])
@pytest.mark.parametrize("client", ["http1", "http2"])
def test_the_server_learns_at_once_that_the_client_left(start, head, client):
    server = Watched(head)
    proxy = start(any_host(server.url))
    if client == "http1":
        with RawClient(proxy.port()) as one:
            one.send("GET / HTTP/1.1\r\nHost: app\r\n\r\n")
            assert server.asked.wait(60)
            if head:
                one.read_until(b"data: 0\n\n")
    else:
        curl = subprocess.Popen(["curl", "-sN", "--http2-prior-knowledge", f"http://127.0.0.1:{proxy.port()}/"],
                                stdout=subprocess.PIPE)
        assert server.asked.wait(60)
        if head:
            assert curl.stdout.readline() == b"data: 0\n"
        curl.kill()
        curl.wait()
    assert server.left.wait(30)


def test_an_http2_server_learns_it_too(start):
    def answer(stream):
        stream.head(200, [("content-type", "text/event-stream")])
        stream.data(b"data: 0\n\n")

    with H2Origin(answer) as origin:
        proxy = start(routes(app=[origin.url]))
        with RawClient(proxy.port()) as client:
            client.send("GET / HTTP/1.1\r\nHost: app\r\n\r\n")
            client.read_until(b"data: 0\n\n")
        assert origin.streams[0].over.wait(30)
