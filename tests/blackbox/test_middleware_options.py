"""The options of middlewares that the two other middleware files leave out, and the proof that none is left out of all
three. Each row is one middleware, served for the hosts `name` and `name-2`, and a check with real requests."""

import base64
import hashlib
import json
import re
import socket
import subprocess
import threading
import time
import urllib.parse

import pytest
import test_head_middlewares
import test_waiting_middlewares
from support.certificates import TlsClient, make
from support.fairlead import BINARY, Fairlead
from support.origin import Origin, respond
from support.ports import free_port, wait_for
from support.redis import Redis, SilentServer, full_listener

KEY = hashlib.sha256(b"secret").hexdigest()
SHA1 = "{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M="  # of "test"
ROWS = []


def row(name, service="app", **middleware):
    """`middleware`: type=options, where options may be a function of the world."""

    def register(check):
        ROWS.append((name, service, middleware, check))
        return check

    return register


def middlewares_of(world):
    return {
        name: {kind: options(world) if callable(options) else options for kind, options in middleware.items()}
        for name, _, middleware, _ in ROWS
    }


# ---- redirects and access


@row("kept-method", redirectScheme={"scheme": "https", "keepMethod": True})
def check(w, host):
    answer = w.ask(host)
    assert (answer.status, answer.body) == (307, b"Temporary Redirect")


@row("no-url", redirectRegex={"regex": "^.*/bad$", "replacement": "https://[broken/"})
def check(w, host):
    assert w.ask(host, "/bad").status == 502
    assert w.ask(host, "/good").status == 200


@row("prefix-added", stripPrefix={"prefixes": ["/one"]})
def check(w, host):
    assert w.sent(host, "/one/a%2Fb", entry_point="trusting", headers={"X-Forwarded-Prefix": "/outer"}).target == "/a%2Fb"
    assert w.origin.last().all("X-Forwarded-Prefix") == ["/outer", "/one"]


@row("key-kept", apiKey={"keys": [f"ci:{KEY}"], "header": "X-Key", "keepKey": True})
def check(w, host):
    assert w.ask(host, headers={"X-API-Key": "secret"}).status == 401
    assert w.sent(host, headers={"X-Key": "secret"}).header("X-Key") == "secret"


@row("basic-file", basicAuth=lambda w: {"usersFile": str(w.users), "users": [f"both:{SHA1}"]})
def check(w, host):
    assert w.ask(host).header("WWW-Authenticate") == 'Basic realm="traefik"'
    assert w.ask(host, headers=basic("filed:test")).status == 200
    assert w.sent(host, headers=basic("both:test")).header("Authorization")  # stays unless removeHeader
    w.users.write_text(f"# people\n\nnewcomer:{SHA1}\nboth:{SHA1[:-3]}M8=\n")
    wait_for(lambda: w.ask(host, headers=basic("newcomer:test")).status == 200, 10, "the file is read again")
    assert w.ask(host, headers=basic("filed:test")).status == 401
    assert w.ask(host, headers=basic("both:test")).status == 200  # `users` wins over the file


@row("digest-file", digestAuth=lambda w: {"usersFile": str(w.digests), "realm": "shop", "removeHeader": True})
def check(w, host):
    ha1 = hashlib.md5(b"jo:shop:test").hexdigest()
    challenge = w.ask(host).header("WWW-Authenticate")
    assert re.fullmatch(
        r'Digest realm="shop", nonce="[0-9a-f]+", opaque="[0-9a-f]{32}", algorithm=MD5, qop="auth"', challenge)
    seen = w.sent(host, headers=digest(challenge, "jo", ha1, "/"))
    assert seen.header("Authorization") is None
    assert w.ask(host, headers=digest(challenge, "ghost", ha1, "/")).status == 401


@row("refuse-404", ipAllowList={"sourceRange": ["10.0.0.0/8"], "rejectStatusCode": 404})
def check(w, host):
    answer = w.ask(host)
    assert (answer.status, answer.body) == (404, b"Not Found")


@row("white-depth", ipWhiteList={"sourceRange": ["10.0.0.0/8"], "ipStrategy": {"depth": 2}})
def check(w, host):
    assert w.forwarded(host, "10.1.1.1, 192.0.2.1").status == 200
    assert w.forwarded(host, "192.0.2.1, 10.1.1.1").status == 403


