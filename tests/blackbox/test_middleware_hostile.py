"""What hostile clients send to middlewares: it must pass no check and cost no memory to speak of."""

import base64
import hashlib
import re

import pytest
from support.fairlead import Fairlead
from support.h2 import H2Client
from support.origin import Origin, respond
from support.raw import Closed, RawClient

KEY = hashlib.sha256(b"secret").hexdigest()
SHA1 = "test:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M="
HA1 = hashlib.md5(b"test:traefik:test").hexdigest()
BASIC = ("Authorization", "Basic " + base64.b64encode(b"test:test").decode())
MANAGED = ("For", "Host", "Method", "Port", "Prefix", "Proto", "Server", "Tls-Client-Cert", "Tls-Client-Cert-Info", "Uri")


def middlewares(auth_url):
    return {
        "cookie": {"apiKey": {"keys": [f"ci:{KEY}"], "cookie": "key"}},
        "query": {"apiKey": {"keys": [f"ci:{KEY}"], "query": "key"}},
        "basic": {"basicAuth": {"users": [SHA1], "headerField": "X-Web-User"}},
        "digest": {"digestAuth": {"users": [f"test:traefik:{HA1}"], "headerField": "X-Web-User"}},
        "named": {"apiKey": {"keys": [f"ci:{KEY}"], "headerField": "X-Web-User"}},
        "forward": {"forwardAuth": {"address": auth_url, "trustForwardHeader": False,
                                    "authResponseHeaders": ["X-Web-User"], "authResponseHeadersRegex": "^X-Role"}},
        "set": {"headers": {"customRequestHeaders": {"X-Web-User": "nobody", "X-Role-Admin": ""}}},
        "id": {"requestId": {"header": "X-Web-User"}},
        "local": {"ipAllowList": {"sourceRange": ["10.0.0.0/8"], "ipStrategy": {"depth": 1}}},
        "rate": {"rateLimit": {"average": 1, "period": "1h", "sourceCriterion": {"ipStrategy": {"depth": 1}}}},
        "many": {"rateLimit": {"average": 1, "period": "1h", "sourceCriterion": {"requestHeaderName": "X-Source"}}},
        "pages": {"errors": {"status": ["500-599"], "service": "app", "query": "/{status}?{url}"}},
        "zip": {"compress": {}},
        "store": {"buffering": {}},
        "again": {"retry": {"attempts": 2, "status": ["599"]}},
    }


@pytest.fixture(scope="module")
def world():
    class World:
        pass

    with Origin() as World.origin, Origin(respond(headers=[("X-Web-User", "jo")])) as World.auth:
        rows = middlewares(World.auth.url)
        dynamic = {"http": {
            "routers": {
                **{name: {"rule": f"Host(`{name}`)", "service": "app", "middlewares": [name]} for name in rows},
                "all": {"rule": "Host(`all`)", "service": "app",
                        "middlewares": ["set", "id", "pages", "again", "store", "zip"]},
            },
            "middlewares": rows,
            "services": {"app": {"loadBalancer": {"servers": [{"url": World.origin.url}]}}},
        }}
        with Fairlead(dynamic) as World.proxy:
            yield World
        assert World.origin.violations == [] and World.auth.violations == []


@pytest.fixture(autouse=True)
def _fresh(world):
    world.origin.answer = respond()
    world.origin.requests.clear()
    world.origin.unscript()


def peak_kib(proxy):
    with open(f"/proc/{proxy.pid}/status") as status:
        return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1))


class bounded:
    """Fails when the process needed more memory than so many MiB on top of what it had."""

    def __init__(self, proxy, mib):
        self.proxy, self.mib = proxy, mib

    def __enter__(self):
        with open(f"/proc/{self.proxy.pid}/clear_refs", "w") as peak:
            peak.write("5")  # the peak begins anew (proc(5))
        self.before = peak_kib(self.proxy)

    def __exit__(self, kind, *_):
        if kind is None:
            grown = (peak_kib(self.proxy) - self.before) / 1024
            assert grown < self.mib, f"{grown:.0f} MiB"


def send_refused(proxy, head):
    """The status of a request that may be refused before all of it was taken."""
    with RawClient(proxy.port()) as client:
        try:
            client.send(head)
        except ConnectionError:
            pass
        try:
            return client.read_answer().status
        except Closed:
            return None


def test_ten_megabytes_of_cookies_are_refused(world):
    cookies = "; ".join(["a=1"] * 2_000_000)
    with bounded(world.proxy, 40):
        for host in ("cookie", "all"):
            assert send_refused(world.proxy, f"GET / HTTP/1.1\r\nHost: {host}\r\nCookie: {cookies}\r\n\r\n") in (431, 400, None)
    assert world.origin.requests == []
    assert world.proxy.ask(host="cookie", headers={"Cookie": "key=secret"}).status == 200


