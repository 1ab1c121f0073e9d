"""Resets that arrive together with bytes: what came before them counts, and nobody waits or takes it for a whole."""

import socket
import ssl
import struct

import pytest
from support.certificates import make
from support.fairlead import Fairlead, routes
from support.h2_origin import frame
from support.ports import wait_for
from support.raw import RawClient
from support.tcp_server import TcpServer, tcp

TIMES = 20  # each is a race between the bytes and the reset
UPGRADE = ("GET /chat HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
SETTINGS, HEADERS, DATA = 0x4, 0x1, 0x0
ACK, END_STREAM, END_HEADERS = 0x1, 0x1, 0x4
STATUS_200 = b"\x88"  # RFC 7541 §6.1, entry 8 of the static table


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def head_of(connection):
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65536)
        if not part:
            raise ConnectionError
        received += part
    return received.partition(b"\r\n\r\n")


def says_and_resets(connection):
    """TCP: after the client's first bytes."""
    connection.recv(65536)
    connection.sendall(b"y" * 1000)
    reset(connection)


def until_close(connection):
    """HTTP/1.1: an answer without a length, cut by a reset."""
    head_of(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"y" * 5000)
    reset(connection)


def switches_and_resets(connection):
    head_of(connection)
    connection.sendall(SWITCHED)
    connection.recv(65536)
    connection.sendall(b"y" * 1000)
    reset(connection)


def hears_to_the_end(connection):
    """A tunnel that answers only when the client has ended its direction, with all that came."""
    _, _, heard = head_of(connection)
    connection.sendall(SWITCHED)
    while part := connection.recv(65536):
        heard += part
    connection.sendall(b"heard " + heard)


def complete_h2_answer(connection):
    """h2c: a whole answer, and then the reset that closing over unread frames is."""
    received = b""
    while b"\x00\x00\x00\x01" not in received[24 + 9:]:  # a frame of stream 1
        received += connection.recv(65536)
    connection.sendall(frame(SETTINGS, 0, 0) + frame(SETTINGS, ACK, 0) + frame(HEADERS, END_HEADERS, 1, STATUS_200)
                       + frame(DATA, END_STREAM, 1, b"complete"))
    reset(connection)


@pytest.fixture(scope="module")
def proxy():
    with TcpServer(says_and_resets) as cuts, TcpServer() as echo, TcpServer(until_close) as close, \
            TcpServer(switches_and_resets) as switch, TcpServer(hears_to_the_end) as hear, \
            TcpServer(complete_h2_answer) as whole:
        services = {"close": f"http://{close.address}", "switch": f"http://{switch.address}",
                    "hear": f"http://{hear.address}", "whole": f"h2c://{whole.address}"}
        dynamic = {
            "http": {
                "routers": {name: {"rule": f"Host(`{name}`)", "service": name, "entryPoints": ["web"]} for name in services},
                "services": {name: {"loadBalancer": {"servers": [{"url": url}]}} for name, url in services.items()},
            },
            **tcp({name: ("HostSNI(`*`)", name, {"entryPoints": [name]}) for name in ("cuts", "echo")},
                  {"cuts": [cuts.address], "echo": [echo.address]}),
        }
        with Fairlead(dynamic, entry_points=("web", "cuts", "echo")) as running:
            running.echo_server = echo
            yield running


def test_a_client_of_a_tcp_route_that_resets_after_bytes_leaves_nothing_behind(proxy):
    for _ in range(TIMES):
        client = socket.create_connection(("127.0.0.1", proxy.port("echo")), 60)
        client.sendall(b"hello")
        assert client.recv(64)
        client.sendall(b"z" * 100)
        reset(client)

    wait_for(lambda: proxy.echo_server.open == 0, what="the end of the connections to the server")


def test_a_server_of_a_tcp_route_that_resets_after_bytes_ends_the_client(proxy):
    for _ in range(TIMES):
        with RawClient(proxy.port("cuts")) as client:
            client.send(b"hello")
            assert client.read_all() == b"y" * 1000


def test_an_answer_until_the_end_of_the_connection_that_is_reset_looks_incomplete(proxy):
    for _ in range(TIMES):
        with RawClient(proxy.port()) as client:
            client.send(b"GET / HTTP/1.1\r\nHost: close\r\n\r\n")
            received = client.read_all()
        assert b" 502 " in received or (b" 200 OK" in received and not received.endswith(b"\r\n0\r\n\r\n")), received[-40:]


def test_a_tunnel_whose_server_resets_after_bytes_ends(proxy):
    for _ in range(TIMES):
        with RawClient(proxy.port()) as client:
            client.send(UPGRADE.format("switch").encode())
            assert client.read_answer().status == 101
            client.send(b"go")
            client.read_all()


@pytest.mark.parametrize("bytes_before", [0, 10, 15_000, 100_000])
def test_the_end_of_the_clients_direction_of_a_tunnel_follows_its_last_bytes(proxy, bytes_before):
    sent = b"z" * bytes_before
    for _ in range(TIMES):
        with RawClient(proxy.port()) as client:
            client.send(UPGRADE.format("hear").encode())
            assert client.read_answer().status == 101
            client.send(sent)
            client.finish_sending()
            assert client.read_all() == b"heard " + sent


def test_a_whole_answer_over_http2_counts_though_a_reset_follows(proxy):
    answers = [proxy.ask(host="whole") for _ in range(TIMES)]

    assert [(answer.status, answer.body) for answer in answers] == [(200, b"complete")] * TIMES


def says_over_tls(context, end):
    """A server of https whose answer has no length. `end`(connection, record) sends the last record and ends."""

    def serve(connection):
        come, leave = ssl.MemoryBIO(), ssl.MemoryBIO()
        secure = context.wrap_bio(come, leave, server_side=True)

        def until(step):
            while True:
                try:
                    return step()
                except ssl.SSLWantReadError:
                    connection.sendall(leave.read())
                    come.write(connection.recv(65536))

        until(secure.do_handshake)
        until(lambda: secure.read(65536))
        secure.write(b"HTTP/1.1 200 OK\r\n\r\n" + b"y" * 5000)
        end(connection, leave.read())

    return serve


def ends_without_goodbye(connection, record):
    connection.sendall(record)


def ends_within_a_record(connection, record):
    connection.sendall(record[:-7])


def resets(connection, record):
    connection.sendall(record)
    reset(connection)


@pytest.mark.parametrize(("end", "whole"), [(ends_without_goodbye, True), (ends_within_a_record, False), (resets, False)])
def test_a_server_that_ends_tls_without_goodbye_has_ended_but_not_within_a_record_and_not_by_a_reset(
        start, tmp_path, end, whole):
    context = make(tmp_path, "server", ["IP:127.0.0.1"]).server_context()
    with TcpServer(says_over_tls(context, end)) as server:
        dynamic = routes(app=[f"https://{server.address}"])
        dynamic["http"]["services"]["app"]["loadBalancer"]["serversTransport"] = "any"
        dynamic["http"]["serversTransports"] = {"any": {"insecureSkipVerify": True}}
        proxy = start(dynamic)
        for _ in range(TIMES):
            with RawClient(proxy.port()) as client:
                client.send(b"GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n")
                received = client.read_all()
            assert (b" 200 OK" in received and received.endswith(b"\r\n0\r\n\r\n")) == whole, received[-40:]