@row("white-excluded", ipWhiteList={"sourceRange": ["10.0.0.0/8"], "ipStrategy": {"excludedIPs": ["192.0.2.0/24"]}})
def check(w, host):
    assert w.forwarded(host, "172.16.0.1, 10.1.1.1, 192.0.2.1").status == 200
    assert w.forwarded(host, "10.1.1.1, 172.16.0.1, 192.0.2.1").status == 403


@row("white-subnet", ipWhiteList={"sourceRange": ["2001:db8::"], "ipStrategy": {"depth": 1, "ipv6Subnet": 64}})
def check(w, host):
    assert w.forwarded(host, "2001:db8::1:2:3:4").status == 200
    assert w.forwarded(host, "2001:db8:0:1::1").status == 403


@row("cert", passTLSClientCert={
    "pem": True,
    "info": {
        **dict.fromkeys(("notAfter", "notBefore", "sans", "serialNumber"), True),
        "subject": dict.fromkeys(("country", "province", "locality", "organization", "organizationalUnit",
                                  "commonName", "serialNumber", "domainComponent"), True),
        "issuer": dict.fromkeys(("country", "province", "locality", "organization", "commonName", "serialNumber",
                                 "domainComponent"), True),
    },
})
def check(w, host):
    forged = [("X-Forwarded-Tls-Client-Cert", "forged"), ("X_Forwarded_Tls_Client_Cert_Info", "forged")]
    with TlsClient(w.proxy.port("tls"), host, None, w.client) as client:
        assert client.ask(host=host, headers=forged).status == 200
    seen = w.origin.last()
    pem = w.client.cert.read_text().split("-----")[2].replace("\n", "")
    assert seen.all("X-Forwarded-Tls-Client-Cert") == [pem]
    assert "forged" not in str(seen.headers)
    info = urllib.parse.unquote_plus(seen.header("X-Forwarded-Tls-Client-Cert-Info"))
    assert re.fullmatch(
        r'Subject="DC=example,C=DE,ST=Bavaria,L=Munich,O=Clients,OU=Sales,SN=42,CN=alice";'
        r'Issuer="DC=example,C=FR,ST=Ile,L=Paris,O=Root,SN=1,CN=ca";'
        r'SerialNumber="[0-9]+";NB="[0-9]+";NA="[0-9]+";SAN="a\.example,jo@example\.org,10\.0\.0\.1"', info), info


@row("cert-some", passTLSClientCert={"info": {"subject": {"commonName": True}, "issuer": {"organization": True}}})
def check(w, host):
    with TlsClient(w.proxy.port("tls"), host, w.ca, w.client) as client:
        assert client.ask(host=host).status == 200
        with TlsClient(w.proxy.port("tls"), host, w.ca, w.client, resumes=client) as again:
            assert again.socket.session_reused
            assert again.ask(host=host).status == 200
    for seen in w.origin.requests[-2:]:
        # A client that knows its authority's certificate sends it along.
        assert seen.header("X-Forwarded-Tls-Client-Cert-Info") == (
            "Subject%3D%22CN%3Dalice%22%3BIssuer%3D%22O%3DRoot%22%2CSubject%3D%22CN%3Dca%22%3BIssuer%3D%22O%3DRoot%22")
        assert seen.header("X-Forwarded-Tls-Client-Cert") is None


# ---- forwardAuth


@row("auth-named", forwardAuth=lambda w: {
    "address": w.auth.url + "/check?a=b", "trustForwardHeader": True, "authRequestHeaders": ["Cookie", "X-Named"],
    "preserveLocationHeader": True})
def check(w, host):
    w.auth.answer = respond(b"", 302, [("Location", "/login")], "Found")
    before = len(w.origin.requests)
    answer = w.ask(host, "/p?q", entry_point="trusting", headers=[
        ("Cookie", "a=1"), ("X-Named", "n"), ("X-Other", "o"), ("Authorization", "secret"),
        ("X-Forwarded-Method", "PUT"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "public.example"),
        ("X-Forwarded-Uri", "/first"), ("X-Forwarded-For", "192.0.2.7"), ("X-Forwarded-Port", "8443")])
    assert (answer.status, answer.header("Location")) == (302, "/login")
    assert len(w.origin.requests) == before
    asked = w.auth.last()
    assert asked.target == "/check?a=b"
    assert sorted(name.lower() for name, _ in asked.headers if name.lower() not in ("host", "connection")) == [
        "cookie", "x-forwarded-for", "x-forwarded-host", "x-forwarded-method", "x-forwarded-port", "x-forwarded-proto",
        "x-forwarded-server", "x-forwarded-uri", "x-named"]
    assert [asked.header(f"X-Forwarded-{name}") for name in ("Method", "Proto", "Host", "Uri", "For", "Port")] == [
        "PUT", "https", "public.example", "/first", "192.0.2.7, 127.0.0.1", "8443"]


