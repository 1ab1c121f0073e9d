"""What containers do in their lives, told by an engine that is only its API: what clients see meanwhile."""

import http.server
import json
import socket
import threading
import time

import pytest
from support.datagrams import UdpClient, UdpOrigin
from support.labels import LabelledEngine
from support.ports import connections_to, free_port, wait_for
from support.raw import ask

RULE = ["http.routers.app.rule=Host(`app`)"]


@pytest.fixture
def engine():
    with LabelledEngine() as engine:
        yield engine


def test_the_first_503_after_a_stop_signal_says_why_and_when_to_come_back(start, origin, engine):
    engine.put("app", origin.port, RULE)
    proxy = start(install={**engine.install, "hold": {"requests": 0}})
    proxy.wait_status(200, "app")

    engine._event("kill", "id-app", signal="15")

    answer = proxy.wait_status(503, "app", headers=[("Accept", "application/json")])
    assert json.loads(answer.body)["reason"] == "stopping" and answer.header("Retry-After") == "2"


def test_a_container_that_was_only_created_is_known_at_once(start, origin, engine):
    engine.put("other", origin.port, ["http.routers.other.rule=Host(`other`)"])
    proxy = start(install=engine.install)
    proxy.wait_status(200, "other")  # the list is over, the next one comes in half a minute
    labels = {f"traefik.{RULE[0].split('=', 1)[0]}": RULE[0].split("=", 1)[1]}
    engine.created.add("id-app")
    engine.containers["id-app"] = ("app", origin.port, labels)

    engine._event("create", "id-app")

    answer = proxy.wait_status(503, "app", seconds=3, headers=[("Accept", "application/json")])
    assert json.loads(answer.body)["reason"] == "stopped"
    engine.created.clear()
    engine.put("app", origin.port, labels)
    proxy.wait_status(200, "app")


def test_a_configuration_of_another_provider_brings_back_nothing_that_was_told_to_stop(start, origin, engine):
    engine.put("app", origin.port, RULE)
    proxy = start(install={"hold": {"requests": 0},
                           "providers": {**engine.install["providers"], "rest": {"insecure": True}}})
    proxy.wait_status(200, "app")
    over, elsewhere = threading.Event(), free_port()

    def others():
        """A crowd that begins keeps the configuration of Docker's containers waiting for a while."""
        for number in range(100):
            engine.put(f"other-{number}", elsewhere, [f"http.routers.other{number}.rule=Host(`other`)"])
            if over.wait(0.03):
                return

    crowd = threading.Thread(target=others)
    crowd.start()
    try:
        engine._event("kill", "id-app", signal="15")
        proxy.wait_status(503, "app")
        until, answers = time.monotonic() + 1.5, []
        while time.monotonic() < until:
            rest = {"http": {"routers": {"new": {"rule": f"Host(`new`) && Path(`/{len(answers)}`)",
                                                 "service": "app@docker"}}}}
            assert ask(proxy.api_port, target="/api/providers/rest", method="PUT",
                       body=json.dumps(rest).encode()).status == 200
            answers.append(proxy.ask(host="app").status)
    finally:
        over.set()
        crowd.join()

    assert set(answers) == {503}


class KilledInBetween(LabelledEngine):
    """What it says of `app` is late: meanwhile the container was told to stop."""

    told = False

    def _answer(self, path):
        answer = super()._answer(path)
        if path.endswith("/id-app/json") and not self.told:
            self.told = True
            self._event("kill", "id-app", signal="15")
            time.sleep(1)
        return answer


def test_a_stop_signal_counts_although_the_container_was_not_inspected_yet(start, origin):
    with KilledInBetween() as engine:
        proxy = start(install={**engine.install, "hold": {"requests": 0}})
        wait_for(lambda: "connected to" in proxy.log(), 10, "the engine is known")
        engine.put("app", origin.port, RULE)
        wait_for(lambda: proxy.router("app@docker"), 10, "the container is known")

        def reason():
            answer = proxy.ask(host="app", headers=[("Accept", "application/json")])
            return answer.status == 503 and json.loads(answer.body)["reason"]

        wait_for(lambda: reason() == "stopping", 10, "it does not serve")