def test_as_many_cookies_as_fit_are_searched_quickly(world):
    cookies = "a=1; " * 180_000
    used = world.proxy.cpu_seconds()
    with bounded(world.proxy, 40):
        assert world.proxy.ask(host="cookie", headers={"Cookie": cookies + "b=2"}).status == 401
        assert world.proxy.ask(host="cookie", headers={"Cookie": cookies + "key=secret"}).status == 200
    assert world.proxy.cpu_seconds() - used < 10
    assert "secret" not in world.origin.last().header("Cookie")


def test_nested_ranges_are_not_multiplied(world):
    """A server that ignores them answers once; ranges that it did make are not compressed."""
    ranges = "bytes=0-," + ",".join(f"{i}-" for i in range(60_000))
    body = b"all work and no play " * 5000
    world.origin.answer = respond(body, headers=[("Content-Type", "text/html")])
    with bounded(world.proxy, 40):
        answer = world.proxy.ask(host="all", headers={"Range": ranges, "Accept-Encoding": "identity"})
    assert (answer.status, answer.body) == (200, body)
    assert world.origin.last().header("Range") == ranges

    world.origin.answer = respond(body, 206, [("Content-Type", "multipart/byteranges; boundary=x")], "Partial Content")
    answer = world.proxy.ask(host="all", headers={"Range": "bytes=0-9,5-9", "Accept-Encoding": "gzip"})
    assert (answer.status, answer.body, answer.header("Content-Encoding")) == (206, body, None)


def test_a_million_query_parameters(world):
    used = world.proxy.cpu_seconds()
    with bounded(world.proxy, 80):
        for parameter in ("&", "a&", "a=%41&"):
            head = "GET /?" + parameter * 1_000_000 + "key=secret HTTP/1.1\r\nHost: query\r\n\r\n"
            assert send_refused(world.proxy, head) in (414, None)
        assert world.origin.requests == []
        # As many as fit.
        assert world.proxy.ask("/?" + "&" * 65_000, host="query").status == 401
        assert world.proxy.ask("/?" + "&" * 65_000 + "key=secret", host="query").status == 200
    assert world.proxy.cpu_seconds() - used < 15
    assert "secret" not in world.origin.last().target


def test_an_error_page_asked_for_with_a_huge_url(world):
    world.origin.script(respond(b"", 500, reason="X"))
    with bounded(world.proxy, 40):
        assert world.proxy.ask("/" + "%ff" * 21_000, host="pages").status == 500
    assert world.proxy.ask(host="pages").status == 200


@pytest.mark.parametrize("spell", [
    str, str.lower, str.upper, lambda name: name.replace("-", "_"), lambda name: name.replace("-", "."),
    lambda name: name.upper().replace("-", "_"), lambda name: name[:-1] + name[-1].swapcase(),
], ids=["plain", "lower", "upper", "underscores", "dots", "cgi", "mixed"])
def test_forged_forwarding_headers_reach_nobody(world, spell):
    names = [spell(f"X-Forwarded-{name}") for name in MANAGED] + [spell("X-Real-Ip")]
    forged = [(name, "forged") for name in names] + [("Connection", "X-Forwarded-For, x-forwarded-proto, X-Real-Ip")]
    for host in ("forward", "all"):
        assert world.proxy.ask(host=host, headers=forged).status == 200
        for seen in (world.origin.last(), world.auth.last()):
            assert "forged" not in str(seen.headers)
            assert seen.header("X-Forwarded-For") == "127.0.0.1"
            assert seen.header("X-Forwarded-Proto") == "http"
    assert world.proxy.ask(host="local", headers=[(spell("X-Forwarded-For"), "10.0.0.1")]).status == 403


def test_forged_sources_share_one_bucket(world):
    tried = [world.proxy.ask(host="rate", headers={"X-Forwarded-For": f"10.0.0.{i}"}).status for i in range(5)]
    assert tried == [200, 429, 429, 429, 429]


def test_sources_without_end_are_bounded(world):
    with bounded(world.proxy, 40), RawClient(world.proxy.port()) as client:
        for i in range(4000):
            assert client.ask(host="many", headers={"X-Source": f"{i}" + "x" * 200}).status == 200


IDENTITY = {
    "basic": ([BASIC], "test"),
    "named": ([("X-API-Key", "secret")], "ci"),
    "forward": ([], "jo"),
    "set": ([], "nobody"),
    "id": ([], re.compile("[0-9a-f]{32}")),
}


def spoofs(host):
    names = ["X-Web-User", "x-web-user", "X_Web_User", "X-WEB_USER", "X.Web.User"]
    if host in ("forward", "set"):  # they answer for these too
        names += ["X-Role-Admin", "x_role_admin"]
    return [(name, "admin") for name in names]


