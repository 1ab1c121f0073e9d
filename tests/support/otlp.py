"""An OTLP collector: by HTTP on support.origin, by gRPC on support.h2_origin. It reads protobuf with Google's library,
which takes nothing that is not well-formed."""

import fcntl
import hashlib
import importlib.util
import pathlib
import struct
import subprocess

from support.h2_origin import H2Origin
from support.origin import Origin, respond
from support.ports import wait_for

SOURCE = pathlib.Path(__file__).resolve().parent / "otlp.proto"
BUILD = pathlib.Path(__file__).resolve().parents[2] / "build" / "otlp"
CONTENT_TYPE = "application/x-protobuf"


def _messages():
    """The classes of otlp.proto, made by protoc and kept by the digest of the source."""
    folder = BUILD / hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / "otlp_pb2.py"
    with open(BUILD / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            subprocess.run(["protoc", f"-I{SOURCE.parent}", f"--python_out={folder}", SOURCE.name], check=True, timeout=60)
    spec = importlib.util.spec_from_file_location("otlp_pb2", made)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


pb = _messages()
TYPES = {"traces": pb.Traces, "metrics": pb.Metrics, "logs": pb.Logs}


def value(any_value):
    kind = any_value.WhichOneof("value")
    if kind == "array_value":
        return [value(one) for one in any_value.array_value.values]
    return getattr(any_value, kind) if kind else None


def attributes(of):
    """The attributes of a span, record, point or resource as a dictionary; a key that is there twice is an error."""
    out = {}
    for pair in of.attributes:
        assert pair.key not in out, f"attribute {pair.key} twice"
        out[pair.key] = value(pair.value)
    return out


class Collector:
    """`status` is what it answers; `headers` go with it. With `pause` (seconds) it takes its time."""

    def __init__(self, tls=None):
        self.status, self.headers, self.pause, self.response = 200, [], 0, b""
        self.origin = Origin(self._answer, tls=tls)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.origin.stop()

    @property
    def url(self):
        return self.origin.url

    @property
    def port(self):
        return self.origin.port

    @property
    def requests(self):
        return self.origin.requests

    def _answer(self, request):
        answer = respond(self.response, self.status, [("Content-Type", CONTENT_TYPE), *self.headers])
        return [self.pause, answer] if self.pause else answer

    def taken(self, signal):
        """What came, message by message, whatever was answered."""
        out = []
        for request in list(self.requests):
            if request.target == f"/v1/{signal}":
                assert request.method == "POST" and request.header("Content-Type") == CONTENT_TYPE, request.headers
                out.append(TYPES[signal].FromString(request.body))
        return out

    def spans(self):
        return [span for message in self.taken("traces") for resource in message.resources for scope in resource.scopes
                for span in scope.spans]

    def records(self):
        return [record for message in self.taken("logs") for resource in message.resources for scope in resource.scopes
                for record in scope.records]

    def metrics(self):
        """The metrics of the newest message, by name."""
        messages = self.taken("metrics")
        return {} if not messages else {metric.name: metric for resource in messages[-1].resources
                                        for scope in resource.scopes for metric in scope.metrics}

    def wait_spans(self, count, seconds=15.0):
        """At least so many spans."""
        return wait_for(lambda: found if len(found := self.spans()) >= count else None, seconds, f"{count} spans")


class GrpcCollector(Collector):
    """The same by gRPC. `grpc_status` is what it answers; with `trailers_only` in one head without a message."""

    SERVICES = {"traces": "trace.v1.Trace", "metrics": "metrics.v1.Metrics", "logs": "logs.v1.Logs"}

    def __init__(self, tls=None):
        self.grpc_status, self.grpc_message, self.trailers_only, self.response = 0, "", False, b""
        self.origin = H2Origin(self._respond, tls=tls)

    def stop(self):
        self.origin.stop()
        assert self.origin.violations == []

    @property
    def requests(self):
        return self.origin.streams

    def _respond(self, stream):
        trailers = [("grpc-status", str(self.grpc_status))]
        if self.grpc_message:
            trailers.append(("grpc-message", self.grpc_message))
        head = [("content-type", "application/grpc")]
        if self.trailers_only:
            stream.head(200, head + trailers, last=True)
            return
        stream.head(200, head)
        stream.data(struct.pack(">BI", 0, len(self.response)) + self.response)
        stream.finish(trailers)

    def taken(self, signal):
        path = f"/opentelemetry.proto.collector.{self.SERVICES[signal]}Service/Export"
        out = []
        for stream in list(self.requests):
            if not stream.ended.is_set() or stream.header(":path") != path:
                continue
            assert stream.header(":method") == "POST" and stream.header("te") == "trailers", stream.headers
            assert stream.header("content-type") == "application/grpc", stream.headers
            compressed, size = struct.unpack(">BI", stream.body[:5])
            assert compressed == 0 and size == len(stream.body) - 5, stream.body[:5]
            out.append(TYPES[signal].FromString(stream.body[5:]))
        return out
