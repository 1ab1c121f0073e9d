"""What checks tell, and what they take for an answer."""

import contextlib
import socket
import threading
import time

import pytest
from support.certificates import make
from support.origin import Origin, respond
from support.ports import wait_for

CHECK = {"path": "/health", "interval": "100ms", "timeout": "300ms"}


def config(services, **more):
    return {"http": {"routers": {name: {"rule": f"Host(`{name}`)", "service": name} for name in services},
                     "services": services, **more}}


def balancer(url, **options):
    return {"loadBalancer": {"servers": [{"url": url}], **options}}


def states(proxy, kind, name):
    return set(proxy.api(f"/api/{kind}/services/{name}@file")["serverStatus"].values())


@pytest.fixture
def mute():
    """The address of a server that accepts and never says a word."""
    accepted = []

    def accept(listener):
        with contextlib.suppress(OSError):
            while True:
                accepted.append(listener.accept()[0])

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    for connection in accepted:
        connection.close()


@pytest.fixture
def full():
    """The address of a server whose queue of connections is full: a dial gets no answer."""
    with socket.socket() as listener, contextlib.ExitStack() as waiting:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(8):
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_redirect_to_another_host_gets_no_credentials(start):
    headers = {"Authorization": "Bearer secret", "cookie": "session=secret", "X-Probe": "yes"}
    with Origin() as other, Origin() as server:
        server.answer = lambda request: {
            "/away": respond(b"", 302, [("Location", f"http://localhost:{other.port}/there")]),
            "/home": respond(b"", 302, [("Location", f"http://127.0.0.1:{other.port}/here")]),
        }.get(request.target, respond())
        start(config({name: balancer(server.url, healthCheck={**CHECK, "path": f"/{name}", "headers": headers})
                      for name in ("away", "home")}))

        wait_for(lambda: {request.target for request in other.requests} == {"/there", "/here"}, 10, "both redirects")
        for request in list(other.requests):
            told = [request.header(name) for name in headers]
            assert told == (list(headers.values()) if request.target == "/here" else [None, None, "yes"])


def test_a_redirect_into_https_is_verified_as_the_transport_says(start, tmp_path):
    own = make(tmp_path, "own", ["IP:127.0.0.1"])
    with Origin(tls=own.server_context()) as secure, Origin() as server:
        server.answer = lambda request: (respond(b"", 301, [("Location", f"{secure.url}/secure")])
                                         if request.target == "/health" else respond(b"served"))
        proxy = start(config({name: balancer(server.url, healthCheck=CHECK, serversTransport=name)
                              for name in ("blind", "strict")},
                             serversTransports={"blind": {"insecureSkipVerify": True}, "strict": {}}))

        proxy.wait_status(503, "strict")
        wait_for(lambda: secure.requests, 10, "a check over TLS")
        assert proxy.ask(host="blind").text == "served"


@pytest.mark.parametrize("rest", [[Origin.CLOSE], [2.0]], ids=["breaks off", "stalls"])
def test_the_head_of_the_answer_decides(start, rest):
    """As in Traefik, which does not read the body."""
    part = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\npart"
    with Origin(lambda request: [part, *rest] if request.target == "/health" else respond(b"served")) as server:
        proxy = start(config({"app": balancer(server.url, healthCheck=CHECK)}))

        wait_for(lambda: sum(request.target == "/health" for request in server.requests) >= 3, 20, "checks")
        assert proxy.ask(host="app").text == "served"
        assert "is down" not in proxy.log()


def test_why_a_server_is_down_is_what_the_latest_check_found(start):
    with Origin(respond(status=500)) as server:
        proxy = start(config({"app": balancer(server.url, healthCheck=CHECK)}), {"reasons": {"detail": "full"}})

        def told(text):
            reason = proxy.service("app@file").get("serverReasons", {}).get(server.url)
            return reason if reason and reason["text"] == text else None

        first = wait_for(lambda: told("status 500"), 20, "it is out")
        server.answer = respond(status=404)
        latest = wait_for(lambda: told("status 404"), 20, "the reason is the present one")
        assert latest["since"] == first["since"]
        assert "status 404" in proxy.ask(host="app", headers={"Accept": "application/json"}).text


def test_the_time_of_a_check_includes_the_handshake(start, mute):
    """Which alone may take 10 s."""
    tcp = {"routers": {"db": {"rule": "HostSNI(`*`)", "service": "db", "entryPoints": ["db"]}},
           "services": {"db": {"loadBalancer": {
               "servers": [{"address": mute, "tls": True}], "serversTransport": "blind",
               "healthCheck": {"interval": "100ms", "timeout": "300ms"}}}},
           "serversTransports": {"blind": {"tls": {"insecureSkipVerify": True}}}}
    proxy = start({**config({"app": balancer(f"https://{mute}", healthCheck=CHECK)}), "tcp": tcp},
                  entry_points=("web", "db"))

    for kind, name in (("http", "app"), ("tcp", "db")):
        wait_for(lambda kind=kind, name=name: states(proxy, kind, name) == {"DOWN"}, 20, f"{name} is out")
    assert proxy.log().count("not done in time") >= 2
    assert "handshake" not in proxy.log()


def test_the_time_for_a_dial_is_that_of_the_check_and_not_of_an_earlier_one(start, full):
    proxy = start(config({"hasty": balancer(full, healthCheck=CHECK)}))
    wait_for(lambda: states(proxy, "http", "hasty") == {"DOWN"}, 20, "its check does not wait")

    patient = {name: balancer(full, healthCheck={**CHECK, "timeout": "600s"}) for name in ("hasty", "patient")}
    proxy.write_dynamic(config(patient))
    wait_for(lambda: proxy.service("patient@file"), 20, "the changed configuration")
    time.sleep(1.5)
    for name in patient:
        assert states(proxy, "http", name) == {"UP"}, f"{name} waits for the answer to its dial"
