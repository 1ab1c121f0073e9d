"""What entry points do with every request: one Fairlead with an entry point for each option."""

import json
import subprocess
import time

import pytest
from support.certificates import TlsClient
from support.fairlead import BINARY, Fairlead, environment, routes
from support.h2 import POST, H2Client
from support.origin import Origin
from support.ports import free_port, wait_for
from support.raw import RawClient

ESCAPES = {"Slash": "%2F", "BackSlash": "%5C", "NullCharacter": "%00", "Semicolon": "%3B", "Percent": "%25",
           "QuestionMark": "%3F", "Hash": "%23"}
HTTPS = free_port()  # only named as a target


def redirect(**options):
    return {"http": {"redirections": {"entryPoint": options}}}


POINTS = {
    "web": {"asDefault": True},
    "stamped": {"http": {"middlewares": ["stamp@file"]}},
    "permanent": redirect(to="target"),
    "temporary": redirect(to="target", permanent=False),
    "usual": redirect(to=":443"),
    "plain": redirect(to=f":{HTTPS}", scheme="http"),
    "late": redirect(to="target", priority=1),
    "itself": redirect(to="itself"),
    "circle": redirect(to="circle", scheme="http"),
    "target": {},
    "strict": {"http": {"encodedCharacters": {f"allowEncoded{name}": False for name in ESCAPES}}},
    "firm": {"http": {"encodedCharacters": {"allowEncodedSlash": False}, **redirect(to="target")["http"]}},
    "semicolons": {"http": {"encodeQuerySemicolons": True}},
    "raw": {"http": {"sanitizePath": False}},
    "small": {"http": {"maxHeaderBytes": 2048}},
    "deletes": {"http": {"underscoreHeadersStrategy": "delete"}},
    "rejects": {"http": {"underscoreHeadersStrategy": "reject"}},
    "insecure": {"forwardedHeaders": {"insecure": True}},
    "trusts": {"forwardedHeaders": {"trustedIPs": ["127.0.0.2", "127.0.1.0/24"]}},
    "keeps": {"forwardedHeaders": {"connection": ["X-Kept"]}},
    "alone": {"forwardedHeaders": {"notAppendXForwardedFor": True, "insecure": True}},
    "schemes": {"forwardedHeaders": {"addXForwardedSchemeHeaders": True}},
    "few": {"transport": {"keepAliveMaxRequests": 2}},
    "many": {"transport": {"keepAliveMaxRequests": 2**32 + 1}},
    "short": {"transport": {"keepAliveMaxTime": "400ms"}},
    "quiet": {"observability": {"accessLogs": False, "metrics": False}},
    "old": {},
}


@pytest.fixture(scope="module")
def house():
    """A Fairlead with all entry points, and the origin behind each of them."""
    with Origin() as origin:
        server = {"loadBalancer": {"servers": [{"url": origin.url}]}}
        dynamic = {"http": {
            "routers": {
                "everywhere": {"rule": "Host(`app`)", "service": "app", "entryPoints": list(POINTS)},
                "default": {"rule": "Host(`default`)", "service": "app"},
                "secure": {"rule": "Host(`secure`)", "service": "app", "entryPoints": ["itself"], "tls": {}},
                "own": {"rule": "Host(`own`)", "service": "app", "entryPoints": ["stamped"], "middlewares": ["inner"]},
                "told": {"rule": "Host(`told`)", "service": "app", "entryPoints": ["quiet"],
                         "observability": {"accessLogs": True, "metrics": True}},
                "kept": {"rule": "Host(`kept`) && Header(`X-Kept`, `1`) && !Header(`X-Gone`, `1`)", "service": "app",
                         "entryPoints": ["keeps", "web"]},
                "v2": {"rule": "Host(`a.example`, `b.example`) && PathPrefix(`/x`, `/y`)", "service": "app",
                       "entryPoints": ["old"], "ruleSyntax": "v2"},
            },
            "services": {"app": server},
            "middlewares": {"stamp": {"headers": {"customRequestHeaders": {"X-Order": "outer"},
                                                  "customResponseHeaders": {"X-Stamp": "yes"}}},
                            "inner": {"headers": {"customRequestHeaders": {"X-Order": "inner"}}}},
        }}
        install = {"entryPoints": POINTS, "metrics": {"prometheus": {"addRoutersLabels": True}}}
        with Fairlead(dynamic, install, entry_points=list(POINTS)) as proxy:
            yield proxy, origin


