"""UDP from outside: sessions, servers, limits and reloads, with real sockets."""

import itertools
import json
import re
import shutil
import signal
import socket
import subprocess
import time

import dns.message
import dns.query
import pytest
from support.datagrams import UdpClient, UdpOrigin
from support.ports import free_port, wait_for
from support.raw import ask


@pytest.fixture
def udp(start):
    """udp(dynamic, …) → a running Fairlead with the entry point `dns` on UDP; its port is in `udp_port`."""

    def begin(dynamic, workers=2, prefix=(), address="127.0.0.1:{}/udp", install=None, **options):
        port = free_port(socket.SOCK_DGRAM)
        points = {"dns": {"address": address.format(port), **options}, **(install or {}).pop("entryPoints", {})}
        proxy = start(dynamic, install={"entryPoints": points, "metrics": {"prometheus": {}}, **(install or {})}, entry_points=(), workers=workers,
                      prefix=prefix)
        proxy.udp_port = port
        return proxy

    return begin


def balanced(*addresses, **more):
    """One router on every UDP entry point, to these servers."""
    return {"udp": {"routers": {"dns": {"service": "dns"}},
                    "services": {"dns": {"loadBalancer": {"servers": [{"address": a} for a in addresses]}}, **more}}}


def metric(proxy, name, **labels):
    """The value of a series; 0 when it is not there."""
    text = ask(proxy.api_port, target="/metrics").text
    for line in text.splitlines():
        found = re.fullmatch(re.escape(name) + r"(?:\{(.*)\})? (\S+)", line)
        if found and all(f'{key}="{value}"' in (found[1] or "") for key, value in labels.items()):
            return float(found[2])
    return 0.0


# ---- sessions


def test_a_client_keeps_its_session(udp):
    with UdpOrigin("a") as origin:
        proxy = udp(balanced(origin.address))
        with UdpClient(proxy.udp_port) as client:
            for i in range(20):
                assert client.ask(b"%d" % i) == b"a:%d" % i

        assert len({address for _, address in origin.received}) == 1


def test_silence_ends_a_session_after_the_timeout(udp):
    with UdpOrigin("a") as origin:
        proxy = udp(balanced(origin.address), udp={"timeout": "400ms"})
        with UdpClient(proxy.udp_port) as client:
            times = [time.monotonic()]
            for _ in range(4):  # each within the timeout, together beyond it
                client.ask(b"x")
                time.sleep(0.15)
                times.append(time.monotonic())
            # A machine that is slower than that would end the session by itself.
            if max(after - before for before, after in itertools.pairwise(times)) < 0.35:
                assert len({address for _, address in origin.received}) == 1
            wait_for(lambda: metric(proxy, "traefik_open_connections", entrypoint="dns") == 0, 10,
                     "the session ends")
            client.ask(b"y")
        assert origin.received[-1][1] != origin.received[0][1]


def test_a_server_may_speak_later_and_more_often_than_it_was_asked(udp):
    with UdpOrigin(answer=lambda *_: None) as origin:
        proxy = udp(balanced(origin.address))
        with UdpClient(proxy.udp_port) as client:
            client.send(b"subscribe")
            wait_for(lambda: origin.received, 5, "the datagram arrives")
            for i in range(50):
                origin.send(b"%d" % i, origin.received[0][1])
            assert [client.receive() for _ in range(50)] == [b"%d" % i for i in range(50)]


def test_many_clients_get_their_own_answers(udp):
    with UdpOrigin("a") as origin:
        proxy = udp(balanced(origin.address))
        clients = [UdpClient(proxy.udp_port) for _ in range(200)]
        for round in range(3):
            for i, client in enumerate(clients):
                client.send(b"%d/%d" % (i, round))
            for i, client in enumerate(clients):
                assert client.receive() == b"a:%d/%d" % (i, round)
        for client in clients:
            client.socket.close()
        assert len({address for _, address in origin.received}) == 200


def test_nothing_is_sent_that_nobody_asked_for(udp):
    with UdpOrigin(answer=lambda *_: None) as origin:
        proxy = udp(balanced(origin.address))
        with UdpClient(proxy.udp_port) as client:
            client.send(b"x" * 1000)
            wait_for(lambda: origin.received, 5, "the datagram arrives")
            assert client.hears_nothing()
        assert origin.received == [(b"x" * 1000, origin.received[0][1])]


# ---- servers


def test_sessions_are_shared_out_in_turn(udp):
    with UdpOrigin("a") as a, UdpOrigin("b") as b:
        proxy = udp(balanced(a.address, b.address))
        answers = []
        for _ in range(10):
            with UdpClient(proxy.udp_port) as client:
                answers.append(client.ask(b"x"))
        assert sorted(answers) == [b"a:x"] * 5 + [b"b:x"] * 5


