import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.acme_site import Stage  # noqa: E402
from support.fairlead import BINARY, routes  # noqa: E402
from support.fixtures import start  # noqa: E402, F401
from support.origin import Origin  # noqa: E402
from support.pebble import Pebble  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "own_clock: the program's clock is changed by libfaketime, which AddressSanitizer "
                                       "calls while it frees memory: not for a sanitized binary")
    config.addinivalue_line("markers", "no_descriptors: the program has none left, and UBSan, which looks at an object's type "
                                       "through a pipe, takes a live one for dead: not for a sanitized binary")
    config.addinivalue_line("markers", "own_heap: about memory that the C library's heap gives back to the system: not for a "
                                       "sanitized binary, which has another heap")


def pytest_collection_modifyitems(config, items):
    if b"__asan_init" not in pathlib.Path(BINARY).read_bytes():
        return
    unfit = [item for item in items if any(map(item.get_closest_marker, ("own_clock", "no_descriptors", "own_heap")))]
    config.hook.pytest_deselected(items=unfit)
    items[:] = [item for item in items if item not in unfit]


@pytest.fixture
def origin():
    """A server behind the router. A test fails when the router sent it anything it may not send."""
    with Origin() as server:
        yield server
        assert server.violations == []


@pytest.fixture
def proxy(start, origin):
    """Fairlead with one route: Host(`app`) to `origin`."""
    return start(routes(app=[origin.url]))


@pytest.fixture(scope="module")
def pebble():
    """A real authority for the tests of one file."""
    with Pebble() as authority:
        yield authority


@pytest.fixture
def stage(start, pebble, tmp_path):
    return Stage(start, pebble, tmp_path)
