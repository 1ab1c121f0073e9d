#!/usr/bin/env python3
"""What a UDP router costs beside nginx's stream module (package libnginx-mod-stream).

CPU time of the proxy per datagram that was answered: one datagram of the client and one of the server. As in bench.py,
one worker each on core 0, rounds interleaved; the generator and the echoing server (udp_load) share core 1.
"""

import json
import pathlib
import subprocess
import sys

from bench import costed, measure_alone
from proxies import BINARY, LOAD_CORE, Process, pinned
from rounds import interleaved, median, share, told

LOAD = pathlib.Path(BINARY).parent / "udp_load"
MODULE = pathlib.Path("/usr/lib/nginx/modules/ngx_stream_module.so")
# name, clients, unanswered datagrams of each, bytes, further words, aim (ratio to nginx)
WORKS = (
    ("UDP, 100 clients, 100 B, one at a time", 100, 1, 100, (), 1.00),
    ("UDP, 10 clients, 1,200 B, 16 at a time", 10, 16, 1200, (), 1.00),
    ("UDP, new client per datagram, 100 B", 32, 1, 100, ("fresh",), 1.00),
)
TIMEOUT = "200ms"  # of a session: new clients leave none behind for long


class Udp(Process):
    def wait(self, path, seconds):
        for _ in range(100):
            if ask(self.port, 1, 1, 1, 10)["requests"] > 0:
                return
        raise SystemExit(f"{self.name} passes no datagram: {(self.folder / 'log').read_text()[-3000:]}")


class Echo(Udp):
    name, core = "echo", LOAD_CORE

    def command(self):
        return [str(LOAD), "echo", str(self.port)]


class Nginx(Udp):
    name = "nginx"

    def command(self):
        return ["nginx", "-p", str(self.folder), "-c", str(self.write("conf", f"""
load_module {MODULE};
daemon off; worker_processes 1; pid {self.folder}/pid; error_log {self.folder}/error crit;
worker_rlimit_nofile 38000;
events {{ worker_connections 36000; }}
stream {{ server {{ listen 127.0.0.1:{self.port} udp reuseport rcvbuf=1m; proxy_timeout {TIMEOUT};
                    proxy_pass 127.0.0.1:{self.options['backend']}; }} }}
"""))]


class Fairlead(Udp):
    name = "Fairlead"

    def command(self):
        dynamic = {"udp": {"routers": {"any": {"service": "echo"}}, "services": {"echo": {"loadBalancer": {
            "servers": [{"address": f"127.0.0.1:{self.options['backend']}"}]}}}}}
        install = {"entryPoints": {"udp": {"address": f"127.0.0.1:{self.port}/udp", "udp": {"timeout": TIMEOUT}}},
                   "providers": {"file": {"filename": str(self.write("dynamic.yml", json.dumps(dynamic)))}},
                   "log": {"level": "ERROR"}}
        return [BINARY, f"--configFile={self.write('install.yml', json.dumps(install))}", "--workers=1"]


def ask(port, seconds, clients, window, size, *more):
    command = [str(LOAD), "ask", *map(str, (port, seconds, clients, window, size)), *more]
    return json.loads(subprocess.run(pinned(LOAD_CORE, command), capture_output=True, check=True, timeout=60).stdout)


def run(options):
    """Rows of name, aim and the runs of each contender; `us` is µs per datagram and its answer."""
    rows = []
    with Echo() as echo:
        proxies = [kind(backend=echo.port) for kind in ([Nginx] if MODULE.exists() else []) + [Fairlead]]
        try:
            for name, clients, window, size, more, aim in WORKS:
                def measure(proxy):
                    return costed(proxy, options.seconds, lambda: ask(proxy.port, options.seconds, clients, window, size, *more))

                results = interleaved(proxies, options.rounds, measure)
                rows.append({"name": name, "aim": aim, "results": results})
                print(name, told(results, lost="lost"), flush=True)
        finally:
            for proxy in proxies:
                proxy.__exit__()
    return rows


def table(rows):
    out = ["CPU time of UDP routers per datagram and its answer. Ratios are to nginx's stream module.", "",
           "| work | nginx, µs | **Fairlead** | aim | Fairlead, datagrams per CPU second |", "|---|---|---|---|---|"]
    for row in rows:
        results = row["results"]
        base, cell = ((f"{median(results, 'nginx', 'us'):.2f}", share(results, 'Fairlead')) if "nginx" in results
                       else ("–", "–"))
        out.append(f"| {row['name']} | {base} | {cell} | ≤ {row['aim']:.2f} "
                   f"| {2e6 / median(results, 'Fairlead', 'us'):,.0f} |")
    return "\n".join(out)


if __name__ == "__main__":
    sys.exit(measure_alone(__doc__, run, table))
