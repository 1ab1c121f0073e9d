"""Starts the contenders and the server behind them, and reads what they cost from /proc."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = os.environ.get("FAIRLEAD_BINARY", str(ROOT / "build/release/fairlead"))
PROXY_CORE, LOAD_CORE = "0", "1"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def host(i):
    return f"h{i}.test"


def pinned(core, command):
    return ["taskset", "-c", core, *command] if (os.cpu_count() or 1) > 1 else command


class Process:
    """A server in a folder of its own, pinned to one core."""

    core = PROXY_CORE

    def __init__(self, **options):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fairlead-bench-"))
        self.folder.chmod(0o755)
        self.port = free_port()
        self.tls_port = free_port()
        self.options = options
        self.log = open(self.folder / "log", "ab")
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("FAIRLEAD_", "TRAEFIK_"))}
        begun = time.monotonic()
        self.process = subprocess.Popen(pinned(self.core, self.command()), stdout=self.log, stderr=self.log, env=environment)
        self.wait(options.get("ready", "/100b"), options.get("seconds", 60))
        self.start_seconds = time.monotonic() - begun

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def wait(self, path, seconds):
        deadline = time.monotonic() + seconds
        while status(self.port, path) != 200:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{self.name} does not serve {path}: {(self.folder / 'log').read_text()[-3000:]}")
            time.sleep(0.002)

    def pids(self):
        found, frontier = [], [self.process.pid]
        while frontier:
            pid = frontier.pop()
            found.append(pid)
            try:
                for task in os.listdir(f"/proc/{pid}/task"):
                    frontier += map(int, pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text().split())
            except OSError:
                pass
        return found

    def cpu(self):
        """Seconds of user and system time of all its processes: of every thread, to the nanosecond."""
        return sum(int((task / "schedstat").read_text().split()[0])
                   for pid in self.pids() for task in pathlib.Path(f"/proc/{pid}/task").iterdir()) / 1e9

    def rss(self):
        """KiB of all its processes."""
        return sum(int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1))
                   for pid in self.pids())

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path


def status(port, path, name=host(0)):
    try:
        with socket.create_connection(("127.0.0.1", port), 2) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
            return int(connection.recv(64).split(b" ")[1])
    except (OSError, IndexError, ValueError):
        return 0


NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error crit; {user}
worker_rlimit_nofile 19000;
events {{ worker_connections 18000; }}
http {{
  access_log off; sendfile on; tcp_nopush off; keepalive_timeout 600s; keepalive_requests 1000000000;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server_names_hash_max_size 524288; server_names_hash_bucket_size 128;
  {body}
}}
"""


KEYS = {"P-256": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "RSA-2048": ["-newkey", "rsa:2048"]}


def certificate(kind="P-256"):
    """A chain and key for everybody's TLS port: files of PEM, and both in one. There is one intermediate, as of public
    authorities."""
    folder = ROOT / "build/bench-tls" / kind
    both = folder / "both.pem"
    if not both.exists():
        folder.mkdir(parents=True, exist_ok=True)

        def openssl(*words):
            subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=folder)

        openssl("req", "-x509", *KEYS[kind], "-nodes", "-days", "3650", "-subj", "/CN=bench intermediate", "-keyout", "ca.key",
                "-out", "ca.pem")
        openssl("req", *KEYS[kind], "-nodes", "-subj", "/CN=bench", "-keyout", "key.pem", "-out", "request")
        (folder / "extensions").write_text("subjectAltName=DNS:*.test\n")
        openssl("x509", "-req", "-in", "request", "-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", "1", "-days", "3650",
                "-extfile", "extensions", "-out", "leaf.pem")
        (folder / "cert.pem").write_text((folder / "leaf.pem").read_text() + (folder / "ca.pem").read_text())
        both.write_text((folder / "cert.pem").read_text() + (folder / "key.pem").read_text())
    return folder / "cert.pem", folder / "key.pem", both


def nginx_user():
    return "user root;" if os.getuid() == 0 else ""


