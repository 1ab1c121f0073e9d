"""TCP routers, services and middlewares from outside: who gets a connection, and what happens to its bytes."""

import contextlib
import hashlib
import os
import socket
import ssl
import struct
import time

import pytest
from support.certificates import TlsClient, make
from support.fairlead import routes
from support.labels import LabelledEngine
from support.origin import Origin
from support.ports import connections_to, free_port, wait_for
from support.raw import Closed, RawClient, ask
from support.tcp_server import TcpServer, balancer, echo, name, server_context, tcp

ANY = "HostSNI(`*`)"


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tcp-pki")

    class Pki:
        ca = make(folder, "ca", ca=True)
        db = make(folder, "db", ["DNS:db.example", "DNS:*.pool.example"], ca)
        server = make(folder, "server", ["DNS:inner.example", "IP:127.0.0.1"], ca)
        client = make(folder, "client", issuer=ca, subject="/CN=proxy")

    return Pki


@pytest.fixture
def server():
    """server(serve, …) → a TcpServer, closed after the test."""
    made = []

    def begin(serve=echo, **options):
        made.append(TcpServer(serve, **options))
        return made[-1]

    yield begin
    for one in made:
        one.close()


def tls_connect(port, server_name, protocols=(), authority=None, timeout=60):
    return TlsClient(port, server_name, authority, protocols=protocols, timeout=timeout)


def says(client, word):
    """Whether the server behind `client` introduces itself so."""
    return client.read_until(b"\n") == word.encode()


# ---- which router


def test_carries_bytes_both_ways(start, server):
    proxy = start(tcp({"any": (ANY, "echo", None)}, {"echo": [server().address]}))

    with RawClient(proxy.port()) as client:
        for size in (1, 100, 70_000):
            data = os.urandom(size)
            client.send(data)
            assert client.read_exactly(size) == data


def test_a_server_that_speaks_first_is_not_kept_waiting(start, server):
    proxy = start(tcp({"any": (ANY, "greeter", None)}, {"greeter": [server(name("hello")).address]}))

    with RawClient(proxy.port()) as client:
        assert says(client, "hello")


def test_client_ip_chooses_between_plain_routers(start, server):
    proxy = start(tcp({"home": ("ClientIP(`127.0.0.0/30`)", "home", {"priority": 10}),
                       "else": (ANY, "else", None)},
                      {"home": [server(name("home")).address], "else": [server(name("else")).address]}))

    with RawClient(proxy.port(), source="127.0.0.1") as near, RawClient(proxy.port(), source="127.0.0.9") as far:
        assert says(near, "home") and says(far, "else")


def test_names_choose_between_tls_routers(start, server, pki):
    rules = {
        "exact": "HostSNI(`db.example`)",
        "wild": "HostSNI(`*.pool.example`)",
        "regexp": "HostSNIRegexp(`^shard[0-9]+\\.example$`)",
        "both": "HostSNI(`a.example`) && ClientIP(`127.0.0.7`) || HostSNI(`b.example`)",
        "mqtt": "ALPN(`mqtt`)",
        "not": "HostSNI(`not.example`) && !ClientIP(`127.0.0.7`)",
        "any": ANY,
    }
    config = tcp({key: (rule, key, {"tls": {}}) for key, rule in rules.items()},
                 {key: [server(name(key)).address] for key in rules},
                 tls={"options": {"default": {"alpnProtocols": ["mqtt", "x"]}}})
    proxy = start(config)

    def taker(server_name, source=None, protocols=()):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if protocols:
            context.set_alpn_protocols(list(protocols))
        raw = socket.create_connection(("127.0.0.1", proxy.port()), 60, source_address=source and (source, 0))
        with context.wrap_socket(raw, server_hostname=server_name) as secured:
            return secured.makefile("rb").readline().strip().decode()

    assert taker("DB.example") == "exact"
    assert taker("eu.pool.example") == "wild"
    assert taker("a.b.pool.example") == "any"
    assert taker("shard12.example") == "regexp"
    assert taker("a.example") == "any"
    assert taker("a.example", "127.0.0.7") == "both"
    assert taker("b.example") == "both"
    assert taker("zzz.example", protocols=["mqtt"]) == "mqtt"
    assert taker("not.example") == "not"
    assert taker("not.example", "127.0.0.7") == "any"
    assert taker(None) == "any"


def test_the_old_rule_language_works_where_it_is_asked_for(start, server):
    config = tcp({"old": ("HostSNI(`a.example`, `b.example`)", "old", {"tls": {}, "ruleSyntax": "v2"}),
                  "any": (ANY, "any", {"tls": {}})},
                 {"old": [server(name("old")).address], "any": [server(name("any")).address]})
    proxy = start(config)

    for server_name, word in (("b.example", "old"), ("c.example", "any")):
        with tls_connect(proxy.port(), server_name) as client:
            assert says(client, word)


