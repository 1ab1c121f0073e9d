import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.fairlead import Fairlead, routes  # noqa: E402
from support.origin import Origin  # noqa: E402


@pytest.fixture
def origin():
    """A server behind the router. A test fails when the router sent it anything it may not send."""
    with Origin() as server:
        yield server
        assert server.violations == []


@pytest.fixture
def start():
    """start(dynamic, …) → a running Fairlead, ended after the test."""
    running = []

    def begin(*args, ready=True, **options):
        instance = Fairlead(*args, **options)
        running.append(instance)
        return instance.start(ready)

    yield begin
    for instance in running:
        instance.stop()


@pytest.fixture
def proxy(start, origin):
    """Fairlead with one route: Host(`app`) to `origin`."""
    return start(routes(app=[origin.url]))