@row("auth-legacy", forwardAuth=lambda w: {"address": w.auth.url})
def check(w, host):
    headers = {"X-Forwarded-Prefix": "/kept", "X-Forwarded-Uri": "/forged", "X-Forwarded-For": "192.0.2.7"}
    assert w.ask(host, "/p", entry_point="trusting", headers=headers).status == 200
    asked = w.auth.last()
    assert asked.header("X-Forwarded-Prefix") == "/kept"
    assert asked.header("X-Forwarded-Uri") == "/p"
    assert asked.header("X-Forwarded-For") == "127.0.0.1"
    assert asked.header("X-Forwarded-Port") == "80"  # the entry point's, untouched
    assert asked.header("User-Agent") is None
    assert "trustForwardHeader" in w.said_about(host)


@row("auth-tls", forwardAuth=lambda w: {
    "address": w.tls_auth.url, "trustForwardHeader": False,
    "tls": {"ca": str(w.ca.cert), "cert": str(w.client.cert), "key": str(w.client.key), "caOptional": True}})
def check(w, host):
    assert w.ask(host).status == 200
    assert "caOptional" in w.said_about(host)


@row("auth-tls-stranger", forwardAuth=lambda w: {"address": w.tls_auth.url, "trustForwardHeader": False,
                                                 "tls": {"cert": str(w.client.cert), "key": str(w.client.key)}})
def check(w, host):
    assert w.ask(host).status == 500  # the system's authorities do not know it


@row("auth-tls-any", forwardAuth=lambda w: {
    "address": w.tls_auth.url, "trustForwardHeader": False,
    "tls": {"insecureSkipVerify": True, "cert": w.client.cert.read_text(), "key": w.client.key.read_text()}})
def check(w, host):
    assert w.ask(host).status == 200


# ---- limits


def limits(kind, name, criterion, **options):
    """A limit of one per source, and which requests are of another source than the first."""

    def register(check):
        return row(name, **{kind: {**options, **({"sourceCriterion": criterion} if criterion else {})}})(check)

    return register


RATE = {"average": 1, "period": "1h"}


@limits("rateLimit", "rate-depth", {"ipStrategy": {"depth": 2}}, **RATE)
def check(w, host):
    assert [w.forwarded(host, text).status for text in ("10.0.0.1, 1.1.1.1", "10.0.0.1, 2.2.2.2", "10.0.0.2, 1.1.1.1")] == [
        200, 429, 200]


@limits("rateLimit", "rate-excluded", {"ipStrategy": {"excludedIPs": ["1.1.1.0/24"]}}, **RATE)
def check(w, host):
    assert [w.forwarded(host, text).status for text in ("10.0.0.1", "10.0.0.1, 1.1.1.1", "10.0.0.2, 1.1.1.1")] == [
        200, 429, 200]


@limits("rateLimit", "rate-subnet", {"ipStrategy": {"depth": 1, "ipv6Subnet": 48}}, **RATE)
def check(w, host):
    assert [w.forwarded(host, text).status for text in ("2001:db8:1::1", "2001:db8:1:2::2", "2001:db8:2::1")] == [
        200, 429, 200]


@limits("rateLimit", "rate-host", {"requestHost": True}, **RATE)
def check(w, host):
    assert [w.ask(name).status for name in (host, host.upper(), host + "-2")] == [200, 429, 200]


@row("rate-redis", rateLimit=lambda w: {
    "average": 1, "period": "1h", "burst": 2, "redis": {
        "endpoints": [f"127.0.0.1:{w.redis.tls_port}"], "username": "fair", "password": "hidden", "db": 3,
        "tls": {"ca": str(w.ca.cert), "cert": str(w.client.cert), "key": str(w.client.key)},
        "poolSize": 3, "minIdleConns": 1, "maxActiveConns": 9, "readTimeout": "30s", "writeTimeout": "40s"}})