def test_weighted_services_share_by_weight(udp):
    with UdpOrigin("a") as a, UdpOrigin("b") as b:
        dynamic = balanced(a.address)
        services = dynamic["udp"]["services"]
        services["other"] = {"loadBalancer": {"servers": [{"address": b.address}]}}
        services["both"] = {"weighted": {"services": [{"name": "dns", "weight": 3}, {"name": "other", "weight": 1}]}}
        dynamic["udp"]["routers"]["dns"]["service"] = "both"
        proxy = udp(dynamic)
        answers = []
        for _ in range(16):
            with UdpClient(proxy.udp_port) as client:
                answers.append(client.ask(b"x"))
        assert answers.count(b"a:x") == 12


def test_a_server_by_name_is_looked_up(udp):
    with UdpOrigin("a") as origin:
        proxy = udp(balanced(f"localhost:{origin.port}"))
        with UdpClient(proxy.udp_port) as client:
            assert client.ask(b"x") == b"a:x"


def test_a_server_over_ipv6(udp):
    with UdpOrigin("six", host="::1") as origin:
        proxy = udp(balanced(origin.address))
        with UdpClient(proxy.udp_port) as client:
            assert client.ask(b"x") == b"six:x"


def test_what_a_server_refuses_goes_to_the_next_one(udp):
    with UdpOrigin("b") as b:
        dead = f"127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
        proxy = udp(balanced(dead, b.address))
        for _ in range(10):
            with UdpClient(proxy.udp_port) as client:
                assert client.ask(b"x") == b"b:x"


def test_a_server_that_dies_loses_its_clients_to_the_next_one(udp):
    a, b = UdpOrigin("a"), UdpOrigin("b")
    with a, b:
        proxy = udp(balanced(a.address, b.address))
        with UdpClient(proxy.udp_port) as client:
            first = client.ask(b"x")
            dead, alive = (a, b) if first == b"a:x" else (b, a)
            dead.stop()
            client.send(b"lost")  # met by the ICMP error
            answer = wait_for(lambda: _asked_again(client), 5, "another server answers")
            assert answer.startswith(alive.name.encode())


def _asked_again(client):
    client.socket.settimeout(1)
    try:
        return client.ask(b"again")
    except socket.timeout:
        return None


# ---- configuration


def test_open_sessions_keep_their_server_over_a_reload(udp):
    with UdpOrigin("old") as old, UdpOrigin("new") as new:
        proxy = udp(balanced(old.address))
        with UdpClient(proxy.udp_port) as client:
            assert client.ask(b"x") == b"old:x"
            proxy.write_dynamic(balanced(new.address))

            def asked_anew():
                assert client.ask(b"x") == b"old:x"
                with UdpClient(proxy.udp_port) as other:
                    return other.ask(b"x") == b"new:x"

            wait_for(asked_anew, 10, "new sessions take the new server")


def test_a_session_whose_server_was_replaced_goes_on_with_its_successor(udp):
    with UdpOrigin("old") as old, UdpOrigin("new") as new:
        proxy = udp(balanced(old.address), udp={"timeout": "60s"})
        with UdpClient(proxy.udp_port) as client:
            assert client.ask(b"x") == b"old:x"
            proxy.write_dynamic(balanced(new.address))
            wait_for(lambda: proxy.api("/api/udp/services/dns@file")["loadBalancer"]["servers"] == [{"address": new.address}],
                     10, "the new server is known")
            assert client.ask(b"still") == b"old:still"
            old.stop()
            client.send(b"lost")  # met by the ICMP error
            assert wait_for(lambda: _asked_again(client), 5, "the successor answers").startswith(b"new:")


def test_of_several_routers_the_last_by_name_serves(udp):
    with UdpOrigin("a") as a, UdpOrigin("z") as z:
        dynamic = balanced(a.address)
        dynamic["udp"]["routers"] = {"a": {"service": "dns"}, "z": {"service": "z", "entryPoints": ["dns"]}}
        dynamic["udp"]["services"]["z"] = {"loadBalancer": {"servers": [{"address": z.address}]}}
        proxy = udp(dynamic)
        with UdpClient(proxy.udp_port) as client:
            assert client.ask(b"x") == b"z:x"
        routers = {router["name"]: router for router in proxy.api("/api/udp/routers")}
        assert routers["z@file"]["status"] == "enabled"
        assert routers["a@file"]["status"] == "warning" and "z@file" in json.dumps(routers["a@file"])