def test_priorities_decide_and_a_catch_all_comes_last(start, server):
    config = tcp({"low": ("HostSNI(`db.example`) || HostSNI(`never.example`)", "low", {"tls": {}, "priority": 1}),
                  "high": ("HostSNI(`db.example`)", "high", {"tls": {}, "priority": 2}),
                  "any": (ANY, "any", {"tls": {}})},
                 {key: [server(name(key)).address] for key in ("low", "high", "any")})
    proxy = start(config)

    with tls_connect(proxy.port(), "db.example") as client:
        assert says(client, "high")
    with tls_connect(proxy.port(), "never.example") as client:
        assert says(client, "low")


def test_all_kinds_of_router_share_one_entry_point(start, server, pki):
    with Origin() as web:
        http = {
            "routers": {
                "plain": {"rule": "Host(`plain`)", "service": "web"},
                "named": {"rule": "Host(`both.example`) || Host(`web.example`)", "service": "web", "tls": {}},
            },
            "services": {"web": {"loadBalancer": {"servers": [{"url": web.url}]}}},
        }
        services = {key: [server(name(key)).address] for key in ("shared", "own", "any")}
        routers = {"shared": ("HostSNI(`both.example`)", "shared", {"tls": {}}),
                   "own": ("HostSNI(`db.example`)", "own", {"tls": {}}),
                   "any": (ANY, "any", {"tls": {}})}
        proxy = start(tcp(routers, services, http))

        assert proxy.ask(host="plain").status == 200
        with tls_connect(proxy.port(), "both.example") as client:  # HTTPS by name comes first
            assert client.ask(host="both.example").status == 200
        with tls_connect(proxy.port(), "db.example") as client:
            assert says(client, "own")
        with tls_connect(proxy.port(), "unknown.example") as client:
            assert says(client, "any")

        # An HTTPS router without a name takes what no TCP router names, before HostSNI(`*`).
        http["routers"]["rest"] = {"rule": "PathPrefix(`/`)", "service": "web", "tls": {}}
        proxy.write_dynamic(tcp(routers, services, http))

        def rest_is_served():
            try:
                with tls_connect(proxy.port(), "unknown.example", timeout=10) as client:
                    return client.ask(host="unknown.example").status == 200
            except (OSError, Closed, ValueError, AssertionError):
                return False  # still the old router, which greets

        wait_for(rest_is_served, 15, "the HTTPS router takes the connection")
        with tls_connect(proxy.port(), "db.example") as client:
            assert says(client, "own")


def test_a_plain_tcp_router_comes_before_http_once_the_first_bytes_are_no_tls(start, server, pki):
    with Origin() as web:
        http = {"routers": {"https": {"rule": "Host(`web.example`)", "service": "web", "tls": {}}},
                "services": {"web": {"loadBalancer": {"servers": [{"url": web.url}]}}}}
        proxy = start(tcp({"any": (ANY, "echo", None)}, {"echo": [server().address]}, http))

        with RawClient(proxy.port()) as client:
            client.send(b"hello\n")
            assert client.read_exactly(6) == b"hello\n"
        with tls_connect(proxy.port(), "web.example") as client:
            assert client.ask(host="web.example").status == 200


def test_entry_points_name_who_serves_a_router(start, server):
    proxy = start(tcp({"one": (ANY, "one", {"entryPoints": ["db"]})}, {"one": [server(name("one")).address]}),
                  entry_points=("web", "db"))

    with RawClient(proxy.port("db")) as client:
        assert says(client, "one")
    assert proxy.ask(host="nowhere").status == 404


# ---- TLS


def test_tls_is_terminated_with_the_certificate_of_the_name(start, server, pki):
    backend = server(name("db"))
    proxy = start(tcp({"db": ("HostSNI(`db.example`)", "db", {"tls": {}})}, {"db": [backend.address]},
                      tls={"certificates": [pki.db.config]}))

    with tls_connect(proxy.port(), "db.example", authority=pki.ca) as client:
        assert says(client, "db")
        data = os.urandom(300_000)
        client.send(data)  # all of it fits into the buffers on its way
        assert client.read_exactly(len(data)) == data


def test_tls_is_passed_through_unopened(start, server, pki):
    names = []
    backend = server(name("inner"), tls=server_context(pki.server, names.append))
    proxy = start(tcp({"pass": ("HostSNI(`inner.example`)", "inner", {"tls": {"passthrough": True}})},
                      {"inner": [backend.address]}, tls={"certificates": [pki.db.config]}))

    with tls_connect(proxy.port(), "inner.example", authority=pki.ca) as client:
        assert says(client, "inner")
        assert "inner.example" in client.server()
    assert names == ["inner.example"]


