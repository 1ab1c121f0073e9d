"""A server behind the router: strict about what it receives, obedient about what it answers."""

import collections
import dataclasses
import socket
import threading
import time


@dataclasses.dataclass
class Request:
    method: str
    target: str
    version: str
    headers: list
    body: bytes
    trailers: list
    raw: bytes  # every byte of it, as it came
    connection: int  # number of the connection, from 0

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name, default=None):
        found = self.all(name)
        return found[0] if found else default


class Violation(Exception):
    """What no router may ever send."""


def respond(body=b"ok", status=200, headers=(), reason="OK"):
    lines = [f"HTTP/1.1 {status} {reason}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


class Origin:
    """`answer` is bytes, or a function of the Request that returns bytes, a list of bytes and pauses (floats,
    seconds), or None to close the connection without an answer. `script(*answers)` queues answers that come
    first. An answer that ends with Origin.CLOSE closes the connection after it."""

    CLOSE = object()

    def __init__(self, answer=None, host="127.0.0.1", port=0, read_body=True, tls=None):
        self.answer = answer or respond()
        self.requests = []
        self.violations = []
        self.connections = 0
        self.read_body = read_body
        self.tls = tls  # an ssl.SSLContext: it speaks TLS
        self._scripted = collections.deque()
        self._lock = threading.Lock()
        self._open = set()
        self._listener = socket.create_server((host, port), backlog=512)
        self.host, self.port = self._listener.getsockname()[:2]
        self._stopped = False
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"http{'s' if self.tls else ''}://{self.host}:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def script(self, *answers):
        self._scripted.extend(answers)

    def unscript(self):
        self._scripted.clear()

    def stop(self):
        self._stopped = True
        # shutdown wakes the thread that waits in accept; close alone would leave it there.
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        self.drop()

    def drop(self):
        """Closes every connection that is open."""
        with self._lock:
            connections, self._open = self._open, set()
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def last(self):
        return self.requests[-1]

    def last_of(self, host):
        """The last one for `host`, whatever health checks ask in between."""
        return next(request for request in reversed(self.requests) if request.header("Host") == host)

    def _accept(self):
        while not self._stopped:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                number, self.connections = self.connections, self.connections + 1
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection, number):
        if self.tls:
            plain = connection
            try:
                connection = self.tls.wrap_socket(plain, server_side=True)
            except OSError:
                plain.close()
                return
        reader = _Reader(connection)
        try:
            while True:
                request = self._read(reader, number)
                if request is None:
                    return
                with self._lock:
                    self.requests.append(request)
                    answer = self._scripted.popleft() if self._scripted else self.answer
                if callable(answer):
                    answer = answer(request)
                if not self._write(connection, answer):
                    return
        except Violation as violation:
            self.violations.append(str(violation))
        except OSError:
            pass
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _write(self, connection, answer):
        """False when the connection is to be closed."""
        if answer is None:
            return False
        for part in [answer] if isinstance(answer, bytes) else answer:
            if part is Origin.CLOSE:
                return False
            if isinstance(part, (int, float)):
                time.sleep(part)
            else:
                connection.sendall(part)
        return True

    def _read(self, reader, number):
        head = reader.until(b"\r\n\r\n")
        if head is None:
            return None
        lines = head.decode("latin-1").split("\r\n")
        if any("\r" in line or "\n" in line or "\0" in line for line in lines):
            raise Violation(f"bare CR, LF or NUL in {head!r}")
        parts = lines[0].split(" ")
        if len(parts) != 3 or parts[2] not in ("HTTP/1.1", "HTTP/1.0"):
            raise Violation(f"request line {lines[0]!r}")
        headers = []
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon or not name or any(c in " \t" for c in name):
                raise Violation(f"header line {line!r}")
            headers.append((name, value.strip(" \t")))
        named = [name.lower() for name, _ in headers]
        if named.count("host") != 1:
            raise Violation(f"{named.count('host')} Host headers")
        if named.count("content-length") + named.count("transfer-encoding") > 1:
            raise Violation(f"ambiguous framing in {head!r}")
        request = Request(*parts, headers, b"", [], b"", number)
        if self.read_body:
            self._read_body(reader, request)
        request.raw = bytes(reader.taken)
        reader.taken = bytearray()
        return request

    def _read_body(self, reader, request):
        coding, length = request.header("Transfer-Encoding"), request.header("Content-Length")
        if coding is not None:
            if coding != "chunked":
                raise Violation(f"Transfer-Encoding {coding!r}")
            while True:
                line = reader.until(b"\r\n")
                if line is None:
                    raise OSError("end of stream inside a chunked body")  # the client's fault, passed on as it should be
                try:
                    size = int(line.split(b";")[0], 16)
                except ValueError:
                    raise Violation(f"chunk size {line!r}") from None
                if size == 0:
                    break
                request.body += reader.exactly(size)
                if reader.exactly(2) != b"\r\n":
                    raise Violation("chunk does not end with CRLF")
            while line := reader.until(b"\r\n"):
                name, _, value = line.decode("latin-1").partition(":")
                request.trailers.append((name, value.strip()))
        elif length is not None:
            if not length.isdigit():
                raise Violation(f"Content-Length {length!r}")
            request.body = reader.exactly(int(length))


class _Reader:
    def __init__(self, connection):
        self.connection = connection
        self.buffer = bytearray()  # large bodies come in many pieces
        self.taken = bytearray()

    def _more(self):
        got = self.connection.recv(65536)
        self.buffer += got
        return bool(got)

    def _take(self, count):
        got = bytes(self.buffer[:count])
        del self.buffer[:count]
        self.taken += got
        return got

    def until(self, mark):
        while mark not in self.buffer:
            if not self._more():
                return None
        return self._take(self.buffer.index(mark) + len(mark))[: -len(mark)]

    def exactly(self, count):
        while len(self.buffer) < count:
            if not self._more():
                raise OSError("end of stream inside a body")
        return self._take(count)