def test_a_kill_that_is_told_again_after_a_restart_does_not_stop_the_new_run(start, origin, engine):
    engine.put("app", origin.port, RULE)
    proxy = start(install={**engine.install, "hold": {"requests": 0}})
    proxy.wait_status(200, "app")

    killed = time.time_ns()
    engine._event("kill", "id-app", killed, signal="15")
    proxy.wait_status(503, "app")
    for action in ("die", "stop", "start", "restart"):
        engine._event(action, "id-app")
    proxy.wait_status(200, "app", seconds=5)
    engine._event("kill", "id-app", killed, signal="15")
    engine.put("late", origin.port, ["http.routers.late.rule=Host(`late`)"])
    proxy.wait_status(200, "late")

    assert proxy.ask(host="app").status == 200


@pytest.mark.parametrize("ends", [False, True], ids=["it still runs", "it has ended"])
def test_what_a_container_refuses_is_held_for_a_successor_and_then_503(start, engine, ends):
    engine.put("app", free_port(), RULE)
    proxy = start(install={**engine.install, "hold": {"time": "700ms"}, "reasons": {"detail": "full"}})
    wait_for(lambda: proxy.router("app@docker"), 10, "the container is known")

    begun = time.monotonic()
    if ends:
        threading.Timer(0.3, engine._event, ("die", "id-app"), {"exitCode": "1"}).start()
    answer = proxy.ask(host="app", headers=[("Accept", "application/json")])

    problem = json.loads(answer.body)
    assert answer.status == 503 and answer.header("Retry-After") and "refused" in problem["reasonDetail"], problem
    assert time.monotonic() - begun > 0.6, "a successor was waited for"


def test_what_a_container_refuses_is_a_network_error_to_a_circuit_breaker(start, engine):
    breaker = "http.middlewares.cut.circuitbreaker"
    engine.put("app", free_port(), [*RULE, "http.routers.app.middlewares=cut", f"{breaker}.responsecode=507",
                                    f"{breaker}.expression=NetworkErrorRatio() > 0.5"])
    proxy = start(install={**engine.install, "hold": {"time": "50ms"}})
    wait_for(lambda: proxy.router("app@docker"), 10, "the container is known")

    assert proxy.ask(host="app").status == 503
    wait_for(lambda: proxy.ask(host="app").status == 507, 10, "the breaker trips")


def test_of_udp_routers_the_one_whose_container_is_gone_yields(start, engine):
    port = free_port(socket.SOCK_DGRAM)
    with UdpOrigin("a") as a, UdpOrigin("b") as b:
        for origin in (a, b):
            engine.put(origin.name, origin.port, [f"udp.routers.{origin.name}.entrypoints=dns"])
        proxy = start(install={**engine.install, "entryPoints": {"dns": {"address": f"127.0.0.1:{port}/udp"}}})

        def answered_by(name):
            with UdpClient(port, timeout=2) as client:
                try:
                    return client.ask(b"x") == f"{name}:x".encode()
                except OSError:  # dropped
                    return False

        def remove(name):
            del engine.containers[f"id-{name}"]
            engine._event("destroy", f"id-{name}")

        wait_for(lambda: answered_by("b"), 10, "the last by name serves")
        remove("b")
        wait_for(lambda: answered_by("a"), 10, "what runs serves")
        routers = {router["name"]: router["status"] for router in proxy.api("/api/udp/routers")}
        assert routers == {"a@docker": "enabled", "b@docker": "warning"}
        remove("a")
        wait_for(lambda: proxy.api("/api/udp/routers/b@docker")["status"] == "enabled", 10, "neither can: the last again")


def test_a_server_that_vanishes_without_a_word_is_noticed(start, origin, engine):
    engine.put("app", origin.port, RULE)
    proxy = start(install=engine.install)
    proxy.wait_status(200, "app")

    rows = [row for row in connections_to(origin.port) if row[3] == "01"]

    assert rows and all(row[5].startswith("02:") for row in rows), "the kernel's timer is that of keep-alive probes"


class SeveralPorts(LabelledEngine):
    """`more`: ports that every container exposes besides its own."""

    more = ()

    def _inspected(self, identifier, name, port, labels):
        found = super()._inspected(identifier, name, port, labels)
        found["Config"]["ExposedPorts"] |= {f"{other}/tcp": {} for other in self.more}
        return found