def check(w, host):
    assert [w.ask(host).status for _ in range(3)] == [200, 200, 429]
    assert w.redis.ask("SELECT", 3) == "OK"
    assert w.redis.ask("EXISTS", f"rate:{host}@file:127.0.0.1") == 1
    for option in ("poolSize", "minIdleConns", "maxActiveConns", "writeTimeout"):
        assert f"redis.{option}" in w.said_about(host)


@row("rate-redis-any", rateLimit=lambda w: {"average": 9, "redis": {
    "endpoints": [f"127.0.0.1:{w.redis.tls_port}"], "username": "fair", "password": "hidden", "readTimeout": "30s",
    "tls": {"insecureSkipVerify": True, "cert": str(w.client.cert), "key": str(w.client.key)}}})
def check(w, host):
    assert w.ask(host).status == 200


@row("rate-redis-wrong", rateLimit=lambda w: {"average": 9, "redis": {
    "endpoints": [f"127.0.0.1:{w.redis.port}"], "username": "fair", "password": "guessed"}})
def check(w, host):
    assert w.ask(host).status == 500


@row("rate-redis-off", rateLimit=lambda w: {"average": 0, "redis": {"endpoints": [f"127.0.0.1:{w.silent.port}"]}})
def check(w, host):
    assert [w.ask(host).status for _ in range(3)] == [200] * 3  # no limit, and nobody is asked


def shortest_refusal(w, host):
    """Of a few, in seconds: a busy machine may delay any one of them."""
    took = []
    for _ in range(5):
        begun = time.monotonic()
        assert w.ask(host).status == 500
        took.append(time.monotonic() - begun)
        if took[-1] < 2:
            break
    return min(took)


@row("rate-redis-silent", rateLimit=lambda w: {"average": 9, "redis": {
    "endpoints": [f"127.0.0.1:{w.silent.port}"], "readTimeout": "150ms"}})
def check(w, host):
    assert shortest_refusal(w, host) < 2.5  # the default is 3 s


@row("rate-redis-full", rateLimit=lambda w: {"average": 9, "redis": {
    "endpoints": [f"127.0.0.1:{w.full[0].getsockname()[1]}"], "dialTimeout": "150ms"}})
def check(w, host):
    assert shortest_refusal(w, host) < 2.5  # else 3 or 5 s


def in_flight(w, host, first, same, other):
    """While the request `first` is at the server, `same` is refused and `other` passes."""
    arrived, release = threading.Event(), threading.Event()

    def hold(_):
        arrived.set()
        release.wait(90)
        return respond()

    w.origin.script(hold)
    thread = threading.Thread(target=first)
    thread.start()
    try:
        assert arrived.wait(60)
        assert (same().status, other().status) == (429, 200)
    finally:
        release.set()
        thread.join()
    assert same().status == 200


@limits("inFlightReq", "flight-host", {"requestHost": True}, amount=1)
def check(w, host):
    in_flight(w, host, lambda: w.ask(host), lambda: w.ask(host), lambda: w.ask(host + "-2"))


@limits("inFlightReq", "flight-default", None, amount=1)
def check(w, host):
    in_flight(w, host, lambda: w.ask(host), lambda: w.ask(host), lambda: w.ask(host + "-2"))


@limits("inFlightReq", "flight-depth", {"ipStrategy": {"depth": 1}}, amount=1)
def check(w, host):
    in_flight(w, host, *(lambda ip=ip: w.forwarded(host, ip) for ip in ("10.0.0.1", "10.0.0.2, 10.0.0.1", "10.0.0.2")))


@limits("inFlightReq", "flight-excluded", {"ipStrategy": {"excludedIPs": ["1.1.1.1"]}}, amount=1)
def check(w, host):
    in_flight(w, host, *(lambda ip=ip: w.forwarded(host, ip) for ip in ("10.0.0.1", "10.0.0.1, 1.1.1.1", "1.1.1.1, 10.0.0.2")))


@limits("inFlightReq", "flight-subnet", {"ipStrategy": {"depth": 1, "ipv6Subnet": 64}}, amount=1)
def check(w, host):
    in_flight(w, host, *(lambda ip=ip: w.forwarded(host, ip) for ip in ("2001:db8::1", "2001:db8::2", "2001:db8:1::1")))


