"""Where entry points listen: forms of addresses, taken ports, sharing, sockets from systemd, changes while running."""

import contextlib
import json
import re
import signal
import socket
import sys
import tempfile
import threading
import time

import pytest
from support.datagrams import UdpClient, UdpOrigin
from support.fairlead import routes
from support.origin import Origin, respond
from support.ports import free_port, wait_for
from support.raw import Closed, RawClient, ask


def udp_routes(address):
    return {"udp": {"routers": {"dns": {"service": "dns"}},
                    "services": {"dns": {"loadBalancer": {"servers": [{"address": address}]}}}}}


def answers(port, address="127.0.0.1"):
    try:
        return ask(port, host="app", address=address, timeout=30).status == 200
    except OSError:
        return False


@pytest.mark.parametrize("form, served, refused", [
    ("127.0.0.1:{}", ["127.0.0.1"], ["127.0.0.2", "::1"]),
    ("127.0.0.1:{}/tcp", ["127.0.0.1"], ["::1"]),
    ("[::1]:{}", ["::1"], ["127.0.0.1"]),
    ("localhost:{}", [], ["127.0.0.2"]),
    (":{}", ["127.0.0.1", "127.0.0.2", "::1"], []),
    (":{}/tcp", ["127.0.0.1", "::1"], []),
    ("[::]:{}", ["127.0.0.1", "::1"], []),
    ("0.0.0.0:{}", ["127.0.0.1", "127.0.0.2"], ["::1"]),
])
def test_forms_of_addresses(start, origin, form, served, refused):
    port = free_port()
    proxy = start(routes(app=[origin.url]), install={"entryPoints": {"web": {"address": form.format(port)}}},
                  entry_points=())
    wait_for(lambda: f"entry point web listens on {form.format(port)} (port {port})" in proxy.log(), 10, "it listens")
    for address in served:
        assert wait_for(lambda: answers(port, address), 5, f"{address} answers")
    for address in refused:
        assert not answers(port, address), address


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_a_port_that_another_program_has_ends_the_start_with_its_name(start, protocol):
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # not even a willing one is shared unasked
        other.bind(("127.0.0.1", 0))
        if protocol == "tcp":
            other.listen()
        port = other.getsockname()[1]
        proxy = start({}, install={"entryPoints": {"mine": {"address": f"127.0.0.1:{port}/{protocol}"}}},
                      entry_points=(), ready=False)
        assert proxy.process.wait(90) != 0
        log = proxy.log()
        proxy.process.returncode = 0  # an end with an error is what this test is about
    assert re.search(rf"entry point mine: listen on 127\.0\.0\.1:{port}\S*: Address already in use; .*ss -l", log), log


def test_two_processes_share_a_port_when_both_ask_for_it(start):
    port, udp_port = free_port(), free_port(socket.SOCK_DGRAM)
    with Origin(respond(b"a")) as a, Origin(respond(b"b")) as b, UdpOrigin("a") as ua, UdpOrigin("b") as ub:
        install = {"entryPoints": {"web": {"address": f"127.0.0.1:{port}", "reusePort": True},
                                   "dns": {"address": f"127.0.0.1:{udp_port}/udp", "reusePort": True}}}
        start({**routes(app=[a.url]), **udp_routes(ua.address)}, install=install, entry_points=())
        start({**routes(app=[b.url]), **udp_routes(ub.address)}, install=install, entry_points=())
        seen, heard = set(), set()
        wait_for(lambda: seen.add(ask(port, host="app").body) or seen == {b"a", b"b"}, 10, "both serve")

        def both_are_heard():
            with UdpClient(udp_port) as client:
                heard.add(client.ask(b"x"))
            return heard == {b"a:x", b"b:x"}

        wait_for(both_are_heard, 10, "both serve")


# ---- sockets from systemd

# What systemd does: opens sockets as descriptors 3, 4, … and says so to the program that it becomes.
ACTIVATE = """
import os, socket, sys
sockets = []
for at, spec in enumerate(sys.argv[1].split(",")):
    kind, port = spec.split(":")
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", int(port)))
    if kind == "tcp":
        s.listen()
    sockets.append(s)
for at, s in enumerate(sockets):
    os.dup2(s.fileno(), 100 + at)
for at in range(len(sockets)):
    os.dup2(100 + at, 3 + at)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(sockets)), LISTEN_FDNAMES=sys.argv[2])
os.execv(sys.argv[3], sys.argv[3:])
"""


def activated(sockets, names):
    return [sys.executable, "-c", ACTIVATE, ",".join(f"{kind}:{port}" for kind, port in sockets), names]


