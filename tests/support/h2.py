"""An HTTP/2 client that sends exactly the frames it is given, rightly or wrongly made, and reads strictly."""

import contextlib
import dataclasses
import socket
import ssl
import struct
import time

import hpack
from hyperframe.frame import Frame

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITY_FLAG = 1, 1, 4, 8, 0x20

(NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, FRAME_SIZE_ERROR,
 REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, CONNECT_ERROR, ENHANCE_YOUR_CALM) = range(12)

(HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE,
 _, ENABLE_CONNECT_PROTOCOL) = range(1, 9)


def frame(kind, flags=0, stream=0, payload=b"", length=None):
    """The bytes of one frame; `length` lies about the payload."""
    size = len(payload) if length is None else length
    return struct.pack(">I", size)[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def settings(*pairs, flags=0, stream=0):
    return frame(SETTINGS, flags, stream, b"".join(struct.pack(">HI", key, value) for key, value in pairs))


def window_update(stream, increment):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", increment))


def rst_stream(stream, code=CANCEL):
    return frame(RST_STREAM, 0, stream, struct.pack(">I", code))


def literal(name, value, prefix=0x00):
    """A header field without Huffman coding: 0x00 without indexing, 0x40 with, 0x10 never (RFC 7541 §6.2)."""
    name, value = (text if isinstance(text, bytes) else text.encode("latin-1") for text in (name, value))
    return bytes([prefix]) + _string(name) + _string(value)


def _string(text):
    if len(text) < 127:
        return bytes([len(text)]) + text
    rest, out = len(text) - 127, bytes([127])
    while rest >= 128:
        out += bytes([rest % 128 | 128])
        rest //= 128
    return out + bytes([rest]) + text


def block(*fields):
    """A header block of literals, in exactly that order and spelling."""
    return b"".join(literal(name, value) for name, value in fields)


GET = ((":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "app"))
POST = ((":method", "POST"), *GET[1:])


def replaced(fields, **changes):
    """The fields with other values for some pseudo-header fields; None leaves one out."""
    changes = {":" + key: value for key, value in changes.items()}
    return tuple((name, changes.get(name, value)) for name, value in fields if changes.get(name, value) is not None)


@dataclasses.dataclass
class Stream:
    headers: list = dataclasses.field(default_factory=list)
    interim: list = dataclasses.field(default_factory=list)
    trailers: list = dataclasses.field(default_factory=list)
    body: bytes = b""
    ended: bool = False
    reset: int = None

    @property
    def status(self):
        return int(dict(self.headers)[":status"]) if self.headers else None

    def header(self, name):
        return dict(self.headers).get(name.lower())

    @property
    def over(self):
        return self.ended or self.reset is not None


class Ended(Exception):
    """The other side closed the connection."""


class H2Client:
    """`tls`: server name for a TLS connection with ALPN h2. Flow-control windows are given back as they are used,
    unless `window` is False."""

    def __init__(self, port, tls=None, preface=True, initial=(), timeout=60.0, window=True, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.set_alpn_protocols(["h2"])
            self.socket = context.wrap_socket(self.socket, server_hostname=tls)
            assert self.socket.selected_alpn_protocol() == "h2"
        self.timeout, self.window = timeout, window
        self.buffer = b""
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self.streams, self.settings, self.frames = {}, {}, []
        self.goaway = None  # (last stream, code, debug data)
        self.goaways, self.pongs, self.settings_acks = [], [], 0
        self.window_updates = {}
        self.closed = False
        if preface:
            self.send(PREFACE, settings(*initial))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *parts):
        self.socket.sendall(b"".join(parts))

    def headers(self, stream, fields, ends=True):
        """Encodes as an ordinary client does."""
        self.block(stream, self.encoder.encode(list(fields)), ends)

    def block(self, stream, encoded, ends=True):
        """A header block in as many frames as it needs."""
        for at in range(0, len(encoded), 16384):
            last = END_HEADERS if at + 16384 >= len(encoded) else 0
            first = END_STREAM if ends and at == 0 else 0
            self.send(frame(HEADERS if at == 0 else CONTINUATION, last | first, stream, encoded[at:at + 16384]))

    def data(self, stream, payload, ends=False):
        for at in range(0, max(len(payload), 1), 16384):
            piece = payload[at:at + 16384]
            self.send(frame(DATA, END_STREAM if ends and at + 16384 >= len(payload) else 0, stream, piece))

    def read_frame(self):
        """Reads one frame and takes note of it."""
        while True:
            if len(self.buffer) >= 9:
                parsed, length = Frame.parse_frame_header(memoryview(self.buffer[:9]))
                if len(self.buffer) >= 9 + length:
                    assert length <= 16384, "a frame larger than we allow"
                    parsed.parse_body(memoryview(self.buffer[9:9 + length]))
                    self.buffer = self.buffer[9 + length:]
                    self._note(parsed)
                    return parsed
            try:
                got = self.socket.recv(262144)
            except ConnectionError:
                got = b""
            if not got:
                self.closed = True
                raise Ended()
            self.buffer += got

    def _reply(self, *parts):
        """As send(); the other side may be gone and have said why, which is still to be read."""
        with contextlib.suppress(ConnectionError):
            self.send(*parts)

    def _note(self, seen):
        kind = type(seen).__name__
        self.frames.append(kind)
        stream = self.streams.setdefault(seen.stream_id, Stream())
        if kind == "SettingsFrame":
            if "ACK" in seen.flags:
                self.settings_acks += 1
            else:
                self.settings.update(seen.settings)
                if HEADER_TABLE_SIZE in seen.settings:
                    self.encoder.header_table_size = seen.settings[HEADER_TABLE_SIZE]
                self._reply(settings(flags=ACK))
        elif kind == "PingFrame" and "ACK" in seen.flags:
            self.pongs.append(seen.opaque_data)
        elif kind == "GoAwayFrame":
            self.goaway = (seen.last_stream_id, seen.error_code, bytes(seen.additional_data))
            self.goaways.append(self.goaway)
        elif kind == "RstStreamFrame":
            stream.reset = seen.error_code
        elif kind == "WindowUpdateFrame":
            self.window_updates[seen.stream_id] = self.window_updates.get(seen.stream_id, 0) + seen.window_increment
        elif kind == "DataFrame":
            stream.body += seen.data
            stream.ended |= "END_STREAM" in seen.flags
            if self.window and seen.flow_controlled_length:
                self._reply(window_update(0, seen.flow_controlled_length))
                if not stream.ended:
                    self._reply(window_update(seen.stream_id, seen.flow_controlled_length))
        elif kind in ("HeadersFrame", "ContinuationFrame"):
            self._block = seen.data if kind == "HeadersFrame" else self._block + seen.data
            if kind == "HeadersFrame":
                self._ends = "END_STREAM" in seen.flags
            if "END_HEADERS" in seen.flags:
                self._fields(stream, self.decoder.decode(self._block))
        assert kind != "PushPromiseFrame", "a push that nobody asked for"

    def _fields(self, stream, fields):
        names = [name for name, _ in fields]
        assert all(name == name.lower() for name in names), names
        assert not {"connection", "transfer-encoding", "keep-alive", "upgrade"} & set(names), names
        if stream.headers:
            assert self._ends and not any(name.startswith(":") for name in names)
            stream.trailers = fields
        else:
            assert names[0] == ":status" and names.count(":status") == 1
            if fields[0][1].startswith("1"):
                stream.interim.append(fields)
                return
            stream.headers = fields
        stream.ended |= self._ends

    def until(self, done, seconds=None):
        """Reads frames until done(self); False when the connection ends or time is over before that."""
        deadline = time.monotonic() + (seconds or self.timeout)
        while not done(self):
            self.socket.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                self.read_frame()
            except (Ended, socket.timeout, ssl.SSLWantReadError):
                return done(self)
            finally:
                self.socket.settimeout(self.timeout)
        return True

    def stream(self, number):
        return self.streams.setdefault(number, Stream())

    def answer(self, number, seconds=None):
        """The stream when it is over, or when the connection is."""
        self.until(lambda _: self.stream(number).over or self.goaway_is_error(), seconds)
        return self.stream(number)

    def goaway_is_error(self):
        return self.goaway is not None and self.goaway[1] != NO_ERROR

    def ask(self, number=1, fields=GET, body=None):
        self.headers(number, fields, ends=body is None)
        if body is not None:
            self.data(number, body, ends=True)
        return self.answer(number)

    def error(self, seconds=None):
        """Code of the GOAWAY that ends the connection; "closed" when it ends without one."""
        if self.until(lambda _: self.goaway_is_error(), seconds):
            return self.goaway[1]
        return "closed" if self.closed else None

    def is_closed(self, seconds=60.0):
        self.until(lambda _: False, seconds)
        return self.closed

    def ping(self, payload=b"12345678", seconds=None):
        """True when the other side answers: the connection works and everything sent before was taken in."""
        count = self.pongs.count(payload)
        self.send(frame(PING, 0, 0, payload))
        return self.until(lambda _: self.pongs.count(payload) > count, seconds)