@row("breaker-back", circuitBreaker={
    "expression": "ResponseCodeRatio(500, 600, 0, 600) >= 0.5 || NetworkErrorRatio() > 0.5 || LatencyAtQuantileMS(50.0) > 60000",
    "checkPeriod": "1ms", "fallbackDuration": "150ms", "recoveryDuration": "150ms"})
def check(w, host):
    w.origin.answer = respond(status=500, reason="X")
    refused = wait_for(lambda: (got := w.ask(host)).status == 503 and got, 5, "the breaker trips")
    w.origin.answer = respond()
    assert refused.body == b"Service Unavailable"
    # Half of the requests at most pass while it recovers: 30 in a row only once it has.
    wait_for(lambda: all(w.ask(host).status == 200 for _ in range(30)), 8, "it recovers")


@row("retry-late", retry={"attempts": 5, "status": ["500-599"], "initialInterval": "200ms", "timeout": "50ms"})
def check(w, host):
    w.origin.answer = respond(status=503, reason="X")
    assert w.ask(host).status == 503
    assert len(w.origin.requests) == 1


@row("retry-body", retry={"attempts": 3, "status": ["503"], "maxRequestBodyBytes": 10})
def check(w, host):
    w.origin.answer = respond(status=503, reason="X")
    assert w.ask(host, method="PUT", body=b"x" * 11).status == 503
    assert len(w.origin.requests) == 1
    assert w.ask(host, method="PUT", body=b"x" * 10).status == 503
    assert [request.body for request in w.origin.requests[1:]] == [b"x" * 10] * 3


@row("retry-post", retry={"attempts": 2, "status": ["503"], "retryNonIdempotentMethod": True})
def check(w, host):
    w.origin.script(respond(status=503, reason="X"))
    assert w.ask(host, method="POST", body=b"x").status == 200
    assert len(w.origin.requests) == 2


@row("retry-get-only", retry={"attempts": 2, "status": ["503"]})
def check(w, host):
    w.origin.script(respond(status=503, reason="X"))
    assert w.ask(host, method="POST", body=b"x").status == 503
    assert len(w.origin.requests) == 1


@row("retry-network", service="dead", retry={"attempts": 3})
def check(w, host):
    assert w.ask(host).status == 502
    assert w.logged(host)["RetryAttempts"] == 2


@row("retry-no-network", service="dead", retry={"attempts": 3, "status": ["503"], "disableRetryOnNetworkError": True})
def check(w, host):
    assert w.ask(host).status == 502
    assert w.logged(host).get("RetryAttempts", 0) == 0


@row("down-off", maintenance={"enabled": False})
def check(w, host):
    assert w.ask(host).status == 200


@row("down-depth", maintenance={"sourceRange": ["10.0.0.0/8"], "ipStrategy": {"depth": 1}})
def check(w, host):
    assert (w.forwarded(host, "10.0.0.1").status, w.forwarded(host, "10.0.0.1, 1.1.1.1").status) == (200, 503)


@row("down-excluded", maintenance={"sourceRange": ["10.0.0.0/8"], "ipStrategy": {"excludedIPs": ["1.1.1.1"]}})
def check(w, host):
    assert (w.forwarded(host, "10.0.0.1, 1.1.1.1").status, w.forwarded(host, "1.1.1.2").status) == (200, 503)


@row("down-subnet", maintenance={"sourceRange": ["2001:db8::"], "ipStrategy": {"depth": 1, "ipv6Subnet": 64}})
def check(w, host):
    assert (w.forwarded(host, "2001:db8::9").status, w.forwarded(host, "2001:db8:1::9").status) == (200, 503)


# ---- headers


@row("cors-any", headers={
    "accessControlAllowOriginList": ["*"], "accessControlAllowMethods": ["*"], "accessControlAllowHeaders": ["*"],
    "accessControlExposeHeaders": ["*"], "accessControlAllowCredentials": True, "accessControlMaxAge": 0})
