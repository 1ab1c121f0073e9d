"""gRPC through Fairlead, with gRPC's own C++ library at both ends: in clear text (h2c) and over TLS."""

import re

import pytest
from support import certificates
from support.fairlead import Fairlead, routes
from support.grpc import GrpcServer, call, program, start_call
from support.origin import Origin, respond
from support.ports import free_port, wait_for
from support.raw import ask

OK = "status 0 "
APR1 = "test:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/"


@pytest.fixture(scope="module", autouse=True)
def built():
    program()


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pki")
    authority = certificates.make(folder, "authority", ca=True)
    made = {name: certificates.make(folder, name, names, issuer=authority)
            for name, names in {"client": ["DNS:app"], "server": ["IP:127.0.0.1"]}.items()}
    return {**made, "authority": authority}


class Setup:
    """One Fairlead between a client and a server, `port` for clients; `tls`: at both ends."""

    def __init__(self, tls, pki):
        self.server = GrpcServer(pki["server"] if tls else None)
        dynamic = routes(app=[self.server.url], nobody=[f"h2c://127.0.0.1:{free_port()}"])
        self.old = Origin(respond(b"no gRPC"))
        dynamic["http"]["services"]["old"] = {"loadBalancer": {"servers": [{"url": self.old.url}]}}
        dynamic["http"]["routers"]["old"] = {"rule": "Host(`old`)", "service": "old"}
        dynamic["http"]["middlewares"] = {"closed": {"basicAuth": {"users": [APR1]}},
                                          "web": {"grpcWeb": {"allowOrigins": ["*"]}}, "kept": {"buffering": {}}}
        dynamic["http"]["routers"]["closed"] = {"rule": "Host(`closed`)", "service": "app", "middlewares": ["closed"]}
        dynamic["http"]["routers"]["web"] = {"rule": "Host(`web`)", "service": "app", "middlewares": ["web"]}
        dynamic["http"]["routers"]["kept"] = {"rule": "Host(`kept`)", "service": "app", "middlewares": ["kept"]}
        self.options = {}
        if tls:
            for router in dynamic["http"]["routers"].values():
                router["tls"] = {}
            dynamic["tls"] = {"certificates": [pki["client"].config]}
            dynamic["http"]["services"]["app"]["loadBalancer"]["serversTransport"] = "own"
            dynamic["http"]["serversTransports"] = {"own": {"rootCAs": [str(pki["authority"].cert)]}}
            self.options = {"ca": pki["authority"].cert}
        self.proxy = Fairlead(dynamic, {"metrics": {"prometheus": {"addRoutersLabels": True}}}).start()

    def call(self, kind, **options):
        return call(self.proxy.port(), kind, **{**self.options, **options})

    def stop(self):
        self.proxy.stop()
        self.server.stop()
        self.old.stop()


@pytest.fixture(scope="module", params=["h2c", "tls"])
def setup(request, pki):
    made = Setup(request.param == "tls", pki)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def plain(pki):
    made = Setup(False, pki)
    yield made
    made.stop()


def test_unary_with_metadata_and_trailers(setup):
    assert setup.call("unary", text="hello") == ["answer hello 0 0", "head x-answer why", "trailer bye", OK]


def test_large_messages(setup):
    assert setup.call("unary", text="large", bytes=8_000_000)[0] == "answer large 8000000 0"


def test_client_streaming(setup):
    assert setup.call("collect", text="x", bytes=1000, count=2000) == ["answer 2000", OK]


def test_server_streaming(setup):
    assert setup.call("expand", text="x", bytes=1000, count=2000) == ["answer 2000", OK]


def test_bidirectional_streaming_holds_nothing_back(setup):
    assert setup.call("chat", text="x", count=300) == ["answer 300", "trailer bye", OK]


def test_a_failed_call_is_trailers_only(setup):
    assert setup.call("unary", text="fail 5") == ["status 5 as you wish: 100% \u00e9"]


def test_deadlines_pass(setup):
    left = int(setup.call("unary", text="left", deadline=90_000)[0].split()[-1])
    assert 20_000 < left <= 90_000


def test_an_expired_deadline_ends_the_call_on_the_server(setup):
    before, waits = (setup.server.lines.count(line) for line in ("cancelled", "waiting"))
    for deadline in (700, 5000, 20_000):
        assert setup.call("unary", text="wait", deadline=deadline)[0].startswith("status 4 ")
        if setup.server.lines.count("waiting") > waits:
            break  # else a busy machine took all of it before the server heard of the call
    wait_for(lambda: setup.server.lines.count("cancelled") > before, 10, "the server hears of it")