def connect(proxy, entry_point, source=None):
    return RawClient(proxy.port(entry_point), source=source)


def test_routers_without_entry_points_are_served_by_the_default_ones(house):
    proxy, _ = house

    assert proxy.ask(host="default").status == 200
    assert proxy.ask(host="default", entry_point="target").status == 404
    assert proxy.router("default@file")["using"] == ["web"]


def test_middlewares_of_an_entry_point_come_before_those_of_a_router_and_not_before_404(house):
    proxy, origin = house

    answer = proxy.ask(host="own", entry_point="stamped")
    assert answer.header("X-Stamp") == "yes"
    assert origin.last().header("X-Order") == "inner"
    unknown = proxy.ask(host="unknown", entry_point="stamped")
    assert (unknown.status, unknown.header("X-Stamp")) == (404, None)


@pytest.mark.parametrize("entry_point,method,status", [
    ("permanent", "GET", 301), ("permanent", "POST", 308), ("permanent", "HEAD", 308),
    ("temporary", "GET", 302), ("temporary", "POST", 307),
])
def test_redirections_answer_all_four_statuses(house, entry_point, method, status):
    proxy, origin = house
    before = len(origin.requests)

    answer = proxy.ask("/a?b=c", host="app:99", entry_point=entry_point, method=method)

    assert (answer.status, answer.header("Location")) == (status, f"https://app:{proxy.port('target')}/a?b=c")
    assert len(origin.requests) == before


@pytest.mark.parametrize("entry_point,location", [("usual", "https://app/x"), ("plain", f"http://app:{HTTPS}/x")])
def test_redirections_to_a_port_and_with_a_scheme(house, entry_point, location):
    proxy, _ = house

    assert proxy.ask("/x", host="app", entry_point=entry_point).header("Location") == location


def test_an_entry_point_may_redirect_to_itself(house):
    proxy, _ = house

    answer = proxy.ask("/x", host="app", entry_point="itself")
    assert (answer.status, answer.header("Location")) == (301, f"https://app:{proxy.port('itself')}/x")
    with TlsClient(proxy.port("itself"), "secure") as client:
        assert client.ask(host="secure").status == 200
    port = proxy.port("circle")
    assert proxy.ask(host=f"app:{port}", entry_point="circle").status == 418
    assert "redirects to itself" in proxy.log()


def test_a_redirection_of_low_priority_lets_routers_win(house):
    proxy, _ = house

    assert proxy.ask(host="app", entry_point="late").status == 200
    assert proxy.ask(host="other", entry_point="late").status == 301


@pytest.mark.parametrize("name", ESCAPES)
def test_escapes_that_are_not_allowed_are_400(house, name):
    proxy, origin = house
    before = len(origin.requests)

    for escape in (ESCAPES[name], ESCAPES[name].lower()):
        assert proxy.ask(f"/a{escape}b", host="app", entry_point="strict").status == 400
    assert len(origin.requests) == before
    assert proxy.ask(f"/a{ESCAPES[name]}b", host="unknown", entry_point="strict").status == 404
    assert proxy.ask("/a%20b", host="app", entry_point="strict").status == 200
    if name != "NullCharacter":
        assert proxy.ask(f"/a{ESCAPES[name]}b", host="app").status == 200
        assert origin.last().target == f"/a{ESCAPES[name]}b"


def test_a_redirection_hands_on_no_escape_that_is_not_allowed(house):
    proxy, _ = house

    assert [proxy.ask(path, host="app", entry_point="firm").status for path in ("/a%2fb", "/a%25b")] == [400, 301]


@pytest.mark.parametrize("entry_point,target", [("web", "/?a=1&b=2"), ("semicolons", "/?a=1%3Bb=2")])
def test_semicolons_in_queries(house, entry_point, target):
    proxy, origin = house

    assert proxy.ask("/?a=1;b=2", host="app", entry_point=entry_point).status == 200
    assert origin.last().target == target


