"""The PROXY protocol: taken from proxies before us, and told to servers behind us."""

import socket
import ssl
import struct
import threading
import time

import pytest
from support.certificates import make
from support.fairlead import routes
from support.ports import wait_for
from support.raw import Closed, RawClient, ask

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
V1 = b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n"


def v2(source="192.0.2.1", destination="198.51.100.2", ports=(56324, 443), tlvs=b"", command=0x21, family=None):
    six = ":" in source
    kind = socket.AF_INET6 if six else socket.AF_INET
    body = socket.inet_pton(kind, source) + socket.inet_pton(kind, destination) + struct.pack(">HH", *ports) + tlvs
    return SIGNATURE + bytes([command, family or (0x21 if six else 0x11)]) + struct.pack(">H", len(body)) + body


@pytest.fixture
def trusting(start, origin):
    """Fairlead with Host(`app`) to `origin`, whose entry point trusts 127.0.0.1."""

    def begin(dynamic=None, trusted=("127.0.0.1",), **more):
        settings = {"proxyProtocol": {"trustedIPs": list(trusted)} if trusted else {"insecure": True}, **more}
        return start(dynamic or routes(app=[origin.url]), install={"entryPoints": {"web": settings}})

    return begin


def sent(proxy, header, pause=None):
    """The answer to GET / behind `header`."""
    with RawClient(proxy.port()) as client:
        client.send(header)
        if pause:
            time.sleep(pause)
        return client.ask(host="app")


# ---- from proxies before us


@pytest.mark.parametrize("header, client", [
    (V1, "192.0.2.1"),
    (b"PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n", "2001:db8::1"),
    (v2(), "192.0.2.1"),
    (v2("2001:db8::1", "2001:db8::2"), "2001:db8::1"),
    (v2("::ffff:192.0.2.7", "::1"), "192.0.2.7"),
    (v2(tlvs=b"\x02\x00\x07app.net" + b"\x20\x00\x05\x01\x00\x00\x00\x00" + b"\xea\x00\x00"), "192.0.2.1"),
    (v2(tlvs=b"\x04\x0f\xd0" + bytes(0xfd0)), "192.0.2.1"),  # 4,079 bytes in all
], ids=["v1", "v1-tcp6", "v2", "v2-inet6", "v2-mapped", "v2-tlvs", "v2-long"])
def test_the_client_is_the_one_that_a_trusted_proxy_names(trusting, origin, header, client):
    proxy = trusting()

    assert sent(proxy, header).status == 200

    assert origin.last().header("X-Forwarded-For") == client
    assert origin.last().header("X-Real-Ip") == client
    line = wait_for(proxy.access_log, 5, "the line is written")[-1]
    assert line["ClientHost"] == client


@pytest.mark.parametrize("header", [
    b"PROXY UNKNOWN\r\n", b"PROXY UNKNOWN whatever else\r\n", v2(command=0x20), SIGNATURE + b"\x20\0\0\0",
    SIGNATURE + b"\x21\0\0\x03abc", SIGNATURE + b"\x21\x31\0\xd8" + bytes(216), v2(family=0x12),
], ids=["unknown", "unknown-more", "local", "local-empty", "unspecified", "unix", "datagram"])
def test_a_header_that_names_nobody_leaves_the_peer(trusting, origin, header):
    proxy = trusting()

    assert sent(proxy, header).status == 200

    assert origin.last().header("X-Forwarded-For") == "127.0.0.1"


def test_a_trusted_peer_may_come_without_a_header(trusting, origin):
    proxy = trusting()

    assert proxy.ask(host="app").status == 200

    assert origin.last().header("X-Forwarded-For") == "127.0.0.1"


@pytest.mark.parametrize("header", [V1, v2()], ids=["v1", "v2"])
def test_the_header_of_others_is_read_and_ignored(trusting, origin, header):
    proxy = trusting(trusted=["10.0.0.0/8", "::/0"])  # ::/0 is no IPv4

    assert sent(proxy, header).status == 200

    assert origin.last().header("X-Forwarded-For") == "127.0.0.1"


def test_insecure_trusts_everyone(trusting, origin):
    proxy = trusting(trusted=None)

    assert sent(proxy, V1).status == 200

    assert origin.last().header("X-Forwarded-For") == "192.0.2.1"