class Backend(Process):
    name, core = "backend", LOAD_CORE

    def command(self):
        for name, size in (("100b", 100), ("100k", 100_000), ("10m", 10_000_000)):
            self.write(name, "x" * size)
        body = f"""
  open_file_cache max=10 inactive=600s; open_file_cache_valid 600s;
  server {{ listen 127.0.0.1:{self.port} backlog=4096; root {self.folder};
            location = /100b {{ return 200 "{'x' * 100}"; }} }}"""
        return ["nginx", "-p", str(self.folder), "-c",
                str(self.write("conf", NGINX.format(folder=self.folder, user=nginx_user(), body=body)))]


class Nginx(Process):
    name = "nginx"

    def command(self):
        names = "\n".join(f"server_name {host(i)};" for i in range(self.options.get("routers", 10)))
        cert, key, _ = certificate(self.options.get("certificate", "P-256"))
        body = f"""
  ssl_certificate {cert}; ssl_certificate_key {key}; ssl_protocols TLSv1.3; ssl_session_cache off;
  http2_max_concurrent_streams 250;
  upstream app {{ server 127.0.0.1:{self.options['backend']}; keepalive 256; keepalive_requests 1000000000; }}
  server {{ listen 127.0.0.1:{self.port} default_server backlog=4096; return 404; }}
  server {{ listen 127.0.0.1:{self.port}; listen 127.0.0.1:{self.tls_port} ssl http2 backlog=4096; {names}
    location / {{ proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Real-Ip $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $host;
      proxy_set_header X-Forwarded-Port $server_port; proxy_max_temp_file_size 0; }} }}"""
        return ["nginx", "-p", str(self.folder), "-c",
                str(self.write("conf", NGINX.format(folder=self.folder, user=nginx_user(), body=body)))]


class Floor(Process):
    """Moves bytes and parses nothing: no proxy on this kernel can cost less."""

    name = "floor"

    def command(self):
        return [str(pathlib.Path(BINARY).parent / "byte_forwarder"), str(self.port), str(self.options["backend"])]


class HandshakeFloor(Process):
    """Shakes hands and does nothing after it: what OpenSSL and the kernel cost by themselves."""

    name = "handshake floor"

    def command(self):
        chain, key, _ = certificate(self.options.get("certificate", "P-256"))
        return [str(pathlib.Path(BINARY).parent / "handshake_floor"), str(self.tls_port), str(chain), str(key)]

    def wait(self, _, seconds):
        deadline = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                return socket.create_connection(("127.0.0.1", self.tls_port), 1).close()
            except OSError:
                time.sleep(0.002)
        raise SystemExit(f"{self.name} does not listen: {(self.folder / 'log').read_text()[-3000:]}")


class HAProxy(Process):
    name = "HAProxy"

    def command(self):
        hosts = self.write("hosts", "".join(f"{host(i)} app\n" for i in range(self.options.get("routers", 10))))
        splice = "option splice-auto" if self.options.get("splice") else ""
        return ["haproxy", "-db", "-f", str(self.write("conf", f"""
global
  nbthread 1
  maxconn 9200
defaults
  mode http
  timeout client 600s
  timeout server 600s
  timeout connect 5s
  timeout http-keep-alive 600s
  {splice}
frontend web
  bind 127.0.0.1:{self.port} backlog 4096
  bind 127.0.0.1:{self.tls_port} backlog 4096 ssl crt {certificate(self.options.get('certificate', 'P-256'))[2]} alpn h2,http/1.1 ssl-min-ver TLSv1.3
  option forwardfor
  http-request set-header X-Real-Ip %[src]
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Port %[dst_port]
  use_backend %[req.hdr(host),lower,map({hosts},none)]
backend app
  http-reuse always
  server s 127.0.0.1:{self.options['backend']}
"""))]