def test_each_router_has_its_own_tls_options(start, server, pki):
    options = {"old": {"maxVersion": "VersionTLS12"},
               "mutual": {"clientAuth": {"caFiles": [str(pki.ca.cert)]}},
               "mqtt": {"alpnProtocols": ["mqtt"]}}
    proxy = start(tcp({key: (f"HostSNI(`{key}.example`)", key, {"tls": {"options": key}}) for key in options},
                      {key: [server(name(key)).address] for key in options}, tls={"options": options}))

    with tls_connect(proxy.port(), "old.example") as client:
        assert client.socket.version() == "TLSv1.2" and says(client, "old")
    with TlsClient(proxy.port(), "mutual.example", certificate=pki.client, protocols=()) as client:
        assert says(client, "mutual")
    with pytest.raises((ssl.SSLError, Closed, ConnectionError)):
        with tls_connect(proxy.port(), "mutual.example") as client:
            client.read_until(b"\n")
    with tls_connect(proxy.port(), "mqtt.example", protocols=["x", "mqtt"]) as client:
        assert client.socket.selected_alpn_protocol() == "mqtt" and says(client, "mqtt")


def test_tls_toward_servers_verifies_the_name_of_the_transport(start, server, pki):
    names = []
    backend = server(name("inner"), tls=server_context(pki.server, names.append))
    secured = {"address": backend.address, "tls": True}
    transports = {
        "right": {"tls": {"serverName": "inner.example", "rootCAs": [str(pki.ca.cert)]}},
        "address": {"tls": {"serverName": "127.0.0.1", "rootCAs": [str(pki.ca.cert)]}},
        "wrong": {"tls": {"serverName": "other.example", "rootCAs": [str(pki.ca.cert)]}},
        "blind": {"tls": {"insecureSkipVerify": True}},
        "nameless": {"tls": {"rootCAs": [str(pki.ca.cert)]}},
    }
    proxy = start(tcp({key: (ANY, key, {"entryPoints": [key]}) for key in transports},
                      {key: balancer(secured, serversTransport=key) for key in transports},
                      serversTransports=transports), entry_points=tuple(transports))

    for key in ("right", "address", "blind"):
        with RawClient(proxy.port(key)) as client:
            assert says(client, "inner"), key
    for key in ("wrong", "nameless"):
        with RawClient(proxy.port(key)) as client:
            assert client.is_closed(), key
    assert "inner.example" in names
    wait_for(lambda: "serverName" in proxy.log(), 5, "the log says why")


def test_a_container_whose_tls_fails_is_asked_once_and_waited_for_by_nobody(start, server, pki):
    unverified, plain = server(name("x"), tls=server_context(pki.server)), server(echo)
    transports = {"strict": {"tls": {"serverName": "other.example", "rootCAs": [str(pki.ca.cert)]}},
                  "blind": {"tls": {"insecureSkipVerify": True}}}
    with LabelledEngine() as engine:
        for key, backend, transport in (("a", unverified, "strict@file"), ("b", plain, "blind@file")):
            engine.put(key, backend.port, [
                f"tcp.routers.{key}.rule={ANY}",
                f"tcp.routers.{key}.entrypoints={key}",
                f"tcp.services.{key}.loadbalancer.server.port={backend.port}",
                f"tcp.services.{key}.loadbalancer.server.tls=true",
                f"tcp.services.{key}.loadbalancer.serverstransport={transport}"])
        proxy = start({"tcp": {"serversTransports": transports}}, engine.install, entry_points=("a", "b"))
        for key, backend in (("a", unverified), ("b", plain)):
            wait_for(lambda key=key: any(router["name"] == f"{key}@docker" for router in proxy.api("/api/tcp/routers")),
                     20, "the container")
            before = backend.accepted
            with RawClient(proxy.port(key)) as client:
                assert client.read_all() == b""
            assert backend.accepted - before == 1


def test_a_transport_shows_a_certificate_and_looks_for_names(start, server, pki):
    context = server_context(pki.server)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(str(pki.ca.cert))
    backend = server(name("inner"), tls=context)
    known = {"serverName": "inner.example", "rootCAs": [str(pki.ca.cert)]}
    mine = {**known, "certificates": [pki.client.config]}
    transports = {
        "mine": {"tls": mine},
        "anonymous": {"tls": known},
        "named": {"tls": {**mine, "peerCertSANs": [{"type": "DNSName", "value": "inner.example"}]}},
        "unnamed": {"tls": {**mine, "peerCertSANs": [{"type": "DNSName", "value": "else.example"}]}},
        "uri": {"tls": {**mine, "peerCertURI": "spiffe://else"}},
    }
    proxy = start(tcp({key: (ANY, key, {"entryPoints": [key]}) for key in transports},
                      {key: balancer({"address": backend.address, "tls": True}, serversTransport=key) for key in transports},
                      serversTransports=transports), entry_points=tuple(transports))

    for key in ("mine", "named"):
        with RawClient(proxy.port(key)) as client:
            assert says(client, "inner"), key
    for key in ("anonymous", "unnamed", "uri"):
        with RawClient(proxy.port(key)) as client:
            assert client.is_closed(), key


