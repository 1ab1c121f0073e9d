"""Middlewares that look at heads only, each option with a real request. One instance serves all of them: the
middlewares of the host `x` are those of the row named `x`."""

import base64
import hashlib
import threading

import pytest
from support.fairlead import Fairlead
from support.h2 import GET, H2Client, replaced
from support.origin import Origin, respond
from support.ports import wait_for
from support.raw import RawClient

KEY = hashlib.sha256(b"secret").hexdigest()

MIDDLEWARES = {
    "add": {"addPrefix": {"prefix": "/api"}},
    "strip": {"stripPrefix": {"prefixes": ["/one", "/two"]}},
    "stripslash": {"stripPrefix": {"prefixes": ["/one"], "forceSlash": True}},
    "stripregex": {"stripPrefixRegex": {"regex": ["/v[0-9]+"]}},
    "replace": {"replacePath": {"path": "/new%2Fpath"}},
    "replaceregex": {"replacePathRegex": {"regex": "^/foo(.*)", "replacement": "/$1"}},
    "chars": {"encodedCharacters": {}},
    "charsopen": {
        "encodedCharacters": {
            f"allowEncoded{name}": True
            for name in ("Slash", "BackSlash", "NullCharacter", "Semicolon", "Percent", "QuestionMark", "Hash")
        }
    },
    "tohttps": {"redirectScheme": {"scheme": "https"}},
    "tohttpsport": {"redirectScheme": {"scheme": "https", "port": "8443", "permanent": True}},
    "regex": {"redirectRegex": {"regex": "^http://regex(:[0-9]+)?/(.*)$", "replacement": "https://to.example/${2}"}},
    "regexpermanent": {"redirectRegex": {"regex": ".*/old$", "replacement": "/new", "permanent": True}},
    "allow": {"ipAllowList": {"sourceRange": ["127.0.0.0/8"]}},
    "refuse": {"ipAllowList": {"sourceRange": ["10.0.0.0/8"]}},
    "refuse404": {"ipAllowList": {"sourceRange": ["10.0.0.0/8"], "rejectStatusCode": 404}},
    "depth": {"ipAllowList": {"sourceRange": ["10.0.0.0/8"], "ipStrategy": {"depth": 2}}},
    "excluded": {"ipAllowList": {"sourceRange": ["10.0.0.0/8"], "ipStrategy": {"excludedIPs": ["192.0.2.0/24"]}}},
    "subnet": {"ipAllowList": {"sourceRange": ["2001:db8::"], "ipStrategy": {"depth": 1, "ipv6Subnet": 64}}},
    "white": {"ipWhiteList": {"sourceRange": ["10.0.0.0/8"]}},
    "flight": {"inFlightReq": {"amount": 1}},
    "flightheader": {"inFlightReq": {"amount": 1, "sourceCriterion": {"requestHeaderName": "X-Tenant"}}},
    "flightnone": {"inFlightReq": {"amount": 0}},
    "pem": {"passTLSClientCert": {"pem": True}},
    "custom": {
        "headers": {
            "customRequestHeaders": {"X-Set": "1", "X-Gone": "", "Host": "other.example"},
            "customResponseHeaders": {"X-Answer": "2", "Server": ""},
        }
    },
    "closes": {"headers": {"customResponseHeaders": {"Connection": "close"}}},
    "nofor": {"headers": {"customRequestHeaders": {"X-Forwarded-For": ""}}},
    "cors": {
        "headers": {
            "accessControlAllowOriginList": ["https://a.example"],
            "accessControlAllowOriginListRegex": [r"^https://b\."],
            "accessControlAllowMethods": ["GET", "PUT"],
            "accessControlAllowHeaders": ["X-A", "X-B"],
            "accessControlExposeHeaders": ["X-C"],
            "accessControlAllowCredentials": True,
            "accessControlMaxAge": 60,
            "addVaryHeader": True,
        }
    },
    "secure": {
        "headers": {
            "stsSeconds": 60,
            "stsIncludeSubdomains": True,
            "stsPreload": True,
            "forceSTSHeader": True,
            "frameDeny": True,
            "contentTypeNosniff": True,
            "browserXssFilter": True,
            "contentSecurityPolicy": "script-src $NONCE",
            "contentSecurityPolicyReportOnly": "default-src 'none'",
            "referrerPolicy": "no-referrer",
            "permissionsPolicy": "camera=()",
        }
    },
    "securecustom": {
        "headers": {
            "stsSeconds": 60,
            "sslProxyHeaders": {"X-Tls": "yes"},
            "customFrameOptionsValue": "SAMEORIGIN",
            "customBrowserXSSValue": "0",
            "publicKey": "pin",
        }
    },
    "development": {"headers": {"isDevelopment": True, "stsSeconds": 60, "forceSTSHeader": True, "allowedHosts": ["z"]}},
    "hosts": {"headers": {"allowedHosts": ["good.example"], "hostsProxyHeaders": ["X-Real-Host"]}},
    "type": {"contentType": {}},
    "chained": {"chain": {"middlewares": ["strip", "add"]}},
    "apikey": {"apiKey": {"keys": [f"ci:{KEY}"], "headerField": "X-Key-Name"}},
    "apikeyquery": {"apiKey": {"keys": [KEY], "query": "key", "cookie": "key"}},
    "down": {"maintenance": {"message": "Back at noon", "retryAfter": "90s"}},
    "downbutme": {"maintenance": {"sourceRange": ["127.0.0.1"]}},
    "id": {"requestId": {}},
    "idtrusted": {"requestId": {"header": "X-Trace", "trust": True, "response": False}},
    # Broken ones: their routers answer 503.
    "loop": {"chain": {"middlewares": ["loop"]}},
    "badregex": {"replacePathRegex": {"regex": "(", "replacement": "/"}},
    "badrange": {"ipAllowList": {"sourceRange": ["10.0.0.0/99"]}},
    "empty": {"headers": {}},
    "plugged": {"plugin": {"demo": {"a": "b"}}},
}


