"""Rate limits that live in Redis: several Fairleads, a cluster, a server that comes and goes, certificates that change."""

import re
import shutil
import socket
import threading

import pytest
from support.certificates import make
from support.ports import wait_for
from support.redis import Redis, RedisCluster


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pki")

    class Pki:
        ca = make(folder, "ca", ca=True)
        other = make(folder, "other", ca=True)
        server = make(folder, "server", ["IP:127.0.0.1"], ca)
        client = make(folder, "client", issuer=ca)

    Pki.folder = folder
    return Pki


def limited(origin, endpoint, **redis):
    return {"http": {
        "routers": {"r": {"rule": "PathPrefix(`/`)", "service": "app", "middlewares": ["limit"]}},
        "middlewares": {"limit": {"rateLimit": {
            "average": 1, "period": "1h", "burst": 2, "sourceCriterion": {"requestHeaderName": "X-Tenant"},
            "redis": {"endpoints": [f"127.0.0.1:{endpoint}"], "username": "fair", "password": "hidden",
                      "readTimeout": "60s", "dialTimeout": "60s", **redis}}}},
        "services": {"app": {"loadBalancer": {"servers": [{"url": origin.url}]}}}}}


def statuses(proxy, tenant, count):
    return [proxy.ask(headers={"X-Tenant": tenant}).status for _ in range(count)]


def test_several_instances_share_one_limit_and_a_cluster_is_followed(start, origin, pki):
    with RedisCluster(pki.folder, pki.server, pki.ca) as cluster:
        one = start(limited(origin, cluster.nodes[0].port))
        other = start(limited(origin, cluster.nodes[1].port))

        for i in range(12):
            assert statuses(one, f"t{i}", 1) + statuses(other, f"t{i}", 2) == [200, 200, 429]

        sizes = [node.ask("DBSIZE") for node in cluster.nodes]
        assert sum(sizes) == 12 and min(sizes) > 0, sizes


def test_a_server_that_comes_back_is_used_again(start, origin, pki):
    with Redis(pki.folder, pki.server, pki.ca) as redis:
        proxy = start(limited(origin, redis.port))
        assert statuses(proxy, "a", 3) == [200, 200, 429]
        redis.stop()
        assert statuses(proxy, "a", 2) == [500, 500]
        redis.start()
        wait_for(lambda: proxy.ask(headers={"X-Tenant": "b"}).status == 200, 10, "it is asked again")
        assert len(origin.requests) == 3


def test_its_certificates_are_read_again_when_they_change(start, origin, pki):
    trusted = pki.folder / "trusted.pem"
    shutil.copy(pki.other.cert, trusted)
    tls = {"ca": str(trusted), "cert": str(pki.client.cert), "key": str(pki.client.key)}
    with Redis(pki.folder, pki.server, pki.ca) as redis:
        proxy = start(limited(origin, redis.tls_port, tls=tls))
        assert statuses(proxy, "a", 1) == [500]
        shutil.copy(pki.ca.cert, trusted)
        wait_for(lambda: proxy.ask(headers={"X-Tenant": "a"}).status == 200, 10, "the new authority is trusted")


@pytest.mark.parametrize("begun, more", [(b"$2000000000\r\n", b"a" * 65536), (b"*100000000\r\n", b":1\r\n" * 16384), (b"+", b"a" * 65536)],
                         ids=["one text", "one list", "one line"])
def test_an_answer_without_end_costs_neither_memory_nor_the_worker(start, origin, begun, more):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def pour():
            while True:
                try:
                    connection = listener.accept()[0]
                except OSError:
                    return
                try:
                    connection.sendall(begun)
                    while True:
                        connection.sendall(more)
                except OSError:
                    connection.close()

        threading.Thread(target=pour, daemon=True).start()
        dynamic = limited(origin, listener.getsockname()[1])
        dynamic["http"]["routers"]["free"] = {"rule": "PathPrefix(`/free`)", "service": "app"}
        proxy = start(dynamic, workers=1)

        for _ in range(3):
            assert statuses(proxy, "a", 1) == [500]
            assert proxy.ask("/free").status == 200
        with open(f"/proc/{proxy.pid}/status") as status:
            assert int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1)) < 300_000, "KiB"
        listener.shutdown(socket.SHUT_RDWR)
