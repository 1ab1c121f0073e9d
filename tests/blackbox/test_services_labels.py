"""Services and routers said by labels, composites and parents too: containers whose engine is a test's own."""

import collections
import ssl

import pytest
from support.certificates import make
from support.fairlead import Fairlead
from support.labels import LabelledEngine
from support.origin import Origin, respond
from support.ports import wait_for
from support.raw import RawClient

A = [
    "http.routers.a.rule=Host(`a`)",
    "http.routers.a.service=a",
    "http.services.a.loadbalancer.server.port=PORT",
    "http.services.a.loadbalancer.server.preservepath=true",
    "http.services.a.loadbalancer.passhostheader=false",
    "http.services.a.loadbalancer.strategy=p2c",
    "http.services.a.loadbalancer.healthcheck.path=/health",
    "http.services.a.loadbalancer.healthcheck.interval=100ms",
    "http.services.a.loadbalancer.healthcheck.headers.X-Probe=yes",
    "http.services.a.loadbalancer.passivehealthcheck.maxfailedattempts=3",
    "http.services.a.middlewares=own",
    "http.middlewares.own.headers.customrequestheaders.X-Own=1",
    # made of services
    "http.services.split.weighted.services[0].name=a",
    "http.services.split.weighted.services[0].weight=3",
    "http.services.split.weighted.services[1].name=b",
    "http.services.split.weighted.services[1].weight=1",
    "http.services.split.weighted.healthcheck=true",
    "http.services.pinned.weighted.services[0].name=a",
    "http.services.pinned.weighted.services[1].name=b",
    "http.services.pinned.weighted.sticky.cookie.name=side",
    "http.services.near.highestrandomweight.services[0].name=b",
    "http.services.near.highestrandomweight.healthcheck=true",
    "http.services.copied.mirroring.service=a",
    "http.services.copied.mirroring.mirrors[0].name=b",
    "http.services.copied.mirroring.mirrors[0].percent=100",
    "http.services.spare.failover.service=a",
    "http.services.spare.failover.fallback=b",
    "http.services.spare.failover.errors.status=503-504",
    *[f"http.routers.{name}.{part}" for name in ("split", "pinned", "near", "copied", "spare")
      for part in (f"rule=Host(`{name}`)", f"service={name}")],
    # routers below others
    "http.routers.site.rule=Host(`site`)",
    "http.routers.site.middlewares=strip",
    "http.middlewares.strip.stripprefix.prefixes=/shop",
    "http.routers.cart.rule=PathPrefix(`/cart`)",
    "http.routers.cart.parentrefs=site",
    "http.routers.cart.service=a",
    # transports
    "http.serverstransports.loose.insecureskipverify=true",
]
B = [
    "http.routers.b.rule=Host(`b`)",
    "http.services.b.loadbalancer.server.port=PORT",
    "http.services.b.loadbalancer.sticky.cookie=true",
    "http.services.b.loadbalancer.healthcheck.path=/health",
    "http.services.b.loadbalancer.healthcheck.interval=100ms",
]
SECURE = [
    "http.routers.secure.rule=Host(`secure`)",
    "http.services.secure.loadbalancer.server.port=PORT",
    "http.services.secure.loadbalancer.server.scheme=https",
    "http.services.secure.loadbalancer.serverstransport=loose",
]
FIXED = ["http.routers.fixed.rule=Host(`fixed`)", "http.services.fixed.loadbalancer.server.url=URL"]
SHARED = ["http.routers.shared.rule=Host(`shared`)", "http.services.shared.loadbalancer.server.port=PORT"]
SHORT = {"fairlead.host": "short.example", "fairlead.path": "/p"}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    pair = make(tmp_path_factory.mktemp("pki"), "server", ["IP:127.0.0.1"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(str(pair.cert), str(pair.key))
    install = {"certificatesResolvers": {"le": {"acme": {"storage": str(tmp_path_factory.mktemp("acme") / "acme.json"),
                                                         "caServer": "https://127.0.0.1:1/", "tlsChallenge": {}}}}}
    with (Origin(respond(b"a")) as a, Origin(respond(b"b")) as b, Origin(respond(b"secure"), tls=context) as secure,
          LabelledEngine() as engine):
        def put(name, origin, lines):
            engine.put(name, origin.port, [line.replace("PORT", str(origin.port)).replace("URL", a.url) for line in lines])

        put("one", a, A)
        put("two", b, B)
        put("three", secure, SECURE)
        put("four", b, FIXED)
        engine.put("short", b.port, SHORT)
        with Fairlead(install={**engine.install, **install}) as proxy:
            for host in ("a", "b", "split", "secure", "fixed", "site"):
                wait_for(lambda host=host: proxy.ask("/shop/cart", host=host).status == 200, 15, host)
            yield proxy, a, b, engine


def shares(proxy, host, times):
    with RawClient(proxy.port()) as client:
        return collections.Counter(client.ask(host=host).text for _ in range(times))


def test_options_of_a_server_and_of_its_balancer(house):
    proxy, a, _, _ = house

    assert proxy.ask("/x", host="a").text == "a"
    seen = next(request for request in reversed(a.requests) if request.target == "/x")
    assert (seen.header("Host"), seen.header("X-Own")) == (f"127.0.0.1:{a.port}", "1")
    checks = wait_for(lambda: [r for r in a.requests if r.target == "/health"], 10, "a check")
    assert checks[0].header("X-Probe") == "yes"
    assert proxy.ask(host="fixed").text == "a"


def test_a_cookie_by_label(house):
    proxy, _, _, _ = house

    assert proxy.ask(host="b").header("Set-Cookie").startswith("_")


def test_a_transport_by_label(house):
    proxy, _, _, _ = house

    assert proxy.ask(host="secure").text == "secure"


def test_composites_by_label(house):
    proxy, a, b, _ = house

    assert shares(proxy, "split", 40) == {"a": 30, "b": 10}
    pinned = proxy.ask(host="pinned")
    cookie = pinned.header("Set-Cookie").split(";")[0]
    assert cookie.startswith("side=")
    assert {proxy.ask(host="pinned", headers={"Cookie": cookie}).text for _ in range(6)} == {pinned.text}
    assert shares(proxy, "near", 5) == {"b": 5}
    before = len([r for r in b.requests if r.target == "/copy"])
    assert proxy.ask("/copy", host="copied").text == "a"
    wait_for(lambda: len([r for r in b.requests if r.target == "/copy"]) == before + 1, 10, "the copy")
    assert proxy.ask(host="spare").text == "a"
    a.answer = lambda request: respond(b"", 200) if request.target == "/health" else respond(b"broken", 503)
    assert proxy.ask(host="spare").text == "b"
    a.answer = respond(b"a")


def test_parents_by_label(house):
    proxy, a, _, _ = house

    assert proxy.ask("/shop/cart", host="site").text == "a"
    assert a.last().target == "/cart"
    assert proxy.ask("/shop/else", host="site").status == 404


def test_the_short_labels_redirect_by_308(house):
    proxy, _, _, _ = house

    for method in ("GET", "POST"):
        answer = proxy.wait_status(308, "short.example", "/p/x?y=z", method=method)
        assert answer.header("Location") == "https://short.example/p/x?y=z"


def test_weights_of_containers_that_share_a_service(house):
    proxy, a, b, engine = house

    for name, origin, weight in [("light", a, 1), ("heavy", b, 3)]:
        labels = {f"traefik.{line.split('=', 1)[0]}": line.split("=", 1)[1].replace("PORT", str(origin.port))
                  for line in SHARED}
        labels |= {"traefik.http.services.shared.loadbalancer.server.weight": str(weight),
                   "com.docker.compose.project": "p", "com.docker.compose.service": "shared"}
        engine.put(name, origin.port, labels)

    wait_for(lambda: set(shares(proxy, "shared", 4)) == {"a", "b"}, 20, "both serve")
    assert shares(proxy, "shared", 40) == {"a": 10, "b": 30}