def check(w, host):
    answer = w.ask(host, method="OPTIONS", headers={
        "Origin": "https://a.example", "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "X-One,X-Two"})
    assert (answer.status, answer.body) == (200, b"")
    assert answer.header("Access-Control-Allow-Origin") == "https://a.example"
    assert answer.header("Access-Control-Allow-Methods") == "PATCH"
    assert answer.header("Access-Control-Allow-Headers") == "X-One,X-Two"
    assert answer.header("Access-Control-Max-Age") == "0"
    simple = w.ask(host, headers={"Origin": "https://b.example"})
    assert simple.header("Access-Control-Allow-Origin") == "https://b.example"
    assert simple.header("Access-Control-Expose-Headers") is None
    assert w.ask(host, method="OPTIONS").body == b"ok"  # no preflight: the server answers


@row("cors-public", headers={"accessControlAllowOriginList": ["*"], "accessControlExposeHeaders": ["*"],
                             "customResponseHeaders": {"Access-Control-Allow-Origin": "https://overruled.example"}})
def check(w, host):
    answer = w.ask(host, headers={"Origin": "https://a.example"})
    assert answer.all("Access-Control-Allow-Origin") == ["*"]  # CORS comes after custom headers
    assert answer.header("Access-Control-Expose-Headers") == "*"


@row("headers-order", headers={"frameDeny": True, "customResponseHeaders": {"X-Frame-Options": "SAMEORIGIN"},
                               "customRequestHeaders": {"Host": "", "X-Real-Ip": ""}})
def check(w, host):
    assert w.ask(host).all("X-Frame-Options") == ["SAMEORIGIN"]  # custom headers come after security
    assert w.origin.last().header("Host") == host


@row("headers-old", headers={"customResponseHeaders": {"X-Here": "1"}, "featurePolicy": "camera 'none'", "sslRedirect": True,
                             "sslTemporaryRedirect": True, "sslHost": "s.example", "sslForceHost": True})
def check(w, host):
    answer = w.ask(host)
    assert (answer.status, answer.header("X-Here"), answer.header("Feature-Policy")) == (200, "1", None)
    for option in ("featurePolicy", "sslRedirect", "sslTemporaryRedirect", "sslHost", "sslForceHost"):
        assert option in w.said_about(host)


@row("headers-upgrade", headers={"frameDeny": True, "customResponseHeaders": {"X-Mine": "1"},
                                 "accessControlAllowOriginList": ["*"], "addVaryHeader": True})
def check(w, host):
    assert w.ask(host).header("X-Mine") == "1"
    w.origin.script([b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", Origin.CLOSE])
    answer = w.ask(host, headers=[("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Origin", "https://a.example")])
    assert answer.status == 101
    assert not {name.lower() for name, _ in answer.headers} & {
        "x-frame-options", "x-mine", "access-control-allow-origin", "vary"}


@row("type-off", contentType={"autoDetect": False})
def check(w, host):
    w.origin.script(respond(b"<html>"))
    assert w.ask(host).header("Content-Type") is None


# ---- bodies

LONG = b"all work and no play " * 100


def coding(w, host, accepted, content_type="text/html", body=LONG, **more):
    w.origin.script(respond(body, headers=[("Content-Type", content_type)] if content_type else []))
    headers = {**({"Accept-Encoding": accepted} if accepted is not None else {}), **more}
    return w.ask(host, headers=headers).header("Content-Encoding")


@row("zip-excluded", compress={"excludedContentTypes": ["text/css", "image/png"]})
def check(w, host):
    assert coding(w, host, "gzip") == "gzip"
    assert coding(w, host, "gzip", "text/css; charset=utf-8") is None
    assert coding(w, host, "gzip", "application/grpc") is None
    assert coding(w, host, "gzip", "no type") is None
    assert coding(w, host, "gzip", **{"Content-Type": "image/png"}) is None
    w.origin.script(respond(LONG, headers=[("Content-Type", "text/html"), ("Content-Encoding", "br")]))
    encoded = w.ask(host, headers={"Accept-Encoding": "gzip"})
    assert (encoded.body, encoded.header("Content-Encoding")) == (LONG, "br")


@row("zip-included", compress={"includedContentTypes": ["application/json"], "minResponseBodyBytes": 10})
def check(w, host):
    assert coding(w, host, "gzip", "application/json", b"0123456789") == "gzip"
    assert coding(w, host, "gzip", "application/json", b"012345678") is None
    assert coding(w, host, "gzip", "text/html") is None
    assert coding(w, host, "gzip", None) is None


@row("zip-order", compress={"encodings": ["br", "gzip"], "defaultEncoding": "gzip"})
def check(w, host):
    assert coding(w, host, "gzip, br") == "br"
    assert coding(w, host, "gzip;q=0.9, br;q=0.8") == "gzip"
    assert coding(w, host, "zstd") is None
    assert coding(w, host, "*") == "gzip"
    assert coding(w, host, None) == "gzip"
    assert coding(w, host, "identity, gzip;q=0.5") is None
    assert coding(w, host, "br;q=0, gzip;q=0") is None


@row("buffer-stop", buffering={"retryExpression": "ResponseCode() == 503 && RequestMethod() != `GET`"})
def check(w, host):
    w.origin.answer = respond(status=503, reason="X")
    assert w.ask(host, method="POST", body=b"abc").status == 503
    assert len(w.origin.requests) == 11  # ten more and no end
    assert w.ask(host, method="POST", body=b"").status == 503
    assert len(w.origin.requests) == 12  # without a body never again


@row("pages-named", errors={"status": ["500-599", "418"], "service": "pages", "query": "{status}?was={originalStatus}",
                            "statusRewrites": {"500-502": 503}, "errorRequestHeaders": ["Cookie"]})
def check(w, host):
    w.origin.script(respond(b"raw", 501, reason="X"), respond(b"raw", 404, reason="X"))
    answer = w.ask(host, "/a", method="POST", body=b"x", headers={"Cookie": "a=1", "Authorization": "b", "X-C": "c"})
    assert (answer.status, answer.body) == (503, b"a page")
    asked = w.pages.last()
    assert (asked.method, asked.target, asked.body) == ("GET", "/503?was=501", b"")
    assert (asked.header("Cookie"), asked.header("Authorization"), asked.header("X-C")) == ("a=1", None, None)
    assert w.ask(host).body == b"raw"


@row("pages-bare", errors={"status": ["503"], "service": "pages", "errorRequestHeaders": []})
def check(w, host):
    w.origin.script(respond(b"raw", 503, reason="X"))
    assert w.ask(host, headers={"Accept": "text/html"}).body == b"a page"
    assert w.pages.last().target == "/"
    assert w.pages.last().header("Accept") is None


# ---- the world they live in


def basic(text):
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


def digest(challenge, user, ha1, uri, count=1):
    given = dict(re.findall(r'(\w+)="?([^",]*)"?', challenge.removeprefix("Digest ")))
    md5 = lambda text: hashlib.md5(text.encode()).hexdigest()
    proof = md5(f"{ha1}:{given['nonce']}:{count:08x}:c:auth:{md5(f'GET:{uri}')}")
    return {"Authorization": f'Digest username="{user}", realm="{given["realm"]}", nonce="{given["nonce"]}", uri="{uri}", '
                             f'qop=auth, nc={count:08x}, cnonce="c", response="{proof}", opaque="{given["opaque"]}"'}


class World:
    def ask(self, host, target="/", entry_point="web", **more):
        return self.proxy.ask(target, host=host, entry_point=entry_point, **more)

    def sent(self, host, target="/", **more):
        answer = self.ask(host, target, **more)
        assert answer.status == 200, answer
        return self.origin.last()

    def forwarded(self, host, addresses):
        return self.ask(host, entry_point="trusting", headers={"X-Forwarded-For": addresses})

    def logged(self, host):
        lines = lambda: [line for line in self.proxy.access_log() if line["RequestHost"] == host]
        return wait_for(lines, 5, "the access log has the request")[-1]

    def said_about(self, name):
        return json.dumps(self.proxy.api(f"/api/http/middlewares/{name}@file").get("error", []))


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    w = World()
    folder = w.folder = tmp_path_factory.mktemp("options")
    w.ca = make(folder, "ca", ca=True, subject="/C=FR/ST=Ile/L=Paris/O=Root/serialNumber=1/DC=example/CN=ca")
    w.server = make(folder, "server", ["IP:127.0.0.1", "DNS:cert", "DNS:cert-some"], w.ca)
    w.client = make(folder, "client", ["DNS:a.example", "email:jo@example.org", "IP:10.0.0.1"], w.ca,
                    subject="/C=DE/ST=Bavaria/L=Munich/O=Clients/OU=Sales/serialNumber=42/DC=example/CN=alice")
    w.users, w.digests = folder / "users", folder / "digests"
    w.users.write_text(f"filed:{SHA1}\n")
    w.digests.write_text(f"jo:shop:{hashlib.md5(b'jo:shop:test').hexdigest()}\n")
    w.full = full_listener()
    with (Origin() as w.origin, Origin() as w.auth, Origin(respond(b"a page")) as w.pages,
          Origin(tls=w.server.server_context(w.ca)) as w.tls_auth, SilentServer() as w.silent,
          Redis(folder, w.server, w.ca) as w.redis):
        w.middlewares = middlewares_of(w)
        w.dynamic = {
            "http": {
                "routers": {name: {"rule": f"Host(`{name}`) || Host(`{name}-2`)", "service": service, "middlewares": [name]}
                            for name, service, _, _ in ROWS},
                "middlewares": w.middlewares,
                "services": {name: {"loadBalancer": {"servers": [{"url": url}]}} for name, url in (
                    ("app", w.origin.url), ("pages", w.pages.url), ("dead", f"http://127.0.0.1:{free_port()}"))},
            },
            "tls": {"certificates": [w.server.config], "options": {"asks": {"clientAuth": {"clientAuthType": "RequestClientCert"}}}},
        }
        install = {"entryPoints": {"trusting": {"forwardedHeaders": {"insecure": True}},
                                   "tls": {"http": {"tls": {"options": "asks@file"}}}}}
        with Fairlead(w.dynamic, install, entry_points=("web", "trusting", "tls")) as w.proxy:
            yield w
        assert [server.violations for server in (w.origin, w.auth, w.pages, w.tls_auth)] == [[]] * 4
    for end in w.full:
        end.close()


@pytest.mark.parametrize("name, check", [(name, check) for name, _, _, check in ROWS], ids=[row[0] for row in ROWS])
def test_option(world, name, check):
    for server in (world.origin, world.auth):
        server.answer = respond()
        server.requests.clear()
        server.unscript()

    check(world, name)


def test_rows_are_usable(world):
    """What answers 200 although it is broken would prove nothing."""
    shown = world.proxy.api("/api/http/middlewares?per_page=1000")

    assert [m["name"] for m in shown if m["status"] == "disabled"] == []
    assert len([m for m in shown if m["provider"] == "file"]) == len(ROWS)


def toml(value):
    """Inline TOML: JSON but for "=" in tables."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


def test_toml_says_the_same_as_yaml(world):
    path = world.folder / "dynamic.toml"
    path.write_text("".join(f"[{area}]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in part.items())
                            for area, part in world.dynamic.items()))
    with Fairlead(install={"providers": {"file": {"filename": str(path)}}}) as other:
        listed = "/api/http/middlewares?per_page=1000"

        def shown(proxy):
            """Without places in files; what is said about options comes in the order of the file's reader."""
            text = re.sub(r"[^ (\"]+/dynamic\.\w+(:\d+)*", "", json.dumps(proxy.api(listed)))
            said = lambda value: sorted(map(json.dumps, value)) if isinstance(value, list) else value
            # Who uses them depends on the entry points, of which there are others here.
            return [{key: said(value) for key, value in middleware.items() if key != "usedBy"}
                    for middleware in json.loads(text)]

        wait_for(lambda: len(shown(other)) == len(shown(world.proxy)), 10, "the file is read")
        assert shown(other) == shown(world.proxy)


def options_in(middleware, prefix=""):
    """ "compress.encodings" of {"compress": {"encodings": …}}, in lower case."""
    found = set()
    for key, value in middleware.items():
        path = f"{prefix}.{key}".lstrip(".").lower()
        found.add(path)
        if isinstance(value, dict):
            found |= options_in(value, path)
    return found


def test_every_option_has_a_test_with_real_requests(world):
    """Of the tables that the binary prints: an option that is in no row of the three files fails here."""
    printed = subprocess.run([BINARY, "reference"], check=True, capture_output=True, text=True).stdout
    known = {match.lower() for match in re.findall(r"^\| `http\.middlewares\.<name>\.([^`]+)`", printed, re.M)}
    assert len(known) > 170
    used = set()
    for rows in (test_head_middlewares.MIDDLEWARES, test_waiting_middlewares.middlewares("http://a", "pages"),
                 world.middlewares):
        for middleware in rows.values():
            used |= options_in(middleware)
    free = {re.sub(r"\.<name>$", "", option): option for option in known if option.endswith(".<name>")}

    missing = {option for option in known if option not in used and option not in free.values()}
    missing |= {option for stem, option in free.items() if stem not in used}

    assert missing == set()
