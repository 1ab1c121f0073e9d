"""UDP routers by container labels: DNS servers in containers that come, go and are replaced."""

import shutil
import socket

import dns.exception
import dns.message
import pytest
from conftest import docker_settings
from support.datagrams import UdpClient
from support.fairlead import ROOT
from support.ports import free_port, wait_for

QUERY = dns.message.make_query("www.example.test", "A").to_wire()


@pytest.fixture
def udp_proxy(start, engine):
    port = free_port(socket.SOCK_DGRAM)
    # Nobody is given another server because he was silent for long.
    points = {"dns": {"address": f"127.0.0.1:{port}/udp", "udp": {"timeout": "60s"}}}
    proxy = start(install={**docker_settings(), "entryPoints": points}, entry_points=())
    proxy.udp_port = port
    yield proxy
    engine.clean()


@pytest.fixture
def run(engine, knot_image, name, tmp_path):
    """run(n): container number n of one service, to which www.example.test is 192.0.2.n; its name."""

    def begin(number):
        folder = tmp_path / str(number)
        shutil.copytree(ROOT / "examples/udp-dns", folder / "config")
        zone = folder / "config/example.test.zone"
        zone.write_text(zone.read_text().replace("192.0.2.7", f"192.0.2.{number}"))
        (folder / "tmp").mkdir()
        return engine.run(f"{name}-{number}", ["knotd", "-c", "/config/knot.conf"], image=knot_image,
                          binds=[f"{folder}/config:/config:ro", f"{folder}/tmp:/tmp"],
                          labels={f"traefik.udp.routers.{name}.entrypoints": "dns",
                                  f"traefik.udp.services.{name}.loadbalancer.server.port": "53"})

    return begin


def asked(client):
    """The last number of the address that the client is told; None when no answer came, as for a lost datagram."""
    client.socket.settimeout(2)
    try:
        answer = dns.message.from_wire(client.ask(QUERY)).answer
        return int(str(answer[0][0]).rsplit(".", 1)[1])
    except (OSError, IndexError, dns.exception.DNSException):
        return None


def test_a_client_goes_on_when_the_only_container_was_replaced(engine, udp_proxy, run):
    first = run(1)
    with UdpClient(udp_proxy.udp_port) as client:
        wait_for(lambda: asked(client) == 1, 20, "the first container answers")

        engine.kill(first, "TERM")
        engine.remove(first)
        wait_for(lambda: asked(client) is None, 10, "nobody answers any more")
        run(2)

        wait_for(lambda: asked(client) == 2, 20, "its successor answers the same client")
        with UdpClient(udp_proxy.udp_port) as other:
            assert [asked(other) for _ in range(5)] == [2] * 5


def test_a_client_moves_to_the_container_that_stays(engine, udp_proxy, run):
    names = {1: run(1), 2: run(2)}

    def shared_out():
        with UdpClient(udp_proxy.udp_port) as one, UdpClient(udp_proxy.udp_port) as another:
            return {asked(one), asked(another)} == {1, 2}

    wait_for(shared_out, 20, "both containers are used")
    with UdpClient(udp_proxy.udp_port) as client:
        leaving = asked(client)
        assert [asked(client) for _ in range(10)] == [leaving] * 10, "a session keeps its server"

        engine.stop(names[leaving])

        answers = []
        wait_for(lambda: answers.append(asked(client)) or answers[-1] == 3 - leaving, 20, "the other one answers")
        assert answers.count(None) <= 3, answers
        assert [asked(client) for _ in range(10)] == [3 - leaving] * 10
