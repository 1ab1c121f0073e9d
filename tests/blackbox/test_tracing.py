"""Traces: what a collector gets, what servers are told, and that no request suffers from either."""

import json
import re
import signal
import socket
import threading
import time

import pytest

from support import certificates
from support.otlp import Collector, GrpcCollector, attributes, pb
from support.origin import Origin, respond
from support.ports import free_port, wait_for
from support.raw import RawClient, ask

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"
SERVER, CLIENT, INTERNAL = pb.Span.SERVER, pb.Span.CLIENT, pb.Span.INTERNAL


@pytest.fixture
def start(start):
    """Records wait for others a twentieth of the usual time."""
    quick = {"OTEL_BSP_SCHEDULE_DELAY": "50", "OTEL_BLRP_SCHEDULE_DELAY": "50"}
    return lambda *args, env=None, **more: start(*args, env={**quick, **(env or {})}, **more)


@pytest.fixture
def collector():
    with Collector() as one:
        yield one


def tracing(collector, **more):
    """The install configuration that sends traces there."""
    return {"tracing": {"otlp": {"http": {"endpoint": collector.url}}, **more}}


def dynamic(origin, middlewares=None, **router):
    names = list(middlewares or {})
    routes = {"routers": {"app": {"rule": "Host(`app`)", "service": "app", "middlewares": names, **router}},
              "services": {"app": {"loadBalancer": {"servers": [{"url": origin.url}]}}}}
    return {"http": {**routes, **({"middlewares": middlewares} if middlewares else {})}}


def replace_install(proxy, install):
    """At once: nobody reads half of it."""
    beside = proxy.install_path.with_suffix(".new")
    beside.write_text(json.dumps(install))
    beside.rename(proxy.install_path)


def by_kind(spans, kind):
    return [span for span in spans if span.kind == kind]


def test_a_server_span_and_a_client_span_below_it(start, origin, collector):
    proxy = start(dynamic(origin), tracing(collector))

    answer = proxy.ask("/cart?token=secret&page=2", "app", headers=[("User-Agent", "tester/1")], method="POST", body=b"12345")

    assert answer.status == 200
    server, client = by_kind(spans := collector.wait_spans(2), SERVER)[0], by_kind(spans, CLIENT)[0]
    assert len(spans) == 2 and server.name == "POST" and client.name == "ReverseProxy"
    assert server.trace_id == client.trace_id and len(server.trace_id) == 16 and len(server.span_id) == 8
    assert server.parent_span_id == b"" and client.parent_span_id == server.span_id
    assert server.start_time_unix_nano <= client.start_time_unix_nano <= client.end_time_unix_nano
    assert client.end_time_unix_nano <= server.end_time_unix_nano
    assert abs(server.start_time_unix_nano / 1e9 - time.time()) < 60
    assert server.status.code == 0 and client.status.code == 0
    told = attributes(server)
    assert told.pop("client.port") == told.pop("network.peer.port") > 0
    assert told == {
        "entry_point": "web", "http.request.method": "POST", "network.protocol.version": "1.1", "url.path": "/cart",
        "url.query": "token=REDACTED&page=REDACTED", "url.scheme": "http", "server.address": "app",
        "user_agent.original": "tester/1", "client.address": "127.0.0.1", "network.peer.address": "127.0.0.1",
        "http.response.status_code": 200, "http.request.body.size": 5}
    assert attributes(client) == {
        "http.request.method": "POST", "url.full": f"{origin.url}/cart?token=REDACTED&page=REDACTED", "url.scheme": "http",
        "user_agent.original": "tester/1", "server.address": "127.0.0.1", "server.port": origin.port,
        "network.peer.address": "127.0.0.1", "network.peer.port": origin.port, "network.protocol.version": "1.1",
        "http.response.status_code": 200}
    version, trace, span, flags = origin.last().header("traceparent").split("-")
    assert (version, trace, span, flags) == ("00", server.trace_id.hex(), client.span_id.hex(), "01")
    resource = attributes(collector.taken("traces")[0].resources[0].resource)
    assert resource["service.name"] == "traefik" and resource["service.version"] and resource["process.pid"] == proxy.pid


