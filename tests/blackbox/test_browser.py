"""A page in a real browser, over HTTP/2 and TLS: what it loads, sends, listens to, and its WebSocket (RFC 8441)."""

import hashlib
import json
import threading

import pytest
from support import certificates
from support.browser import Chromium
from support.fairlead import routes
from support.origin import Origin, respond
from support.ports import wait_for
from support.websocket_echo import EchoServer

PICTURES = 30
LARGE = bytes(i % 251 for i in range(1_000_000))
UPLOAD = 400_000  # more than a stream's window
SECONDS = 120  # a browser on a busy machine needs many of them to start

PAGE = f"""<!doctype html>
<title>page</title>
<link rel="stylesheet" href="/style.css">
{"".join(f'<img src="/picture/{i}.svg">' for i in range(PICTURES))}
<script src="/script.js"></script>
"""
SCRIPT = """
const hex = async (bytes) => Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)),
  (byte) => byte.toString(16).padStart(2, '0')).join('');

const parts = {
  async pictures() {
    if (document.readyState !== 'complete') await new Promise((done) => addEventListener('load', done));
    return Array.from(document.images).filter((image) => image.naturalWidth === 7).length;
  },
  async style() { return getComputedStyle(document.body).color; },
  async large() { return hex(await (await fetch('/large')).arrayBuffer()); },
  async upload() {
    const body = new Uint8Array(%UPLOAD%).map((_, i) => i % 253);
    const answer = await fetch('/upload', { method: 'POST', body });
    return { status: answer.status, ours: await hex(body), theirs: await answer.text() };
  },
  events() {
    return new Promise((done, failed) => {
      const got = [];
      const source = new EventSource('/events');
      source.onerror = () => failed('the stream of events broke');
      source.onmessage = async (event) => {
        got.push(event.data);
        if (got.length < 3) return fetch('/next', { method: 'POST' });
        source.close();
        done(got);
      };
    });
  },
  socket() {
    return new Promise((done, failed) => {
      const got = [];
      const socket = new WebSocket(`wss://${location.host}/chat`, 'chat');
      socket.binaryType = 'arraybuffer';
      socket.onerror = () => failed('the socket broke');
      socket.onopen = () => { socket.send('text é'); socket.send(new Uint8Array(100000).fill(7)); };
      socket.onmessage = ({ data }) => {
        got.push(typeof data === 'string' ? data : new Uint8Array(data).filter((byte) => byte === 7).length);
        if (got.length === 2) socket.send('close 4001');
      };
      socket.onclose = ({ code, reason, wasClean }) => done({ got, code, reason, wasClean, protocol: socket.protocol });
    });
  },
};

(async () => {
  const report = { failures: [] };
  for (const [name, part] of Object.entries(parts)) {
    try { report[name] = await part(); } catch (failure) { report.failures.push(`${name}: ${failure}`); }
  }
  report.protocols = {};
  for (const entry of performance.getEntries())
    if (entry.nextHopProtocol !== undefined) report.protocols[new URL(entry.name).pathname] = entry.nextHopProtocol;
  await fetch('/report', { method: 'POST', body: JSON.stringify(report) });
})();
""".replace("%UPLOAD%", str(UPLOAD))
PICTURE = b'<svg xmlns="http://www.w3.org/2000/svg" width="7" height="7"><rect width="7" height="7"/></svg>'


class Site:
    """What the server behind the router answers the page."""

    def __init__(self):
        self.next = threading.Semaphore(1)
        self.report = None

    def __call__(self, request):
        path = request.target
        if path == "/":
            cookies = [("Set-Cookie", "first=1"), ("Set-Cookie", "second=2")]
            return respond(PAGE.encode(), headers=[("Content-Type", "text/html; charset=utf-8"), *cookies])
        if path == "/style.css":
            return respond(b"body { color: rgb(1, 2, 3) }", headers=[("Content-Type", "text/css")])
        if path == "/script.js":
            return respond(SCRIPT.encode(), headers=[("Content-Type", "text/javascript; charset=utf-8")])
        if path.startswith("/picture/"):
            return respond(PICTURE, headers=[("Content-Type", "image/svg+xml")])
        if path == "/large":
            return respond(LARGE)
        if path == "/upload":
            return respond(hashlib.sha256(request.body).hexdigest().encode())
        if path == "/events":
            return self._events()
        if path == "/next":
            self.next.release()
            return respond(b"")
        if path == "/report":
            self.report = json.loads(request.body)
            return respond(b"")
        return respond(b"", status=404, reason="Not Found")

    def _events(self):
        yield b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
        for i in range(3):
            # Each is sent only when the page has the one before: none may wait anywhere for company.
            assert self.next.acquire(timeout=SECONDS)
            yield b"data: event %d\n\n" % i
        yield Origin.CLOSE


@pytest.fixture
def certificate(tmp_path):
    return certificates.make(tmp_path, "app.test", ["DNS:app.test"])


def test_a_page_works_over_http2(start, certificate):
    site = Site()
    with Origin(site) as origin, EchoServer() as echo:
        dynamic = routes(app=[origin.url], chat=[echo.url])
        for name, rule in (("app", "Host(`app.test`)"), ("chat", "Host(`app.test`) && Path(`/chat`)")):
            dynamic["http"]["routers"][name] |= {"rule": rule, "tls": {}}
        dynamic["tls"] = {"certificates": [certificate.config]}
        proxy = start(dynamic)

        with Chromium(f"https://app.test:{proxy.port()}/", ["app.test"], certificate) as browser:
            try:
                report = wait_for(lambda: site.report, SECONDS, "the page's report", every=0.1)
            except AssertionError:
                raise AssertionError(f"{[one.target for one in origin.requests]}\n{browser.log()[-3000:]}") from None

        assert report["failures"] == []
        assert report["pictures"] == PICTURES
        assert report["style"] == "rgb(1, 2, 3)"
        assert report["large"] == hashlib.sha256(LARGE).hexdigest()
        assert report["upload"]["status"] == 200
        assert report["upload"]["theirs"] == report["upload"]["ours"]
        assert report["events"] == ["event 0", "event 1", "event 2"]
        assert report["socket"] == {"got": ["text é", 100_000], "code": 4001, "reason": "as you wish", "wasClean": True,
                                    "protocol": "chat"}
        assert {path: protocol for path, protocol in report["protocols"].items() if protocol != "h2"} == {}
        assert {"/", "/style.css", "/script.js", "/large", "/upload"} <= report["protocols"].keys()

        assert origin.violations == []
        # Browsers send each cookie in a field of its own; the server gets one (RFC 9113 §8.2.3).
        upload = next(one for one in origin.requests if one.target == "/upload")
        assert upload.all("Cookie") == ["first=1; second=2"]
        lines = wait_for(lambda: [one for one in proxy.access_log() if one["RequestPath"] == "/chat"], 10, "its access log")
        assert [(one["RequestMethod"], one["RequestProtocol"]) for one in lines] == [("GET", "HTTP/2.0")]
        assert {one["RequestProtocol"] for one in proxy.access_log()} == {"HTTP/2.0"}