def test_a_client_that_dies_ends_the_call_on_the_server(setup):
    before, waits = (setup.server.lines.count(line) for line in ("cancelled", "waiting"))
    process = start_call(setup.proxy.port(), "expand", text="wait", count=3, **setup.options)
    wait_for(lambda: setup.server.lines.count("waiting") > waits, 10, "it runs")
    process.kill()
    process.wait()
    wait_for(lambda: setup.server.lines.count("cancelled") > before, 10, "the server hears of it")


@pytest.mark.parametrize(("authority", "code"), [("nobody", 14), ("unknown", 12), ("closed", 16), ("old", 2)])
def test_own_answers_become_the_codes_that_grpc_derives(plain, authority, code):
    """gRPC's table from HTTP status to code: 502 and 503 UNAVAILABLE, 404 UNIMPLEMENTED, 401 UNAUTHENTICATED."""
    assert plain.call("unary", text="x", authority=authority)[-1].split()[:2] == ["status", str(code)]


def test_calls_whose_messages_are_buffered_end_with_their_status(plain):
    assert plain.call("unary", text="hello", authority="kept") == ["answer hello 0 0", "head x-answer why", "trailer bye", OK]
    assert plain.call("expand", text="x", bytes=10, count=20, authority="kept") == ["answer 20", OK]
    assert plain.call("unary", text="fail 5", authority="kept") == ["status 5 as you wish: 100% \u00e9"]


def test_the_status_of_trailers_is_counted_and_logged(plain):
    plain.call("unary", text="fail 7")
    plain.call("chat", text="x", count=1)

    def counted():
        text = ask(plain.proxy.api_port, target="/metrics").body.decode()
        found = {code: int(float(value)) for code, value in
                 re.findall(r'traefik_router_requests_total\{code="(\d+)".*?protocol="grpc".*?router="app@file".*?\} (\S+)', text)}
        return found.get("7") and found.get("0")

    wait_for(counted, 10, "both codes are counted")


def test_grpc_web_reaches_a_grpc_server(plain):
    message = b"\x0a\x05hello"
    frame = b"\0" + len(message).to_bytes(4, "big") + message
    answer = ask(plain.proxy.port(), "POST", "/echo.Echo/Unary", host="web", body=frame,
                 headers={"Content-Type": "application/grpc-web+proto", "X-Grpc-Web": "1", "Origin": "https://a.test"})

    assert (answer.status, answer.header("Content-Type")) == (200, "application/grpc-web")
    assert answer.body.startswith(frame)
    trailers = answer.body[len(frame):]
    assert trailers[0] == 0x80 and b"grpc-status: 0\r\n" in trailers and b"x-trailer: bye\r\n" in trailers


# Health checks


def checked(url, **check):
    dynamic = routes(app=[url])
    dynamic["http"]["services"]["app"]["loadBalancer"]["healthCheck"] = {
        "mode": "grpc", "interval": "200ms", "timeout": "30s", **check}
    return dynamic


def server_status(proxy):
    service = next(s for s in proxy.api("/api/http/services?per_page=1000") if s["name"] == "app@file")
    return list(service["serverStatus"].values())


@pytest.mark.parametrize("scheme", ["h2c", "https"])
def test_health_checks_follow_the_server(start, pki, scheme):
    with GrpcServer(pki["server"] if scheme == "https" else None) as server:
        dynamic = checked(server.url, **({"scheme": "https"} if scheme == "https" else {}))
        dynamic["http"]["services"]["app"]["loadBalancer"]["serversTransport"] = "own"
        dynamic["http"]["serversTransports"] = {"own": {"rootCAs": [str(pki["authority"].cert)]}}
        proxy = start(dynamic)
        server.health("ill")
        wait_for(lambda: server_status(proxy) == ["DOWN"], 10, "NOT_SERVING takes it out")
        wait_for(lambda: "it says NOT_SERVING" in proxy.log(), 10, "the log says why")
        assert call(proxy.port(), "unary", text="x")[-1].startswith("status 14 ")
        server.health("well")
        wait_for(lambda: server_status(proxy) == ["UP"], 10, "SERVING brings it back")
        assert call(proxy.port(), "unary", text="x")[-1] == OK


def test_a_server_without_grpc_is_down(start, origin):
    proxy = start(checked(origin.url))
    wait_for(lambda: server_status(proxy) == ["DOWN"], 10, "it does not speak gRPC")
    proxy.stop()  # no check comes after this
    origin.violations.clear()