def test_what_is_recorded_can_be_chosen(start, origin, collector):
    origin.answer = respond(headers=[("X-Node", "n1"), ("Set-Cookie", "secret=1")])
    proxy = start(dynamic(origin), tracing(
        collector, capturedRequestHeaders=["X-Tenant", "User-Agent"], capturedResponseHeaders=["x-node"],
        safeQueryParams=["page"], serviceName="edge", resourceAttributes={"team": "web"}))

    proxy.ask("/?page=2&key=1", "app", headers=[("X-Tenant", "a"), ("x-tenant", "b\xff"), ("X-Other", "c")])

    for span in collector.wait_spans(2):
        told = attributes(span)
        assert told["http.request.header.x-tenant"] == ["a", "b\ufffd"]
        assert told["http.response.header.x-node"] == ["n1"]
        assert not [key for key in told if "other" in key or "cookie" in key or "header.user" in key]
        assert told.get("url.query", "") in ("", "page=2&key=REDACTED") and "key=1" not in str(told)
    resource = attributes(collector.taken("traces")[0].resources[0].resource)
    assert resource["service.name"] == "edge" and resource["team"] == "web"


def test_a_trace_that_the_client_began_goes_on(start, origin, collector):
    proxy = start(dynamic(origin), tracing(collector, sampleRate=0.0))

    proxy.ask("/", "app", headers=[("traceparent", PARENT), ("tracestate", "a=1"), ("tracestate", "b=2"), ("baggage", "k=v")])

    spans = collector.wait_spans(2)
    server, client = by_kind(spans, SERVER)[0], by_kind(spans, CLIENT)[0]
    assert server.trace_id.hex() == client.trace_id.hex() == TRACE
    assert server.parent_span_id.hex() == SPAN and server.trace_state == "a=1,b=2"
    assert server.flags & 0x301 == 0x301 and client.flags & 0x301 == 0x101
    request = origin.last()
    assert request.all("traceparent") == [f"00-{TRACE}-{client.span_id.hex()}-01"]
    assert request.all("tracestate") == ["a=1,b=2"] and request.all("baggage") == ["k=v"]


def test_the_decision_not_to_sample_is_followed_and_handed_on(start, origin, collector):
    proxy = start(dynamic(origin), tracing(collector))

    proxy.ask("/not", "app", headers=[("traceparent", f"00-{TRACE}-{SPAN}-00")])
    proxy.ask("/sampled", "app")

    spans = collector.wait_spans(2)
    time.sleep(0.2)
    assert len(collector.spans()) == 2 and TRACE not in [span.trace_id.hex() for span in spans]
    _, trace, span, flags = origin.requests[0].header("traceparent").split("-")
    assert trace == TRACE and span != SPAN and flags == "00"


def test_a_rate_of_zero_records_nothing_and_a_rate_between_some(start, origin, collector):
    proxy = start(dynamic(origin), tracing(collector, sampleRate=0.5))
    with RawClient(proxy.port()) as client:
        for _ in range(200):
            assert client.ask("GET", "/", "app").status == 200
    wait_for(lambda: len(by_kind(collector.spans(), SERVER)) > 60, 15, "about half of the traces")
    flags = [request.header("traceparent").split("-")[3] for request in origin.requests]
    wait_for(lambda: len(by_kind(collector.spans(), SERVER)) == flags.count("01"), 15, "those that servers were told of")
    assert 60 < flags.count("01") < 140  # 100 ± 5.6 standard deviations

    proxy.install["tracing"]["sampleRate"] = 0.0
    replace_install(proxy, proxy.install)
    proxy.signal(signal.SIGHUP)
    wait_for(lambda: proxy.log().count("install configuration applied") >= 1, 15, "the change is applied")
    before = len(collector.spans())
    assert all(proxy.ask("/", "app").status == 200 for _ in range(20))
    time.sleep(0.5)  # ten times as long as spans wait for others
    assert len(collector.spans()) == before
    assert origin.last().header("traceparent").endswith("-00")


