"""Free ports, and waiting for something to become true."""

import itertools
import random
import socket
import time


# Below those that the system gives to outgoing connections, which could take one before it is listened on.
_FIRST, _LAST = 20_000, 32_000
_ports = itertools.cycle(range(_FIRST, _LAST))
# Several runs on one machine begin at different places.
for _ in range(random.randrange(_LAST - _FIRST)):
    next(_ports)


def free_port(kind=socket.SOCK_STREAM):
    """A port that nobody listens on, and that this process was not given before."""
    for port in itertools.islice(_ports, _LAST - _FIRST):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise AssertionError("no port is free")


def connections_to(port):
    """The kernel's table of connections to that port of 127.0.0.1 that their owners have not closed: lists of fields."""
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table][1:]
    return [row for row in rows if row[2].endswith(f":{port:04X}") and row[3] in ("01", "08")]


# How many times longer than an idle machine a busy one, or a sanitized binary on it, may take.
PATIENCE = 5


def wait_for(condition, seconds=10.0, what="condition", every=0.02):
    """Calls `condition` until it returns something true; returns that. `seconds` are those of an idle machine."""
    deadline = time.monotonic() + PATIENCE * seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {PATIENCE * seconds} s (last: {found!r})")
        time.sleep(every)
