"""A container that leaves its network cannot say so to those who wait for it: they must hear of it all the same."""

import time
from concurrent.futures import ThreadPoolExecutor

from conftest import docker_settings, name_of
from support.ports import wait_for
from support.raw import Closed, RawClient


def test_requests_under_way_go_on_at_another_server_or_fail(engine, proxy, name):
    nets = [engine.network(f"{name}-a"), engine.network(f"{name}-b")]
    labels = {f"traefik.http.routers.{name}.rule": f"Host(`{name}`)",
              "com.docker.compose.project": name, "com.docker.compose.service": "web"}
    for number, net in enumerate(nets):
        engine.run(f"{name}-{number}", ["whoami", "--name", f"r{number}"], network=net, labels=labels)
    wait_for(lambda: {name_of(proxy.wait_status(200, name)) for _ in range(4)} == {"r0", "r1"}, 20, "both are used")

    with ThreadPoolExecutor(16) as pool:
        asked = {method: [pool.submit(proxy.ask, "/?wait=4s", host=name, method=method,
                                      body=b"x" if method == "POST" else None) for _ in range(8)]
                 for method in ("GET", "POST")}
        time.sleep(0.7)  # they are under way
        engine.disconnect(nets[0], f"{name}-0")
        answers = {method: [one.result() for one in all_of] for method, all_of in asked.items()}

    assert [one.status for one in answers["GET"]] == [200] * 8, "they may be sent again"
    assert {one.status for one in answers["POST"]} <= {200, 502}, "they may not"
    assert {name_of(proxy.ask(host=name)) for _ in range(6)} == {"r1"}


def test_tcp_connections_end(engine, start, name):
    proxy = start(install=docker_settings(), entry_points=("web", "tcp"))
    net = engine.network(f"{name}-a")
    engine.run(name, network=net, labels={f"traefik.tcp.routers.{name}.rule": "HostSNI(`*`)",
                                          f"traefik.tcp.routers.{name}.entrypoints": "tcp",
                                          f"traefik.tcp.services.{name}.loadbalancer.server.port": "80"})
    opened = []

    def answered():
        client = RawClient(proxy.port("tcp"))
        opened.append(client)
        try:
            return client.ask(host="any").status == 200
        except (OSError, Closed):
            return False

    try:
        wait_for(answered, 20, "the container is reached")

        engine.disconnect(net, name)

        assert opened[-1].is_closed(60), proxy.log()
    finally:
        for client in opened:
            client.close()
        engine.clean()