@pytest.mark.parametrize("headers", [
    [("traceparent", "00-" + "0" * 32 + f"-{SPAN}-01")],
    [("traceparent", f"ff-{TRACE}-{SPAN}-01")],
    [("traceparent", f"00-{TRACE.upper()}-{SPAN}-01")],
    [("traceparent", PARENT), ("traceparent", PARENT)],
    [("traceparent", "x" * 20000)],
])
def test_a_malformed_parent_is_ignored(start, origin, collector, headers):
    proxy = start(dynamic(origin), tracing(collector))

    assert proxy.ask("/", "app", headers=[*headers, ("tracestate", "a=1")]).status == 200

    server = by_kind(collector.wait_spans(2), SERVER)[0]
    assert server.parent_span_id == b"" and server.trace_id.hex() != TRACE and server.trace_state == ""
    assert origin.last().all("traceparent")[0].split("-")[1] == server.trace_id.hex()
    assert len(origin.last().all("traceparent")) == 1 and origin.last().all("tracestate") == []


def test_a_malformed_state_is_given_up_and_the_trace_goes_on(start, origin, collector):
    proxy = start(dynamic(origin), tracing(collector))

    proxy.ask("/", "app", headers=[("traceparent", PARENT), ("tracestate", "a=1,a=2")])

    assert by_kind(collector.wait_spans(2), SERVER)[0].trace_id.hex() == TRACE
    assert origin.last().all("tracestate") == []


def test_other_headers_for_the_context(start, origin, collector):
    proxy = start(dynamic(origin), tracing(collector), env={"OTEL_PROPAGATORS": "b3multi,jaeger,xray"})

    proxy.ask("/", "app", headers=[("X-B3-TraceId", TRACE), ("X-B3-SpanId", SPAN), ("X-B3-Sampled", "1"),
                                   ("X-B3-ParentSpanId", "0" * 15 + "1"), ("traceparent", PARENT[:-1] + "0")])

    client = by_kind(collector.wait_spans(2), CLIENT)[0]
    request = origin.last()
    assert client.trace_id.hex() == TRACE
    assert (request.header("X-B3-TraceId"), request.header("X-B3-SpanId"), request.header("X-B3-Sampled")) == (
        TRACE, client.span_id.hex(), "1")
    assert request.header("X-B3-ParentSpanId") is None
    assert request.header("uber-trace-id") == f"{TRACE}:{client.span_id.hex()}:0:1"
    assert request.header("traceparent") == PARENT[:-1] + "0", "a header like any other here"
    assert 'OTEL_PROPAGATORS: "xray" is not known here' in proxy.log()


def test_routers_and_entry_points_without_traces(start, origin, collector):
    config = dynamic(origin, observability={"tracing": False})
    config["http"]["routers"]["seen"] = {"rule": "Host(`seen`)", "service": "app", "entryPoints": ["web"]}
    config["http"]["routers"]["quiet"] = {"rule": "Host(`quiet`)", "service": "app", "entryPoints": ["silent"]}
    config["http"]["routers"]["loud"] = {"rule": "Host(`loud`)", "service": "app", "entryPoints": ["silent"],
                                         "observability": {"tracing": True}}
    proxy = start(config, {**tracing(collector), "entryPoints": {"silent": {"observability": {"tracing": False}}}},
                  entry_points=("web", "silent"))

    proxy.ask("/1", "app", headers=[("traceparent", PARENT)])
    proxy.ask("/2", "seen")
    proxy.ask("/3", "nobody")
    proxy.ask("/4", "quiet", entry_point="silent")
    proxy.ask("/5", "loud", entry_point="silent")
    proxy.ask("/6", "nobody", entry_point="silent")

    wait_for(lambda: len(by_kind(collector.spans(), SERVER)) >= 3, 15, "three traces")
    time.sleep(0.2)
    servers = {attributes(span)["url.path"]: attributes(span) for span in by_kind(collector.spans(), SERVER)}
    assert sorted(servers) == ["/2", "/3", "/5"] and servers["/3"]["http.response.status_code"] == 404
    assert origin.requests[0].header("traceparent") == PARENT, "handed on as it came"
    assert [request.header("traceparent") is None for request in origin.requests] == [False, False, True, False]