def test_without_the_option_a_header_is_no_http(start, origin):
    proxy = start(routes(app=[origin.url]))

    with RawClient(proxy.port()) as client:
        client.send(V1 + b"GET / HTTP/1.1\r\nHost: app\r\n\r\n")
        assert client.read_answer().status == 400

    assert origin.requests == []


@pytest.mark.parametrize("header", [
    b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\n",
    b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 65536\r\n",
    b"PROXY TCP4 192.0.2.1 198.51.100.2 56324\r\n",
    b"PROXY  TCP4 192.0.2.1 198.51.100.2 56324 443\r\n",
    b"PROXY TCP6 192.0.2.1 198.51.100.2 56324 443\r\n",
    b"PROXY UNKNOWN " + b"x" * 200 + b"\r\n",
    SIGNATURE + b"\x11\x11\0\x0c" + bytes(12),
    SIGNATURE + b"\x22\x11\0\x0c" + bytes(12),
    SIGNATURE + b"\x21\x11\0\x0b" + bytes(11),
    SIGNATURE + b"\x21\x41\0\x0c" + bytes(12),
    SIGNATURE + b"\x21\x11\xff\xff" + bytes(12),
    v2(tlvs=b"\x02\xff\xff"),
    v2(tlvs=b"\x02\x00"),
])
def test_a_malformed_header_closes_the_connection(trusting, origin, header):
    proxy = trusting()

    with RawClient(proxy.port()) as client:
        client.send(header + b"GET / HTTP/1.1\r\nHost: app\r\n\r\n")  # in one piece: it is reset
        with pytest.raises(Closed) as closed:
            client.read_answer()

    assert closed.value.received == b""
    assert origin.requests == []
    wait_for(lambda: "malformed PROXY header" in proxy.log(), 5, "it is said")


@pytest.mark.parametrize("header", [V1, v2(tlvs=b"\x04\x00\x03abc")], ids=["v1", "v2"])
def test_a_header_may_come_byte_by_byte(trusting, origin, header):
    proxy = trusting()

    with RawClient(proxy.port()) as client:
        for byte in header:
            client.send(bytes([byte]))
            time.sleep(0.001)
        assert client.ask(host="app").status == 200

    assert origin.last().header("X-Forwarded-For") == "192.0.2.1"


def test_a_header_that_is_never_finished_ends_in_time(trusting):
    proxy = trusting(transport={"respondingTimeouts": {"readTimeout": "1s"}})

    begun = time.monotonic()
    with RawClient(proxy.port()) as client:
        client.send(V1[:20])
        assert client.is_closed()

    assert time.monotonic() - begun > 0.5
    wait_for(lambda: "the PROXY header was not complete in time" in proxy.log(), 5, "it is said")


def test_every_request_of_a_connection_is_of_the_same_client(trusting, origin):
    proxy = trusting()

    with RawClient(proxy.port()) as client:
        client.send(V1)
        for _ in range(3):
            assert client.ask(host="app").status == 200

    assert [request.header("X-Forwarded-For") for request in origin.requests] == ["192.0.2.1"] * 3


def test_a_second_header_is_no_header(trusting, origin):
    proxy = trusting()

    with RawClient(proxy.port()) as client:
        client.send(V1 + V1 + b"GET / HTTP/1.1\r\nHost: app\r\n\r\n")
        assert client.read_answer().status == 400

    assert origin.requests == []


def test_allow_lists_see_the_client(trusting, origin):
    dynamic = routes(app=[origin.url])
    dynamic["http"]["routers"]["app"]["middlewares"] = ["list"]
    dynamic["http"]["middlewares"] = {"list": {"ipAllowList": {"sourceRange": ["192.0.2.0/24"]}}}
    proxy = trusting(dynamic)

    assert sent(proxy, V1).status == 200
    assert sent(proxy, v2("203.0.113.9", "198.51.100.2")).status == 403
    assert proxy.ask(host="app").status == 403


def test_rules_see_the_client(trusting, origin):
    dynamic = routes(app=[origin.url])
    dynamic["http"]["routers"]["app"]["rule"] = "ClientIP(`192.0.2.0/24`)"
    proxy = trusting(dynamic)

    assert sent(proxy, V1).status == 200
    assert proxy.ask(host="app").status == 404