def test_an_authority_of_a_transport_that_is_spoilt_on_disk_keeps_what_it_said(start, server, pki, tmp_path):
    authority, other = tmp_path / "ca.pem", make(tmp_path, "other", ca=True)

    def write(text):
        beside = tmp_path / "ca.new"
        beside.write_text(text)
        beside.rename(authority)

    write(pki.ca.cert.read_text())
    backend = server(name("inner"), tls=server_context(pki.server))
    proxy = start(tcp({"any": (ANY, "db", None)},
                      {"db": balancer({"address": backend.address, "tls": True}, serversTransport="known")},
                      serversTransports={"known": {"tls": {"serverName": "inner.example", "rootCAs": [str(authority)]}}}))

    def is_served():
        with RawClient(proxy.port()) as client:
            try:
                return says(client, "inner")
            except Closed:
                return False

    assert is_served()
    write("no certificate")
    wait_for(lambda: "what the file said before is used" in proxy.log(), 15, "it is told")
    assert is_served()
    write(other.cert.read_text())
    wait_for(lambda: not is_served(), 15, "the new content counts")
    write(pki.ca.cert.read_text())
    wait_for(is_served, 15, "the good content counts again")


def test_a_server_that_does_not_answer_is_left_after_the_dial_timeout(start, server):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf:
        address = deaf.getsockname()
        waiting = []
        for _ in range(3):  # its queue is full: what comes then gets no answer
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(address)
            waiting.append(one)
        time.sleep(0.1)
        config = tcp({"any": (ANY, "db", None)},
                     {"db": balancer(f"127.0.0.1:{address[1]}", server(name("spare")).address, serversTransport="hasty")},
                     serversTransports={"hasty": {"dialTimeout": "1s"}})
        proxy = start(config, workers=1)

        took = []
        for _ in range(2):
            begun = time.monotonic()
            with RawClient(proxy.port()) as client:
                assert says(client, "spare")
            took.append(time.monotonic() - begun)
        assert 0.9 < max(took) < 25, "30 s are usual"
        for one in waiting:
            one.close()


def keep_alive_runs(port):
    """Whether the kernel probes connections to `port`: the timer of /proc/net/tcp is 02 then."""
    timers = [row[5].split(":")[0] for row in connections_to(port) if row[3] == "01"]
    assert timers, "there is a connection"
    return all(timer == "02" for timer in timers)


def test_connections_to_servers_are_probed_unless_that_is_off(start, server):
    backends = {"default": server(name("db")), "off": server(name("db"))}
    proxy = start(tcp({key: (ANY, key, {"entryPoints": [key]}) for key in backends},
                      {"default": balancer(backends["default"].address),
                       "off": balancer(backends["off"].address, serversTransport="off")},
                      serversTransports={"off": {"dialKeepAlive": "-1s"}}), entry_points=("default", "off"))

    with RawClient(proxy.port("default")) as probed, RawClient(proxy.port("off")) as silent:
        assert says(probed, "db") and says(silent, "db")
        assert keep_alive_runs(backends["default"].port)
        assert not keep_alive_runs(backends["off"].port)


def test_the_static_transport_counts_where_none_is_named(start, server, pki):
    backend = server(name("inner"), tls=server_context(pki.server))
    proxy = start(tcp({"any": (ANY, "inner", None)}, {"inner": balancer({"address": backend.address, "tls": True})}),
                  {"tcpServersTransport": {"tls": {"insecureSkipVerify": True}}})

    with RawClient(proxy.port()) as client:
        assert says(client, "inner")


# ---- servers


def test_servers_take_turns_and_one_that_refuses_is_passed_over(start, server):
    dead = f"127.0.0.1:{free_port()}"
    proxy = start(tcp({"any": (ANY, "db", None)},
                      {"db": [server(name("a")).address, dead, server(name("b")).address]}), workers=1)

    words = []
    for _ in range(6):
        with RawClient(proxy.port()) as client:
            words.append(client.read_until(b"\n"))
    assert words.count(b"a") >= 2 and words.count(b"b") >= 2


