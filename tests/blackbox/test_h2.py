"""HTTP/2 from outside: real clients, tunnels, limits, floods and drains."""

import base64
import hashlib
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest
from support.certificates import TlsClient, make
from support.fairlead import routes
from support.h2 import (
    CANCEL, CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, GET, HEADER_TABLE_SIZE, HEADERS,
    INITIAL_WINDOW_SIZE, INTERNAL_ERROR, MAX_CONCURRENT_STREAMS, NO_ERROR, PING, POST, PRIORITY, H2Client, block, frame,
    literal, replaced, rst_stream, settings, window_update)
from support.h2_origin import H2Origin
from support.origin import Origin, respond
from support.ports import wait_for
from support.raw import ask


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return make(tmp_path_factory.mktemp("pki"), "app", ["DNS:app", "DNS:other"])


def secure(origin, pair, **options):
    dynamic = routes(app=[origin.url])
    dynamic["http"]["routers"]["app"]["tls"] = {}
    dynamic["tls"] = {"certificates": [pair.config], **options}
    return dynamic


def curl(*arguments, **more):
    done = subprocess.run(["curl", "-sS", "-m", "90", "-k", *arguments], capture_output=True, timeout=100, **more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def memory(proxy):
    """Resident memory, MiB."""
    with open(f"/proc/{proxy.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


# ---- clients


def test_curl_speaks_it_over_tls_by_alpn(start, origin, pair):
    proxy = start(secure(origin, pair))

    said = curl("--http2", "--resolve", f"app:{proxy.port()}:127.0.0.1", "-w", " %{http_version}",
                f"https://app:{proxy.port()}/a?b")

    assert said == b"ok 2"
    assert (origin.last().target, origin.last().version) == ("/a?b", "HTTP/1.1")
    line = wait_for(proxy.access_log, 5, "the line is written")[-1]
    assert (line["RequestProtocol"], line["RequestScheme"], line["DownstreamStatus"]) == ("HTTP/2.0", "https", 200)
    assert line["ClientHost"] == "127.0.0.1"


def test_curl_speaks_it_without_tls_by_prior_knowledge(start, origin):
    proxy = start(routes(app=[origin.url]))

    said = curl("--http2-prior-knowledge", "-H", "Host: app", "-w", " %{http_version}", f"http://127.0.0.1:{proxy.port()}/")

    assert said == b"ok 2"
    assert origin.last().header("X-Forwarded-Proto") == "http"


def test_curl_that_offers_an_upgrade_stays_with_http_1(start, origin):
    proxy = start(routes(app=[origin.url]))

    said = curl("--http2", "-H", "Host: app", "-w", " %{http_version}", f"http://127.0.0.1:{proxy.port()}/")

    assert said == b"ok 1.1"
    assert origin.last().header("Upgrade") is None


def test_curl_uploads_and_downloads_large_bodies(start, origin, pair, tmp_path):
    body = tmp_path / "body"
    body.write_bytes(bytes(range(256)) * 20_000)
    origin.script(lambda request: respond(request.body))
    proxy = start(secure(origin, pair))

    back = curl("--http2", "--resolve", f"app:{proxy.port()}:127.0.0.1", "--data-binary", f"@{body}",
                f"https://app:{proxy.port()}/")

    assert back == body.read_bytes()


@pytest.mark.parametrize("offered, agreed", [(["http/1.1"], "http/1.1"), (["h2"], "h2"), (["http/1.1", "h2"], "http/1.1")])
def test_the_protocols_of_the_tls_options_are_respected(start, origin, pair, offered, agreed):
    proxy = start(secure(origin, pair, options={"default": {"alpnProtocols": offered}}))

    with TlsClient(proxy.port(), "app", protocols=("h2", "http/1.1")) as client:
        assert client.socket.selected_alpn_protocol() == agreed


def test_hundreds_of_requests_at_once_share_one_connection(start, origin):
    origin.answer = lambda request: respond(request.target.encode())
    proxy = start(routes(app=[origin.url]))

    with H2Client(proxy.port()) as client:
        client.ping()
        for wave in range(3):
            numbers = [wave * 1000 + 2 * i + 1 for i in range(200)]
            for number in numbers:
                client.headers(number, replaced(GET, path=f"/{number}"))
            for number in numbers:
                assert client.answer(number).body == f"/{number}".encode()


def test_a_name_of_other_tls_options_is_misdirected_on_every_request(start, origin, pair):
    dynamic = secure(origin, pair, options={"strict": {"minVersion": "VersionTLS13"}})
    dynamic["http"]["routers"]["other"] = {"rule": "Host(`other`)", "service": "app", "tls": {"options": "strict"}}
    proxy = start(dynamic)

    with H2Client(proxy.port(), tls="app") as client:
        assert client.ask(1).status == 200
        assert client.ask(3, replaced(GET, authority="other")).status == 421
        assert client.ask(5).status == 200
        assert client.ask(7, replaced(GET, authority="OTHER:443")).status == 421
    assert len(origin.requests) == 2


def test_an_answer_that_breaks_off_is_reset(start, origin):
    origin.script([b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", 0.3, Origin.CLOSE])
    proxy = start(routes(app=[origin.url]))

    with H2Client(proxy.port()) as client:
        answer = client.ask()
        assert (answer.status, answer.reset, answer.ended) == (200, INTERNAL_ERROR, False)
        assert client.ask(3).status == 200


# ---- WebSocket (RFC 8441)


class Tunnel:
    """A server that answers every upgrade and sends back what it gets."""

    def __init__(self, wrong_accept=False, breaks=False):
        """`breaks`: it resets the connection after its first answer."""
        self.heads = []
        self.breaks = breaks
        self.wrong_accept = wrong_accept
        self.ended = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        head = b""
        while b"\r\n\r\n" not in head:
            got = connection.recv(4096)
            if not got:
                return
            head += got
        lines = head.decode().split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        key = next(line.split(": ")[1] for line in lines if line.lower().startswith("sec-websocket-key"))
        self.heads.append((lines[0], fields, head.decode().lower()))
        guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" + ("x" if self.wrong_accept else "")
        accept = base64.b64encode(hashlib.sha1((key + guid).encode()).digest()).decode()
        connection.sendall(f"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                           f"Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Accept: {accept}\r\n\r\n".encode())
        while got := connection.recv(65536):
            connection.sendall(got)
            if self.breaks:
                time.sleep(0.5)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                break
        self.ended.set()
        connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in accept
        self.listener.close()


CONNECT = (*replaced(GET, method="CONNECT", path="/chat"), (":protocol", "websocket"), ("sec-websocket-version", "13"),
           ("sec-websocket-protocol", "chat"), ("origin", "http://app"))


@pytest.mark.parametrize("tls", [None, "app"], ids=["plain", "TLS"])
def test_a_websocket_over_one_stream_reaches_an_http_1_server(start, pair, tls):
    with Tunnel() as origin:
        proxy = start(secure(origin, pair) if tls else routes(app=[origin.url]))
        with H2Client(proxy.port(), tls=tls) as client:
            client.headers(1, CONNECT, ends=False)
            client.until(lambda c: c.stream(1).headers)
            answer = client.stream(1)
            assert (answer.status, answer.header("sec-websocket-protocol")) == (200, "chat")
            assert answer.header("sec-websocket-accept") is None and answer.header("upgrade") is None

            for message in (b"\x81\x05hello", bytes(range(256)) * 400):
                have = len(answer.body)
                client.data(1, message)
                assert client.until(lambda c: len(answer.body) == have + len(message))
                assert answer.body[have:] == message
            assert client.ping()  # the connection carries more than the tunnel
            client.data(1, b"", ends=True)
            assert client.until(lambda c: answer.over)
        assert origin.ended.wait(30), "the server heard of the end"
        line, fields, _ = origin.heads[0]
        assert line == "GET /chat HTTP/1.1"
        assert (fields["upgrade"], fields["connection"].lower()) == ("websocket", "upgrade")
        assert fields["x-forwarded-proto"] == ("wss" if tls else "ws")
        assert len(base64.b64decode(fields["sec-websocket-key"], validate=False)) == 16


def test_rules_see_a_websocket_as_over_http_1(start):
    with Tunnel() as origin:
        dynamic = routes(app=[origin.url])
        dynamic["http"]["routers"]["app"]["rule"] = (
            "Method(`GET`) && Header(`Upgrade`, `websocket`) && HeaderRegexp(`Connection`, `(?i)upgrade`)")
        proxy = start(dynamic)
        with H2Client(proxy.port()) as client:
            client.headers(1, CONNECT, ends=False)
            assert client.until(lambda c: c.stream(1).headers) and client.stream(1).status == 200
        head = origin.heads[0][2]
        assert [head.count(name) for name in ("\r\nupgrade:", "\r\nconnection:")] == [1, 1]


def test_a_tunnel_ends_at_the_server_when_its_stream_is_reset(start):
    with Tunnel() as origin:
        proxy = start(routes(app=[origin.url]))
        with H2Client(proxy.port()) as client:
            client.headers(1, CONNECT, ends=False)
            client.until(lambda c: c.stream(1).headers)
            client.send(rst_stream(1))
            assert origin.ended.wait(30)


def test_the_reset_of_a_tunnel_reaches_the_client(start):
    with Tunnel(breaks=True) as origin:
        proxy = start(routes(app=[origin.url]))
        with H2Client(proxy.port()) as client:
            client.headers(1, CONNECT, ends=False)
            client.until(lambda c: c.stream(1).headers)
            client.data(1, b"last words")
            assert client.until(lambda c: c.stream(1).over)
            assert (client.stream(1).body, client.stream(1).reset) == (b"last words", CANCEL)
            assert client.ping()


def test_a_server_that_does_not_answer_the_key_opens_no_tunnel(start):
    with Tunnel(wrong_accept=True) as origin:
        proxy = start(routes(app=[origin.url]))
        with H2Client(proxy.port()) as client:
            client.headers(1, CONNECT, ends=False)
            assert client.answer(1).status == 502
        assert "Sec-WebSocket-Accept" in wait_for(lambda: proxy.access_log(), 30, "the reason is logged")[0]["Reason"]


def test_a_refused_websocket_is_an_ordinary_answer(start, origin):
    origin.script(respond(b"no", 403, reason="Forbidden"))
    proxy = start(routes(app=[origin.url]))

    with H2Client(proxy.port()) as client:
        client.headers(1, CONNECT, ends=False)
        answer = client.answer(1)

    assert (answer.status, answer.body) == (403, b"no")


@pytest.mark.parametrize("status", [200, 204])
def test_a_websocket_that_the_server_does_not_open_is_no_tunnel(start, origin, status):
    origin.script(respond(b"", status))
    proxy = start(routes(app=[origin.url]))

    with H2Client(proxy.port()) as client:
        client.headers(1, CONNECT, ends=False)
        client.data(1, b"GET /other HTTP/1.1\r\nHost: app\r\n\r\n")
        answer = client.answer(1)

        assert answer.status == 502
        assert client.ask(3).status == 200
    assert [request.target for request in origin.requests] == ["/chat", "/"]


# ---- limits


def test_the_options_of_the_entry_point_are_in_effect(start, origin):
    options = {"maxConcurrentStreams": 3, "maxDecoderHeaderTableSize": 1000, "maxEncoderHeaderTableSize": 0}
    proxy = start(routes(app=[origin.url]), {"entryPoints": {"web": {"http2": options}}})

    with H2Client(proxy.port()) as client:
        client.ping()
        assert client.settings[MAX_CONCURRENT_STREAMS] == 3
        assert client.settings[HEADER_TABLE_SIZE] == 1000
        for number in range(3):
            client.headers(2 * number + 1, POST, ends=False)
        assert client.ping()
        client.headers(7, POST, ends=False)
        assert client.until(lambda c: c.stream(7).reset is not None or c.goaway_is_error())
    assert "no effect" not in proxy.log()


def test_a_slow_reader_costs_no_memory(start, origin):
    body = b"0123456789abcdef" * 250_000
    origin.answer = respond(body)
    proxy = start(routes(app=[origin.url]))
    proxy.wait_status(200, "app")
    before = memory(proxy)

    with H2Client(proxy.port(), initial=((INITIAL_WINDOW_SIZE, 2**31 - 1),), window=False, receive_buffer=4096) as client:
        client.send(window_update(0, 2**31 - 1 - 65535))
        for number in range(60):
            client.headers(2 * number + 1, GET)
        time.sleep(1.5)  # it reads nothing
        assert memory(proxy) - before < 40, "240 MB are asked for"
        client.window = True
        assert client.answer(1, 300).body == body


def test_shut_windows_cost_no_memory(start, origin):
    origin.answer = respond(b"x" * 1_000_000)
    proxy = start(routes(app=[origin.url]))
    proxy.wait_status(200, "app")
    before = memory(proxy)

    with H2Client(proxy.port(), initial=((INITIAL_WINDOW_SIZE, 0),)) as client:
        for number in range(240):
            client.headers(2 * number + 1, GET)
        assert client.ping()
        time.sleep(1)
        assert memory(proxy) - before < 100, "240 MB are asked for"


def test_a_request_body_that_nobody_reads_is_stopped_by_its_window(start):
    with socket.create_server(("127.0.0.1", 0)) as listener:  # accepts and never reads
        proxy = start(routes(app=[f"http://127.0.0.1:{listener.getsockname()[1]}"]))
        before = memory(proxy)
        with H2Client(proxy.port()) as client:
            client.ping()
            for number in range(40):
                client.headers(2 * number + 1, POST, ends=False)
            room = 65_535 + client.window_updates.get(0, 0)
            while room > 0:  # everything that the windows let through
                for number in range(40):
                    piece = min(room, 16_384)
                    client.data(2 * number + 1, b"y" * piece)
                    room -= piece
                    if room == 0:
                        break
                client.ping()
                room += 0
            assert memory(proxy) - before < 40


def test_an_answer_that_is_not_taken_ends_with_its_write_timeout(start, origin):
    origin.answer = respond(b"x" * 100_000)
    proxy = start(routes(app=[origin.url]),
                  {"entryPoints": {"web": {"transport": {"respondingTimeouts": {"writeTimeout": "2s"}}}}})

    with H2Client(proxy.port(), window=False) as client:
        client.headers(1, GET)
        assert client.until(lambda c: c.stream(1).reset == CANCEL)
        assert len(client.stream(1).body) == 65_535


def test_a_body_that_does_not_come_ends_with_408(start, origin):
    proxy = start(routes(app=[origin.url]),
                  {"entryPoints": {"web": {"transport": {"respondingTimeouts": {"readTimeout": "1s"}}}}})

    with H2Client(proxy.port()) as client:
        client.headers(1, POST, ends=False)
        assert client.answer(1).status == 408
        assert client.ping()


def test_an_idle_connection_is_told_goodbye(start, origin):
    proxy = start(routes(app=[origin.url]),
                  {"entryPoints": {"web": {"transport": {"respondingTimeouts": {"idleTimeout": "3s"}}}}})

    with H2Client(proxy.port()) as client:
        assert client.ask().status == 200
        assert client.is_closed()
        assert client.goaway[:2] == (1, NO_ERROR)


def test_the_last_of_max_requests_is_served_and_followed_by_goodbye(start, origin):
    proxy = start(routes(app=[origin.url]), {"entryPoints": {"web": {"transport": {"keepAliveMaxRequests": 3}}}})

    with H2Client(proxy.port()) as client:
        assert all(client.ask(number).status == 200 for number in (1, 3, 5))
        assert client.is_closed()
        assert [last for last, _, _ in client.goaways] == [2**31 - 1, 5]


# ---- drain


def test_a_drain_says_goodbye_twice_and_finishes_what_runs(start, origin):
    released = threading.Event()
    origin.script(lambda _: released.wait(90) and respond(b"done"))
    proxy = start(routes(app=[origin.url]))

    with H2Client(proxy.port()) as busy, H2Client(proxy.port()) as idle:
        busy.headers(1, GET)
        assert busy.ping() and idle.ping()
        wait_for(lambda: origin.requests, 10, "the first request is at the server")
        begun = time.monotonic()
        proxy.signal(signal.SIGTERM)
        assert busy.until(lambda c: c.goaways)
        assert busy.goaways[0][:2] == (2**31 - 1, NO_ERROR)
        busy.headers(3, GET)  # it was on its way
        late = time.monotonic() - begun > 0.9  # a second is what such requests have
        assert busy.until(lambda c: c.stream(3).over or late and len(c.goaways) == 2)
        assert busy.stream(3).status == 200 or late
        assert idle.is_closed()
        released.set()
        assert busy.answer(1).body == b"done"
        last = 3 if busy.stream(3).status == 200 else 1
        assert [goaway[:2] for goaway in busy.goaways] == [(2**31 - 1, NO_ERROR), (last, NO_ERROR)]
        assert busy.is_closed()
    proxy.process.wait(60)


def test_a_reload_closes_no_connection(start, origin):
    proxy = start(routes(app=[origin.url]))

    with H2Client(proxy.port()) as client:
        assert client.ask(1).status == 200
        proxy.write_dynamic(routes(app=[origin.url], fresh=[origin.url]))
        proxy.wait_status(200, "fresh")
        assert client.ask(3, replaced(GET, authority="fresh")).status == 200
        assert client.goaway is None


# ---- floods: each has an allowance, and a line in the log


def request(number, *more):
    return frame(HEADERS, END_HEADERS | END_STREAM, number, block(*GET, *more))


FLOODS = {
    "PING": lambda n: frame(PING, 0, 0, b"12345678"),
    "SETTINGS": lambda n: settings((INITIAL_WINDOW_SIZE, 65_535)),
    "PRIORITY": lambda n: frame(PRIORITY, 0, 2 * n + 3, struct.pack(">IB", 0, n % 255)),
    "WINDOW_UPDATE": lambda n: window_update(0, 1),
    "empty DATA": lambda n: frame(DATA, 0, 1, b""),
    "RST_STREAM": lambda n: request(2 * n + 3) + rst_stream(2 * n + 3),
}


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_ends_its_connection(start, origin, kind):
    proxy = start(routes(app=[origin.url]), {"metrics": {"prometheus": {}}})

    with H2Client(proxy.port()) as client:
        client.headers(1, POST, ends=False)
        client.ping()
        try:
            for n in range(40):
                client.send(*(FLOODS[kind](n * 500 + i) for i in range(500)))
        except OSError:
            pass  # it is over
        assert client.error() in (ENHANCE_YOUR_CALM, "closed")
    wait_for(lambda: f"a flood of {kind} frames" in proxy.log(), 10, "the log says so")
    wait_for(lambda: f'fairlead_http2_floods_total{{frame="{kind}"}} 1\n' in ask(proxy.api_port, target="/metrics").text, 10,
             "it is counted")
    assert len(origin.requests) <= 5000, "of 20,000: a slow machine gives more patience back"
    assert proxy.ask(host="app").status == 200


def test_a_client_may_take_back_all_that_it_asked(start):
    with Origin(lambda request: [30, respond()]) as slow:
        proxy = start(routes(app=[slow.url]), workers=1)

        with H2Client(proxy.port()) as client:
            for first in (1, 501):
                numbers = range(first, first + 2 * 249, 2)
                client.send(*(request(number) for number in numbers))
                client.ping()
                client.send(*(rst_stream(number) for number in numbers))
            assert client.ping() and not client.goaway


def test_calls_that_stream_may_end_after_their_first_message(start):
    def first_message(stream):
        stream.head()
        stream.data(b"message")

    with H2Origin(first_message) as origin:
        proxy = start(routes(app=[origin.url]), workers=1)

        with H2Client(proxy.port()) as client:
            for number in range(1, 2001, 2):
                client.send(request(number))
                assert client.until(lambda c: c.stream(number).body == b"message")
                client.send(rst_stream(number))
            assert client.ping() and not client.goaway


def test_resets_that_the_client_provokes_count_too(start, origin):
    proxy = start(routes(app=[origin.url]))

    with H2Client(proxy.port()) as client:
        try:
            for n in range(2000):
                client.send(request(2 * n + 1, ("connection", "close")))
        except OSError:
            pass
        assert client.error() in (ENHANCE_YOUR_CALM, "closed")
    wait_for(lambda: "a flood of RST_STREAM frames" in proxy.log(), 10, "the log says so")
    assert origin.requests == []


def test_a_header_section_without_end_ends_its_connection(start, origin):
    proxy = start(routes(app=[origin.url]))

    with H2Client(proxy.port()) as client:
        client.send(frame(HEADERS, 0, 1, block(*GET)))
        try:
            for n in range(50_000):
                client.send(frame(CONTINUATION, 0, 1, literal(f"x-{n}", "v")))
        except OSError:
            pass
        assert client.error() in (ENHANCE_YOUR_CALM, "closed")
    wait_for(lambda: "a flood of CONTINUATION frames" in proxy.log(), 10, "the log says so")


def test_an_hpack_bomb_costs_neither_memory_nor_time(start, origin):
    proxy = start(routes(app=[origin.url]))
    before = memory(proxy)

    with H2Client(proxy.port()) as client:
        # One entry that fills the table, then many references to it: 4 KB for every byte.
        used = proxy.cpu_seconds()
        for number in range(1, 100, 2):
            client.send(frame(HEADERS, END_STREAM, number, block(*GET) + literal("x-bomb", "b" * 4000, 0x40)),
                        frame(CONTINUATION, END_HEADERS, number, b"\xbe" * 16_000))
        assert client.ping() or client.goaway_is_error()
        assert proxy.cpu_seconds() - used < 20
    assert origin.requests == []
    assert memory(proxy) - before < 30


def test_a_head_of_one_entry_over_and_over_is_refused_however_short(start, origin):
    proxy = start(routes(app=[origin.url]))

    with H2Client(proxy.port()) as client:
        client.block(1, block(*GET) + literal("x-bomb", "b" * 4000, 0x40) + b"\xbe" * 100)  # 400 KB from 4
        assert client.answer(1).status == 431
        client.block(3, block(*GET) + b"\xbe" * 10)
        assert client.answer(3).status == 431
        client.block(5, block(*GET) + b"\xbe")
        assert client.answer(5).status == 200
    assert len(origin.requests) == 1


def test_a_head_of_nothing_but_literals_may_have_any_length(start, origin):
    proxy = start(routes(app=[origin.url]))

    with H2Client(proxy.port()) as client:
        for number in (1, 3):
            client.headers(number, GET + tuple((f"x-{i}", f"{i}" * 300) for i in range(150)) + (("cookie", "0" * 8000),))
            assert client.answer(number).status == 200
        client.headers(5, GET + tuple(("cookie", f"{i}=1") for i in range(900)))
        assert client.answer(5).status == 200


def test_heads_that_are_too_long_count_as_well(start, origin):
    proxy = start(routes(app=[origin.url]))

    with H2Client(proxy.port()) as client:
        try:
            client.block(1, block(*GET) + literal("x-many", "", 0x40) + b"\xbe" * 2000)
            for number in range(3, 3000, 2):
                client.block(number, block(*GET) + b"\xbe" * 2000)
        except OSError:
            pass
        assert client.error() in (ENHANCE_YOUR_CALM, "closed")
    wait_for(lambda: "a flood of RST_STREAM frames" in proxy.log(), 20, "the log says so")
    assert origin.requests == []


def test_ten_thousand_tiny_cookies_are_refused(start, origin):
    proxy = start(routes(app=[origin.url]))

    with H2Client(proxy.port()) as client:
        client.block(1, block(*GET) + literal("cookie", "", 0x40) + b"\xbe" * 10_000)
        assert client.answer(1).status == 431
    assert origin.requests == []


def test_a_long_connection_of_an_honest_client_is_never_ended(start, origin):
    proxy = start(routes(app=[origin.url]))

    with H2Client(proxy.port()) as client:
        for n in range(600):  # every other request is taken back
            client.headers(4 * n + 1, GET)
            client.send(rst_stream(4 * n + 1))
            assert client.ask(4 * n + 3).status == 200
            client.send(frame(PING, 0, 0, b"12345678"))
        assert client.goaway is None
