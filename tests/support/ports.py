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


def wait_for(condition, seconds=10.0, what="condition", every=0.02):
    """Calls `condition` until it returns something true; returns that."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s (last: {found!r})")
        time.sleep(every)