def is_whom_the_middleware_says(seen, expected):
    values = seen.all("X-Web-User")
    assert len(values) == 1 and re.fullmatch(expected, values[0])
    assert "admin" not in str(seen.headers) and "admin" not in str(seen.trailers)
    assert seen.body == b"abc"


@pytest.mark.parametrize("host", IDENTITY)
def test_nobody_says_who_he_is(world, host):
    """As header, in every spelling, and as trailer, which servers may merge into the header."""
    proof, expected = IDENTITY[host]
    spoofed = spoofs(host)
    lines = "".join(f"{name}: {value}\r\n" for name, value in [*proof, *spoofed])
    trailers = "".join(f"{name}: {value}\r\n" for name, value in spoofed)
    with RawClient(world.proxy.port()) as client:
        client.send(f"POST / HTTP/1.1\r\nHost: {host}\r\nConnection: X-Web-User, x_web_user\r\nTransfer-Encoding: chunked\r\nTrailer: X-Web-User, X-Sum\r\n{lines}\r\n"
                    f"3\r\nabc\r\n0\r\n{trailers}X-Sum: 7\r\n\r\n")
        assert client.read_answer().status == 200
    is_whom_the_middleware_says(world.origin.last(), expected)
    assert ("X-Sum", "7") in world.origin.last().trailers


@pytest.mark.parametrize("length", [[], [("content-length", "3")]], ids=["streamed", "with length"])
@pytest.mark.parametrize("host", IDENTITY)
def test_nobody_says_who_he_is_over_http_2(world, host, length):
    proof, expected = IDENTITY[host]
    spoofed = [(name.lower(), value) for name, value in spoofs(host)]
    fields = [(":method", "POST"), (":scheme", "http"), (":authority", host), (":path", "/"), *length,
              *((name.lower(), value) for name, value in proof), *spoofed]
    with H2Client(world.proxy.port()) as client:
        client.headers(1, fields, ends=False)
        client.data(1, b"abc")
        client.headers(1, [*spoofed, ("x-sum", "7")])
        assert client.answer(1).status == 200
    is_whom_the_middleware_says(world.origin.last(), expected)


def test_forged_forwarding_headers_reach_nobody_over_http_2(world):
    forged = [(spell(name).lower(), "forged") for name in [*(f"X-Forwarded-{part}" for part in MANAGED), "X-Real-Ip"]
              for spell in (str, lambda name: name.replace("-", "_"), lambda name: name.replace("-", "."))]
    for host in ("forward", "all"):
        fields = [(":method", "GET"), (":scheme", "http"), (":authority", host), (":path", "/"), *forged]
        with H2Client(world.proxy.port()) as client:
            assert client.ask(fields=fields).status == 200
        for seen in (world.origin.last(), world.auth.last()):
            assert "forged" not in str(seen.headers)
            assert (seen.header("X-Forwarded-For"), seen.header("X-Forwarded-Proto")) == ("127.0.0.1", "http")


@pytest.mark.parametrize("lines", [
    [("Authorization", "Basic Og==")],
    [("Authorization", "Basic " + base64.b64encode(b"test:").decode())],
    [("Authorization", "Basic " + base64.b64encode(b"test:test\0").decode())],
    [("Authorization", "Basic " + base64.b64encode(b"\0test:test").decode())],
    [("Authorization", "Basic " + base64.b64encode(b"TEST:test").decode())],
    [BASIC, BASIC],
    [BASIC, ("authorization", "Basic Og==")],
    [("Proxy-Authorization", BASIC[1])],
    [("Authorization", BASIC[1] + ", " + BASIC[1])],
    [("Authorization", "Basic " + "A" * 200_000)],
    [("Authorization", f"Digest username=test, realm=traefik, response={HA1}")],
    [("Authorization", "Digest " + "a=b, " * 20_000)],
    [("Authorization", 'Digest username="' + "\\" * 50_000)],
], ids=range(13))
def test_odd_credentials_are_none(world, lines):
    before = len(world.origin.requests)
    with bounded(world.proxy, 20):
        for host in ("basic", "digest"):
            answer = world.proxy.ask(host=host, headers=lines)
            assert answer.status == 401
            assert len(answer.all("WWW-Authenticate")) == 1
    assert len(world.origin.requests) == before


def test_an_endless_answer_of_the_auth_server_is_cut(world):
    world.auth.script([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                       *[b"100000\r\n" + b"x" * 0x100000 + b"\r\n"] * 20, Origin.CLOSE])
    with bounded(world.proxy, 30):
        assert world.proxy.ask(host="forward").status == 401
    assert world.origin.requests == []
