"""Free ports, and waiting for something to become true."""

import collections
import itertools
import random
import socket
import time


# Below those that the system gives to outgoing connections, which could take one before it is listened on.
_FIRST, _LAST = 20_000, 32_000
_ports = itertools.cycle(range(_FIRST, _LAST))
# Several runs on one machine begin at different places. A faster one overtakes a slower one: the latest ports of each are
# marked by names that no other run can have meanwhile (abstract sockets, which end with their process).
for _ in range(random.randrange(_LAST - _FIRST)):
    next(_ports)
_marks = collections.deque(maxlen=200)


def free_port(kind=socket.SOCK_STREAM):
    """A port that nobody listens on, no other run was given lately, and this process not before."""
    for port in itertools.islice(_ports, _LAST - _FIRST):
        mark = socket.socket(socket.AF_UNIX)
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                mark.bind(f"\0fairlead-test-port-{port}")
                probe.bind(("127.0.0.1", port))
            except OSError:
                mark.close()
                continue
        if len(_marks) == _marks.maxlen:
            _marks[0].close()
        _marks.append(mark)
        return port
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
