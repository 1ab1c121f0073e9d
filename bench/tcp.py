#!/usr/bin/env python3
"""What a TCP router costs beside HAProxy (with splicing) and, where its module is there, nginx's stream.

CPU time of the proxy, as in bench.py: bulk per gigabyte, small answers per request, and short connections. HAProxy is
the measure, because it moves bulk between sockets without touching it, as we do.
"""

import json
import pathlib
import sys

from bench import costs, measure_alone
from proxies import BINARY, Backend, Process
from rounds import median, ratio, share

# name, path, bytes of an answer, generator options, aim (ratio to HAProxy)
WORKS = (
    ("TCP, 10 MB, per GB", "/10m", 10_000_000, {"connections": 8}, 1.05),
    ("TCP, 100 kB, per GB", "/100k", 100_000, {"connections": 32}, 1.10),
    ("TCP, 100 B, keep-alive", "/100b", 0, {"connections": 64}, 1.00),
    ("TCP, new connection per request", "/100b", 0, {"close": True}, 1.00),
)
STREAM_MODULE = pathlib.Path("/usr/lib/nginx/modules/ngx_stream_module.so")


class HAProxyTcp(Process):
    name = "HAProxy"

    def command(self):
        return ["haproxy", "-db", "-f", str(self.write("conf", f"""
global
  nbthread 1
  maxconn 4000
defaults
  mode tcp
  option splice-request
  option splice-response
  timeout client 600s
  timeout server 600s
  timeout connect 5s
listen tcp
  bind 127.0.0.1:{self.port} backlog 4096
  server s 127.0.0.1:{self.options['backend']}
"""))]


class NginxStream(Process):
    name = "nginx"

    def command(self):
        return ["nginx", "-p", str(self.folder), "-c", str(self.write("conf", f"""
load_module {STREAM_MODULE};
daemon off; worker_processes 1; pid {self.folder}/pid; error_log {self.folder}/error crit;
worker_rlimit_nofile 19000;
events {{ worker_connections 18000; }}
stream {{ server {{ listen 127.0.0.1:{self.port} backlog=4096; proxy_pass 127.0.0.1:{self.options['backend']}; }} }}
"""))]


class FairleadTcp(Process):
    name = "Fairlead"

    def command(self):
        dynamic = {"tcp": {"routers": {"any": {"rule": "HostSNI(`*`)", "service": "backend"}},
                           "services": {"backend": {"loadBalancer": {
                               "servers": [{"address": f"127.0.0.1:{self.options['backend']}"}]}}}}}
        install = {"entryPoints": {"tcp": {"address": f"127.0.0.1:{self.port}"}},
                   "providers": {"file": {"filename": str(self.write("dynamic.yml", json.dumps(dynamic)))}},
                   "log": {"level": "ERROR"}}
        return [BINARY, f"--configFile={self.write('install.yml', json.dumps(install))}", "--workers=1"]


def contenders():
    return [HAProxyTcp, FairleadTcp] + ([NginxStream] if STREAM_MODULE.exists() else [])


def run(options):
    """Rows of name, aim and the runs of each contender; `us` is µs per request, or ms per GB."""
    rows = []
    with Backend() as backend:
        proxies = [kind(backend=backend.port) for kind in contenders()]
        try:
            for name, path, size, generator, aim in WORKS:
                results = costs(proxies, options, path, **generator)
                for burst in (one for bursts in results.values() for one in bursts if size):
                    burst["us"] *= 1e9 / size / 1000
                rows.append({"name": name, "aim": aim, "results": results})
                print(name, {key: f"{median(results, key, 'us'):.1f}, {median(results, key, 'rate'):.0f}/s" for key in results},
                      flush=True)
        finally:
            for proxy in proxies:
                proxy.__exit__()
    return rows


def table(rows):
    out = ["CPU time of TCP routers: ms per GB, else µs per request. Ratios are to HAProxy (`option splice-request`, `splice-response`).", "", "| work | HAProxy | **Fairlead** | aim | nginx stream |", "|---|---|---|---|---|"]
    for row in rows:
        results = row["results"]
        other = f"{ratio(results, 'nginx', 'HAProxy'):.2f}" if "nginx" in results else "–"
        out.append(f"| {row['name']} | {median(results, 'HAProxy', 'us'):.1f} | {share(results, 'Fairlead', 'HAProxy')} "
                   f"| ≤ {row['aim']:.2f} | {other} |")
    return "\n".join(out)


if __name__ == "__main__":
    sys.exit(measure_alone(__doc__, run, table))