@pytest.mark.parametrize("entry_point,target", [("web", "/b/c/"), ("raw", "/a/../b//c/")])
def test_paths_are_cleaned_unless_told_otherwise(house, entry_point, target):
    proxy, origin = house

    assert proxy.ask("/a/../b//c/", host="app", entry_point=entry_point).status == 200
    assert origin.last().target == target


def test_heads_over_max_header_bytes_are_431(house):
    proxy, _ = house

    assert proxy.ask(host="app", entry_point="small", headers={"X-Long": "a" * 2048}).status == 200
    assert proxy.ask(host="app", entry_point="small", headers={"X-Long": "a" * 3000}).status == 431
    assert proxy.ask(host="app", headers={"X-Long": "a" * 3000}).status == 200


@pytest.mark.parametrize("entry_point,status,seen", [("web", 200, "1"), ("deletes", 200, None), ("rejects", 400, None)])
def test_header_names_with_an_underscore(house, entry_point, status, seen):
    proxy, origin = house

    assert proxy.ask(host="app", entry_point=entry_point, headers={"X_Under": "1"}).status == status
    if status == 200:
        assert origin.last().header("X_Under") == seen


@pytest.mark.parametrize("entry_point,status,seen", [("web", 200, ["X_Under", "X-Sum"]), ("deletes", 200, ["X-Sum"]), ("rejects", 400, None)])
def test_names_of_trailers_with_an_underscore(house, entry_point, status, seen):
    """Servers may merge trailers into the header, and read _ as -."""
    proxy, origin = house
    origin.requests.clear()

    with RawClient(proxy.port(entry_point)) as client:
        client.send("POST / HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX_Under: 1\r\nX-Sum: 2\r\n\r\n")
        assert client.read_answer().status == status
    assert [[name for name, _ in request.trailers] for request in origin.requests] == ([seen] if seen else [])
    with H2Client(proxy.port(entry_point)) as client:
        client.headers(1, POST, ends=False)
        client.data(1, b"abc")
        client.headers(1, [("x_under", "1"), ("x-sum", "2")])
        assert client.answer(1).status == status
    if seen:
        assert [name for name, _ in origin.last().trailers] == [name.lower() for name in seen]
    else:
        assert origin.requests == []


FORGED = {"X-Forwarded-For": "9.9.9.9", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "forged",
          "X-Forwarded-Port": "1", "X-Real-Ip": "9.9.9.9", "X-Forwarded-Prefix": "/p", "X-Forwarded-Server": "s"}


@pytest.mark.parametrize("entry_point,source,trusted", [
    ("web", "127.0.0.1", False), ("insecure", "127.0.0.1", True), ("trusts", "127.0.0.2", True),
    ("trusts", "127.0.1.77", True), ("trusts", "127.0.0.3", False),
])
def test_forwarded_headers_are_believed_of_trusted_peers_only(house, entry_point, source, trusted):
    proxy, origin = house

    with connect(proxy, entry_point, source) as client:
        assert client.ask(host="app:88", headers=FORGED).status == 200

    seen = origin.last()
    assert seen.header("X-Forwarded-For") == (f"9.9.9.9, {source}" if trusted else source)
    assert seen.header("X-Forwarded-Proto") == ("https" if trusted else "http")
    assert seen.header("X-Forwarded-Host") == ("forged" if trusted else "app:88")
    assert seen.header("X-Forwarded-Port") == ("1" if trusted else "88")
    assert seen.header("X-Real-Ip") == ("9.9.9.9" if trusted else source)
    assert seen.header("X-Forwarded-Prefix") == ("/p" if trusted else None)
    assert seen.header("X-Forwarded-Server") not in (None, "s"), "always our own"


