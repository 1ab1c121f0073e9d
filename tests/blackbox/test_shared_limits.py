"""Rate limits that live in Redis: several Fairleads, a cluster, a server that comes and goes, certificates that change."""

import shutil

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
            "redis": {"endpoints": [f"127.0.0.1:{endpoint}"], "username": "fair", "password": "hidden", **redis}}}},
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
