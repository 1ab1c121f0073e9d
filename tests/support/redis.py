"""Real Redis servers, and servers that are none."""

import pathlib
import socket
import subprocess

from support.ports import free_port, wait_for


class Redis:
    """A redis-server of its own: user "fair", password "hidden"; plain on `port`, TLS with client certificates on
    `tls_port`."""

    def __init__(self, folder, pair, authority, lines=()):
        self.port, self.tls_port = free_port(), free_port()
        self.folder = pathlib.Path(folder)
        self.config = self.folder / f"redis-{self.port}.conf"
        self.config.write_text("\n".join([
            "bind 127.0.0.1", f"port {self.port}", f"tls-port {self.tls_port}", 'save ""', f"dir {self.folder}",
            f"tls-cert-file {pair.cert}", f"tls-key-file {pair.key}", f"tls-ca-cert-file {authority.cert}",
            "loglevel warning", "user default off", "user fair on >hidden ~* &* +@all", *lines, ""]))
        self.process = None
        self._connection = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self.process = subprocess.Popen(["redis-server", str(self.config)], stdout=subprocess.DEVNULL)
        wait_for(self._accepts, 10, "redis-server accepts")

    def stop(self):
        if self._connection:
            self._connection.close()
            self._connection = None
        self.process.kill()
        self.process.wait()

    def _accepts(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def ask(self, *words):
        """The answer to one command over a connection that stays: an int, a text or None."""
        if self._connection is None:
            self._connection = socket.create_connection(("127.0.0.1", self.port), 30)
            self._answers = self._connection.makefile("rb")
            assert self.ask("AUTH", "fair", "hidden") == "OK"
        parts = [str(word).encode() for word in words]
        self._connection.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
        return self._read()

    def _read(self):
        line = self._answers.readline().rstrip(b"\r\n")
        kind, rest = line[:1], line[1:]
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self._answers.read(int(rest) + 2)[:-2].decode()
        if kind == b"*":
            return [self._read() for _ in range(int(rest))]
        if kind == b"-":
            raise AssertionError(rest.decode())
        return rest.decode()


class RedisCluster:
    """Two nodes, each with half of the slots."""

    def __init__(self, folder, pair, authority):
        self.buses = [free_port(), free_port()]
        self.nodes = [Redis(folder, pair, authority, (
            "cluster-enabled yes", f"cluster-port {bus}", f"cluster-config-file nodes-{bus}.conf")) for bus in self.buses]

    def __enter__(self):
        for node in self.nodes:
            node.start()
        one, other = self.nodes
        one.ask("CLUSTER", "ADDSLOTSRANGE", 0, 8191)
        other.ask("CLUSTER", "ADDSLOTSRANGE", 8192, 16383)
        one.ask("CLUSTER", "MEET", "127.0.0.1", other.port, self.buses[1])
        wait_for(lambda: all("cluster_state:ok" in node.ask("CLUSTER", "INFO") for node in self.nodes), 20, "the cluster")
        return self

    def __exit__(self, *_):
        for node in self.nodes:
            node.stop()


class SilentServer:
    """Accepts connections, by its backlog alone, and never says a word."""

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        return self

    def __exit__(self, *_):
        self._listener.close()


def full_listener():
    """A listener whose backlog is full, so that connecting hangs; it comes first, what fills it behind."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    held = [listener]
    for _ in range(4):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(listener.getsockname())
        held.append(client)
    return held