def test_what_a_trusted_peer_leaves_empty_is_told_in_its_place(house):
    proxy, origin = house

    assert proxy.ask(host="app:88", entry_point="insecure", headers=dict.fromkeys(FORGED, "")).status == 200

    seen = origin.last()
    assert (seen.all("X-Forwarded-For"), seen.all("X-Real-Ip")) == (["127.0.0.1"], ["127.0.0.1"])
    assert (seen.all("X-Forwarded-Proto"), seen.all("X-Forwarded-Host")) == (["http"], ["app:88"])
    assert (seen.all("X-Forwarded-Port"), seen.all("X-Forwarded-Prefix")) == (["88"], [""])


def test_headers_named_in_connection_reach_rules_and_middlewares_where_listed(house):
    proxy, origin = house
    headers = {"Connection": "X-Kept, X-Gone", "X-Kept": "1", "X-Gone": "1"}

    for entry_point, status in [("keeps", 200), ("web", 404)]:
        assert proxy.ask(host="kept", entry_point=entry_point, headers=headers).status == status
    assert (origin.last().header("X-Kept"), origin.last().header("X-Gone")) == (None, None), "of this hop all the same"


def test_the_peer_is_not_appended_when_told(house):
    proxy, origin = house

    proxy.ask(host="app", entry_point="alone", headers={"X-Forwarded-For": "9.9.9.9"})
    assert origin.last().header("X-Forwarded-For") == "9.9.9.9"


def test_the_scheme_under_its_other_names(house):
    proxy, origin = house

    proxy.ask(host="app", entry_point="schemes", headers={"X-Scheme": "forged"})
    assert (origin.last().header("X-Scheme"), origin.last().header("X-Forwarded-Scheme")) == ("http", "http")
    proxy.ask(host="app")
    assert origin.last().header("X-Scheme") is None


def test_a_connection_is_closed_after_so_many_requests(house):
    proxy, _ = house

    with connect(proxy, "few") as client:
        assert client.ask(host="app").header("Connection") is None
        assert client.ask(host="app").header("Connection") == "close"
        assert client.is_closed()


def test_more_requests_than_anybody_sends_close_no_connection(house):
    proxy, _ = house

    with connect(proxy, "many") as client:
        assert [client.ask(host="app").header("Connection") for _ in range(3)] == [None] * 3


def test_a_connection_is_closed_at_its_age(house):
    proxy, _ = house

    for _ in range(20):
        begun = time.monotonic()
        with connect(proxy, "short") as client:
            first = client.ask(host="app").header("Connection")
            if time.monotonic() - begun >= 0.4:
                continue  # the machine was busy for as long
            time.sleep(0.5)
            assert (first, client.ask(host="app").header("Connection")) == (None, "close")
            assert client.is_closed()
            return
    raise AssertionError("no request was answered in time")


def test_what_is_recorded_by_default_and_what_a_router_says_itself(house):
    proxy, _ = house

    for host, entry_point in [("app", "quiet"), ("told", "quiet"), ("app", "web")]:
        proxy.ask(f"/recorded/{host}/{entry_point}", host=host, entry_point=entry_point)

    def recorded():
        return {line["RequestPath"] for line in proxy.access_log() if line["RequestPath"].startswith("/recorded")}

    wait_for(lambda: "/recorded/app/web" in recorded() and "/recorded/told/quiet" in recorded(), 10, "lines")
    assert "/recorded/app/quiet" not in recorded()
    wait_for(lambda: 'router="told@file"' in proxy.metrics(), 10, "the metric")
    metrics = proxy.metrics()
    assert 'router="quiet-everywhere@file"' not in metrics and 'entrypoint="quiet"' in metrics


def test_open_connections_are_counted_by_entry_point(house):
    proxy, _ = house

    def open_at(entry_point):
        return f'traefik_open_connections{{entrypoint="{entry_point}",protocol="TCP"}}'

    with connect(proxy, "old") as one, connect(proxy, "old") as two:
        assert one.ask(host="app").status == two.ask(host="app").status == 200
        wait_for(lambda: f"{open_at('old')} 2\n" in proxy.metrics(), 10, "two are open")  # once earlier ones are gone
    wait_for(lambda: f"{open_at('old')} 0\n" in proxy.metrics(), 10, "both are gone")


def test_rules_of_the_old_syntax(house):
    proxy, _ = house

    for host, target, status in [("a.example", "/x", 200), ("b.example", "/y", 200), ("c.example", "/x", 404),
                                 ("a.example", "/z", 404)]:
        assert proxy.ask(target, host=host, entry_point="old").status == status