@pytest.fixture(scope="module")
def shared():
    with Origin() as origin:
        dynamic = {
            "http": {
                "routers": {
                    name: {"rule": f"Host(`{name}`)", "service": "app", "middlewares": [name]} for name in MIDDLEWARES
                },
                "middlewares": MIDDLEWARES,
                "services": {"app": {"loadBalancer": {"servers": [{"url": origin.url}]}}},
            }
        }
        install = {"entryPoints": {"trusting": {"forwardedHeaders": {"insecure": True}}}}
        with Fairlead(dynamic, install, entry_points=("web", "trusting")) as proxy:
            yield proxy, origin
        assert origin.violations == []


def sent(shared, host, target="/", **more):
    """The request as it reached the server."""
    proxy, origin = shared
    answer = proxy.ask(target, host=host, **more)
    assert answer.status == 200, answer
    return origin.last()


@pytest.mark.parametrize(
    "host, target, reaches",
    [
        ("add", "/cart?id=7", "/api/cart?id=7"),
        ("strip", "/one/cart", "/cart"),
        ("strip", "/two", "/"),
        ("strip", "/three", "/three"),
        ("stripslash", "/one", "/"),
        ("stripregex", "/v12/a%2Fb", "/a%2Fb"),
        ("replace", "/old?q=1", "/new%2Fpath?q=1"),
        ("replaceregex", "/foobar", "/bar"),
        ("charsopen", "/%2F%5C%3B%25%3F%23", "/%2F%5C%3B%25%3F%23"),
        ("chained", "/one/x", "/api/x"),
    ],
)
def test_paths(shared, host, target, reaches):
    assert sent(shared, host, target).target == reaches


def test_servers_learn_the_former_path(shared):
    assert sent(shared, "strip", "/one/cart").header("X-Forwarded-Prefix") == "/one"
    assert sent(shared, "stripregex", "/v1/x").header("X-Forwarded-Prefix") == "/v1"
    assert sent(shared, "replace", "/old").header("X-Replaced-Path") == "/old"
    assert sent(shared, "replaceregex", "/foobar").header("X-Replaced-Path") == "/foobar"


@pytest.mark.parametrize(
    "host, target",
    [
        ("strip", "/one../admin"),
        ("strip", "/one%2e%2e/admin"),
        ("stripregex", "/v1../admin"),
        ("replaceregex", "/foo../admin"),
        *[("chars", f"/a{escape}b") for escape in ("%2F", "%5C", "%00", "%3B", "%25", "%3F", "%23", "%2f")],
    ],
)
def test_paths_that_are_refused(shared, host, target):
    proxy, origin = shared
    before = len(origin.requests)

    assert proxy.ask(target, host=host).status == 400
    assert len(origin.requests) == before


