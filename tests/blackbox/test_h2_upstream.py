"""HTTP/2 toward servers: in clear text and over TLS, shared connections, and servers that misbehave."""

import contextlib
import ssl
import struct
import threading

import pytest
from h2.settings import SettingCodes
from support import certificates
from support.fairlead import routes
from support.h2 import GET, INITIAL_WINDOW_SIZE, H2Client
from support.labels import LabelledEngine
from support.h2_origin import INTERNAL_ERROR, REFUSED_STREAM, H2Origin, frame
from support.origin import Origin, respond
from support.ports import wait_for
from support.raw import Closed, RawClient, ask


@pytest.fixture
def h2_origin():
    """h2_origin(answer, …) → a server; a test fails when the router broke the protocol toward it."""
    with contextlib.ExitStack() as stack:
        made = []

        def make(*args, **more):
            made.append(stack.enter_context(H2Origin(*args, **more)))
            return made[-1]

        yield make
        assert [violation for origin in made for violation in origin.violations] == []


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pki")
    authority = certificates.make(folder, "authority", ca=True)
    return certificates.make(folder, "server", ["IP:127.0.0.1"], issuer=authority), authority


def server_context(pki, *protocols):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(str(pki[0].cert), str(pki[0].key))
    context.set_alpn_protocols(list(protocols))
    return context


def with_transport(url, **transport):
    dynamic = routes(app=[url])
    dynamic["http"]["services"]["app"]["loadBalancer"]["serversTransport"] = "own"
    dynamic["http"]["serversTransports"] = {"own": transport}
    return dynamic


