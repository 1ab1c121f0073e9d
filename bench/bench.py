#!/usr/bin/env python3
"""Fairlead beside nginx and HAProxy in one run on loopback: what a request costs each of them.

The figure is CPU time of the proxy per request: user and system time of all its processes from /proc. One worker
each, on core 0; the generator (h2load, wrk) and the server behind the proxies (nginx) are on core 1. The contenders take
turns in short bursts (rounds.py), since absolute figures of two runs never compare.
"""

import argparse
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time

from proxies import LOAD_CORE, ROOT, Backend, Fairlead, Floor, HAProxy, Nginx, h2load, host, pinned, status, wrk
from rounds import interleaved, median, ratio, share, told

CONTENDERS = (Nginx, HAProxy, Fairlead)
# name, path, generator options, aim (ratio to nginx)
COSTS = (
    ("100 B, keep-alive", "/100b", {"connections": 64}, 0.70),
    ("100 kB", "/100k", {"connections": 32}, 0.80),
    ("10 MB", "/10m", {"connections": 8}, 0.42),
    ("new connection per request", "/100b", {"close": True}, 0.92),
)
# The same over TLS 1.3.
SECURE_COSTS = (
    ("TLS, 100 B, keep-alive", "/100b", {"tls": True, "connections": 64}, 0.80),
    ("TLS, 100 kB", "/100k", {"tls": True, "connections": 32}, 0.65),
    ("HTTP/2, 16 × 32 streams, 100 B", "/100b", {"tls": True, "connections": 16, "streams": 32}, 0.42),
    ("HTTP/2, 16 × 32 streams, 100 kB", "/100k", {"tls": True, "connections": 16, "streams": 32}, 0.75),
)
ROUTERS = (10, 1_000, 10_000, 100_000)


def costed(proxy, seconds, load):
    """What load() saw; `us` is the proxy's CPU time per request, `rate` requests per second."""
    before = proxy.cpu()
    seen = load()
    seen["us"] = (proxy.cpu() - before) * 1e6 / max(1, seen["requests"])
    seen.setdefault("rate", seen["requests"] / seconds)
    return seen


