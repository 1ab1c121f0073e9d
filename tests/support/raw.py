"""A client that sends exactly the bytes it is given, and reads answers strictly."""

import dataclasses
import socket


class Closed(Exception):
    """The other side closed, or reset, before the answer was complete."""

    def __init__(self, received):
        super().__init__(f"closed after {received[:200]!r}")
        self.received = received


@dataclasses.dataclass
class Answer:
    status: int
    reason: str
    headers: list  # of (name, value), as received
    body: bytes
    trailers: list = dataclasses.field(default_factory=list)
    interim: list = dataclasses.field(default_factory=list)  # 1xx answers before this one

    def header(self, name, default=None):
        found = self.all(name)
        return found[0] if found else default

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")


class RawClient:
    def __init__(self, port, host="127.0.0.1", timeout=60.0, source=None):
        self.socket = socket.create_connection((host, port), timeout, source_address=source and (source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, *parts):
        for part in parts:
            self.socket.sendall(part if isinstance(part, bytes) else part.encode("latin-1"))

    def finish_sending(self):
        self.socket.shutdown(socket.SHUT_WR)

    def more(self):
        """Reads once; raises Closed at the end of the stream."""
        try:
            got = self.socket.recv(65536)
        except ConnectionError:
            got = b""
        if not got:
            raise Closed(self.buffer)
        self.buffer += got

    def read_until(self, mark):
        while mark not in self.buffer:
            self.more()
        head, self.buffer = self.buffer.split(mark, 1)
        return head

    def read_exactly(self, count):
        while len(self.buffer) < count:
            self.more()
        got, self.buffer = self.buffer[:count], self.buffer[count:]
        return got

    def read_all(self):
        """Everything until the other side closes."""
        try:
            while True:
                self.more()
        except Closed:
            got, self.buffer = self.buffer, b""
            return got

    def is_closed(self, seconds=60.0):
        """True when the other side closes within that time without sending anything more."""
        self.socket.settimeout(seconds)
        try:
            return not self.buffer and self.socket.recv(1) == b""
        except ConnectionError:
            return True
        except socket.timeout:
            return False

    def read_head(self):
        head = self.read_until(b"\r\n\r\n").decode("latin-1")
        lines = head.split("\r\n")
        assert "\n" not in "".join(lines) and "\r" not in "".join(lines), f"bare CR or LF in {head!r}"
        version, status, reason = (lines[0] + " ").split(" ", 2)
        assert version in ("HTTP/1.1", "HTTP/1.0"), lines[0]
        headers = []
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            assert colon and name and name == name.strip(), f"malformed header line {line!r}"
            headers.append((name, value.strip(" \t")))
        return Answer(int(status), reason.strip(), headers, b"")

    def read_chunked(self, answer):
        body = b""
        while True:
            size = int(self.read_until(b"\r\n").split(b";")[0], 16)
            if size == 0:
                break
            body += self.read_exactly(size)
            assert self.read_exactly(2) == b"\r\n", "chunk does not end with CRLF"
        while line := self.read_until(b"\r\n"):
            name, _, value = line.decode("latin-1").partition(":")
            answer.trailers.append((name, value.strip()))
        return body

    def read_answer(self, method="GET"):
        """The next answer with its body; 1xx answers other than 101 are collected in `interim`."""
        interim = []
        while True:
            answer = self.read_head()
            if answer.status >= 200 or answer.status == 101:
                break
            interim.append(answer)
        answer.interim = interim
        lengths, codings = answer.all("Content-Length"), answer.all("Transfer-Encoding")
        assert not (lengths and codings), "both Content-Length and Transfer-Encoding in an answer"
        assert len(lengths) <= 1, "several Content-Length"
        if method == "HEAD" or answer.status in (101, 204, 304):
            return answer
        if codings:
            assert codings == ["chunked"], codings
            answer.body = self.read_chunked(answer)
        elif lengths:
            answer.body = self.read_exactly(int(lengths[0]))
        else:
            answer.body = self.read_all()
        return answer

    def ask(self, method="GET", target="/", host="localhost", headers=(), body=None):
        lines = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
        pairs = headers.items() if isinstance(headers, dict) else headers
        lines += [f"{name}: {value}" for name, value in pairs]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join(lines) + "\r\n\r\n", body or b"")
        return self.read_answer(method)


def ask(port, method="GET", target="/", host="localhost", headers=(), body=None, address="127.0.0.1", timeout=60.0):
    """One request on a connection of its own."""
    with RawClient(port, address, timeout) as client:
        return client.ask(method, target, host, headers, body)