def test_without_any_server_the_connection_is_closed_and_the_log_says_why(start):
    dead = f"127.0.0.1:{free_port()}"
    proxy = start(tcp({"any": (ANY, "db", None)}, {"db": [dead]}))

    with RawClient(proxy.port()) as client:
        assert client.is_closed()
    wait_for(lambda: dead in proxy.log() and "any@file" in proxy.log(), 5, "the log names router and server")


def test_weighted_services_share_by_weight_and_skip_one_without_servers(start, server):
    services = {"a": [server(name("a")).address], "b": [server(name("b")).address],
                "gone": [f"127.0.0.1:{free_port()}"],
                "split": {"weighted": {"services": [{"name": "a", "weight": 3}, {"name": "b", "weight": 1}]}},
                "limp": {"weighted": {"services": [{"name": "gone"}, {"name": "b"}]}}}
    proxy = start(tcp({"split": (ANY, "split", {"entryPoints": ["web"]}), "limp": (ANY, "limp", {"entryPoints": ["db"]})},
                      services), entry_points=("web", "db"))

    def word(entry_point):
        with RawClient(proxy.port(entry_point)) as client:
            return client.read_until(b"\n").decode()

    words = [word("web") for _ in range(8)]
    assert (words.count("a"), words.count("b")) == (6, 2)
    assert {word("db") for _ in range(4)} == {"b"}


def test_a_name_is_looked_up(start, server):
    backend = server(name("local"))
    proxy = start(tcp({"any": (ANY, "db", None)}, {"db": [f"localhost:{backend.port}"]}))

    with RawClient(proxy.port()) as client:
        assert says(client, "local")


@pytest.mark.parametrize("check", [{}, {"send": "PING\n", "expect": "PONG"}])
def test_health_checks_take_servers_out_and_bring_them_back(start, server, check):
    well = {"answer": b"PONG" if check else None}

    def calls_itself(word, pong):
        def serve(connection):
            first = connection.recv(100)
            if first == b"PING\n":
                connection.sendall(pong())
                connection.recv(1)
            elif first:
                connection.sendall(word)

        return serve

    serve = calls_itself(b"sick\n", lambda: well["answer"])
    port = free_port()
    sick = server(serve, port=port)
    spare = server(calls_itself(b"spare\n", lambda: b"PONG"))
    health = {"interval": "100ms", "unhealthyInterval": "100ms", "timeout": "30s", "port": 0, **check}
    proxy = start(tcp({"any": (ANY, "db", None)},
                      {"db": balancer(sick.address, spare.address, healthCheck=health)}))

    def words(count=4):
        out = []
        for _ in range(count):
            with RawClient(proxy.port()) as client:
                client.send(b"?")
                out.append(client.read_until(b"\n"))
        return out

    def status():
        shown = proxy.api("/api/tcp/services/db@file")
        return shown["serverStatus"][sick.address]

    assert set(words()) == {b"sick", b"spare"}
    if check:
        well["answer"] = b"NOPE"
    else:
        sick.close()
    wait_for(lambda: status() == "DOWN", 15, "the check finds it")
    assert set(words()) == {b"spare"}
    if check:
        well["answer"] = b"PONG"
    else:
        server(serve, port=port)
    wait_for(lambda: status() == "UP", 15, "the check finds it well again")
    wait_for(lambda: b"sick" in words(), 5, "it is used again")
    wait_for(lambda: "is down: health check" in proxy.log() and "is up again" in proxy.log(), 5, "the log says so")


def test_a_health_check_that_gets_no_answer_in_time_fails(start, server):
    mute = server(lambda connection: connection.recv(1) and time.sleep(3))
    proxy = start(tcp({"any": (ANY, "db", None)}, {"db": balancer(
        mute.address, healthCheck={"send": "x", "expect": "y", "interval": "50ms", "timeout": "200ms"})}))

    wait_for(lambda: list(proxy.api("/api/tcp/services/db@file")["serverStatus"].values()) == ["DOWN"], 10, "it is out")
    with RawClient(proxy.port()) as client:
        assert client.is_closed()
    wait_for(lambda: "unhealthy for" in proxy.log(), 5, "the log says why")


def test_a_health_check_may_ask_another_port(start, server):
    asked = server()
    backend = server(name("db"))
    proxy = start(tcp({"any": (ANY, "db", None)},
                      {"db": balancer(backend.address, healthCheck={"interval": "50ms", "port": asked.port})}))

    wait_for(lambda: asked.accepted >= 2, 10, "the other port is asked")
    with RawClient(proxy.port()) as client:
        assert says(client, "db")


# ---- PROXY protocol


def proxy_v1(connection):
    """Echoes the first line, which is the header of version 1."""
    header = b""
    while not header.endswith(b"\n"):
        more = connection.recv(1)
        if not more:
            return
        header += more
    connection.sendall(header)
    echo(connection)