class Greeter:
    """A port that greets in another protocol (SSH), below those that the system gives to others."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", free_port()))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._greet, daemon=True).start()

    def _greet(self):
        while True:
            try:
                connection, _ = self._listener.accept()
                connection.sendall(b"SSH-2.0-x\r\n")
                connection.close()
            except OSError:
                return

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in accept
        self._listener.close()


class SlowSite(http.server.BaseHTTPRequestHandler):
    """Its first answers take longer than a round of probes."""

    def do_GET(self):
        time.sleep(0.4)
        self.send_response(200)
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("before", [True, False], ids=["runs already", "starts later"])
def test_of_several_ports_the_one_that_answers_http_is_used_however_slow_it_is(start, before):
    greeter = Greeter()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), SlowSite) as site, SeveralPorts() as engine:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        assert greeter.port < site.server_port
        engine.more = [greeter.port]
        if before:
            engine.put("app", site.server_port, RULE)
        proxy = start(install=engine.install)
        if not before:
            wait_for(lambda: "connected to" in proxy.log(), 10, "the engine is known")
            engine.put("app", site.server_port, RULE)

        proxy.wait_status(200, "app")
        wait_for(lambda: f"{site.server_port} is used, which answers HTTP" in proxy.log(), 5, "the log says so")
        site.shutdown()
    greeter.close()


@pytest.mark.parametrize("waits_already", [True, False], ids=["who waits already", "who asks later"])
def test_a_rollout_that_names_the_service_anew_is_waited_for_as_any_other(start, origin, engine, waits_already):
    replica = {"com.docker.compose.project": "shop", "com.docker.compose.service": "web",
               "traefik.http.routers.app.rule": "Host(`app`)"}
    engine.put("old", origin.port, replica)
    proxy = start(install={**engine.install, "hold": {"after": "60s", "time": "40s"}})
    proxy.wait_status(200, "app")

    for action in ("kill", "die"):
        engine._event(action, "id-old", signal="15")
    del engine.containers["id-old"]
    engine._event("destroy", "id-old")
    answers = []
    asking = threading.Thread(target=lambda: answers.append(proxy.ask(host="app", timeout=60).status))
    if waits_already:
        asking.start()
        asking.join(0.5)
    port = free_port()
    engine.put("new", port, {**replica, "traefik.http.services.next.loadbalancer.passhostheader": "true"})
    wait_for(lambda: proxy.router("app@docker")["service"] == "next", 10, "the successor is known")
    if not waits_already:
        asking.start()
    asking.join(0.5)

    with http.server.ThreadingHTTPServer(("127.0.0.1", port), SlowSite) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        asking.join(60)
        site.shutdown()
    assert answers == [200]


def test_who_waits_follows_its_router_also_where_the_new_container_was_created_first(start, origin, engine):
    replica = {"com.docker.compose.project": "shop", "com.docker.compose.service": "web",
               "traefik.http.routers.app.rule": "Host(`app`)"}
    port = free_port()
    successor = {**replica, "traefik.http.services.next.loadbalancer.passhostheader": "true"}
    engine.put("old", origin.port, replica)
    proxy = start(install={**engine.install, "hold": {"after": "60s", "time": "40s"}})
    proxy.wait_status(200, "app")
    engine.created.add("id-new")
    engine.containers["id-new"] = ("new", port, successor)
    engine._event("create", "id-new")
    wait_for(lambda: proxy.service("next@docker"), 10, "the new container is known")

    answers, asking = [], []
    engine._event("kill", "id-old", signal="15")
    for _ in range(8):  # some before the configuration that follows the signal
        asking.append(threading.Thread(target=lambda: answers.append(proxy.ask(host="app", timeout=60).status)))
        asking[-1].start()
        time.sleep(0.02)
    wait_for(lambda: proxy.router("app@docker")["service"] == "next", 10, "the router has moved")
    engine._event("die", "id-old")
    del engine.containers["id-old"]
    engine._event("destroy", "id-old")
    wait_for(lambda: not proxy.service("web-shop@docker"), 10, "the old service is gone")
    engine.created.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), SlowSite) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        engine.put("new", port, successor)
        for one in asking:
            one.join(60)
        site.shutdown()
    assert answers == [200] * 8
