"""An HTTP/2 server behind the router, on python3-h2: it keeps the protocol unless a test tells it otherwise."""

import socket
import struct
import threading

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings

REFUSED_STREAM, CANCEL, INTERNAL_ERROR = 0x7, 0x8, 0x2


def frame(kind, flags, stream, payload=b""):
    """The bytes of one frame, however wrong."""
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


class Stream:
    """One request, and the means to answer it."""

    def __init__(self, connection, number, headers):
        self.connection, self.number, self.headers = connection, number, headers
        self.body = b""
        self.trailers = []
        self.reset = None  # the code of the router's RST_STREAM
        self.ended = threading.Event()
        self.over = threading.Event()  # reset, or the connection is gone

    def header(self, name, default=None):
        return next((value for key, value in self.headers if key == name), default)

    def head(self, status=200, headers=(), last=False):
        pairs = [(":status", str(status)), *headers]
        self.connection.do(lambda h2: h2.send_headers(self.number, pairs, end_stream=last))

    def data(self, data, last=False):
        self.connection.send_data(self.number, data, last)

    def finish(self, trailers=()):
        self.connection.do(lambda h2: h2.send_headers(self.number, list(trailers), end_stream=True))

    def respond(self, body=b"ok", status=200, headers=()):
        self.head(status, headers, last=not body)
        if body:
            self.data(body, last=True)

    def abort(self, code):
        self.connection.do(lambda h2: h2.reset_stream(self.number, code))

    def raw(self, data):
        self.connection.raw(data)


class Connection:
    def __init__(self, origin, sock):
        self.origin, self.socket = origin, sock
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=False, header_encoding="utf-8", validate_outbound_headers=False,
            normalize_outbound_headers=False))
        self.lock = threading.RLock()
        self.room = threading.Condition(self.lock)
        self.streams = {}
        self.pings = self.acks = 0
        self.gone = False

    def do(self, step):
        with self.lock:
            step(self.h2)
            self.flush()

    def raw(self, data):
        with self.lock:
            self.flush()
            self.socket.sendall(data)

    def flush(self):
        if data := self.h2.data_to_send():
            self.socket.sendall(data)

    def goaway(self, last_stream, code=0):
        self.raw(frame(7, 0, 0, struct.pack(">II", last_stream, code)))

    def ping(self):
        """`acks` is one more once the router has read everything that was sent before."""
        self.raw(frame(6, 0, 0, b"12345678"))

    def send_data(self, number, data, last):
        with self.lock:
            while True:
                room = min(self.h2.local_flow_control_window(number), self.h2.max_outbound_frame_size)
                part, rest = data[:room], data[room:]
                if part or not data:
                    self.h2.send_data(number, part, end_stream=last and not rest)
                    self.flush()
                data = rest
                if not data:
                    return
                if not part:
                    self.room.wait(60)
                    if self.gone or self.streams[number].over.is_set():
                        raise OSError("nobody reads")

    def serve(self):
        try:
            if self.origin.settings:
                self.h2.local_settings.update(self.origin.settings)
                self.h2.local_settings.acknowledge()
            self.h2.initiate_connection()
            with self.lock:
                self.flush()
            while data := self.socket.recv(65536):
                with self.lock:
                    for event in self.h2.receive_data(data):
                        self.handle(event)
                    self.flush()
        except h2.exceptions.ProtocolError as error:
            self.origin.violations.append(repr(error))
        except OSError:
            pass
        finally:
            with self.lock:
                self.gone = True
                for stream in self.streams.values():
                    stream.over.set()
                    stream.ended.set()
                self.room.notify_all()
            self.socket.close()

    def handle(self, event):
        if isinstance(event, h2.events.RequestReceived):
            stream = Stream(self, event.stream_id, event.headers)
            self.streams[event.stream_id] = stream
            self.origin.streams.append(stream)
            if self.origin.early:
                self.start(stream)
        elif isinstance(event, h2.events.DataReceived):
            stream = self.streams[event.stream_id]
            stream.body += event.data
            if self.origin.reads:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.TrailersReceived):
            self.streams[event.stream_id].trailers = event.headers
        elif isinstance(event, h2.events.StreamEnded):
            stream = self.streams[event.stream_id]
            stream.ended.set()
            if not self.origin.early:
                self.start(stream)
        elif isinstance(event, h2.events.StreamReset):
            stream = self.streams[event.stream_id]
            stream.reset = event.error_code
            stream.over.set()
            self.room.notify_all()
        elif isinstance(event, h2.events.WindowUpdated):
            self.room.notify_all()
        elif isinstance(event, h2.events.PingReceived):
            self.pings += 1
        elif isinstance(event, h2.events.PingAckReceived):
            self.acks += 1

    def start(self, stream):
        def run():
            try:
                self.origin.answer(stream)
            except (OSError, h2.exceptions.ProtocolError):
                pass

        threading.Thread(target=run, daemon=True).start()


class H2Origin:
    """`answer(stream)` is called once a request is complete; with `early`, once its head is there. `settings`:
    of h2.settings.SettingCodes. Without `reads` it never opens its windows again."""

    def __init__(self, answer=Stream.respond, tls=None, settings=None, early=False, reads=True):
        self.answer, self.tls, self.settings, self.early, self.reads = answer, tls, settings, early, reads
        self.streams, self.connections, self.violations = [], [], []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"{'https' if self.tls else 'h2c'}://127.0.0.1:{self.port}"

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True)
        except OSError:
            return sock.close()
        connection = Connection(self, sock)
        self.connections.append(connection)
        connection.serve()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        for end in (self.listener, *(connection.socket for connection in self.connections)):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.listener.close()