def proxy_v2(connection):
    head = b""
    while len(head) < 16:
        more = connection.recv(16 - len(head))
        if not more:
            return
        head += more
    rest = connection.recv(struct.unpack(">H", head[14:16])[0])
    source, target, source_port, target_port = struct.unpack(">4s4sHH", rest[:12])
    text = f"{head[:12].hex()} {socket.inet_ntoa(source)} {source_port} {socket.inet_ntoa(target)} {target_port}\n"
    connection.sendall(text.encode())
    echo(connection)


@pytest.mark.parametrize("way", ["service", "transport"])
def test_the_client_is_announced_by_the_proxy_protocol(start, server, way):
    one, two = server(proxy_v1), server(proxy_v2)
    if way == "service":
        services = {"one": balancer(one.address, proxyProtocol={"version": 1}),
                    "two": balancer(two.address, proxyProtocol={})}
        more = {}
    else:
        services = {"one": balancer(one.address, serversTransport="one"),
                    "two": balancer(two.address, serversTransport="two", proxyProtocol={"version": 1})}
        more = {"serversTransports": {"one": {"proxyProtocol": {"version": 1}}, "two": {"proxyProtocol": {"version": 2}}}}
    proxy = start(tcp({key: (ANY, key, {"entryPoints": [key]}) for key in services}, services, **more),
                  entry_points=("one", "two"))

    with RawClient(proxy.port("one")) as client:
        mine = client.socket.getsockname()[1]
        assert client.read_until(b"\r\n") == f"PROXY TCP4 127.0.0.1 127.0.0.1 {mine} {proxy.port('one')}".encode()
    with RawClient(proxy.port("two")) as client:
        mine = client.socket.getsockname()[1]
        assert client.read_until(b"\n").decode().split()[1:] == ["127.0.0.1", str(mine), "127.0.0.1", str(proxy.port("two"))]
        client.send(b"x")
        assert client.read_exactly(1) == b"x"


# ---- middlewares


def test_only_allowed_addresses_connect(start, server):
    asked = []

    def remembers(connection):
        connection.sendall(b"in\n")
        asked.append(connection.recv(100))

    backend = server(remembers)
    middlewares = {"lan": {"ipAllowList": {"sourceRange": ["127.0.0.0/30"]}},
                   "old": {"ipWhiteList": {"sourceRange": ["127.0.0.8/32"]}}}
    proxy = start(tcp({"lan": (ANY, "in", {"entryPoints": ["web"], "middlewares": ["lan"]}),
                       "old": (ANY, "in", {"entryPoints": ["db"], "middlewares": ["old"]})},
                      {"in": [backend.address]}, middlewares=middlewares), entry_points=("web", "db"))

    for entry_point, allowed, refused in (("web", "127.0.0.1", "127.0.0.5"), ("db", "127.0.0.8", "127.0.0.1")):
        with RawClient(proxy.port(entry_point), source=allowed) as client:
            client.send(allowed)
            assert says(client, "in")
        with RawClient(proxy.port(entry_point), source=refused) as client:
            with contextlib.suppress(ConnectionError):
                client.send(f"refused {refused}")
            assert client.is_closed()
    # Whoever asked whether the entry points are open said nothing.
    wait_for(lambda: [words for words in asked if words] == [b"127.0.0.1", b"127.0.0.8"], 5, "both were there, and nobody else")


def test_connections_of_one_client_are_limited(start, server):
    config = tcp({"any": (ANY, "in", {"middlewares": ["few"]})}, {"in": [server(name("in")).address]},
                 middlewares={"few": {"inFlightConn": {"amount": 2}}})
    proxy = start(config)

    def taken():
        client = RawClient(proxy.port())
        try:
            return says(client, "in") and client
        except Closed:  # the connection that waited for the port to open is not over yet
            client.close()
            return None

    first, second = wait_for(taken, 10, "a first connection"), wait_for(taken, 10, "a second connection")
    with RawClient(proxy.port()) as third:
        assert third.is_closed()
    with RawClient(proxy.port(), source="127.0.0.5") as other:
        assert says(other, "in")
    first.close()
    wait_for(taken, 10, "a place is free again").close()
    second.close()


def test_a_router_with_a_broken_middleware_closes_its_connections_and_tells(start, server):
    backend = server(name("in"))
    proxy = start(tcp({"any": (ANY, "in", {"middlewares": ["bad"]})}, {"in": [backend.address]},
                      middlewares={"bad": {"ipAllowList": {"sourceRange": ["300.1.1.1"]}}}))

    with RawClient(proxy.port()) as client:
        assert client.is_closed()
    assert backend.accepted == 0
    shown = proxy.api("/api/tcp/routers/any@file")
    assert shown["status"] == "disabled" and "bad" in shown["error"][0]