def test_the_old_syntax_can_be_the_default(start, origin):
    rules = {"old": ("HostHeader(`old`, `older`)", {}), "new": ("Host(`new`) && Method(`GET`)", {"ruleSyntax": "v3"})}
    proxy = start({"http": {"routers": {name: {"rule": rule, "service": "app", **more} for name, (rule, more) in rules.items()},
                            "services": {"app": {"loadBalancer": {"servers": [{"url": origin.url}]}}}}},
                  {"core": {"defaultRuleSyntax": "v2"}})

    for host in ("old", "older", "new"):
        assert proxy.ask(host=host).status == 200


@pytest.mark.parametrize("options,said", [
    ({"forwardedHeaders": {"trustedIPs": ["10.0.0.0/33"]}}, "10.0.0.0/33"),
    ({"http": {"underscoreHeadersStrategy": "drop"}}, "keep|delete|reject"),
    ({"http2": {"maxConcurrentStreams": -1}}, "maxConcurrentStreams"),
    ({"http": {"sanitisePath": False}}, "sanitizePath"),
    ({"transport": {"keepAliveMaxTime": "soon"}}, "keepAliveMaxTime"),
], ids=lambda value: next(iter(value)) if isinstance(value, dict) else None)
def test_bad_options_are_refused_at_the_start_and_named(tmp_path, options, said):
    file = tmp_path / "fairlead.yml"
    file.write_text(json.dumps({"entryPoints": {"web": {"address": "127.0.0.1:0", **options}}}))

    done = subprocess.run([BINARY, f"--configFile={file}"], capture_output=True, text=True, timeout=90, env=environment())

    assert done.returncode == 2
    assert said in done.stdout + done.stderr


def test_what_traefik_starts_with_is_only_said(start):
    proxy = start(install={"entryPoints": {"web": {"observability": {"traceVerbosity": "much"}, **redirect(to=":70000")}},
                           "accessLog": {"filters": {"statusCodes": ["many"]}, "fields": {"names": {"StartUTC": "hide"}}},
                           "metrics": {"prometheus": {"entryPoint": "nowhere"}}})

    assert proxy.ask(host="app").status == 404, "nothing is redirected"
    for said in ("minimal|detailed", ":70000", "many", "keep|drop", "nowhere"):
        assert any(said in line for line in proxy.log().splitlines() if " WRN " in line), said
    assert "StartUTC" in wait_for(proxy.access_log, 5, "the request is logged")[0]


def test_numbers_that_make_no_sense_and_providers_without_a_source_keep_nothing_from_starting(start, origin):
    timeouts = {"transport": {"respondingTimeouts": {"readTimeout": -1, "idleTimeout": "-1s"}, "lifeCycle": {"graceTimeOut": -1}}}
    proxy = start(routes(app=[origin.url]),
                  {"entryPoints": {"web": timeouts}, "tracing": {"sampleRate": -1}, "log": {"maxSize": -1},
                   "providers": {"http": {"pollInterval": 0}}})

    assert proxy.wait_status(200, "app")
    for said in ("readTimeout", "idleTimeout", "graceTimeOut", "sampleRate", "maxSize", "http.endpoint", "pollInterval"):
        assert any(said in line for line in proxy.log().splitlines() if " WRN " in line), said


def test_an_entry_point_that_is_not_observed_counts_and_logs_no_request(start):
    proxy = start(install={"entryPoints": {"web": {"observability": {"accessLogs": False, "metrics": False}}},
                           "metrics": {"prometheus": {}}}, entry_points=("web", "other"))

    for entry_point in ("web", "other"):
        assert proxy.ask(host="nobody", entry_point=entry_point).status == 404

    assert [line["entryPointName"] for line in wait_for(proxy.access_log, 5, "one is logged")] == ["other"]
    wait_for(lambda: 'requests_total{code="404",entrypoint="other"' in proxy.metrics(), 5, "one is counted")
    assert 'requests_total{code="404",entrypoint="web"' not in proxy.metrics()
