#!/usr/bin/env python3
"""What a TLS handshake costs beside nginx and HAProxy, and what an idle TLS connection keeps.

CPU time of the proxy per connection, as in bench.py: accept, TLS 1.3 handshake, tickets, close; no request. Certificates
have one intermediate above them, as those of public authorities do.
"""

import json
import pathlib
import socket
import ssl
import subprocess
import sys
import time

from bench import costed, longer, measure_alone
from proxies import BINARY, LOAD_CORE, Backend, Fairlead, HandshakeFloor, HAProxy, Nginx, host, pinned
from rounds import interleaved, median, ratio, share, told

LOAD = pathlib.Path(BINARY).parent / "handshake_load"
CONTENDERS = (Nginx, HAProxy, Fairlead)
# name, kind of key, mode of the generator, aim (ratio to nginx)
WORKS = (
    ("full handshake, P-256", "P-256", "full", 0.90),
    ("full handshake, RSA-2048", "RSA-2048", "full", 0.97),
    ("resumed handshake (P-256)", "P-256", "resumed", 0.90),
)
CLIENTS = 16  # connections at once
IDLE = 3000
IDLE_AIM = 15  # KiB


def shake(port, mode, seconds):
    command = [str(LOAD), mode, str(port), str(seconds), str(CLIENTS), host(0)]
    seen = json.loads(subprocess.run(pinned(LOAD_CORE, command), capture_output=True, check=True, timeout=60).stdout)
    if mode == "resumed":  # all but those of the first moment
        seen["failed"] += max(0, seen["requests"] - seen["resumed"] - CLIENTS)
    return seen


def idle(proxy):
    """KiB of RSS of one idle HTTP/1.1 connection over TLS that served a request."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    request = f"GET /100b HTTP/1.1\r\nHost: {host(0)}\r\n\r\n".encode()
    connections = []
    try:
        before = 0
        for number in range(IDLE + 100):
            if number == 100:  # the first ones warm up what all share
                before = proxy.rss()
            connection = context.wrap_socket(socket.create_connection(("127.0.0.1", proxy.tls_port), 10), server_hostname=host(0))
            connection.sendall(request)
            got = b""
            while b"x" * 100 not in got:
                got += connection.recv(4096)
            connections.append(connection)
        time.sleep(4)
        return (proxy.rss() - before) / IDLE
    finally:
        for connection in connections:
            connection.close()


def run(options):
    """Rows of name, aim and the runs of each contender; `us` is µs per handshake, `kib` of the last row KiB."""
    rounds, seconds = longer(options)  # handshakes under way when a burst ends are not counted
    rows = []
    with Backend() as backend:
        for name, kind, mode, aim in WORKS:
            proxies = [one(backend=backend.port, certificate=kind) for one in (*CONTENDERS, HandshakeFloor)]
            try:
                for proxy in proxies:
                    shake(proxy.tls_port, mode, 1)

                def measure(proxy):
                    return costed(proxy, seconds, lambda: shake(proxy.tls_port, mode, seconds))

                results = interleaved(proxies, rounds, measure)
            finally:
                for proxy in proxies:
                    proxy.__exit__()
            rows.append({"name": name, "aim": aim, "results": results})
            print(name, told(results, digits=1), flush=True)
        kept = {}
        for one in CONTENDERS:
            with one(backend=backend.port) as proxy:
                kept[one.name] = idle(proxy)
        rows.append({"name": "RSS of an idle TLS connection, KiB", "aim": IDLE_AIM, "kib": kept})
        print("idle", kept, flush=True)
    return rows


def table(rows):
    out = ["CPU time of TLS 1.3 handshakes: accept, handshake, tickets and close, without a request. Ratios are to "
           "nginx.", "",
           "| work | nginx | HAProxy | server that only shakes hands | **Fairlead** | aim | Fairlead, handshakes per CPU second |",
           "|---|---|---|---|---|---|---|"]
    for row in rows:
        if "kib" in row:
            kept = row["kib"]
            out.append(f"| {row['name']} | {kept['nginx']:.1f} | {kept['HAProxy']:.1f} | – | **{kept['Fairlead']:.1f}** "
                       f"| ≤ {row['aim']} | – |")
            continue
        results = row["results"]
        out.append(f"| {row['name']} | {median(results, 'nginx', 'us'):.1f} µs | {ratio(results, 'HAProxy'):.2f} "
                   f"| {ratio(results, 'handshake floor'):.2f} | {share(results, 'Fairlead')} | ≤ {row['aim']:.2f} | {1e6 / median(results, 'Fairlead', 'us'):,.0f} |")
    return "\n".join(out)


if __name__ == "__main__":
    sys.exit(measure_alone(__doc__, run, table))