@pytest.mark.parametrize(
    "host, method, target, status, location",
    [
        ("tohttps", "GET", "/a?b=c", 302, "https://tohttps/a?b=c"),
        ("tohttps", "GET", "/a;b?c=d;e&f;", 302, "https://tohttps/a;b?c=d;e&f;"),
        ("tohttps", "HEAD", "/", 307, "https://tohttps/"),
        ("tohttps", "POST", "/", 307, "https://tohttps/"),
        ("tohttpsport", "GET", "/", 301, "https://tohttpsport:8443/"),
        ("tohttpsport", "PUT", "/", 308, "https://tohttpsport:8443/"),
        ("regex", "GET", "/a%20b?c", 302, "https://to.example/a%20b?c"),
        ("regex", "GET", "/a?b;c", 302, "https://to.example/a?b;c"),
        ("regexpermanent", "GET", "/old", 301, "/new"),
        ("regexpermanent", "DELETE", "/old", 308, "/new"),
    ],
)
def test_redirects(shared, host, method, target, status, location):
    answer = shared[0].ask(target, host=host, method=method)

    assert (answer.status, answer.header("Location")) == (status, location)


def test_redirects_that_do_not_apply(shared):
    proxy, _ = shared
    assert proxy.ask("/other", host="regexpermanent").status == 200
    assert proxy.ask(host="tohttps", entry_point="trusting", headers={"X-Forwarded-Proto": "https"}).status == 200
    assert proxy.ask(host="tohttps", headers={"X-Forwarded-Proto": "https"}).status == 302  # not trusted


@pytest.mark.parametrize(
    "host, forwarded, status",
    [
        ("allow", "", 200),
        ("refuse", "10.0.0.1", 403),
        ("refuse404", "", 404),
        ("white", "", 403),
        ("depth", "10.0.0.1, 192.0.2.1", 200),
        ("depth", "192.0.2.1, 10.0.0.1", 403),
        ("depth", "10.0.0.1", 403),
        ("excluded", "10.0.0.1, 192.0.2.1", 200),
        ("excluded", "192.0.2.1", 403),
        ("subnet", "2001:db8::1234", 200),
        ("subnet", "2001:db8:1::1234", 403),
    ],
)
def test_addresses(shared, host, forwarded, status):
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}

    assert shared[0].ask(host=host, entry_point="trusting", headers=headers).status == status


def test_a_forged_address_from_an_untrusted_peer_does_not_count(shared):
    assert shared[0].ask(host="depth", headers={"X-Forwarded-For": "10.0.0.1, 192.0.2.1"}).status == 403


def test_requests_in_flight(shared):
    proxy, origin = shared
    released = threading.Event()
    origin.script(lambda _: released.wait(90) and respond())
    first = threading.Thread(target=proxy.ask, kwargs={"host": "flight"})
    before = len(origin.requests)
    first.start()
    wait_for(lambda: len(origin.requests) > before, 5, "the first request is at the server")

    assert proxy.ask(host="flight").status == 429
    released.set()
    first.join()
    assert proxy.ask(host="flight").status == 200
    assert proxy.ask(host="flightheader", headers={"X-Tenant": "a"}).status == 200
    assert proxy.ask(host="flightnone").status == 429


def test_custom_headers(shared):
    proxy, origin = shared
    origin.script(respond(headers=[("Server", "x")]))

    answer = proxy.ask(host="custom", headers={"X_Set": "forged", "X-Gone": "there"})

    seen = origin.last()
    assert (seen.header("X-Set"), seen.header("X_Set"), seen.header("X-Gone")) == ("1", None, None)
    assert seen.header("Host") == "other.example"
    assert (answer.header("X-Answer"), answer.header("Server")) == ("2", None)
    assert sent(shared, "nofor").header("X-Forwarded-For") is None


def test_a_middleware_that_says_so_closes_the_connection(shared):
    with RawClient(shared[0].port()) as client:
        assert client.ask(host="closes").all("Connection") == ["close"]
        assert client.is_closed()
    with H2Client(shared[0].port()) as client:
        client.headers(1, replaced(GET, authority="closes"))
        assert client.answer(1).header("connection") is None
        assert client.until(lambda c: c.goaway), "RFC 9113 §6.8: HTTP/2 says it so"


def test_preflights(shared):
    proxy, origin = shared
    before = len(origin.requests)

    answer = proxy.ask(host="cors", method="OPTIONS",
                       headers={"Origin": "https://a.example", "Access-Control-Request-Method": "PUT"})

    assert (answer.status, answer.body, len(origin.requests)) == (200, b"", before)
    assert answer.header("Access-Control-Allow-Origin") == "https://a.example"
    assert answer.header("Access-Control-Allow-Methods") == "GET,PUT"
    assert answer.header("Access-Control-Allow-Headers") == "X-A,X-B"
    assert answer.header("Access-Control-Allow-Credentials") == "true"
    assert answer.header("Access-Control-Max-Age") == "60"