@pytest.mark.parametrize("pause", [None, 0.1])
def test_the_header_comes_before_tls(trusting, origin, tmp_path, pause):
    dynamic = routes(app=[origin.url])
    dynamic["http"]["routers"]["app"]["tls"] = {}
    proxy = trusting(dynamic)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    with RawClient(proxy.port()) as client:
        client.send(v2())
        if pause:
            time.sleep(pause)
        client.socket = context.wrap_socket(client.socket, server_hostname="app")
        assert client.ask(host="app").status == 200

    assert origin.last().header("X-Forwarded-For") == "192.0.2.1"
    assert origin.last().header("X-Forwarded-Proto") == "https"


def test_a_probe_that_only_sends_a_header_is_no_error(trusting):
    proxy = trusting()

    with RawClient(proxy.port()) as client:
        client.send(b"PROXY UNKNOWN\r\n")

    assert proxy.ask(host="app").status == 200
    assert "malformed" not in proxy.log()


# ---- to servers behind us


class Announced:
    """A server that demands a PROXY header on every connection. `seen`: header and number of requests of each."""

    def __init__(self, tls=None):
        self.seen = []
        self.tls = tls
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}"

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _exactly(self, connection, count):
        got = b""
        while len(got) < count:
            more = connection.recv(count - len(got))
            if not more:
                raise OSError("closed")
            got += more
        return got

    def _header(self, connection):
        begin = self._exactly(connection, 12)
        if begin == SIGNATURE:
            head = self._exactly(connection, 4)
            return begin + head + self._exactly(connection, struct.unpack(">H", head[2:])[0])
        while not begin.endswith(b"\r\n"):
            begin += self._exactly(connection, 1)
        return begin

    def _serve(self, connection):
        try:
            entry = [self._header(connection), 0]
            self.seen.append(entry)
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            while True:
                request = b""
                while not request.endswith(b"\r\n\r\n"):
                    request += self._exactly(connection, 1)
                entry[1] += 1
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        except OSError:
            connection.close()


@pytest.fixture
def announced():
    server = Announced()
    yield server
    server.stop()


def announcing(server, version, **transport):
    dynamic = routes(app=[server.url])
    dynamic["http"]["services"]["app"]["loadBalancer"]["serversTransport"] = "told"
    dynamic["http"]["serversTransports"] = {"told": {"proxyProtocol": {"version": version} if version else {}, **transport}}
    return dynamic


def test_servers_hear_of_the_client_by_version_1(start, announced):
    proxy = start(announcing(announced, 1))

    with RawClient(proxy.port()) as client:
        port = client.socket.getsockname()[1]
        assert client.ask(host="app").status == 200

    assert announced.seen[0][0] == f"PROXY TCP4 127.0.0.1 127.0.0.1 {port} {proxy.port()}\r\n".encode()


def test_servers_hear_of_the_client_by_version_2_which_is_the_default(start, announced):
    proxy = start(announcing(announced, None))

    with RawClient(proxy.port()) as client:
        port = client.socket.getsockname()[1]
        assert client.ask(host="app").status == 200

    assert announced.seen[0][0] == v2("127.0.0.1", "127.0.0.1", (port, proxy.port()))


def test_what_one_proxy_told_us_is_told_on(trusting, announced):
    proxy = trusting(announcing(announced, 1))

    assert sent(proxy, v2("2001:db8::1", "2001:db8::2", (1, 2))).status == 200

    assert announced.seen[0][0] == b"PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n"


def test_a_connection_that_names_a_client_carries_nobody_else(start, announced):
    proxy = start(announcing(announced, 2))

    for _ in range(4):
        assert proxy.ask(host="app").status == 200

    assert [requests for _, requests in announced.seen] == [1] * 4
    assert len({header for header, _ in announced.seen}) == 4


def test_the_header_comes_before_tls_to_the_server(start, tmp_path):
    server = Announced(make(tmp_path, "server", ["IP:127.0.0.1"]).server_context())
    proxy = start(announcing(server, 2, insecureSkipVerify=True))

    assert proxy.ask(host="app").status == 200

    assert server.seen[0][0].startswith(SIGNATURE + b"\x21\x11")
    server.stop()


def test_health_checks_speak_for_themselves(start, announced):
    dynamic = announcing(announced, 2)
    dynamic["http"]["services"]["app"]["loadBalancer"]["healthCheck"] = {"path": "/", "interval": "100ms"}
    proxy = start(dynamic)

    wait_for(lambda: announced.seen, 10, "a check comes")

    assert announced.seen[0][0] == SIGNATURE + b"\x20\0\0\0"
    assert ask(proxy.port(), host="app").status == 200