def test_sockets_from_systemd_are_used_by_name(start, origin):
    port, udp_port, unused = free_port(), free_port(socket.SOCK_DGRAM), free_port()
    with UdpOrigin("a") as server:
        proxy = start({**routes(app=[origin.url]), **udp_routes(server.address)},
                      install={"entryPoints": {"web": {"address": f"127.0.0.1:{unused}"},
                                               "dns": {"address": f"127.0.0.1:{unused}/udp"}}},
                      entry_points=(), prefix=activated([("tcp", port), ("udp", udp_port)], "web:dns"))
        assert wait_for(lambda: answers(port), 5, "the socket passed in serves")
        assert not answers(unused), "the address of the configuration does not count then"
        for _ in range(4):
            with UdpClient(udp_port) as client:
                assert client.ask(b"x") == b"a:x"
    assert "systemd passed" not in proxy.log()


def test_a_socket_that_no_entry_point_wants_is_said(start, origin):
    port, other = free_port(), free_port()
    proxy = start(routes(app=[origin.url]), install={"entryPoints": {"web": {"address": f"127.0.0.1:{port}"}}},
                  entry_points=(), prefix=activated([("tcp", other)], "wbe"))
    assert wait_for(lambda: answers(port), 5, "an entry point without a socket opens its own")
    wait_for(lambda: "systemd passed a socket named wbe, and no entry point has that name" in proxy.log(), 5, "said")


def test_two_sockets_of_one_name_are_refused(start):
    ports = [free_port(), free_port()]
    proxy = start({}, install={"entryPoints": {"web": {"address": ":0"}}}, entry_points=(), ready=False,
                  prefix=activated([("tcp", port) for port in ports], "web:web"))
    assert proxy.process.wait(90) != 0
    assert "entry point web: systemd passed several sockets named web" in proxy.log()
    proxy.process.returncode = 0  # an end with an error is what this test is about


def test_systemd_hears_when_it_is_ready_alive_and_stopping(start, origin, tmp_path):
    port = free_port()
    path = f"{tempfile.mkdtemp()}/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(path)
        notify.settimeout(90)
        begun = time.monotonic()
        proxy = start(routes(app=[origin.url]), install={"entryPoints": {"web": {"address": f"127.0.0.1:{port}"}}},
                      entry_points=(), env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "400000"}, ready=False)

        def said(word):
            while notify.recv(100) != word:
                pass

        said(b"READY=1")
        socket.create_connection(("127.0.0.1", port), 2).close()  # open from that moment on
        for _ in range(3):
            said(b"WATCHDOG=1")
        # Half of 400 ms lie between two of them, however late they are read.
        count = 3
        notify.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while notify.recv(100) == b"WATCHDOG=1":
                count += 1
        notify.settimeout(90)
        assert count <= (time.monotonic() - begun) / 0.2 + 2
        proxy.signal(signal.SIGTERM)
        said(b"STOPPING=1")


# ---- changes while running


def test_entry_points_move_open_and_close_without_a_restart(start, origin):
    ports = [free_port(socket.SOCK_DGRAM) for _ in range(2)]
    web = free_port()
    with UdpOrigin("a") as server:
        proxy = start({**routes(app=[origin.url]), **udp_routes(server.address)},
                      install={"entryPoints": {"dns": {"address": f"127.0.0.1:{ports[0]}/udp"}}}, entry_points=())
        with UdpClient(ports[0]) as client:
            assert client.ask(b"x") == b"a:x"

        def change(entry_points):
            install = json.loads(proxy.install_path.read_text())
            install["entryPoints"] = {**entry_points, "traefik": install["entryPoints"]["traefik"]}
            beside = proxy.install_path.with_suffix(".new")
            beside.write_text(json.dumps(install))
            beside.rename(proxy.install_path)

        change({"dns": {"address": f"127.0.0.1:{ports[1]}/udp"}, "web": {"address": f"127.0.0.1:{web}"}})
        assert wait_for(lambda: answers(web), 15, "the new entry point opens")
        with UdpClient(ports[1]) as client:
            wait_for(lambda: _hears(client), 10, "the moved one answers")
        wait_for(lambda: _is_free(ports[0]), 10, "the old port is given back")

        # From one address to all: the socket that drains is in the way of the new one.
        change({"dns": {"address": f":{ports[1]}/udp"}})

        def heard_on_ipv6():
            with UdpClient(ports[1], "::1") as client:
                return _hears(client)

        wait_for(heard_on_ipv6, 15, "the moved entry point serves")
        wait_for(lambda: not answers(web), 10, "the other one is closed")


def test_an_entry_point_whose_port_was_taken_opens_when_it_is_free(start, origin):
    proxy = start(routes(app=[origin.url]))
    install = json.loads(proxy.install_path.read_text())
    with socket.create_server(("127.0.0.1", 0)) as other:
        late = other.getsockname()[1]
        install["entryPoints"]["late"] = {"address": f"127.0.0.1:{late}"}
        beside = proxy.install_path.with_suffix(".new")
        beside.write_text(json.dumps(install))
        beside.rename(proxy.install_path)
        wait_for(lambda: "entry point late: " in proxy.log(), 15, "the reason is told")

    wait_for(lambda: answers(late), 15, "it opens")
    assert proxy.log().count("entry point late: ") == 1, "told once"