def test_cross_origin_answers(shared):
    proxy, _ = shared
    listed = proxy.ask(host="cors", headers={"Origin": "https://b.example"})
    other = proxy.ask(host="cors", headers={"Origin": "https://c.example"})

    assert listed.header("Access-Control-Allow-Origin") == "https://b.example"
    assert listed.header("Access-Control-Expose-Headers") == "X-C"
    assert listed.header("Vary") == "Origin"
    assert other.header("Access-Control-Allow-Origin") is None


def test_security_headers(shared):
    answer = shared[0].ask(host="secure")

    assert answer.header("Strict-Transport-Security") == "max-age=60; includeSubdomains; preload"
    assert answer.header("X-Frame-Options") == "DENY"
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert answer.header("X-XSS-Protection") == "1; mode=block"
    assert answer.header("Content-Security-Policy").startswith("script-src 'nonce-")
    assert answer.header("Content-Security-Policy-Report-Only") == "default-src 'none'"
    assert answer.header("Referrer-Policy") == "no-referrer"
    assert answer.header("Permissions-Policy") == "camera=()"


def test_security_headers_that_depend_on_the_request(shared):
    proxy, _ = shared
    plain = proxy.ask(host="securecustom")
    marked = proxy.ask(host="securecustom", headers={"X-Tls": "yes"})

    assert (plain.header("X-Frame-Options"), plain.header("X-XSS-Protection")) == ("SAMEORIGIN", "0")
    assert (plain.header("Strict-Transport-Security"), plain.header("Public-Key-Pins")) == (None, None)
    assert (marked.header("Strict-Transport-Security"), marked.header("Public-Key-Pins")) == ("max-age=60", "pin")
    development = proxy.ask(host="development")
    assert (development.status, development.header("Strict-Transport-Security")) == (200, None)


def test_hosts_that_are_not_allowed(shared):
    proxy, _ = shared
    refused = proxy.ask(host="hosts")

    assert (refused.status, refused.body) == (500, b"Bad Host\n")
    assert proxy.ask(host="hosts", headers={"X-Real-Host": "good.example"}).status == 200


def test_a_content_type_is_guessed_only_when_asked_for(shared):
    proxy, origin = shared
    origin.script(respond(b"<html>"), respond(b"<html>"))

    assert proxy.ask(host="type").header("Content-Type") == "text/html; charset=utf-8"
    assert proxy.ask(host="allow").header("Content-Type") is None


def test_api_keys(shared):
    proxy, _ = shared
    refused = proxy.ask(host="apikey", headers={"X-API-Key": "wrong"})
    seen = sent(shared, "apikey", headers={"X-API-Key": "secret", "X_Key_Name": "forged"})

    assert (refused.status, refused.header("WWW-Authenticate")) == (401, "ApiKey")
    assert (seen.header("X-API-Key"), seen.header("X-Key-Name"), seen.header("X_Key_Name")) == (None, "ci", None)
    assert sent(shared, "apikeyquery", "/?a=1&key=secret").target == "/?a=1"
    assert sent(shared, "apikeyquery", headers={"Cookie": "a=1; key=secret"}).header("Cookie") == "a=1"


def test_maintenance(shared):
    proxy, _ = shared
    text = proxy.ask(host="down")
    page = proxy.ask(host="down", headers={"Accept": "text/html"})

    assert (text.status, text.body, text.header("Retry-After")) == (503, b"Back at noon", "90")
    assert page.header("Content-Type") == "text/html; charset=utf-8" and b"Back at noon" in page.body
    assert proxy.ask(host="downbutme").status == 200


def test_request_identifiers(shared):
    proxy, origin = shared
    answer = proxy.ask(host="id", headers={"X-Request-Id": "theirs"})

    assert len(answer.header("X-Request-Id")) == 32
    assert origin.last().all("X-Request-Id") == [answer.header("X-Request-Id")]
    assert sent(shared, "idtrusted", headers={"X-Trace": "mine-1"}).header("X-Trace") == "mine-1"


@pytest.mark.parametrize("host", ["loop", "badregex", "badrange", "empty", "plugged"])
def test_broken_middlewares_close_their_routers(shared, host):
    proxy, _ = shared

    assert proxy.ask(host=host).status == 503
    assert proxy.router(f"{host}@file")["status"] == "disabled"


def test_client_certificate_headers_need_a_certificate(shared):
    forged = base64.b64encode(b"forged").decode()
    seen = sent(shared, "pem", headers={"X-Forwarded-Tls-Client-Cert": forged, "X_Forwarded_Tls_Client_Cert": forged})

    assert seen.header("X-Forwarded-Tls-Client-Cert") is None
    assert seen.header("X_Forwarded_Tls_Client_Cert") is None
