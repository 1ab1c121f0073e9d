#!/usr/bin/env python3
"""Reloads under traffic: no request may fail, and memory must stay flat."""

import argparse
import statistics
import sys
import threading
import time

from proxies import Backend, Fairlead, status, wrk


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reloads", type=int, default=1000)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--routers", type=int, default=100)
    options = parser.parse_args()
    begun = time.monotonic()
    with Backend() as backend, Fairlead(backend=backend.port, routers=options.routers, workers=2) as proxy:
        seen = {"requests": 0, "failed": 0}
        reloads_done = threading.Event()

        def traffic():
            # Keep-alive and one connection per request in turn: both kinds must survive a reload.
            turn = 0
            while not reloads_done.is_set() or seen["requests"] < options.requests:
                run = wrk(proxy.port, "/100b", seconds=5, connections=32, close=turn % 4 == 3, hosts=options.routers)
                seen["requests"] += run["requests"]
                seen["failed"] += run["failed"]
                turn += 1

        thread = threading.Thread(target=traffic)
        thread.start()
        memory, slow = [], 0.0
        for i in range(options.reloads):
            name = f"extra{i}.test"
            proxy.write_routes(options.routers + i % 7, extra=name)
            written = time.monotonic()
            while status(proxy.port, "/100b", name) != 200:
                if time.monotonic() - written > 30:
                    raise SystemExit(f"reload {i} was not applied within 30 s")
                time.sleep(0.01)
            slow = max(slow, time.monotonic() - written)
            memory.append(proxy.rss())
            if i % 100 == 99:
                print(f"{i + 1} reloads, {seen['requests']} requests, {seen['failed']} failed, "
                      f"RSS {memory[-1] / 1024:.1f} MiB", flush=True)
        reloads_done.set()
        thread.join()
        quarter = max(1, len(memory) // 4)
        # The first quarter warms pools and arenas; growth after it would be a leak.
        early, late = (statistics.median(part) / 1024 for part in (memory[quarter : 2 * quarter], memory[-quarter:]))
        flat = late <= early * 1.05 + 1
        print(f"{options.reloads} reloads, {seen['requests']} requests, {seen['failed']} failed; slowest reload "
              f"{slow:.2f} s; RSS {early:.1f} → {late:.1f} MiB ({'flat' if flat else 'GROWING'}); "
              f"{time.monotonic() - begun:.0f} s")
    return 0 if flat and not seen["failed"] else 1


if __name__ == "__main__":
    sys.exit(main())