def test_an_entry_point_that_cannot_move_stays_where_it_is(start, origin):
    proxy = start(routes(app=[origin.url]))
    install = json.loads(proxy.install_path.read_text())
    former = install["entryPoints"]["web"]["address"]

    def move(address):
        install["entryPoints"]["web"]["address"] = address
        beside = proxy.install_path.with_suffix(".new")
        beside.write_text(json.dumps(install))
        beside.rename(proxy.install_path)

    with socket.create_server(("127.0.0.1", 0)) as other:
        there = other.getsockname()[1]
        move(f"127.0.0.1:{there}")
        wait_for(lambda: f"it goes on listening on {former}; it is tried again" in proxy.log(), 15, "the reason is told")
        assert proxy.ask(host="app").status == 200

    wait_for(lambda: answers(there), 15, "it moves once it can")
    wait_for(lambda: not answers(proxy.port()), 10, "the old port is given back")


def test_an_entry_point_stays_also_where_it_was_in_its_own_way(start, origin):
    """On the same port of another address, which the machine lacks, or another program has, or which is the same."""
    proxy = start(routes(app=[origin.url]))
    install = json.loads(proxy.install_path.read_text())
    former = install["entryPoints"]["web"]["address"]

    def move(address, said):
        install["entryPoints"]["web"]["address"] = address
        beside = proxy.install_path.with_suffix(".new")
        beside.write_text(json.dumps(install))
        beside.rename(proxy.install_path)
        wait_for(lambda: said in proxy.log(), 15, said)
        assert proxy.ask(host="app").status == 200

    port = proxy.port()
    stays = f"it goes on listening on {former}"
    move(f"192.0.2.1:{port}", f"listen on 192.0.2.1:{port}: Cannot assign requested address; no interface of this "
                              f"machine has that address; {stays}")
    with socket.create_server(("127.0.0.3", port)):
        move(f":{port}", f"names it; {stays}")
    applied = proxy.log().count("install configuration applied")
    opened = proxy.log().count("entry point web listens on")
    move(f"{former}/TCP", "install configuration applied")
    wait_for(lambda: proxy.log().count("install configuration applied") > applied, 15, "it is applied")
    assert proxy.ask(host="app").status == 200
    assert proxy.log().count("entry point web listens on") == opened, "nothing was opened anew"


def test_an_entry_point_that_only_changes_its_name_turns_nobody_away(start, origin):
    proxy = start(routes(app=[origin.url]))
    install = json.loads(proxy.install_path.read_text())
    done, lost = threading.Event(), []

    def ask_on():
        while not done.is_set():
            try:
                assert proxy.ask(host="app").status == 200
            except (OSError, Closed) as error:
                lost.append(error)

    asking = [threading.Thread(target=ask_on) for _ in range(3)]
    for thread in asking:
        thread.start()
    for turn in range(1, 4):
        former, latter = ("web", "www")[:: 1 if turn % 2 else -1]
        install["entryPoints"][latter] = install["entryPoints"].pop(former)
        beside = proxy.install_path.with_suffix(".new")
        beside.write_text(json.dumps(install))
        beside.rename(proxy.install_path)
        wait_for(lambda: proxy.log().count("install configuration applied") == turn, 15, "it is applied")
    done.set()
    for thread in asking:
        thread.join()
    assert lost == []


def _hears(client):
    client.socket.settimeout(1)
    try:
        return client.ask(b"x") == b"a:x"
    except OSError:
        return False


def _is_free(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


def life_cycle(**times):
    return {"transport": {"lifeCycle": times}}


def test_each_entry_point_has_its_own_time_to_finish(start):
    def answer(request):
        return [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", 90.0, b"ok"]

    with Origin(answer) as origin:
        # The entry point of the API has far more time, and nothing to finish.
        proxy = start(routes(app=[origin.url]), {"entryPoints": {"web": life_cycle(graceTimeOut="500ms"),
                                                                 "traefik": life_cycle(graceTimeOut="90s")}})
        with RawClient(proxy.port()) as client:
            client.send("GET / HTTP/1.1\r\nHost: app\r\n\r\n")
            client.read_until(b"\r\n\r\n")
            begun = time.monotonic()
            proxy.signal(signal.SIGTERM)
            proxy.process.wait(80)
        assert 0.4 < time.monotonic() - begun < 60
        assert "graceTimeOut passed" in proxy.log()


def test_each_entry_point_accepts_for_its_own_time(start, origin):
    proxy = start(routes(app=[origin.url]), {"entryPoints": {"web": life_cycle(requestAcceptGraceTimeout="8s")}},
                  entry_points=("web", "inner"))

    def refuses():
        try:
            return proxy.ask(host="app", entry_point="inner").status is None
        except (OSError, Closed):
            return True

    begun = time.monotonic()
    proxy.signal(signal.SIGTERM)
    wait_for(refuses, 2.5, "the entry point without such a time is closed")
    assert proxy.ask(host="app").status == 200
    proxy.process.wait(60)
    assert time.monotonic() - begun >= 7.9
