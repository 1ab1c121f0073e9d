"""Metrics, access log and program log at a collector."""

import time

import pytest

from support.fairlead import routes
from support.otlp import Collector, GrpcCollector, attributes, value
from support.origin import respond
from support.ports import wait_for
from support.raw import RawClient

SECOND = 1_000_000_000


@pytest.fixture
def start(start):
    """Records wait for others a twentieth of the usual time."""
    quick = {"OTEL_BSP_SCHEDULE_DELAY": "50", "OTEL_BLRP_SCHEDULE_DELAY": "50"}
    return lambda *args, env=None, **more: start(*args, env={**quick, **(env or {})}, **more)


@pytest.fixture(params=["http", "grpc"])
def collector(request):
    with (Collector if request.param == "http" else GrpcCollector)() as one:
        one.options = ({"http": {"endpoint": one.url}} if request.param == "http" else
                       {"grpc": {"endpoint": f"127.0.0.1:{one.port}", "insecure": True}})
        yield one


def points(metric):
    return getattr(metric, metric.WhichOneof("data")).points


def pushed(collector, name, **labels):
    """The point of the newest message that has these labels, if there is one."""
    metric = collector.metrics().get(name)
    return metric and next((one for one in points(metric) if labels.items() <= attributes(one).items()), None)


def test_metrics_are_pushed_under_the_names_of_prometheus(start, origin, collector):
    proxy = start(routes(app=[origin.url]), {"metrics": {"prometheus": {}, "otlp": {
        **collector.options, "pushInterval": "200ms", "addRoutersLabels": True, "explicitBoundaries": [0.5, 0.001, 5],
        "serviceName": "edge", "resourceAttributes": {"team": "web"}}}})
    origin.script(respond(b"12345"), respond(status=500), [0.02, respond()])
    for _ in range(3):
        proxy.ask("/", "app", method="POST", body=b"123")

    labels = {"code": "200", "method": "POST", "protocol": "http", "service": "app@file"}
    def all_are_pushed():
        metrics = collector.metrics()

        def of(name, **wanted):
            return next((one for one in points(metrics[name]) if wanted.items() <= attributes(one).items()), None) \
                if name in metrics else None

        service, router = of("traefik_service_requests_total", **labels), of(
            "traefik_router_request_duration_seconds", **labels, router="app@file")
        failed = of("traefik_entrypoint_responses_bytes_total", entrypoint="web", code="500")
        taken = of("traefik_entrypoint_requests_bytes_total", entrypoint="web", code="200")
        complete = service and service.as_int == 2 and router and router.count == 2 and failed and taken and taken.as_int == 6
        return metrics if complete else None

    metrics = wait_for(all_are_pushed, 15, "three requests")
    total = metrics["traefik_service_requests_total"]
    assert total.sum.is_monotonic and total.sum.aggregation_temporality == 2 and total.unit == "1"
    point = pushed(collector, "traefik_router_request_duration_seconds", **labels, router="app@file")
    assert list(point.explicit_bounds) == [0.001, 0.5, 5] and sum(point.bucket_counts) == point.count == 2
    assert 0.02 <= point.sum < 100 and len(point.bucket_counts) == 4
    histogram = metrics["traefik_router_request_duration_seconds"]
    assert histogram.unit == "s" and histogram.histogram.aggregation_temporality == 2
    assert point.start_time_unix_nano < point.time_unix_nano and abs(point.time_unix_nano / SECOND - time.time()) < 60
    assert pushed(collector, "traefik_entrypoint_requests_bytes_total", entrypoint="web", code="200").as_int == 6
    assert pushed(collector, "traefik_entrypoint_responses_bytes_total", entrypoint="web", code="500").as_int == 2
    assert metrics["traefik_config_last_reload_success"].gauge.points[0].as_double > 1e9
    # The same names as a scrape has, but for what one of them alone has.
    scraped = {line.split()[2] for line in proxy.metrics().splitlines() if line.startswith("# TYPE")}
    wait_for(lambda: scraped - set(collector.metrics()) <= {name for name in scraped if "router" in name}, 15, "all names")
    resource = attributes(collector.taken("metrics")[-1].resources[0].resource)
    assert resource["service.name"] == "edge" and resource["team"] == "web"


def test_durations_by_the_semantic_conventions(start, origin, collector):
    proxy = start(routes(app=[origin.url]), {"metrics": {"otlp": {**collector.options, "pushInterval": "200ms"}}})
    origin.script(respond(), respond(status=503))
    proxy.ask("/", "app")
    proxy.ask("/", "app")
    proxy.ask("/", "nobody")

    name = "http.server.request.duration"
    def told():
        metrics = collector.metrics()
        statuses = [{attributes(point)["http.response.status_code"] for point in points(metrics[of])} if of in metrics else {}
                    for of in (name, "http.client.request.duration")]
        return metrics if statuses == [{200, 404, 503}, {200, 503}] else None

    metrics = wait_for(told, 15, "all statuses")
    server = metrics[name]
    seen = {attributes(point)["http.response.status_code"]: attributes(point) for point in points(server)}
    common = {"http.request.method": "GET", "network.protocol.name": "http", "network.protocol.version": "1.1", "url.scheme": "http"}
    assert seen == {200: {**common, "http.response.status_code": 200}, 404: {**common, "http.response.status_code": 404},
                    503: {**common, "http.response.status_code": 503, "error.type": "503"}}
    assert server.unit == "s" and list(points(server)[0].explicit_bounds) == [
        .005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10]
    clients = {attributes(point)["http.response.status_code"]: attributes(point)
               for point in points(metrics["http.client.request.duration"])}
    assert sorted(clients) == [200, 503]
    assert clients[200] == {"http.request.method": "GET", "http.response.status_code": 200, "server.address": "127.0.0.1",
                            "server.port": origin.port}


