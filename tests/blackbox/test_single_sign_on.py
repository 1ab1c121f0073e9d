"""forwardAuth with servers that behave as Authelia and oauth2-proxy do, over TLS, and what happens to its files."""

import shutil
import socket
import struct
import threading
import urllib.parse

import pytest
from support.certificates import make
from support.fairlead import Fairlead
from support.origin import Origin, respond
from support.ports import wait_for
from support.raw import RawClient


def authelia(request):
    """/api/authz/forward-auth: who holds the session cookie passes with names in Remote-*; a browser is sent to the
    portal with where it came from, anybody else gets 401."""
    if "authelia_session=good" in request.header("Cookie", ""):
        return respond(b"", headers=[("Remote-User", "jo"), ("Remote-Groups", "admins,users"), ("Remote-Name", "Jo Doe"),
                                     ("Remote-Email", "jo@example.org"), ("Set-Cookie", "authelia_session=renewed; Path=/; HttpOnly")])
    came_from = "{}://{}{}".format(*(request.header(f"X-Forwarded-{part}") for part in ("Proto", "Host", "Uri")))
    if "text/html" not in request.header("Accept", ""):
        return respond(b"401 Unauthorized", 401, [("WWW-Authenticate", 'Basic realm="Authorization Required"')], "Unauthorized")
    portal = "https://auth.example/?rd={}&rm={}".format(urllib.parse.quote(came_from, ""), request.header("X-Forwarded-Method"))
    return respond(b'<a href="portal">302 Found</a>', 302, [("Location", portal), ("Content-Type", "text/html")], "Found")


def oauth2_proxy(request):
    """/oauth2/auth: 202 with X-Auth-Request-*, else 401; what signs in is under another path."""
    if "_oauth2_proxy=token" in request.header("Cookie", ""):
        return respond(b"", 202, [("X-Auth-Request-User", "4711"), ("X-Auth-Request-Email", "jo@example.org"),
                                  ("Authorization", "Bearer id-token"), ("Gap-Auth", "jo@example.org")], "Accepted")
    return respond(b"", 401, reason="Unauthorized")


def posts(request):
    """Judges what is posted."""
    return respond() if request.method == "POST" and b"please" in request.body else respond(b"no", 403, reason="Forbidden")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    class World:
        pass

    w = World()
    folder = tmp_path_factory.mktemp("sso")
    w.ca = make(folder, "ca", ca=True)
    w.other = make(folder, "other", ca=True)
    w.server = make(folder, "server", ["IP:127.0.0.1"], w.ca)
    w.trusted = folder / "trusted.pem"
    shutil.copy(w.ca.cert, w.trusted)
    with (Origin() as w.origin, Origin(authelia) as w.authelia, Origin(oauth2_proxy) as w.oauth2,
          Origin(posts) as w.posts, Origin(authelia, tls=w.server.server_context()) as w.secure):
        middlewares = {
            "authelia": {"forwardAuth": {
                "address": w.authelia.url + "/api/authz/forward-auth", "trustForwardHeader": True,
                "authResponseHeaders": ["Remote-User", "Remote-Groups", "Remote-Name", "Remote-Email"],
                "addAuthCookiesToResponse": ["authelia_session"], "headerField": "Remote-User"}},
            "oauth2": {"forwardAuth": {
                "address": w.oauth2.url + "/oauth2/auth", "trustForwardHeader": True, "authResponseHeadersRegex": "^X-Auth-Request-",
                "authResponseHeaders": ["Authorization"], "authSigninURL": "https://login.example/oauth2/start"}},
            "posts": {"forwardAuth": {"address": w.posts.url, "trustForwardHeader": False, "forwardBody": True,
                                      "preserveRequestMethod": True, "maxBodySize": 20}},
            "secure": {"forwardAuth": {"address": w.secure.url, "trustForwardHeader": False, "tls": {"ca": str(w.trusted)}}},
        }
        dynamic = {"http": {
            "routers": {name: {"rule": f"Host(`{name}`)", "service": "app", "middlewares": [name]} for name in middlewares},
            "middlewares": middlewares,
            "services": {"app": {"loadBalancer": {"servers": [{"url": w.origin.url}]}}}}}
        with Fairlead(dynamic) as w.proxy:
            yield w
        assert [server.violations for server in (w.origin, w.authelia, w.oauth2, w.posts, w.secure)] == [[]] * 5


@pytest.fixture(autouse=True)
def _fresh(world):
    world.origin.answer = respond()
    world.origin.requests.clear()


