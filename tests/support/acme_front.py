"""Stands in front of a pebble and adds what Debian's lacks: renewal information, profiles, Retry-After, and faults.
URLs are built from the Host field, so the authority seems to live here."""

import base64
import contextlib
import http.client
import http.server
import json
import re
import ssl
import threading


class Front:
    """`profiles`: name → description. `renewal`: certificate id → (start, end) as RFC 3339 texts, or a function of the
    id; `retry_after` is sent with it. `fault(handler, body)` may answer a request itself and return True. `orders` are
    the payloads of newOrder that the authority took (it refuses some nonces), in order; `polls` the ids that renewal
    information was asked for; `challenges` the names that the paths of challenges are about. `gently` passes on one
    request at a time: Debian's pebble can lock itself up for good when many orders are made and looked at at once."""

    def __init__(self, pebble, profiles=None, renewal=None, retry_after="3600", fault=None, gently=False):
        self.pebble, self.profiles, self.renewal, self.retry_after, self.fault = pebble, profiles, renewal, retry_after, fault
        self.orders, self.polls, self.requests = [], [], []
        self.challenges = {}
        self.turn = threading.Lock() if gently else contextlib.nullcontext()
        front = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self, status, body, kind="application/json", **headers):
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def problem(self, status, kind, detail, **headers):
                self.answer(status, {"type": f"urn:ietf:params:acme:error:{kind}", "detail": detail, "status": status},
                            "application/problem+json", **headers)

            def do(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                front.requests.append((self.command, self.path))
                if self.path.startswith("/front/renewal-info/"):
                    name = self.path.rsplit("/", 1)[1]
                    front.polls.append(name)
                    window = front.renewal(name) if callable(front.renewal) else front.renewal.get(name)
                    if not window:
                        return self.problem(404, "malformed", "no such certificate")
                    return self.answer(200, {"suggestedWindow": {"start": window[0], "end": window[1]}},
                                       Retry_After=front.retry_after)
                if front.fault and front.fault(self, body):
                    return None
                return self.forward(body)

            def forward(self, body):
                context = ssl.create_default_context(cafile=str(front.pebble.ca))
                connection = http.client.HTTPSConnection("127.0.0.1", front.pebble.port, timeout=20, context=context)
                headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
                try:
                    with front.turn:
                        connection.request(self.command, self.path, body or None, headers)
                        answer = connection.getresponse()
                        data = answer.read()
                except OSError:
                    return self.answer(502, b"bad gateway", "text/plain")
                finally:
                    connection.close()
                if self.path.startswith("/order-plz") and answer.status == 201:
                    payload = json.loads(body)["payload"]
                    front.orders.append(json.loads(base64.urlsafe_b64decode(payload + "==")))
                if self.path == "/dir":
                    directory = json.loads(data)
                    if front.renewal is not None:
                        directory["renewalInfo"] = f"https://{self.headers['Host']}/front/renewal-info"
                    if front.profiles is not None:
                        directory.setdefault("meta", {})["profiles"] = front.profiles
                    data = json.dumps(directory).encode()
                if self.path.startswith("/authZ/") and answer.status == 200:
                    shown = json.loads(data)
                    for challenge in shown["challenges"]:
                        front.challenges["/" + challenge["url"].split("/", 3)[3]] = shown["identifier"]["value"]
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("content-length", "connection", "transfer-encoding", "date", "server"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data)
                return None

            do_GET = do_POST = do_HEAD = do

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(pebble.folder / "srv.pem"), str(pebble.folder / "srv.key"))
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]

    @property
    def directory(self):
        return f"https://127.0.0.1:{self.port}/dir"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def is_certificate(self, path):
        return re.match(r"/certZ/", path) is not None
