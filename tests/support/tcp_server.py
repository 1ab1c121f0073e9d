"""A TCP server whose connections are served by a function, and what TCP tests configure."""

import socket
import ssl
import threading


def echo(connection):
    """Sends back what comes, until the client ends its direction."""
    while data := connection.recv(65536):
        connection.sendall(data)


def name(text):
    """Says its name first, then echoes: a protocol in which the server speaks first."""

    def serve(connection):
        connection.sendall(text.encode() + b"\n")
        echo(connection)

    return serve


class TcpServer:
    """serve(connection) runs in a thread of its own; the connection is closed after it. `tls`: an ssl.SSLContext."""

    def __init__(self, serve=echo, tls=None, host="127.0.0.1", port=0):
        self.serve, self.tls = serve, tls
        self.accepted, self.open, self.server_names = 0, 0, []
        self._lock = threading.Lock()
        self._listener = socket.create_server((host, port), backlog=512)
        self.port = self._listener.getsockname()[1]
        self.address = f"{host}:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        # shutdown wakes the thread that waits in accept; close alone would leave the port taken.
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.accepted += 1
                self.open += 1
            threading.Thread(target=self._run, args=(connection,), daemon=True).start()

    def _run(self, connection):
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            self.serve(connection)
        except (OSError, ssl.SSLError):
            pass  # the client left
        finally:
            connection.close()
            with self._lock:
                self.open -= 1


def server_context(pair, remember=None):
    """TLS of a server; `remember` is called with the server name of each handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(str(pair.cert), str(pair.key))
    if remember is not None:
        context.sni_callback = lambda _socket, server_name, _context: remember(server_name)
    return context


def tcp(routers, services, http=None, tls=None, **more):
    """A dynamic configuration. routers: name → (rule, service, more options); services: name → addresses, or the
    whole service."""
    out = {"tcp": {
        "routers": {key: {"rule": rule, "service": service, **(options or {})}
                    for key, (rule, service, options) in routers.items()},
        "services": {key: value if isinstance(value, dict) else balancer(*value) for key, value in services.items()},
        **more,
    }}
    if http:
        out["http"] = http
    if tls:
        out["tls"] = tls
    return out


def balancer(*addresses, **more):
    servers = [one if isinstance(one, dict) else {"address": one} for one in addresses]
    return {"loadBalancer": {"servers": servers, **more}}