def test_detailed_traces_show_router_middlewares_and_service(start, origin, collector):
    middlewares = {"prefix": {"addPrefix": {"prefix": "/api"}}, "both": {"chain": {"middlewares": ["id", "limit"]}},
                   "id": {"requestId": {}}, "limit": {"buffering": {"maxRequestBodyBytes": 1000}}}
    config = dynamic(origin, middlewares, observability={"traceVerbosity": "detailed"})
    config["http"]["routers"]["app"]["middlewares"] = ["prefix", "both"]
    config["http"]["routers"]["brief"] = {"rule": "Host(`brief`)", "service": "app", "middlewares": ["prefix"]}
    proxy = start(config, tracing(collector))

    proxy.ask("/x", "app")
    spans = collector.wait_spans(7)
    proxy.ask("/y", "brief")

    assert len(spans) == 7
    by_name = {span.name: span for span in spans}
    order = ["GET", "Router", "AddPrefix", "RequestId", "Buffering", "Service", "ReverseProxy"]
    for outer, inner in zip(order, order[1:]):
        assert by_name[inner].parent_span_id == by_name[outer].span_id, (outer, inner)
    assert [by_name[name].kind for name in order] == [SERVER, *[INTERNAL] * 5, CLIENT]
    assert attributes(by_name["Router"]) == {"traefik.router.name": "app@file", "traefik.service.name": "app@file",
                                             "http.route": "Host(`app`)"}
    assert attributes(by_name["AddPrefix"]) == {"traefik.middleware.name": "prefix@file"}
    assert attributes(by_name["Service"]) == {"traefik.service.name": "app@file"}
    assert attributes(by_name["ReverseProxy"])["url.full"] == f"{origin.url}/api/x"
    assert origin.requests[0].header("traceparent").split("-")[2] == by_name["ReverseProxy"].span_id.hex()
    assert sorted(span.name for span in collector.wait_spans(9)[7:]) == ["GET", "ReverseProxy"]


def test_an_entry_point_may_want_details_of_all_its_routers(start, origin, collector):
    config = dynamic(origin)
    config["http"]["routers"]["brief"] = {"rule": "Host(`brief`)", "service": "app",
                                          "observability": {"traceVerbosity": "minimal"}}
    proxy = start(config, {**tracing(collector), "entryPoints": {"web": {"observability": {"traceVerbosity": "detailed"}}}})

    proxy.ask("/x", "app")
    assert sorted(span.name for span in collector.wait_spans(4)) == ["GET", "ReverseProxy", "Router", "Service"]
    proxy.ask("/y", "brief")
    assert sorted(span.name for span in collector.wait_spans(6)[4:]) == ["GET", "ReverseProxy"]