class Fairlead(Process):
    name = "Fairlead"

    def command(self):
        self.dynamic = self.folder / "dynamic.yml"
        self.write_routes(self.options.get("routers", 10))
        install = {
            "entryPoints": {"web": {"address": f"127.0.0.1:{self.port}"},
                            "secure": {"address": f"127.0.0.1:{self.tls_port}", "http": {"tls": {}}}},
            "providers": {"file": {"filename": str(self.dynamic)}},
            "log": {"level": "ERROR"},
        }
        if self.options.get("api"):
            self.api_port = free_port()
            install["entryPoints"]["traefik"] = {"address": f"127.0.0.1:{self.api_port}"}
            install["api"] = {"insecure": True}
        workers = self.options.get("workers", 1)
        return [BINARY, f"--configFile={self.write('install.yml', json.dumps(install))}", f"--workers={workers}"]

    def write_routes(self, count, extra=""):
        lines = ["http:", "  services:", "    app:", "      loadBalancer:", "        servers:",
                 f"          - url: http://127.0.0.1:{self.options['backend']}", "  routers:"]
        for i in range(count):
            lines += [f"    r{i}:", f"      rule: Host(`{host(i)}`)", "      service: app"]
        if extra:
            lines += ["    extra:", f"      rule: Host(`{extra}`)", "      service: app"]
        cert, key, _ = certificate(self.options.get("certificate", "P-256"))
        lines += ["tls:", "  certificates:", f"    - certFile: {cert}", f"      keyFile: {key}"]
        beside = self.dynamic.with_suffix(".new")
        beside.write_text("\n".join(lines) + "\n")
        beside.rename(self.dynamic)


def wrk(port, path, seconds=3, connections=64, close=False, hosts=1, extra=()):
    """One run of the generator: requests, failures and requests per second."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s"]
    if close:
        command += ["-H", "Connection: close"]
    script = None
    if hosts > 1:
        # Hosts in turn, spread over all routers, made before the clock runs. However many there are, as many requests
        # differ: what the generator itself has in its caches is no part of the comparison.
        script = tempfile.NamedTemporaryFile("w", suffix=".lua")
        script.write(f"""
local requests, k, n = {{}}, 0, 2000
init = function() for i = 1, n do
  requests[i] = wrk.format("GET", wrk.path .. "?" .. 1000 + i,
                           {{ ["Host"] = "h" .. math.floor((i - 1) * {hosts} / n) .. ".test" }}) end end
request = function() k = k % n + 1; return requests[k] end
""")
        script.flush()
        command += ["-s", script.name]
    else:
        command += ["-H", f"Host: {host(0)}"]
    out = subprocess.run(pinned(LOAD_CORE, [*command, *extra, f"http://127.0.0.1:{port}{path}"]), capture_output=True,
                         text=True, timeout=seconds + 60).stdout
    requests = int(re.search(r"(\d+) requests in", out).group(1))
    bad = sum(map(int, re.findall(r"(?:connect|read|write|timeout) (\d+)", out)))
    bad += sum(map(int, re.findall(r"Non-2xx or 3xx responses: (\d+)", out)))
    return {"requests": requests, "failed": bad, "rate": float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))}


def h2load(port, path, seconds=3, connections=16, streams=32, http1=False, tls=True, count=None):
    """The same over TLS unless told otherwise, with HTTP/2 or one HTTP/1.1 request at a time; for `seconds`, or `count`
    requests."""
    command = ["h2load", f"-n{count}" if count else f"-D{seconds}", "-t1", f"-c{connections}", f"-m{1 if http1 else streams}",
               f"--connect-to=127.0.0.1:{port}", *(["--h1"] if http1 else []), f"http{'s' if tls else ''}://{host(0)}{path}"]
    out = subprocess.run(pinned(LOAD_CORE, command), capture_output=True, text=True, timeout=seconds + 60).stdout
    counts = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored", out)
    good = int(re.search(r"status codes: (\d+) 2xx", out).group(1))
    return {"requests": good, "failed": int(counts.group(2)) + int(counts.group(3)) + max(0, int(counts.group(1)) - good),
            "rate": float(re.search(r"finished in \S+, ([\d.]+) req/s", out).group(1))}