# ---- ends


def test_the_end_of_one_direction_is_passed_on_and_the_other_goes_on(start, server):
    def answer_after_the_end(connection):
        asked = b""
        while data := connection.recv(65536):
            asked += data
        time.sleep(0.3)
        connection.sendall(b"got " + str(len(asked)).encode())

    def end_first(connection):
        connection.sendall(b"bye")
        connection.shutdown(socket.SHUT_WR)
        received.append(connection.makefile("rb").read())

    received = []
    services = {"after": balancer(server(answer_after_the_end).address, serversTransport="patient"),
                "first": balancer(server(end_first).address, serversTransport="patient")}
    proxy = start(tcp({key: (ANY, key, {"entryPoints": [key]}) for key in services}, services,
                      serversTransports={"patient": {"terminationDelay": "-1s"}}), entry_points=("after", "first"))

    with RawClient(proxy.port("after")) as client:
        client.send(b"x" * 5000)
        client.finish_sending()
        assert client.read_all() == b"got 5000"
    with RawClient(proxy.port("first")) as client:
        assert client.read_all() == b"bye"
        time.sleep(0.3)
        client.send(b"still here")
        client.finish_sending()
        wait_for(lambda: b"still here" in received, 5, "the server reads on")


def test_a_server_that_ends_its_direction_without_a_goodbye_of_tls_still_hears_the_client(start, server, pki):
    heard = []

    def serve(connection):
        connection.sendall(b"bye")
        socket.socket.shutdown(connection, socket.SHUT_WR)  # of TCP alone: no close_notify
        said = b""
        while data := connection.recv(65536):
            said += data
        heard.append(said)

    backend = server(serve, tls=server_context(pki.server))
    proxy = start(tcp({"any": (ANY, "db", None)},
                      {"db": balancer({"address": backend.address, "tls": True}, serversTransport="patient")},
                      serversTransports={"patient": {"terminationDelay": "-1s", "tls": {"insecureSkipVerify": True}}}))

    with RawClient(proxy.port()) as client:
        assert client.read_all() == b"bye"
        client.send(b"still here")
        client.finish_sending()
        wait_for(lambda: heard, 30, "the server has all of it")
    assert heard == [b"still here"]


def test_the_other_direction_is_cut_after_the_termination_delay(start, server):
    def drip(connection):
        connection.sendall(b"o")
        while connection.recv(1000):
            pass
        for _ in range(600):
            connection.sendall(b"x")
            time.sleep(0.1)

    backend = server(drip)
    services = {"short": balancer(backend.address, terminationDelay=300),
                "default": balancer(backend.address),
                "transport": balancer(backend.address, serversTransport="longer")}
    proxy = start(tcp({key: (ANY, key, {"entryPoints": [key]}) for key in services}, services,
                      serversTransports={"longer": {"terminationDelay": "2s"}}), entry_points=tuple(services))

    def lasts(key):
        with RawClient(proxy.port(key)) as client:
            assert client.read_exactly(1) == b"o"
            begun = time.monotonic()
            client.finish_sending()
            got = client.read_all()
            return time.monotonic() - begun, got

    for key, delay in (("short", 0.3), ("default", 0.1), ("transport", 2)):
        took, got = lasts(key)
        assert delay - 0.05 <= took < 40, key
        assert b"x" in got or delay < 2, key


def digest_of(client, size):
    """Of the next `size` bytes, which must be the last."""
    seen, left = hashlib.sha256(client.buffer), size - len(client.buffer)
    while data := client.socket.recv(1 << 20):
        seen.update(data)
        left -= len(data)
    assert left == 0
    return seen.digest()