def test_the_last_metrics_are_pushed_at_the_end(start, origin):
    with Collector() as collector:
        proxy = start(routes(app=[origin.url]), {"metrics": {"otlp": {"http": {"endpoint": collector.url}, "pushInterval": "1h"}}})
        proxy.ask("/", "app")

        proxy.stop()

        assert pushed(collector, "traefik_service_requests_total", service="app@file").as_int == 1


def test_the_access_log_goes_to_the_collector_instead_of_the_file(start, origin, collector):
    settings = {"accessLog": {"otlp": {**collector.options, "serviceName": "edge"}, "fields": {
        "names": {"StartLocal": "drop"}, "headers": {"names": {"X-Tenant": "keep", "Authorization": "redact"}}}}}
    proxy = start(routes(app=[origin.url]), {**settings, "tracing": {"otlp": collector.options}})

    proxy.ask("/cart?id=7", "app", headers=[("X-Tenant", "t\xe4"), ("Authorization", "Basic x")], method="POST", body=b"123")

    def find():
        return next((one for one in collector.records() if attributes(one).get("RequestHost") == "app"), None)

    record = wait_for(find, 15, "the record")
    told = attributes(record)
    assert told["RequestMethod"] == "POST" and told["RequestPath"] == "/cart?id=7" and told["RouterName"] == "app@file"
    assert told["DownstreamStatus"] == told["OriginStatus"] == 200 and told["RequestContentSize"] == 3
    assert told["Duration"] > 0 and told["entryPointName"] == "web" and told["ServiceURL"] == origin.url
    assert told["request_X-Tenant"] == "t\ufffd" and told["request_Authorization"] == "REDACTED"
    assert "StartLocal" not in told and told["StartUTC"].endswith("Z")
    assert (record.severity_number, record.severity_text) == (9, "INFO")
    assert abs(record.time_unix_nano / SECOND - time.time()) < 60
    span = collector.wait_spans(1)[0]
    assert record.trace_id == span.trace_id and told["TraceId"] == span.trace_id.hex()
    assert record.span_id.hex() == told["SpanId"] and record.flags == 1
    assert not proxy.access_log(), "and nowhere else"


def test_both_outputs_and_filters(start, origin):
    with Collector() as collector:
        proxy = start(routes(app=[origin.url]), {"accessLog": {
            "otlp": {"http": {"endpoint": collector.url}}, "dualOutput": True, "filters": {"statusCodes": ["404"]}}})

        proxy.ask("/", "app")
        proxy.ask("/", "nobody")

        wait_for(lambda: proxy.access_log(), 10, "a line")
        wait_for(lambda: collector.records(), 15, "a record")
        assert [one["DownstreamStatus"] for one in proxy.access_log()] == [404]
        assert [attributes(one)["DownstreamStatus"] for one in collector.records()] == [404]


def test_the_log_goes_to_the_collector_too(start, origin, collector):
    proxy = start(routes(app=[origin.url]), {"log": {"otlp": {**collector.options, "resourceAttributes": {"team": "web"}}}})

    proxy.stop()

    bodies = {value(one.body): one for one in collector.records()}
    stopped = next(one for body, one in bodies.items() if body == "stopped")
    assert (stopped.severity_number, stopped.severity_text) == (9, "INFO")
    assert abs(stopped.time_unix_nano / SECOND - time.time()) < 60
    assert any(one.severity_text == "DEBUG" for one in bodies.values())
    assert attributes(collector.taken("logs")[0].resources[0].resource)["team"] == "web"


def test_a_log_whose_collector_is_gone_still_works(start, origin):
    with Collector() as gone:
        endpoint = gone.url
    everything = {"otlp": {"http": {"endpoint": endpoint}}}
    proxy = start(routes(app=[origin.url]), {"log": everything, "accessLog": {**everything, "dualOutput": True},
                                             "metrics": {"otlp": {**everything["otlp"], "pushInterval": "100ms"}},
                                             "tracing": everything})
    with RawClient(proxy.port()) as client:
        assert all(client.ask("GET", "/", "app").status == 200 for _ in range(200))

    wait_for(lambda: all(f"{signal}: the collector" in proxy.log() for signal in ("logs", "metrics", "traces")), 15, "all is said")
    begun = time.monotonic()
    proxy.stop(60)
    assert time.monotonic() - begun < 45