def longer(options):
    """Fewer rounds and longer bursts, for what has a costly beginning or end."""
    return max(3, options.rounds // 2), 4 * options.seconds


def costs(proxies, options, path, connections=64, streams=0, tls=False, **more):
    """Rounds of one kind of request; `streams` for HTTP/2.

    Bursts are of as many requests as the slowest serves in the time of one. Those over TLS with many connections are
    longer, so that handshakes are a small part of them. Other requests than keep-alive ones (`more`, of wrk) come from a
    generator that knows no time below a second, in fewer rounds.
    """
    if more:
        for proxy in proxies:
            wrk(proxy.port, path, 1, connections, **more)
        return interleaved(proxies, max(3, options.rounds // 4),
                           lambda proxy: costed(proxy, 1, lambda: wrk(proxy.port, path, 1, connections, **more)))

    def load(proxy, count):
        return h2load(proxy.tls_port if tls else proxy.port, path, tls=tls, count=count, connections=connections,
                      streams=max(1, streams), http1=streams == 0)

    fewest = 4 * connections * max(1, streams)
    slowest = min(load(proxy, fewest)["rate"] for proxy in proxies for _ in range(2))
    rounds, seconds = longer(options) if tls and streams == 0 else (options.rounds, options.seconds)
    count = max(fewest, int(slowest * seconds))
    return interleaved(proxies, rounds, lambda proxy: costed(proxy, seconds, lambda: load(proxy, count)))


def syscalls(proxy, seconds=3):
    """System calls per request with 64 busy connections, counted by strace."""
    report = tempfile.NamedTemporaryFile("r")
    pids = [argument for pid in proxy.pids() for argument in ("-p", str(pid))]
    tracer = subprocess.Popen(["strace", "-f", "-c", "-o", report.name, *pids], stderr=subprocess.DEVNULL)
    time.sleep(1)
    seen = wrk(proxy.port, "/100b", seconds)
    tracer.send_signal(signal.SIGINT)
    tracer.wait(20)
    total = 0
    kinds = {}
    for line in report.read().splitlines():
        row = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", line)
        if row and row.group(2) != "total":
            total += int(row.group(1))
            kinds[row.group(2)] = round(int(row.group(1)) / max(1, seen["requests"]), 2)
    top = {name: count for name, count in sorted(kinds.items(), key=lambda item: -item[1]) if count >= 0.01}
    return {"per_request": total / max(1, seen["requests"]), "kinds": top}


def idle(proxy, count):
    """KiB of RSS that one idle keep-alive connection costs, and CPU used by all of them in 3 s."""
    before = proxy.rss()
    request = f"GET /100b HTTP/1.1\r\nHost: {host(0)}\r\n\r\n".encode()
    connections = []
    try:
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", proxy.port), 10)
            connection.sendall(request)
            connection.recv(4096)
            connections.append(connection)
        after, used = proxy.rss(), proxy.cpu()
        time.sleep(3)
        return {"kib": (after - before) / count, "rest_mib": before / 1024, "cpu": proxy.cpu() - used}
    finally:
        for connection in connections:
            connection.close()


def http2_get(connection, path):
    """The first request of an HTTP/2 connection, and its answer up to the body."""
    fields = ((":method", "GET"), (":scheme", "https"), (":authority", host(0)), (":path", path))
    block = b"".join(b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode() for name, value in fields)
    connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0" +
                       struct.pack(">I", len(block))[1:] + b"\1\5\0\0\0\1" + block)
    got = b""
    while b"x" * 100 not in got:
        got += connection.recv(4096)
    connection.sendall(b"\0\0\0\4\1\0\0\0\0")  # the server's SETTINGS are acknowledged


def idle_http2(proxy, count):
    """KiB of RSS that one idle HTTP/2 connection over TLS costs."""
    before = proxy.rss()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    connections = []
    try:
        for _ in range(count):
            connection = context.wrap_socket(socket.create_connection(("127.0.0.1", proxy.tls_port), 10), server_hostname=host(0))
            http2_get(connection, "/100b")
            connections.append(connection)
        time.sleep(4)
        return (proxy.rss() - before) / count
    finally:
        for connection in connections:
            connection.close()


def fixed_rate(proxy, rate, seconds):
    """Latencies in ms at a fixed rate, from h2load's log of every request."""
    log = tempfile.NamedTemporaryFile("r")
    clients = 20
    subprocess.run(pinned(LOAD_CORE, ["h2load", "--h1", f"-c{clients}", f"-D{seconds}", f"--rps={rate / clients}",
                                      "-t1", f"--connect-to=127.0.0.1:{proxy.port}", f"--log-file={log.name}",
                                      f"http://{host(0)}/100b"]), stdout=subprocess.DEVNULL, check=True, timeout=60)
    times = sorted(int(line.split()[2]) / 1000 for line in log.read().splitlines())
    if not times:
        return {"p50": 0, "p99": 0, "n": 0}
    return {"p50": times[len(times) // 2], "p99": times[int(len(times) * 0.99)], "n": len(times)}


def reload_seconds(proxy, count):
    """From the replaced file to the new route that answers."""
    proxy.write_routes(count, extra="extra.test")
    begun = time.monotonic()
    while status(proxy.port, "/100b", "extra.test") != 200:
        if time.monotonic() - begun > 60:
            return float("nan")
        time.sleep(0.002)
    return time.monotonic() - begun


def run(options):
    report = {"costs": [], "routers": [], "rounds": options.rounds, "seconds": options.seconds}
    wanted = lambda name: not options.only or name in options.only  # noqa: E731
    with Backend() as backend:
        kinds = [kind for kind in CONTENDERS if kind.name in options.contenders]
        proxies = [kind(backend=backend.port) for kind in kinds]
        floor = [Floor(backend=backend.port)] if wanted("costs") else []
        try:
            for group, works in (("costs", COSTS), ("secure", SECURE_COSTS)):
                for name, path, generator, aim in works if wanted(group) else ():
                    # The forwarder has no queues for large bodies, and a new connection is one to the server too.
                    measured = proxies + floor if name == COSTS[0][0] else proxies
                    results = costs(measured, options, path, **generator)
                    report["costs"].append({"name": name, "aim": aim, "results": results})
                    print(name, told(results), flush=True)
            if wanted("latency"):
                report["latency"] = interleaved(proxies, min(5, options.rounds),
                                                lambda proxy: fixed_rate(proxy, options.rate, 1))
                print("latency", report["latency"], flush=True)
            if wanted("syscalls"):
                report["syscalls"] = {proxy.name: syscalls(proxy) for proxy in proxies}
                print("syscalls", report["syscalls"], flush=True)
        finally:
            for proxy in proxies + floor:
                proxy.__exit__()
        if wanted("idle"):
            report["idle"] = {}
            for kind in kinds:
                with kind(backend=backend.port) as proxy:
                    report["idle"][kind.name] = idle(proxy, options.idle)
                with kind(backend=backend.port) as proxy:
                    report["idle"][kind.name]["http2_kib"] = idle_http2(proxy, min(3000, options.idle))
            print("idle", report["idle"], flush=True)
        if wanted("routers"):
            routers(report, options, backend, kinds)
    if wanted("tcp"):
        import tcp  # takes its tools from this file

        report["tcp"] = tcp.run(options)
    if wanted("handshakes"):
        import handshakes  # takes its tools from this file

        report["handshakes"] = handshakes.run(options)
    if wanted("udp"):
        import udp  # takes its tools from this file

        report["udp"] = udp.run(options)
    if wanted("websocket"):
        import websocket  # takes its tools from this file

        report["websocket"] = websocket.run(options)
    return report


def routers(report, options, backend, kinds):
    """All sizes at once, so that their rounds interleave too."""
    class Sized:
        def __init__(self, kind, count):
            self.inner = kind(backend=backend.port, routers=count)
            self.name, self.count = f"{kind.name} {count}", count

    sized = [Sized(kind, count) for kind in kinds for count in ROUTERS]
    try:
        results = interleaved(sized, max(3, options.rounds // 2),
                              lambda one: costed(one.inner, 1, lambda: wrk(one.inner.port, "/100b", 1, hosts=one.count)))
        print("routers", told(results), flush=True)
        for count in ROUTERS:
            row = {"count": count}
            for kind in kinds:
                row[kind.name] = {"us": median(results, f"{kind.name} {count}", "us"),
                                  "ratio": ratio(results, f"{kind.name} {count}", f"{kind.name} {ROUTERS[0]}")}
            mine = next((one.inner for one in sized if one.name == f"Fairlead {count}"), None)
            if mine:
                row["start"], row["rss_mib"] = mine.start_seconds, mine.rss() / 1024
                row["reload"] = reload_seconds(mine, count)
            report["routers"].append(row)
            print(row, flush=True)
    finally:
        for one in sized:
            one.inner.__exit__()


def tables(report):
    out = []
    if report["costs"]:
        out += ["CPU time of the proxy per request. Ratios are to nginx.", "",
                "| work | nginx, µs | HAProxy | forwarder that parses nothing | **Fairlead** | aim | Fairlead, requests/s (nginx) |",
                "|---|---|---|---|---|---|---|"]
        for row in report["costs"]:
            results = row["results"]
            if "nginx" not in results or "Fairlead" not in results:
                continue
            rival, floor = (f"{ratio(results, name):.2f}" if name in results else "–" for name in ("HAProxy", "floor"))
            out.append(f"| {row['name']} | {median(results, 'nginx', 'us'):.1f} | {rival} | {floor} | "
                       f"{share(results, 'Fairlead')} | ≤ {row['aim']:.2f} | {median(results, 'Fairlead', 'rate'):,.0f} "
                       f"({median(results, 'nginx', 'rate'):,.0f}) |")
    if report["routers"]:
        out += ["", "Host() routers: CPU time per request against 10 routers of the same proxy; start and reload are from "
                "the YAML file to the first answer.", "",
                "| routers | Fairlead | nginx | HAProxy | start, s | reload, s | RSS, MiB |", "|---|---|---|---|---|---|---|"]
        for row in report["routers"]:
            cell = lambda name: f"{row[name]['ratio']:.2f}" if name in row else "–"  # noqa: E731
            out.append(f"| {row['count']:,} | **{cell('Fairlead')}** | {cell('nginx')} | {cell('HAProxy')} | "
                       f"{row.get('start', 0):.2f} | {row.get('reload', 0):.2f} | {row.get('rss_mib', 0):.0f} |")
    if report.get("handshakes"):
        import handshakes

        out += ["", handshakes.table(report["handshakes"])]
    if report.get("tcp"):
        import tcp

        out += ["", tcp.table(report["tcp"])]
    if report.get("udp"):
        import udp

        out += ["", udp.table(report["udp"])]
    if report.get("websocket"):
        import websocket

        out += ["", websocket.table(report["websocket"])]
    rest = []
    if "syscalls" in report:
        rest.append(("system calls per keep-alive request", {name: f"{one['per_request']:.2f}"
                                                             for name, one in report["syscalls"].items()}))
    if "idle" in report:
        rest.append(("RSS at rest, MiB", {name: f"{one['rest_mib']:.1f}" for name, one in report["idle"].items()}))
        rest.append(("RSS per idle connection, KiB", {name: f"{one['kib']:.2f}" for name, one in report["idle"].items()}))
        rest.append(("RSS per idle HTTP/2 connection over TLS, KiB",
                     {name: f"{one['http2_kib']:.1f}" for name, one in report["idle"].items()}))
        rest.append(("CPU of idle connections in 3 s, s", {name: f"{one['cpu']:.2f}" for name, one in report["idle"].items()}))
    if "latency" in report:
        for key in ("p50", "p99"):
            rest.append((f"latency at a fixed rate, {key}, ms",
                         {name: f"{median(report['latency'], name, key):.2f}" for name in report["latency"]}))
    if rest:
        out += ["", "| | Fairlead | nginx | HAProxy |", "|---|---|---|---|"]
        for name, cells in rest:
            out.append(f"| {name} | **{cells.get('Fairlead', '–')}** | {cells.get('nginx', '–')} | {cells.get('HAProxy', '–')} |")
    return "\n".join(out)


INTRODUCTION = """# Performance

Measured by `./dev bench`: Fairlead, nginx and HAProxy of the same distribution in one run on loopback, one worker each
on core 0, generator (wrk, h2load) and the server behind them (nginx) on core 1. Loopback flatters large bodies, for
every contender alike. Absolute figures of two runs never compare; ratios do.

"""
BEGIN, END = "<!-- begin of ./dev bench -->", "<!-- end of ./dev bench -->"


def write(report, path):
    versions = [subprocess.run(command, capture_output=True, text=True) for command in (["nginx", "-v"], ["haproxy", "-v"])]
    names = ", ".join((done.stdout + done.stderr).splitlines()[0].replace("nginx version: ", "").split(" - ")[0]
                      for done in versions)
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    block = (f"{BEGIN}\n{names}; {cpu.group(1) if cpu else 'unknown CPU'}; {report['rounds']} bursts of "
             f"{report['seconds']} s each (fewer and longer ones where a beginning costs much). A ratio is one of sums "
             "over all bursts; in brackets how far chance may have moved it (nine of ten drawings).\n\n"
             f"{tables(report)}\n{END}")
    text = path.read_text() if path.exists() else INTRODUCTION + BEGIN + END + "\n"
    before, rest = text.split(BEGIN, 1)
    path.write_text(before + block + rest.split(END, 1)[1])


def enter_quiet_network():
    """Moves to a network namespace of our own: the packet filter that a Docker Engine installs on a machine costs every
    contender the same few microseconds in the kernel, and so hides what is to be compared."""
    if os.getuid() != 0 or os.environ.get("BENCH_NAMESPACE"):
        return
    os.environ["BENCH_NAMESPACE"] = "1"
    inside = ["sh", "-c", 'ip link set lo up && exec "$0" "$@"', sys.executable, *sys.argv]
    os.execvp("unshare", ["unshare", "--net", *inside])


def arguments(description):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40, help="bursts of each measurement")
    parser.add_argument("--seconds", type=float, default=0.25, help="of one burst")
    return parser


def measure_alone(description, run, table):
    """The program of a comparison that can be run by itself: run(options) → rows, table(rows) → text."""
    enter_quiet_network()
    print("\n" + table(run(arguments(description).parse_args())))
    return 0


def main():
    enter_quiet_network()
    parser = arguments(__doc__)
    parser.add_argument("--rate", type=int, default=4000, help="requests per second of the latency measurement")
    parser.add_argument("--idle", type=int, default=9000, help="idle connections")
    parser.add_argument("--only", nargs="*", choices=["costs", "secure", "latency", "syscalls", "idle", "routers", "handshakes", "tcp", "udp",
                                                         "websocket"])
    parser.add_argument("--contenders", nargs="*", default=[kind.name for kind in CONTENDERS])
    parser.add_argument("--write", default=str(ROOT / "docs/performance.md"), help="file to write; empty: none")
    options = parser.parse_args()
    report = run(options)
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build/bench.json").write_text(json.dumps(report, indent=1))
    print("\n" + tables(report))
    # A partial run would overwrite figures that it did not measure.
    if options.write and not options.only:
        write(report, pathlib.Path(options.write))
    return 0


if __name__ == "__main__":
    sys.exit(main())