def test_the_api_shows_routers_and_services(udp):
    with UdpOrigin("a") as origin:
        proxy = udp(balanced(origin.address))
        router = proxy.api("/api/udp/routers/dns@file")
        assert (router["status"], router["service"], router["using"]) == ("enabled", "dns", ["dns"])
        service = proxy.api("/api/udp/services/dns@file")
        assert (service["status"], service["usedBy"]) == ("enabled", ["dns@file"])
        assert service["loadBalancer"]["servers"] == [{"address": origin.address}]
        assert proxy.api("/api/overview")["udp"]["routers"]["total"] == 1


def test_a_router_without_its_service_serves_nobody_and_says_so(udp):
    proxy = udp({"udp": {"routers": {"dns": {"service": "missing"}}}})
    with UdpClient(proxy.udp_port) as client:
        client.send(b"x")
        wait_for(lambda: "datagrams of clients dropped: router dns@file" in proxy.log(), 5, "it is said")
        assert client.hears_nothing()
    assert proxy.api("/api/udp/routers/dns@file")["status"] == "disabled"


def test_a_router_that_no_entry_point_serves_says_so(start):
    routers = {**balanced("127.0.0.1:9"),
               "http": {"routers": {"app": {"rule": "Host(`app`)", "service": "noop@internal"}}}}
    proxy = start(routers, entry_points=())  # but the one of the API, which no router gets by default

    for layer, protocol, name in (("udp", "UDP", "dns@file"), ("http", "TCP", "app@file")):
        def shown():
            return next((r for r in proxy.api(f"/api/{layer}/routers") if r["name"] == name), None)

        assert wait_for(shown, 10, f"{name} is there")["status"] == "disabled"
        assert shown()["error"][0].startswith(f"no {protocol} entry point is there for this router"), shown()
        assert f"router {name}" in proxy.log()


def test_an_entry_point_without_a_router_says_so_once(udp):
    proxy = udp({"udp": {}})
    with UdpClient(proxy.udp_port) as client:
        for _ in range(100):
            client.send(b"x")
        wait_for(lambda: "no UDP router is on this entry point" in proxy.log(), 5, "it is said")
        wait_for(lambda: metric(proxy, "fairlead_udp_dropped_total", entrypoint="dns", reason="no server") == 100, 5,
                 "all are counted")
    assert proxy.log().count("no UDP router is on this entry point") <= 2  # at most once by each worker


def test_metrics_count_sessions_datagrams_and_bytes(udp):
    with UdpOrigin("a") as origin:
        proxy = udp(balanced(origin.address))
        with UdpClient(proxy.udp_port) as client:
            for _ in range(5):
                client.ask(b"1234")
        series = {"entrypoint": "dns"}
        wait_for(lambda: metric(proxy, "fairlead_udp_datagrams_total", direction="out", **series) == 5, 5, "counted")
        assert metric(proxy, "fairlead_udp_datagrams_total", direction="in", **series) == 5
        assert metric(proxy, "fairlead_udp_bytes_total", direction="in", **series) == 20
        assert metric(proxy, "fairlead_udp_bytes_total", direction="out", **series) == 30
        assert metric(proxy, "fairlead_udp_sessions_total", **series) == 1
        assert metric(proxy, "traefik_open_connections", protocol="UDP", **series) == 1


# ---- addresses


def test_all_addresses_of_both_families_are_served_and_answer_from_the_one_that_was_asked(udp):
    with UdpOrigin("a") as origin:
        proxy = udp(balanced(origin.address), address=":{}/udp")
        for host in ("127.0.0.1", "127.0.0.9", "::1"):
            with UdpClient(proxy.udp_port, host) as client:  # connected: it hears that address alone
                assert client.ask(b"x") == b"a:x"


# ---- limits, drain


# 400 descriptors: 100 sessions in all, 50 for each worker, and 16 for one address.
FEW_FILES = ("prlimit", "--nofile=400:400")


def test_one_address_cannot_take_all_sessions(udp):
    with UdpOrigin("a") as origin:
        proxy = udp(balanced(origin.address), prefix=FEW_FILES, udp={"timeout": "60s"})
        with UdpClient(proxy.udp_port, source="127.0.0.2") as client:
            client.ask(b"modest")
            for _ in range(150):
                with UdpClient(proxy.udp_port, source="127.0.0.3") as greedy:
                    assert greedy.ask(b"x") == b"a:x"
            assert metric(proxy, "traefik_open_connections", entrypoint="dns") <= 33
            # 118, but for sessions that ended by themselves because their client's socket was gone.
            assert metric(proxy, "fairlead_udp_evicted_total", entrypoint="dns") >= 100
            client.ask(b"modest")
        assert len({address for data, address in origin.received if data == b"modest"}) == 1


