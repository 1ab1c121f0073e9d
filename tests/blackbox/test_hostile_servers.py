"""Servers, and the servers that middlewares ask, which answer oddly, without end, or by switching protocols unasked."""

import time

import pytest
from support.fairlead import Fairlead
from support.origin import Origin, respond
from support.raw import RawClient

HANDSHAKE = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
             ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\n"


@pytest.fixture(scope="module")
def world():
    class World:
        pass

    with Origin() as World.origin, Origin() as World.other:
        middlewares = {"auth": {"forwardAuth": {"address": World.other.url}},
                       "pages": {"errors": {"status": ["500-599"], "service": "other", "query": "/"}}}
        dynamic = {"http": {
            "routers": {"app": {"rule": "Host(`app`)", "service": "app"},
                        **{name: {"rule": f"Host(`{name}`)", "service": "app", "middlewares": [name]} for name in middlewares}},
            "middlewares": middlewares,
            "services": {name: {"loadBalancer": {"servers": [{"url": origin.url}]}}
                         for name, origin in (("app", World.origin), ("other", World.other))},
        }}
        with Fairlead(dynamic) as World.proxy:
            yield World
        assert World.origin.violations == [] and World.other.violations == []


@pytest.fixture(autouse=True)
def _fresh(world):
    for origin in (world.origin, world.other):
        origin.answer = respond()
        origin.unscript()
        origin.requests.clear()


@pytest.mark.parametrize("answer", [
    SWITCHED + b"\r\n", SWITCHED + b"Upgrade: websocket\r\n\r\n", SWITCHED + b"Connection: Upgrade\r\n\r\n",
    SWITCHED + b"Connection: Upgrade\r\nUpgrade: other\r\n\r\n",
    SWITCHED + b"Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: websocket\r\n\r\n",
    SWITCHED + b"Connection: close\r\nUpgrade: websocket\r\n\r\n",
], ids=["nothing", "Connection names nothing", "Upgrade says nothing", "another protocol", "two protocols", "Connection: close"])
def test_a_switch_that_does_not_answer_the_upgrade_opens_no_tunnel(world, answer):
    """RFC 9110 §7.8: 101 names the protocol in Upgrade, and Upgrade in Connection."""
    world.origin.script([answer + b"bytes of a tunnel", 0.5, Origin.CLOSE])

    refused = world.proxy.ask(host="app", headers=HANDSHAKE)

    assert refused.status == 502 and b"tunnel" not in refused.body


ODD_AUTHORITIES = {
    "switches protocols": [SWITCHED + b"Connection: Upgrade\r\nUpgrade: x\r\n\r\n", 40, Origin.CLOSE],
    "interim answers without end": [b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 10_000, 40, Origin.CLOSE],
}


@pytest.mark.parametrize("case", ODD_AUTHORITIES)
def test_an_authority_that_gives_no_final_answer_is_not_waited_for(world, case):
    world.other.script(ODD_AUTHORITIES[case])

    begun = time.monotonic()
    assert world.proxy.ask(host="auth").status == 500
    assert time.monotonic() - begun < 30
    assert world.origin.requests == []


@pytest.mark.parametrize("case", ODD_AUTHORITIES)
def test_an_error_page_that_gives_no_final_answer_leaves_the_error(world, case):
    world.origin.script(respond(b"", 503, reason="Service Unavailable"))
    world.other.script(ODD_AUTHORITIES[case])

    begun = time.monotonic()
    assert world.proxy.ask(host="pages").status == 503
    assert time.monotonic() - begun < 30


def test_no_byte_of_a_refused_upgrade_becomes_a_request(world):
    world.origin.script(respond(b"no", 403, reason="Forbidden"))
    lines = "".join(f"{name}: {value}\r\n" for name, value in HANDSHAKE)
    with RawClient(world.proxy.port()) as client:
        client.send(f"GET / HTTP/1.1\r\nHost: app\r\n{lines}\r\nGET /smuggled HTTP/1.1\r\nHost: app\r\n\r\n")
        assert client.read_answer().status == 403
        # What follows a refused upgrade is an ordinary next request, with rules of its own.
        assert client.read_answer().status == 200
    assert [request.target for request in world.origin.requests] == ["/", "/smuggled"]
    assert world.origin.last().header("Upgrade") is None