def test_a_browser_is_sent_to_the_portal_and_comes_back(world):
    sent_away = world.proxy.ask("/admin?x=1&y=2", host="authelia", headers={"Accept": "text/html"})
    assert (sent_away.status, sent_away.body) == (302, b'<a href="portal">302 Found</a>')
    location = urllib.parse.urlsplit(sent_away.header("Location"))
    query = urllib.parse.parse_qs(location.query)
    assert (location.netloc, query["rm"]) == ("auth.example", ["GET"])
    assert query["rd"][0].startswith("http://authelia/admin?x=1&y=2")
    assert world.origin.requests == []

    spoofed = [("Cookie", "authelia_session=good"), ("Remote-User", "admin"), ("remote_groups", "root")]
    world.origin.answer = respond(headers=[("Set-Cookie", "authelia_session=theirs"), ("Set-Cookie", "cart=7")])
    answer = world.proxy.ask("/admin", host="authelia", headers=spoofed)

    assert answer.status == 200
    assert sorted(answer.all("Set-Cookie")) == ["authelia_session=renewed; Path=/; HttpOnly", "cart=7"]
    seen = world.origin.last()
    assert [seen.all(f"Remote-{name}") for name in ("User", "Groups", "Name", "Email")] == [
        ["jo"], ["admins,users"], ["Jo Doe"], ["jo@example.org"]]
    assert "root" not in str(seen.headers)
    line = wait_for(lambda: [line for line in world.proxy.access_log()
                             if (line["RequestPath"], line["DownstreamStatus"]) == ("/admin", 200)], 5, "the log line")[-1]
    assert line["ClientUsername"] == "jo"


def test_a_program_gets_the_refusal_itself(world):
    answer = world.proxy.ask(host="authelia", method="DELETE")

    assert (answer.status, answer.body) == (401, b"401 Unauthorized")
    assert answer.header("WWW-Authenticate") == 'Basic realm="Authorization Required"'
    assert (world.authelia.last().method, world.authelia.last().header("X-Forwarded-Method")) == ("GET", "DELETE")


def test_oauth2_proxy_tells_the_server_who_it_is(world):
    refused = world.proxy.ask(host="oauth2")
    passed = world.proxy.ask(host="oauth2", headers=[("Cookie", "_oauth2_proxy=token"), ("X-Auth-Request-Groups", "root"),
                                                     ("Authorization", "Basic forged")])

    assert (refused.status, refused.header("Location")) == (302, "https://login.example/oauth2/start")
    assert passed.status == 200
    seen = world.origin.last()
    assert (seen.all("X-Auth-Request-User"), seen.all("X-Auth-Request-Groups")) == (["4711"], [])
    assert seen.all("Authorization") == ["Bearer id-token"]
    assert seen.header("Gap-Auth") is None


@pytest.mark.parametrize("chunked", [False, True])
def test_posted_bodies_are_judged_and_arrive_whole(world, chunked):
    def post(body):
        if not chunked:
            return world.proxy.ask(host="posts", method="POST", body=body)
        with RawClient(world.proxy.port()) as client:
            client.send("POST / HTTP/1.1\r\nHost: posts\r\nTransfer-Encoding: chunked\r\n\r\n")
            for byte in body:
                client.send(b"1\r\n%c\r\n" % byte)
            client.send("0\r\n\r\n")
            return client.read_answer()

    assert post(b"if you please").status == 200
    assert world.origin.last().body == b"if you please"
    assert world.posts.last().body == b"if you please"
    assert (post(b"at once").status, len(world.origin.requests)) == (403, 1)
    assert post(b"please please please!").status == 401
    assert len(world.origin.requests) == 1


def test_its_authority_is_read_again_when_the_file_changes(world):
    assert world.proxy.ask(host="secure").status == 401  # the stand-in's own answer: TLS worked
    shutil.copy(world.other.cert, world.trusted)
    wait_for(lambda: world.proxy.ask(host="secure").status == 500, 10, "the server is no longer trusted")
    world.trusted.write_text("half a certif")  # whoever writes is not ready
    wait_for(lambda: "the files before stay" in world.proxy.log(), 10, "the log says so")
    assert world.proxy.ask(host="secure").status == 500
    shutil.copy(world.ca.cert, world.trusted)
    wait_for(lambda: world.proxy.ask(host="secure").status == 401, 10, "it is trusted again")


def test_a_client_that_leaves_meanwhile_is_logged_as_gone(world):
    released = threading.Event()
    world.oauth2.script(lambda _: released.wait(90) and respond())
    with RawClient(world.proxy.port()) as client:
        client.send("GET /leaver HTTP/1.1\r\nHost: oauth2\r\n\r\n")
        wait_for(lambda: any(request.header("X-Forwarded-Uri") == "/leaver" for request in world.oauth2.requests), 5, "the question")
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset, not half a close
    line = wait_for(lambda: [line for line in world.proxy.access_log() if line["RequestPath"] == "/leaver"], 10, "the log line")[0]
    released.set()
    assert line["DownstreamStatus"] == 499
    assert world.origin.requests == []