def test_fifty_megabytes_arrive_whole_both_ways(start, server, pki):
    size = 50 * 1024 * 1024
    block = os.urandom(1024 * 1024)

    def sink_and_source(connection):
        seen = hashlib.sha256()
        while data := connection.recv(1 << 20):
            seen.update(data)
        connection.sendall(seen.digest())
        for _ in range(size // len(block)):
            connection.sendall(block)

    backend = server(sink_and_source)
    proxy = start(tcp({"plain": (ANY, "db", {"entryPoints": ["web"]}), "tls": (ANY, "db", {"entryPoints": ["db"], "tls": {}})},
                      {"db": balancer(backend.address, serversTransport="patient")},
                      serversTransports={"patient": {"terminationDelay": "-1s"}}), entry_points=("web", "db"))
    whole = hashlib.sha256(block * (size // len(block))).digest()

    with RawClient(proxy.port("web"), timeout=200) as client:
        for _ in range(size // len(block)):
            client.send(block)
        client.finish_sending()
        assert client.read_exactly(32) == whole
        assert digest_of(client, size) == whole
    # TLS knows no half-close in Python: only what comes back is large.
    download = server(lambda connection: [connection.sendall(block) for _ in range(size // len(block))])
    proxy.write_dynamic(tcp({"tls": (ANY, "down", {"entryPoints": ["db"], "tls": {}})}, {"down": [download.address]}))
    wait_for(lambda: "down@file" in [one["name"] for one in proxy.api("/api/tcp/services")], 10, "the change is in force")
    with tls_connect(proxy.port("db"), "x", timeout=200) as client:
        assert digest_of(client, size) == whole


def test_a_slow_reader_costs_no_memory(start, server):
    block = bytes(1024 * 1024)

    def flood(connection):
        while True:
            connection.sendall(block)

    proxy = start(tcp({"any": (ANY, "flood", None), "tls": (ANY, "flood", {"tls": {}})}, {"flood": [server(flood).address]}))

    def rss():
        with open(f"/proc/{proxy.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024

    with RawClient(proxy.port()) as plain, tls_connect(proxy.port(), "x") as secure:
        plain.send(b"x")  # not TLS: there are TLS routers here
        plain.more()
        secure.more()
        before = rss()
        time.sleep(1)
        for _ in range(20):
            plain.more()
            secure.more()
        time.sleep(0.5)
        assert rss() - before < 16, "MiB more while nobody reads"


def test_open_connections_outlive_a_change_of_the_configuration(start, server):
    config = tcp({"any": (ANY, "db", None)}, {"db": [server(name("old")).address]})
    proxy = start(config)

    with RawClient(proxy.port()) as client:
        assert says(client, "old")
        proxy.write_dynamic(tcp({"any": (ANY, "other", None)}, {"other": [server(name("new")).address]}))

        def new_ones_go_elsewhere():
            with RawClient(proxy.port()) as other:
                return says(other, "new")

        wait_for(new_ones_go_elsewhere, 15, "new connections take the new route")
        client.send(b"still")
        assert client.read_exactly(5) == b"still"


def test_a_stop_waits_for_connections_as_long_as_the_grace_time(start, server):
    proxy = start(tcp({"any": (ANY, "db", None)}, {"db": [server(name("db")).address]}),
                  {"entryPoints": {name: {"transport": {"lifeCycle": {"graceTimeOut": "6s"}}}
                                   for name in ("web", "traefik")}})
    stays, leaves = RawClient(proxy.port()), RawClient(proxy.port())
    assert says(stays, "db") and says(leaves, "db")

    begun = time.monotonic()
    proxy.process.terminate()
    wait_for(lambda: _refuses(proxy.port()), 10, "nothing more is accepted")
    leaves.send(b"last")
    assert leaves.read_exactly(4) == b"last"
    leaves.close()
    stays.send(b"mine")
    assert stays.read_exactly(4) == b"mine"
    assert stays.is_closed()
    assert time.monotonic() - begun >= 5.5
    proxy.process.wait(60)
    stays.close()


def _refuses(port):
    try:
        socket.create_connection(("127.0.0.1", port), 2).close()
        return False
    except OSError:
        return True


def test_the_api_and_the_metrics_show_tcp(start, server):
    config = tcp({"db": ("HostSNI(`db.example`)", "db", {"tls": {"passthrough": True}, "middlewares": ["few"]}),
                  "bad": ("HostSNI(`a.example`)", "db", None)},
                 {"db": [server(name("db")).address]}, middlewares={"few": {"inFlightConn": {"amount": 5}}})
    proxy = start(config, {"metrics": {"prometheus": {}}})

    routers = {one["name"]: one for one in proxy.api("/api/tcp/routers")}
    assert routers["db@file"]["status"] == "enabled" and routers["db@file"]["using"]
    assert routers["bad@file"]["status"] == "disabled" and "HostSNI(`*`)" in routers["bad@file"]["error"][0]
    service = proxy.api("/api/tcp/services/db@file")
    assert service["usedBy"] == ["bad@file", "db@file"] and list(service["serverStatus"].values()) == ["UP"]
    middleware = proxy.api("/api/tcp/middlewares/few@file")
    assert middleware["inFlightConn"] == {"amount": 5} and middleware["usedBy"] == ["db@file"]
    text = ask(proxy.api_port, target="/metrics").text
    assert 'traefik_open_connections{entrypoint="web",protocol="TCP"}' in text


def test_http_is_served_where_tcp_routers_do_not_match(start, origin, server):
    config = routes(app=[origin.url])
    config["tcp"] = tcp({"far": ("ClientIP(`10.9.8.7`)", "db", None)}, {"db": [server().address]})["tcp"]
    proxy = start(config)

    assert proxy.ask(host="app").status == 200
