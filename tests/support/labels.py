"""A Docker Engine that is only its API: containers are servers of the test, with labels."""

import json
import pathlib
import shutil
import socket
import tempfile
import threading
import time

CREATED = "2026-05-09T07:29:33.000000001Z"


class LabelledEngine:
    """`put(name, port, labels)` is a running container on 127.0.0.1. Answers ping, list, inspect and events."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fairlead-engine-"))
        self.containers = {}
        self.created = set()  # ids of those that were not started yet
        self._lock = threading.Lock()
        self._subscribers = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.folder / "docker.sock"))
        self._listener.listen(16)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def install(self):
        """Install configuration that reads from here."""
        return {"providers": {"docker": {"endpoint": f"unix://{self.folder}/docker.sock"}}}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # shutdown wakes the thread that waits in accept; close alone would leave it there.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._subscribers:
                connection.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def put(self, name, port, labels=()):
        """`labels`: lines `key=value`, without the leading `traefik.`; or a dictionary of whole labels."""
        if not isinstance(labels, dict):
            labels = {f"traefik.{line.split('=', 1)[0]}": line.split("=", 1)[1] for line in labels}
        with self._lock:
            self.containers[f"id-{name}"] = (name, port, labels)
        self._event("start", f"id-{name}")

    def _event(self, action, identifier, told=None, **attributes):
        """`told`: when it happened, in nanoseconds; now, if not given."""
        event = json.dumps({"Type": "container", "Action": action, "Actor": {"ID": identifier, "Attributes": attributes},
                            "timeNano": told or time.time_ns()}).encode() + b"\n"
        with self._lock:
            for connection in self._subscribers:
                try:
                    connection.sendall(b"%x\r\n%s\r\n" % (len(event), event))
                except OSError:
                    pass

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        received = b""
        try:
            while True:
                while b"\r\n\r\n" not in received:
                    more = connection.recv(65536)
                    if not more:
                        return
                    received += more
                head, received = received.split(b"\r\n\r\n", 1)
                method, target = head.decode().split(" ")[:2]
                path = target.split("?")[0]
                if path.endswith("/events"):
                    # Together: whoever has the head hears of every event from then on.
                    with self._lock:
                        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                        self._subscribers.append(connection)
                    return
                status, body = self._respond(method, path)
                connection.sendall(b"HTTP/1.1 %d X\r\nApi-Version: 1.41\r\nContent-Type: application/json\r\n"
                                   b"Content-Length: %d\r\n\r\n%s" % (status, len(body), b"" if method == "HEAD" else body))
        except OSError:
            pass

    def _respond(self, method, path):
        return self._answer(path)

    def _answer(self, path):
        if path.endswith("/_ping"):
            return 200, b"OK"
        with self._lock:
            containers = dict(self.containers)
        if path.endswith("/containers/json"):
            return 200, json.dumps([self._listed(key, *value) for key, value in containers.items()]).encode()
        identifier = path.split("/")[-2]
        if identifier not in containers:
            return 404, b'{"message":"No such container"}'
        return 200, json.dumps(self._inspected(identifier, *containers[identifier])).encode()

    @staticmethod
    def _networks():
        return {"Networks": {"bridge": {"IPAddress": "127.0.0.1"}}}

    def _listed(self, identifier, name, port, labels):
        return {"Id": identifier, "Names": [f"/{name}"], "State": "running", "Status": "Up 4 seconds", "Labels": labels,
                "HostConfig": {"NetworkMode": "bridge"}, "NetworkSettings": self._networks()}

    def _inspected(self, identifier, name, port, labels):
        ran = identifier not in self.created
        return {"Id": identifier, "Created": CREATED, "Name": f"/{name}",
                "State": {"Status": "running" if ran else "created", "StartedAt": CREATED if ran else "0001-01-01T00:00:00Z"},
                "Config": {"Labels": labels, "ExposedPorts": {f"{port}/tcp": {}}},
                "HostConfig": {"NetworkMode": "bridge"}, "NetworkSettings": {"Ports": {}, **self._networks()}}