def test_failures_and_every_try_are_told(start, origin, collector):
    gone = free_port()
    config = dynamic(origin)
    config["http"]["services"]["app"]["loadBalancer"]["servers"].insert(0, {"url": f"http://127.0.0.1:{gone}"})
    config["http"]["routers"]["lost"] = {"rule": "Host(`lost`)", "service": "lost"}
    config["http"]["services"]["lost"] = {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{gone}"}]}}
    proxy = start(config, tracing(collector))
    origin.answer = respond(status=500)

    assert proxy.ask("/", "app").status == 500 or proxy.ask("/", "app").status == 500
    wait_for(lambda: any(attributes(s).get("error.type") for s in collector.spans()) or not proxy.ask("/", "app"), 15, "a refusal")
    assert proxy.ask("/lost", "lost").status == 502
    wait_for(lambda: any(attributes(s).get("url.path") == "/lost" for s in collector.spans()), 15, "the trace of the 502")

    def tries():
        """Those that were refused, those that were answered, and one of the former in whose trace is one of the latter."""
        clients = by_kind(collector.spans(), CLIENT)
        refused = [s for s in clients if "error.type" in attributes(s)]
        answered = [s for s in clients if attributes(s).get("http.response.status_code") == 500]
        both = next((s for s in refused if any(a.trace_id == s.trace_id for a in answered)), None)
        return both and (refused, answered, both)

    refused, answered, both = wait_for(tries, 15, "both tries of one request")
    spans = collector.spans()
    assert all(s.status.code == 2 for s in refused + answered)
    assert all("refused" in s.status.message for s in refused)
    assert any(a.parent_span_id == both.parent_span_id for a in answered if a.trace_id == both.trace_id)
    lost = next(s for s in by_kind(spans, SERVER) if attributes(s)["url.path"] == "/lost")
    assert lost.status.code == 2 and attributes(lost)["http.response.status_code"] == 502


def test_a_client_that_leaves_ends_the_spans(start, origin, collector):
    proxy = start(dynamic(origin), tracing(collector))
    released = threading.Event()
    origin.answer = lambda request: released.wait(90) and respond()

    with RawClient(proxy.port()) as client:
        client.send("GET /slow HTTP/1.1\r\nHost: app\r\n\r\n")
        wait_for(lambda: origin.requests, 10, "the request reached the server")

    spans = collector.wait_spans(2)
    released.set()
    server, client_span = by_kind(spans, SERVER)[0], by_kind(spans, CLIENT)[0]
    assert attributes(server)["http.response.status_code"] == 499 and server.status.code == 0
    assert client_span.start_time_unix_nano <= client_span.end_time_unix_nano <= server.end_time_unix_nano


def test_mirrors_and_authentication_servers_are_told_of_the_trace(start, origin, collector):
    with Origin() as mirror, Origin() as auth:
        config = dynamic(origin, {"auth": {"forwardAuth": {"address": auth.url, "trustForwardHeader": False}}})
        services = config["http"]["services"]
        services["main"] = services["app"]
        services["copy"] = {"loadBalancer": {"servers": [{"url": mirror.url}]}}
        services["app"] = {"mirroring": {"service": "main", "mirrors": [{"name": "copy", "percent": 100}]}}
        proxy = start(config, tracing(collector))

        proxy.ask("/", "app", headers=[("traceparent", PARENT)])

        wait_for(lambda: mirror.requests and auth.requests, 15, "all were asked")
        spans = wait_for(lambda: by_kind(found := collector.spans(), SERVER) and any(s.name == "AuthRequest" for s in found) and
                         found, 15, "both spans")
        server = by_kind(spans, SERVER)[0]
        assert mirror.last().header("traceparent") == f"00-{TRACE}-{server.span_id.hex()}-01"
        asked = next(span for span in by_kind(spans, CLIENT) if span.name == "AuthRequest")
        assert asked.parent_span_id == server.span_id and attributes(asked)["server.port"] == auth.port
        assert auth.last().header("traceparent") == f"00-{TRACE}-{asked.span_id.hex()}-01"


def test_internal_services_are_traced_on_request_only(start, origin, collector):
    proxy = start(dynamic(origin), tracing(collector, addInternals=True))
    wait_for(lambda: any(attributes(s)["url.path"] == "/ping" for s in by_kind(collector.spans(), SERVER)), 15, "a ping's trace")
    proxy.stop()
    with Collector() as other:
        again = start(dynamic(origin), tracing(other))
        again.ask("/", "app")
        assert {attributes(s).get("url.path", "/") for s in other.wait_spans(2)} == {"/"}


def test_the_access_log_names_trace_and_span(start, origin, collector):
    proxy = start(dynamic(origin), tracing(collector))

    proxy.ask("/", "app")

    server = by_kind(collector.wait_spans(2), SERVER)[0]
    line = wait_for(lambda: next((one for one in proxy.access_log() if one.get("RequestHost") == "app"), None), 10, "a line")
    assert line["TraceId"] == line["trace_id"] == server.trace_id.hex()
    assert line["SpanId"] == line["span_id"] == server.span_id.hex()
    assert not [one for one in proxy.access_log() if one["entryPointName"] == "traefik" and "TraceId" in one]


def test_by_grpc(start, origin):
    with GrpcCollector() as collector:
        endpoint = {"endpoint": f"127.0.0.1:{collector.port}", "insecure": True, "headers": {"x-key": "k1"}}
        proxy = start(dynamic(origin), {"tracing": {"otlp": {"grpc": endpoint}}})

        proxy.ask("/", "app")
        collector.wait_spans(2)
        collector.response = pb.Response(partial_success=pb.PartialSuccess(rejected=1, error_message="too old")).SerializeToString()
        proxy.ask("/", "app")
        collector.wait_spans(4)

        assert collector.requests[0].header("x-key") == "k1"
        wait_for(lambda: 'rejected 1 records: "too old"' in proxy.log(), 10, "the collector's words")


@pytest.mark.parametrize("trailers_only", [False, True])
def test_a_grpc_collector_that_is_not_ready_is_asked_again(start, origin, trailers_only):
    with GrpcCollector() as collector:
        collector.grpc_status, collector.grpc_message, collector.trailers_only = 14, "not%20yet", trailers_only
        proxy = start(dynamic(origin), {"tracing": {"otlp": {"grpc": {
            "endpoint": f"127.0.0.1:{collector.port}", "insecure": True}}}})

        proxy.ask("/", "app")
        collector.wait_spans(2)
        assert 'grpc-status 14: "not yet"' in wait_for(lambda: proxy.log() if "grpc-status" in proxy.log() else None, 10, "the log")
        collector.grpc_status = 0

        def messages():
            """The spans of each message."""
            return [{span.span_id for resource in message.resources for scope in resource.scopes for span in scope.spans}
                    for message in collector.taken("traces")]

        wait_for(lambda: (seen := messages()) and any(seen[0] <= later for later in seen[1:]), 15, "the same, again")
        wait_for(lambda: "takes them again; 0 records were dropped" in proxy.log(), 10, "the good news")


@pytest.mark.parametrize("grpc", [False, True])
def test_over_tls(start, origin, tmp_path, grpc):
    authority = certificates.make(tmp_path, "authority", ca=True)
    server = certificates.make(tmp_path, "collector", ["IP:127.0.0.1", "DNS:localhost"], issuer=authority)
    context = server.server_context()
    if grpc:
        context.set_alpn_protocols(["h2"])
    with (GrpcCollector if grpc else Collector)(tls=context) as collector:
        tls = {"tls": {"ca": str(authority.cert)}}
        where = {"grpc": {"endpoint": f"localhost:{collector.port}", **tls}} if grpc else {
            "http": {"endpoint": f"https://localhost:{collector.port}", **tls}}
        proxy = start(dynamic(origin), {"tracing": {"otlp": where}})

        proxy.ask("/", "app")
        assert len(collector.wait_spans(2)) == 2
        proxy.ask("/", "app")
        assert len(collector.wait_spans(4)) == 4
        assert "does not take" not in proxy.log()


def test_http_collectors_get_their_headers_and_any_path(start, origin, collector):
    proxy = start(dynamic(origin), {"tracing": {"otlp": {"http": {
        "endpoint": f"{collector.url}/custom/path", "headers": {"X-Key": "k1"}}}}})

    proxy.ask("/", "app")

    wait_for(lambda: sum(len(pb.Traces.FromString(request.body).resources[0].scopes[0].spans)
                         for request in list(collector.requests)) == 2, 15, "two spans")
    assert {(request.target, request.header("X-Key")) for request in collector.requests} == {("/custom/path", "k1")}


def test_a_collector_that_is_down_for_a_while_gets_what_happened_meanwhile(start, origin):
    with Collector() as gone:
        port, endpoint = gone.port, gone.url
    proxy = start(dynamic(origin), {"tracing": {"otlp": {"http": {"endpoint": endpoint}}}})

    assert all(proxy.ask("/", "app").status == 200 for _ in range(10))
    wait_for(lambda: "does not take them" in proxy.log(), 15, "it is said")
    back = Collector.__new__(Collector)
    back.status, back.headers, back.pause, back.response = 200, [], 0, b""
    back.origin = Origin(back._answer, port=port)
    try:
        assert len(back.wait_spans(20, 30)) == 20
    finally:
        back.stop()
    assert proxy.log().count("does not take them") == 1


def test_refused_records_are_dropped_and_not_sent_again(start, origin, collector):
    collector.status = 400
    proxy = start(dynamic(origin), {**tracing(collector), "metrics": {"prometheus": {}}})

    proxy.ask("/", "app")

    wait_for(lambda: re.search("does not take them: status 400; [12] records were dropped", proxy.log()), 15, "it is said")
    wait_for(lambda: 'fairlead_otlp_records_lost_total{of="traces"} 2\n' in proxy.metrics(), 15, "they are counted")
    sent = len(collector.spans())
    time.sleep(0.5)
    assert len(collector.spans()) == sent == 2


def test_no_request_suffers_from_a_slow_collector(start, origin, collector):
    """Answers take five seconds, and are refusals that ask to come again."""
    collector.status, collector.pause, collector.headers = 503, 5.0, [("Retry-After", "1")]
    proxy = start(dynamic(origin), tracing(collector))
    slowest, failures = [0.0] * 4, []

    def load(index):
        with RawClient(proxy.port()) as client:
            until = time.monotonic() + 3
            while time.monotonic() < until:
                begun = time.monotonic()
                if client.ask("GET", "/", "app").status != 200:
                    failures.append(index)
                slowest[index] = max(slowest[index], time.monotonic() - begun)

    threads = [threading.Thread(target=load, args=(index,)) for index in range(4)]
    [thread.start() for thread in threads]
    [thread.join(90) for thread in threads]

    assert not failures and max(slowest) < 4.5, slowest
    wait_for(lambda: len(collector.requests) >= 2, 15, "sent again")
    proxy.stop(60)


def test_memory_is_bounded_while_the_collector_hangs(start, origin):
    """125 MB of spans, of which 16 may wait; AddressSanitizer makes more of them."""
    def resident():
        with open(f"/proc/{proxy.pid}/statm") as numbers:
            return int(numbers.read().split()[1]) * 4096

    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and never answers
        proxy = start(dynamic(origin), {"tracing": {"otlp": {"http": {
            "endpoint": f"http://127.0.0.1:{silent.getsockname()[1]}"}}}})
        request = f"GET /{'x' * 5000} HTTP/1.1\r\nHost: nobody\r\n\r\n" * 100

        def send(rounds):
            with RawClient(proxy.port(), timeout=200) as client:
                for _ in range(rounds):
                    client.send(request)
                    assert all(client.read_answer("GET").status == 404 for _ in range(100))

        send(5)
        before = resident()
        send(250)
        assert resident() - before < 80e6
        proxy.stop(60)


def test_what_waits_is_sent_at_the_end(start, origin, collector):
    proxy = start(dynamic(origin), tracing(collector), env={"OTEL_BSP_SCHEDULE_DELAY": "60000"})
    proxy.ask("/", "app")

    proxy.stop()

    assert len(collector.spans()) == 2


def test_exporters_follow_the_install_file(start, origin, collector):
    proxy = start(dynamic(origin))
    proxy.ask("/", "app")
    assert origin.last().header("traceparent") is None

    def change(settings, times):
        replace_install(proxy, {**proxy.install, **settings})
        wait_for(lambda: proxy.log().count("install configuration applied") == times, 15, "the change is applied")

    change(tracing(collector), 1)
    proxy.ask("/", "app")
    collector.wait_spans(2)
    with Collector() as other:
        change(tracing(other), 2)
        proxy.ask("/", "app")
        other.wait_spans(2)
        change({}, 3)
        proxy.ask("/", "app")
        time.sleep(0.5)
        assert len(other.spans()) == 2 and len(collector.spans()) == 2
    assert origin.last().header("traceparent") is None


def test_an_endpoint_that_is_none_is_said_and_traces_are_only_handed_on(start, origin):
    proxy = start(dynamic(origin), {"tracing": {"otlp": {"http": {"endpoint": "collector:4318"}}}})

    assert proxy.ask("/", "app").status == 200
    assert 'tracing.otlp.http.endpoint: "collector:4318" is no http or https URL; no traces are sent' in proxy.log()
    assert origin.last().header("traceparent")
