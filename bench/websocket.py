#!/usr/bin/env python3
"""What a WebSocket costs beside nginx and HAProxy.

CPU time of the proxy per message that was echoed: on its way to the server and back. As in bench.py, one worker each
on core 0, rounds interleaved; the generator and the echoing server (websocket_load) share core 1. And what tunnels
cost on which nothing happens: memory, and CPU time.
"""

import json
import pathlib
import subprocess
import sys
import time

from bench import costed, longer, measure_alone
from proxies import BINARY, LOAD_CORE, Process, host, nginx_user, pinned
from rounds import interleaved, median, ratio, share, told

LOAD = pathlib.Path(BINARY).parent / "websocket_load"
# name, connections, bytes of a message, aim (ratio to nginx)
WORKS = (
    ("WebSocket, 64 B messages", 64, 64, 1.00),
    ("WebSocket, 16 KiB messages", 32, 16 * 1024, 0.60),
)
IDLE = 9000  # tunnels; two descriptors of the proxy each


class Echo(Process):
    name, core = "echo", LOAD_CORE

    def command(self):
        return [str(LOAD), "echo", str(self.port)]


class Nginx(Process):
    name, buffers = "nginx", ""

    def command(self):
        return ["nginx", "-p", str(self.folder), "-c", str(self.write("conf", f"""
daemon off; worker_processes 1; pid {self.folder}/pid; error_log {self.folder}/error crit; {nginx_user()}
worker_rlimit_nofile 19500;
events {{ worker_connections 19000; }}
http {{
  access_log off;
  client_body_temp_path {self.folder}/b; proxy_temp_path {self.folder}/p; fastcgi_temp_path {self.folder}/f;
  uwsgi_temp_path {self.folder}/u; scgi_temp_path {self.folder}/s;
  server {{ listen 127.0.0.1:{self.port} backlog=4096; server_name {host(0)};
    location / {{ proxy_pass http://127.0.0.1:{self.options['backend']}; proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr; proxy_read_timeout 600s; proxy_send_timeout 600s; {self.buffers} }} }}
}}
"""))]


class NginxLarge(Nginx):
    """By default its buffers hold 4 KiB, and take a message of 16 KiB apart."""

    name = "nginx, 32 KiB buffers"
    buffers = "proxy_buffer_size 32k; proxy_buffers 8 32k; proxy_busy_buffers_size 64k;"


class HAProxy(Process):
    name = "HAProxy"

    def command(self):
        return ["haproxy", "-db", "-f", str(self.write("conf", f"""
global
  nbthread 1
  maxconn 9200
defaults
  mode http
  timeout client 600s
  timeout server 600s
  timeout tunnel 600s
  timeout connect 5s
frontend web
  bind 127.0.0.1:{self.port} backlog 4096
  option forwardfor
  use_backend app if {{ hdr(host) {host(0)} }}
backend app
  server s 127.0.0.1:{self.options['backend']}
"""))]


class Fairlead(Process):
    name = "Fairlead"

    def command(self):
        dynamic = {"http": {"routers": {"app": {"rule": f"Host(`{host(0)}`)", "service": "app"}},
                            "services": {"app": {"loadBalancer": {
                                "servers": [{"url": f"http://127.0.0.1:{self.options['backend']}"}]}}}}}
        install = {"entryPoints": {"web": {"address": f"127.0.0.1:{self.port}"}},
                   "providers": {"file": {"filename": str(self.write("dynamic.yml", json.dumps(dynamic)))}},
                   "log": {"level": "ERROR"}}
        return [BINARY, f"--configFile={self.write('install.yml', json.dumps(install))}", "--workers=1"]


CONTENDERS = (Nginx, NginxLarge, HAProxy, Fairlead)


def ask(port, seconds, connections, size):
    command = [str(LOAD), "ask", *map(str, (port, seconds, connections, size))]
    return json.loads(subprocess.run(pinned(LOAD_CORE, command), capture_output=True, check=True, timeout=60).stdout)


def idle(proxy, count):
    """KiB of RSS that one tunnel costs, and CPU used by all of them in 3 s."""
    before = proxy.rss()
    holder = subprocess.Popen(pinned(LOAD_CORE, [str(LOAD), "hold", str(proxy.port), str(count)]), stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE)
    try:
        opened = json.loads(holder.stdout.readline())["open"]
        time.sleep(1)
        after, used = proxy.rss(), proxy.cpu()
        time.sleep(3)
        return {"open": opened, "kib": (after - before) / max(1, opened), "cpu": proxy.cpu() - used}
    finally:
        holder.stdin.close()
        holder.wait(30)


def run(options):
    """Rows of name, aim and the runs of each contender, `us` being µs per message and its echo; and the idle tunnels."""
    rounds, seconds = longer(options)  # opening the tunnels is a part of it
    rows = []
    with Echo() as echo:
        proxies = [kind(backend=echo.port) for kind in CONTENDERS]
        try:
            for name, connections, size, aim in WORKS:
                def measure(proxy):
                    return costed(proxy, seconds, lambda: ask(proxy.port, seconds, connections, size))

                results = interleaved(proxies, rounds, measure)
                rows.append({"name": name, "aim": aim, "results": results})
                print(name, told(results), flush=True)
        finally:
            for proxy in proxies:
                proxy.__exit__()
        resting = {}
        for kind in CONTENDERS:
            with kind(backend=echo.port) as proxy:
                resting[kind.name] = idle(proxy, IDLE)
        print("idle tunnels", resting, flush=True)
    return {"rows": rows, "idle": resting}


def table(report):
    out = ["CPU time per WebSocket message and its echo. Ratios are to nginx.", "",
           "| work | nginx, µs | nginx, 32 KiB buffers | HAProxy | **Fairlead** | aim | Fairlead, messages/s |",
           "|---|---|---|---|---|---|---|"]
    for row in report["rows"]:
        results = row["results"]
        out.append(f"| {row['name']} | {median(results, 'nginx', 'us'):.2f} | {ratio(results, NginxLarge.name):.2f} | "
                   f"{ratio(results, 'HAProxy'):.2f} | {share(results, 'Fairlead')} | ≤ {row['aim']:.2f} | "
                   f"{median(results, 'Fairlead', 'rate'):,.0f} |")
    names = ("Fairlead", "nginx", NginxLarge.name, "HAProxy")
    out += ["", f"| idle tunnels | {' | '.join(names)} |", "|---" * 5 + "|"]
    for title, text in (("open", lambda one: f"{one['open']:,}"), ("RSS each, KiB", lambda one: f"{one['kib']:.1f}"),
                        ("CPU of all in 3 s, s", lambda one: f"{one['cpu']:.2f}")):
        cells = [text(report["idle"][name]) for name in names]
        out.append(f"| {title} | **{cells[0]}** | {' | '.join(cells[1:])} |")
    return "\n".join(out)


if __name__ == "__main__":
    sys.exit(measure_alone(__doc__, run, table))