def test_a_flood_of_forged_addresses_takes_nothing_from_proven_clients(udp):
    with UdpOrigin("a") as origin:
        proxy = udp(balanced(origin.address), prefix=FEW_FILES)
        with UdpClient(proxy.udp_port) as client:
            client.ask(b"1")
            client.ask(b"2")  # it heard the answer, so its address is its own
            for i in range(400):
                with UdpClient(proxy.udp_port, source=f"127.0.{1 + i // 200}.{1 + i % 200}") as forged:
                    forged.send(b"x")
            wait_for(lambda: metric(proxy, "fairlead_udp_evicted_total", entrypoint="dns") > 100, 5, "evicted")
            assert client.ask(b"3") == b"a:3"
            own = {address for data, address in origin.received if data in (b"1", b"2", b"3")}
            assert len(own) == 1
        assert metric(proxy, "traefik_open_connections", entrypoint="dns") <= 100
        assert ask(proxy.api_port, target="/ping").status == 200


def test_the_stop_waits_for_answers_on_their_way(udp):
    with UdpOrigin(answer=lambda *_: None) as origin:
        proxy = udp(balanced(origin.address))
        with UdpClient(proxy.udp_port) as client, UdpClient(proxy.udp_port) as late:
            client.send(b"x")
            wait_for(lambda: origin.received, 5, "the datagram arrives")
            proxy.signal(signal.SIGTERM)
            wait_for(lambda: not _accepts(proxy.api_port), 5, "it drains")
            late.send(b"y")
            origin.send(b"answer", origin.received[0][1])
            assert client.receive() == b"answer"
        assert proxy.process.wait(60) == 0
        assert len(origin.received) == 1


def _accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), 10).close()
        return True
    except OSError:
        return False


def test_answered_sessions_do_not_hold_up_the_stop(udp):
    with UdpOrigin("a") as origin:
        life = {"lifeCycle": {"graceTimeOut": "90s"}}
        proxy = udp(balanced(origin.address), udp={"timeout": "90s"}, transport=life,
                    install={"entryPoints": {"traefik": {"transport": life}}})
        with UdpClient(proxy.udp_port) as client:
            client.ask(b"x")
            proxy.signal(signal.SIGTERM)
            assert proxy.process.wait(60) == 0


# ---- a real server

ZONE = """
$TTL 60
@ SOA ns.example.test. admin.example.test. 1 3600 600 86400 60
@ NS ns.example.test.
ns A 192.0.2.1
www A 192.0.2.7
www AAAA 2001:db8::7
large TXT "{}"
"""


@pytest.fixture
def knot(tmp_path):
    """A DNS server with the zone example.test; the result is its port."""
    server = shutil.which("knotd") or "/usr/sbin/knotd"
    port = free_port(socket.SOCK_DGRAM)
    (tmp_path / "example.test.zone").write_text(ZONE.format('" "'.join(["x" * 200] * 4)))
    configuration = tmp_path / "knot.conf"
    configuration.write_text(f"""
server:
    listen: 127.0.0.1@{port}
    rundir: {tmp_path}
database:
    storage: {tmp_path}
zone:
  - domain: example.test
    storage: {tmp_path}
    file: example.test.zone
log:
  - target: {tmp_path}/log
    any: info
""")
    process = subprocess.Popen([server, "-c", str(configuration)])
    query = dns.message.make_query("www.example.test", "A")

    def answers():
        try:
            return dns.query.udp(query, "127.0.0.1", timeout=2, port=port).answer
        except Exception:  # not listening yet, or the zone is not loaded
            return None

    try:
        wait_for(answers, 15, "knot answers")
        yield port
    finally:
        process.terminate()
        process.wait(60)


def test_a_dns_server_is_asked_through_a_udp_router(udp, knot):
    proxy = udp(balanced(f"127.0.0.1:{knot}"))
    for kind, expected in (("A", "192.0.2.7"), ("AAAA", "2001:db8::7")):
        query = dns.message.make_query("www.example.test", kind)
        answer = dns.query.udp(query, "127.0.0.1", timeout=30, port=proxy.udp_port)
        assert [str(record) for record in answer.answer[0]] == [expected]
    missing = dns.query.udp(dns.message.make_query("no.example.test", "A"), "127.0.0.1", timeout=30, port=proxy.udp_port)
    assert missing.rcode() == 3  # NXDOMAIN
    large = dns.message.make_query("large.example.test", "TXT", use_edns=0, payload=4096)
    assert len(dns.query.udp(large, "127.0.0.1", timeout=30, port=proxy.udp_port).to_wire()) > 800
