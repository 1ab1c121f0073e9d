"""TCP routers by container labels: default services, ports, and connections held while a container is replaced."""

import threading
import time

import pytest
from conftest import docker_settings, hostname_of, name_of
from support.ports import wait_for
from support.raw import Closed, RawClient

ANY = "HostSNI(`*`)"


@pytest.fixture
def tcp_proxy(start, engine):
    yield start(install=docker_settings(), entry_points=("web", "tcp"))
    engine.clean()


def labels(name, entry_point="tcp", **more):
    return {f"traefik.tcp.routers.{name}.rule": ANY, f"traefik.tcp.routers.{name}.entrypoints": entry_point,
            **{key.replace("__", ".").replace("NAME", name): value for key, value in more.items()}}


def ask_through(proxy, seconds=60):
    """What the whoami behind the TCP router answers over a connection of its own."""
    with RawClient(proxy.port("tcp"), timeout=seconds) as client:
        return client.ask(host="any")


def until_answered(proxy, seconds=20):
    def reached():
        # Before the router is there the entry point speaks HTTP itself: 404.
        try:
            answer = ask_through(proxy)
        except (OSError, Closed):
            return None
        return answer if answer.status == 200 else None

    return wait_for(reached, seconds, "the container is reached")


def test_a_router_alone_gets_a_service_of_its_own(engine, tcp_proxy, name):
    engine.run(name, ["whoami", "--port", "7000"], labels=labels(name), ports={7000: 0})

    until_answered(tcp_proxy)
    shown = tcp_proxy.api(f"/api/tcp/services/{name}@docker")
    assert [server["address"].split(":")[1] for server in shown["loadBalancer"]["servers"]] == ["7000"]
    assert tcp_proxy.api("/api/http/services") == [] or not any(
        one["name"].startswith(name) for one in tcp_proxy.api("/api/http/services")), "TCP labels alone make no HTTP part"


def test_a_port_label_and_the_tls_flag_are_taken(engine, tcp_proxy, name):
    engine.run(name, ["whoami", "--port", "7001"], labels=labels(
        name, traefik__tcp__services__NAME__loadbalancer__server__port="7001",
        traefik__tcp__services__NAME__loadbalancer__server__tls="false"))

    until_answered(tcp_proxy)
    server = tcp_proxy.api(f"/api/tcp/services/{name}@docker")["loadBalancer"]["servers"][0]
    assert server["address"].endswith(":7001") and not server.get("tls")


def test_http_and_tcp_of_one_container_do_not_disturb_each_other(engine, tcp_proxy, name):
    engine.run(name, labels=labels(name, **{
        "traefik.http.routers.NAME.rule": f"Host(`{name}`)",
        "traefik.http.services.NAME.loadbalancer.server.port": "80",
        "traefik.tcp.services.NAME.loadbalancer.server.port": "80"}))

    tcp_proxy.wait_status(200, name)
    until_answered(tcp_proxy)


def test_replicas_share_the_connections_and_one_that_stops_is_left(engine, tcp_proxy, name):
    for i in (1, 2):
        engine.run(f"{name}-{i}", ["whoami", "--name", f"r{i}"], labels=labels(
            name, traefik__tcp__services__NAME__loadbalancer__server__port="80"))
    wait_for(lambda: {name_of(until_answered(tcp_proxy)) for _ in range(4)} == {"r1", "r2"}, 20, "both are used")

    engine.stop(f"{name}-1")

    assert {name_of(ask_through(tcp_proxy)) for _ in range(6)} == {"r2"}


def test_connections_are_held_while_the_only_container_is_replaced(engine, tcp_proxy, name):
    def run(number):
        engine.run(f"{name}-{number}", labels=labels(
            name, traefik__tcp__services__NAME__loadbalancer__server__port="80"))

    run(1)
    until_answered(tcp_proxy)
    failures, answers, done = [], [], threading.Event()

    def connect_all_the_time():
        while not done.is_set():
            try:
                answers.append(hostname_of(ask_through(tcp_proxy)))
            except (OSError, Closed) as failure:
                failures.append(repr(failure))
            time.sleep(0.02)

    threads = [threading.Thread(target=connect_all_the_time) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        before = answers[-1] if answers else None
        wait_for(lambda: answers, 10, "connections are answered")
        before = answers[-1]
        # The connection of the moment ends with its server; new ones wait for the successor.
        engine.kill(f"{name}-1", "TERM")
        engine.stop(f"{name}-1")
        run(2)
        wait_for(lambda: answers[-1] != before, 20, "the successor answers")
    finally:
        done.set()
        for thread in threads:
            thread.join(30)
    assert len(failures) <= 3, failures  # at most the connections that were open at that moment


def test_a_container_that_is_gone_closes_connections_and_the_log_says_why(engine, tcp_proxy, name):
    engine.run(name, labels=labels(name, traefik__tcp__services__NAME__loadbalancer__server__port="80"))
    until_answered(tcp_proxy)
    engine.pause(name)

    def says_paused():
        with RawClient(tcp_proxy.port("tcp")) as client:
            client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            return client.is_closed() and "paused" in tcp_proxy.log().lower()

    wait_for(says_paused, 20, "the log tells the reason")
    engine.unpause(name)
    until_answered(tcp_proxy)