def ask_many(proxy, count, **more):
    """`count` requests at once; their answers."""
    answers = [None] * count

    def one(i):
        answers[i] = ask(proxy.port(), host="app", timeout=90, **more)

    threads = [threading.Thread(target=one, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(100)
    return answers


def test_a_request_in_clear_text(start, h2_origin):
    origin = h2_origin(lambda s: s.respond(b"hello", headers=[("x-served", "yes"), ("content-length", "5")]))
    proxy = start(routes(app=[origin.url]))

    answer = proxy.ask("/a%2Fb?c=d", host="app", headers={"X-One": "1", "Connection": "X-Gone, keep-alive", "X-Gone": "2"})

    assert (answer.status, answer.body, answer.header("X-Served")) == (200, b"hello", "yes")
    stream = origin.streams[0]
    assert [stream.header(name) for name in (":method", ":scheme", ":authority", ":path", "x-one")] == [
        "GET", "http", "app", "/a%2Fb?c=d", "1"]
    names = [name for name, _ in stream.headers]
    assert not {"connection", "keep-alive", "host", "x-gone", "transfer-encoding"} & set(names)
    assert "x-forwarded-for" in names and all(name == name.lower() for name in names)


def test_bodies_and_trailers_pass_both_ways(start, h2_origin):
    def answer(stream):
        stream.head(200)
        stream.data(stream.body[::-1])
        stream.finish([("x-sum", "9"), ("x-forwarded-for", "1.2.3.4")])

    origin = h2_origin(answer)
    proxy = start(routes(app=[origin.url]))

    with RawClient(proxy.port()) as client:
        client.send("POST / HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked\r\nTrailer: X-Mark\r\n\r\n"
                    "3\r\nabc\r\n0\r\nX-Mark: m\r\n\r\n")
        reply = client.read_answer()

    assert (reply.body, reply.trailers) == (b"cba", [("X-Sum", "9")])
    assert origin.streams[0].trailers == [("x-mark", "m")]


def test_large_bodies_arrive_whole(start, h2_origin):
    origin = h2_origin(lambda s: s.respond(s.body + s.body))
    proxy = start(routes(app=[origin.url]))
    body = bytes(range(256)) * 12_000

    assert ask(proxy.port(), "POST", host="app", body=body).body == body + body


def test_concurrent_requests_share_a_connection(start, h2_origin):
    everybody = threading.Barrier(20, timeout=90)

    def answer(stream):
        everybody.wait()
        stream.respond()

    origin = h2_origin(answer)
    proxy = start(routes(app=[origin.url]), workers=1)

    assert [a.status for a in ask_many(proxy, 20)] == [200] * 20
    assert len(origin.connections) == 1


def test_another_connection_is_opened_when_one_is_full(start, h2_origin):
    everybody = threading.Barrier(10, timeout=90)

    def answer(stream):
        if stream.header(":path") != "/first":
            everybody.wait()
        stream.respond()

    origin = h2_origin(answer, settings={SettingCodes.MAX_CONCURRENT_STREAMS: 4})
    proxy = start(routes(app=[origin.url]), workers=1)
    proxy.ask("/first", host="app")  # its SETTINGS are known from now on

    assert [a.status for a in ask_many(proxy, 10)] == [200] * 10
    assert len(origin.connections) >= 3


def test_connections_of_a_server_that_allows_no_streams_do_not_gather(start, h2_origin):
    def answer(stream):
        stream.raw(frame(4, 0, 0, struct.pack(">HI", SettingCodes.MAX_CONCURRENT_STREAMS, 0)))
        stream.respond()

    origin = h2_origin(answer)
    proxy = start(with_transport(origin.url, forwardingTimeouts={"idleConnTimeout": "1h"}), workers=1)

    for _ in range(30):
        assert proxy.ask(host="app").status == 200
    wait_for(lambda: sum(not connection.gone for connection in origin.connections) <= 2, 5, "the others are closed")


def test_the_upload_waits_for_the_server(start, h2_origin):
    done = threading.Event()

    def answer(stream):
        done.wait(100)
        stream.respond()

    origin = h2_origin(answer, early=True, reads=False)
    proxy = start(routes(app=[origin.url]))
    with RawClient(proxy.port()) as client:
        client.send("POST / HTTP/1.1\r\nHost: app\r\nContent-Length: 50000000\r\n\r\n")
        client.socket.settimeout(1)
        with pytest.raises(TimeoutError):
            for _ in range(50):
                client.send(b"x" * 1_000_000)
        wait_for(lambda: origin.streams and len(origin.streams[0].body) >= 65535, 10, "its window is used up")
        threading.Event().wait(0.2)
        assert len(origin.streams[0].body) == 65535
    done.set()


def test_the_download_waits_for_the_client(start, h2_origin):
    sent = []

    def answer(stream):
        stream.head(200)
        for _ in range(64):
            stream.data(b"x" * 1_000_000)
            sent.append(1)

    origin = h2_origin(answer)
    proxy = start(routes(app=[origin.url]))
    with RawClient(proxy.port()) as client:
        client.send("GET / HTTP/1.1\r\nHost: app\r\n\r\n")
        client.read_head()
        before = -1
        while before != len(sent):
            before = len(sent)
            threading.Event().wait(1)
        assert len(sent) < 40
    wait_for(lambda: origin.streams[0].over.is_set(), 10, "the router lets go of the stream")
    assert origin.streams[0].reset == 0x8  # CANCEL


def test_clients_whose_windows_are_shut_cost_little_memory(start, h2_origin):
    origin = h2_origin(lambda s: s.respond(b"x" * 1_000_000))
    proxy = start(routes(app=[origin.url]))
    proxy.wait_status(200, "app")
    before = proxy.resident_kib()

    with H2Client(proxy.port(), initial=((INITIAL_WINDOW_SIZE, 0),)) as client:
        for number in range(240):
            client.headers(2 * number + 1, GET)
        client.until(lambda c: len(origin.streams) > 240, 60)
        threading.Event().wait(3)
        assert proxy.resident_kib() - before < 110 * 1024, "240 MB are asked for"


def test_cancellation_reaches_the_server_at_once(start, h2_origin):
    origin = h2_origin(lambda s: s.over.wait(100))
    proxy = start(routes(app=[origin.url]))
    with RawClient(proxy.port()) as client:
        client.send("GET / HTTP/1.1\r\nHost: app\r\n\r\n")
        wait_for(lambda: origin.streams, 10, "the request arrives")

    assert origin.streams[0].over.wait(30)
    assert origin.streams[0].reset == 0x8
    assert not origin.connections[0].gone


def test_interim_responses_pass(start, h2_origin):
    def answer(stream):
        stream.connection.do(lambda h2: h2.send_headers(stream.number, [(":status", "103"), ("link", "</a>")]))
        stream.respond()

    proxy = start(routes(app=[h2_origin(answer).url]))

    reply = proxy.ask(host="app")
    assert reply.status == 200
    assert [(a.status, a.header("Link")) for a in reply.interim] == [(103, "</a>")]


def test_a_refused_stream_is_sent_again(start, h2_origin):
    tries = []

    def answer(stream):
        tries.append(stream)
        if len(tries) == 2:
            stream.abort(REFUSED_STREAM)
        else:
            stream.respond()

    proxy = start(routes(app=[h2_origin(answer).url]), workers=1)
    proxy.ask(host="app")

    assert proxy.ask(host="app", method="POST").status == 200
    assert len(tries) == 3


@pytest.mark.parametrize("refuse", [lambda s: s.abort(REFUSED_STREAM), lambda s: s.connection.goaway(0)],
                         ids=["REFUSED_STREAM", "GOAWAY"])
@pytest.mark.parametrize("by", ["file", "label"])
def test_what_a_new_connection_refuses_is_sent_again_once(start, h2_origin, refuse, by):
    stubborn = False

    def answer(stream):
        if stubborn or len(origin.streams) == 1:
            refuse(stream)
        else:
            stream.respond()

    origin = h2_origin(answer)
    with LabelledEngine() as engine:
        if by == "file":
            proxy = start(routes(app=[origin.url]), workers=1)
        else:
            engine.put("app", origin.port, ["http.routers.app.rule=Host(`app`)",
                                            "http.services.app.loadbalancer.server.scheme=h2c",
                                            f"http.services.app.loadbalancer.server.port={origin.port}"])
            proxy = start(install=engine.install, workers=1)
            wait_for(lambda: "app@docker" in str(proxy.api("/api/http/routers")), 20, "the container")

        assert proxy.ask(host="app", method="POST").status == 200
        assert len(origin.streams) == 2

        stubborn = True
        assert proxy.ask(host="app", method="POST").status == 502
        # With GOAWAY the connection that is there ends first, and then new ones are tried.
        assert len(origin.streams) <= 2 + 3


def test_another_reset_is_not_sent_again(start, h2_origin):
    origin = h2_origin(lambda s: s.abort(INTERNAL_ERROR))
    proxy = start(routes(app=[origin.url]))

    assert proxy.ask(host="app").status == 502
    assert len(origin.streams) == 1


def test_after_goaway_the_next_request_gets_a_new_connection(start, h2_origin):
    gate = threading.Event()

    def answer(stream):
        if stream.header(":path") == "/slow":
            stream.connection.goaway(stream.number)
            stream.connection.ping()
            gate.wait(100)
        stream.respond(stream.header(":path").encode())

    origin = h2_origin(answer)
    proxy = start(routes(app=[origin.url]), workers=1)
    with RawClient(proxy.port()) as client:
        client.send("GET /slow HTTP/1.1\r\nHost: app\r\n\r\n")
        wait_for(lambda: origin.connections and origin.connections[0].acks, 10, "the router has read the GOAWAY")
        assert proxy.ask("/next", host="app", method="POST").body == b"/next"
        gate.set()
        assert client.read_answer().body == b"/slow"
    assert len(origin.connections) == 2
    wait_for(lambda: origin.connections[0].gone, 10, "the old connection is closed")


def test_requests_that_goaway_leaves_out_are_sent_again(start, h2_origin):
    def answer(stream):
        if len(origin.connections) == 1 and stream.header(":path") == "/again":
            stream.connection.goaway(0)
        else:
            stream.respond()

    origin = h2_origin(answer)
    proxy = start(routes(app=[origin.url]), workers=1)
    proxy.ask(host="app")

    # 0 leaves out the first request as well, which was answered: only the second one is sent again.
    assert proxy.ask("/again", host="app", method="POST").status == 200


def test_a_silent_server_is_found_out_by_ping(start, h2_origin):
    def answer(stream):
        stream.connection.lock.acquire()  # it answers nothing from now on, PINGs included

    origin = h2_origin(answer)
    proxy = start(with_transport(origin.url, forwardingTimeouts={"readIdleTimeout": "300ms", "pingTimeout": "300ms"}))

    answer = ask(proxy.port(), "POST", host="app")
    assert answer.status == 502


def test_the_head_of_the_answer_has_its_time(start, h2_origin):
    origin = h2_origin(lambda s: s.over.wait(100))
    proxy = start(with_transport(origin.url, forwardingTimeouts={"responseHeaderTimeout": "1s"}))

    assert proxy.ask(host="app").status == 504
    wait_for(lambda: origin.streams and origin.streams[0].over.is_set(), 10, "the server hears of it")


def test_idle_connections_end_after_their_time(start, h2_origin):
    origin = h2_origin()
    proxy = start(with_transport(origin.url, forwardingTimeouts={"idleConnTimeout": "300ms"}))

    assert proxy.ask(host="app").status == 200
    wait_for(lambda: origin.connections[0].gone, 10, "the idle connection is closed")
    assert proxy.ask(host="app").status == 200


def test_connections_that_must_not_be_reused_carry_one_request(start, h2_origin):
    origin = h2_origin()
    proxy = start(with_transport(origin.url, maxIdleConnsPerHost=-1), workers=1)

    assert [proxy.ask(host="app").status for _ in range(3)] == [200] * 3
    assert len(origin.connections) == 3
    wait_for(lambda: all(connection.gone for connection in origin.connections), 10, "all of them are closed")


def test_a_server_that_left_loses_its_idle_connection(start, h2_origin):
    old, new = h2_origin(lambda s: s.respond(b"old")), h2_origin(lambda s: s.respond(b"new"))
    proxy = start(routes(app=[old.url]))
    assert proxy.ask(host="app").body == b"old"

    proxy.write_dynamic(routes(app=[new.url]))

    wait_for(lambda: proxy.ask(host="app").body == b"new", 10, "the new server answers")
    wait_for(lambda: old.connections[0].gone, 10, "nothing keeps the old connection")


def test_the_end_of_a_connection_is_no_fault_of_a_server_that_once_erred(start, h2_origin):
    def err(stream):
        stream.raw(frame(1, 0x5, stream.number, STATUS_200 + field(b"X-A", b"b")))

    first, second = h2_origin(err), h2_origin(err)
    proxy = start(routes(app=[first.url]), workers=1)
    assert proxy.ask(host="app").status == 502

    proxy.write_dynamic(routes(app=[second.url]))

    wait_for(lambda: first.connections[0].gone, 10, "nothing keeps the connection")
    assert "broke HTTP/2" not in proxy.log()
    assert proxy.ask(host="app").status == 502 and second.connections
    proxy.stop()  # with such a connection open, and in good order


def test_a_server_that_comes_back_is_dialled_again(start, h2_origin):
    """All connections end at once while requests wait; bodiless ones are sent again."""
    def answer(stream):
        if stream.header(":path") == "/end" and len(origin.connections) == 1:
            stream.connection.socket.shutdown(2)
        else:
            stream.respond()

    origin = h2_origin(answer)
    proxy = start(routes(app=[origin.url]), workers=1)

    assert [a.status for a in ask_many(proxy, 5, target="/end")] == [200] * 5
    assert 2 <= len(origin.connections) <= 3


# TLS


@pytest.mark.parametrize(("offered", "disabled", "scheme"), [(("h2", "http/1.1"), False, "h2"),
                                                             (("http/1.1",), False, "http/1.1"),
                                                             (("h2", "http/1.1"), True, "http/1.1")])
def test_tls_servers_choose_by_alpn(start, pki, h2_origin, offered, disabled, scheme):
    context = server_context(pki, *offered)
    transport = {"rootCAs": [str(pki[1].cert)], "disableHTTP2": disabled}
    with Origin(respond(b"http/1.1"), tls=context) as old:
        origin = h2_origin(lambda s: s.respond(s.header(":scheme").encode()), tls=context) if scheme == "h2" else old
        proxy = start(with_transport(origin.url, **transport), workers=1)

        bodies = {a.body for a in ask_many(proxy, 8)}

        assert bodies == ({b"https"} if scheme == "h2" else {b"http/1.1"})
        if scheme == "h2":
            assert len(origin.connections) == 1


def test_an_upgrade_goes_over_http1(start, pki):
    """The server offers both; a WebSocket handshake never asks for HTTP/2."""
    chosen = []

    def answer(request):
        return (b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\nhi")

    context = server_context(pki, "h2", "http/1.1")
    with Origin(answer, tls=context) as origin:
        proxy = start(with_transport(origin.url, rootCAs=[str(pki[1].cert)]))
        with RawClient(proxy.port()) as client:
            client.send("GET / HTTP/1.1\r\nHost: app\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n")
            chosen.append(client.read_head().status)
            assert client.read_exactly(2) == b"hi"
    assert chosen == [101]


def test_an_upgrade_to_an_h2c_server_goes_over_http1_as_well(start):
    with Origin(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\nhi") as origin:
        proxy = start(routes(app=[origin.url.replace("http://", "h2c://")]))
        with RawClient(proxy.port()) as client:
            client.send("GET / HTTP/1.1\r\nHost: app\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n")
            assert client.read_head().status == 101
            assert client.read_exactly(2) == b"hi"


def test_large_bodies_over_tls(start, pki, h2_origin):
    origin = h2_origin(lambda s: s.respond(s.body * 2), tls=server_context(pki, "h2"))
    proxy = start(with_transport(origin.url, rootCAs=[str(pki[1].cert)]))
    body = bytes(range(256)) * 12_000

    assert ask(proxy.port(), "POST", host="app", body=body).body == body * 2


# Servers that misbehave


LITERAL = b"\x00"  # HPACK: literal field without indexing, new name


def field(name, value):
    return LITERAL + bytes([len(name)]) + name + bytes([len(value)]) + value


STATUS_200 = b"\x88"
MALFORMED = {
    "cr lf in a value": STATUS_200 + field(b"x-a", b"b\r\nset-cookie: c=d"),
    "nul in a value": STATUS_200 + field(b"x-a", b"b\x00c"),
    "upper case": STATUS_200 + field(b"X-A", b"b"),
    "space in a name": STATUS_200 + field(b"x a", b"b"),
    "colon in a name": STATUS_200 + field(b"x:a", b"b"),
    "empty name": STATUS_200 + field(b"", b"b"),
    "connection": STATUS_200 + field(b"connection", b"close"),
    "transfer-encoding": STATUS_200 + field(b"transfer-encoding", b"chunked"),
    "upgrade": STATUS_200 + field(b"upgrade", b"h2c"),
    "no status": field(b"x-a", b"b"),
    "two statuses": STATUS_200 + STATUS_200,
    "status that is none": field(b":status", b"2x0"),
    "status out of range": field(b":status", b"099"),
    "switching protocols": field(b":status", b"101"),
    "pseudo-field of requests": STATUS_200 + field(b":path", b"/"),
    "unknown pseudo-field": STATUS_200 + field(b":other", b"/"),
    "pseudo-field behind": field(b"x-a", b"b") + STATUS_200,
    "two lengths": STATUS_200 + field(b"content-length", b"1") + field(b"content-length", b"2"),
    "length that is none": STATUS_200 + field(b"content-length", b"+1"),
    "length without body": STATUS_200 + field(b"content-length", b"5"),
}


def test_malformed_heads_are_502_and_leave_the_connection(start, h2_origin):
    blocks = list(MALFORMED.items())

    def answer(stream):
        path = stream.header(":path")
        if path == "/good":
            return stream.respond()
        stream.raw(frame(1, 0x5, stream.number, blocks[int(path[1:])][1]))

    origin = h2_origin(answer)
    proxy = start(routes(app=[origin.url]), workers=1)

    for number, (name, _) in enumerate(blocks):
        answer = proxy.ask(f"/{number}", host="app")
        assert answer.status == 502, name
        assert answer.header("Set-Cookie") is None
    assert proxy.ask("/good", host="app").status == 200


@pytest.mark.parametrize(("length", "body"), [(3, b"longer"), (30, b"short")])
def test_a_body_of_another_length_is_cut_visibly(start, h2_origin, length, body):
    def answer(stream):
        stream.head(200, [("content-length", str(length))])
        stream.raw(frame(0, 1, stream.number, body))

    proxy = start(routes(app=[h2_origin(answer).url]))

    with pytest.raises(Closed):
        answer = proxy.ask(host="app")
        if answer.status == 502:
            raise Closed(b"")
    wait_for(lambda: reasons(proxy), 30, "the access log tells of it")
    assert reasons(proxy)[0].endswith("the body has not the length of content-length")


def reasons(proxy):
    return [line.get("Reason", "") for line in proxy.access_log()]


MISTAKES = {
    "no status": (frame(1, 0x5, 1, field(b"x-a", b"b")), "a head without :status"),
    "length without body": (frame(1, 0x5, 1, MALFORMED["length without body"]),
                            "the body has not the length of content-length"),
    "interim head at the end": (frame(1, 0x5, 1, field(b":status", b"103")), "it ended with an interim head"),
    "trailers that end nothing": (frame(1, 0x4, 1, STATUS_200) + frame(1, 0x4, 1, field(b"x-a", b"b")),
                                  "trailers that do not end the answer"),
    "body before the head": (frame(0, 0x1, 1, b"x"), "PROTOCOL_ERROR: DATA: "),
    "reset": (frame(3, 0, 1, struct.pack(">I", 1)), "the stream ended with PROTOCOL_ERROR"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_what_a_server_did_wrong_is_told(start, h2_origin, name):
    sent, reason = MISTAKES[name]
    proxy = start(routes(app=[h2_origin(lambda stream: stream.raw(sent)).url]), workers=1)

    with contextlib.suppress(Closed):
        assert proxy.ask(host="app").status == 502
    wait_for(lambda: reasons(proxy), 30, "the access log tells of it")
    assert reason in reasons(proxy)[0]


FLOODS = {
    "pings": frame(6, 0, 0, b"12345678") * 200,
    "settings": frame(4, 0, 0) * 200,
    "empty data": None,
    "priority": frame(2, 0, 1, struct.pack(">IB", 3, 1)) * 200,
    "unknown frames": frame(0xbe, 0, 0, b"x") * 200,
    "interim responses": None,
    "continuations": None,
}


@pytest.mark.parametrize("kind", FLOODS)
def test_floods_end_the_connection(start, h2_origin, kind):
    def answer(stream):
        part = FLOODS[kind]
        if kind == "empty data":
            stream.head(200)
            part = frame(0, 0, stream.number) * 200
        elif kind == "interim responses":
            part = frame(1, 0x4, stream.number, field(b":status", b"103")) * 200
        elif kind == "continuations":
            stream.raw(frame(1, 0, stream.number, STATUS_200))
            part = frame(9, 0, stream.number, field(b"x", b"y")) * 20
        for _ in range(2000):
            stream.raw(part)

    origin = h2_origin(answer)
    proxy = start(routes(app=[origin.url]))

    if kind == "empty data":
        with pytest.raises(Closed):
            proxy.ask(host="app")
    else:
        assert proxy.ask(host="app", method="POST").status == 502
    wait_for(lambda: origin.connections[0].gone or origin.streams[0].over.is_set(), 10, "the flood ends")
    assert proxy.process.poll() is None


def test_a_push_is_refused(start, h2_origin):
    def answer(stream):
        stream.raw(frame(5, 4, stream.number, struct.pack(">I", 2) + b"\x82\x84\x86" + field(b":authority", b"app")))

    proxy = start(routes(app=[h2_origin(answer).url]))
    assert proxy.ask(host="app").status == 502


def test_an_enormous_head_is_502(start, h2_origin):
    origin = h2_origin(lambda s: s.respond(headers=[(f"x-{i}", "y" * 4000) for i in range(100)]))
    proxy = start(routes(app=[origin.url]))
    assert proxy.ask(host="app").status == 502


def test_a_server_that_speaks_http1_is_named(start, origin):
    proxy = start(routes(app=[origin.url.replace("http://", "h2c://")]))
    assert proxy.ask(host="app", method="POST").status == 502
    origin.violations.clear()  # the preface is no HTTP/1.1


def test_garbage_is_502(start, h2_origin):
    for garbage in (b"\x00" * 100, b"\xff" * 5000, frame(0, 0, 1, b"x"), frame(1, 5, 1, b"\xff\xff\xff"),
                    frame(3, 0, 1, b"\0"), frame(8, 0, 0, b"\0\0\0\0")):
        origin = h2_origin(lambda s, bytes=garbage: s.raw(bytes))
        proxy = start(routes(app=[origin.url]))
        assert proxy.ask(host="app", method="POST").status == 502, garbage[:20]
        origin.violations.clear()
