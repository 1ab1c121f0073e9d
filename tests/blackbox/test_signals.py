"""Signals that do not ask it to stop."""

import signal

import pytest
from support.fairlead import routes
from support.ports import wait_for

# None of these ends a Go program, hence Traefik; by default each ends a process.
HARMLESS = [signal.SIGUSR2, signal.SIGALRM, signal.SIGVTALRM, signal.SIGIO, signal.SIGPWR, signal.SIGPIPE]


@pytest.mark.parametrize("number", HARMLESS, ids=lambda number: number.name)
def test_a_signal_that_means_nothing_ends_nothing(start, origin, number):
    running = start(routes(app=[origin.url]))

    running.signal(number)

    running.wait_status(200, "app")  # a round trip later it would be gone
    running.signal(signal.SIGUSR1)
    wait_for(lambda: "log files opened again" in running.log(), 30, "a signal that means something is obeyed")
    assert running.process.poll() is None


def test_a_log_as_large_as_a_file_may_be_ends_nothing(start, origin):
    running = start(routes(app=[origin.url]), prefix=["prlimit", "--fsize=65536"])

    for _ in range(300):
        assert running.ask(host="app", headers={"User-Agent": "x" * 400}).status == 200

    wait_for(lambda: running.access_path.stat().st_size > 60000, 30, "the access log reaches its limit")
    assert running.ask(host="app").status == 200
