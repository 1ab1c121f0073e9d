import itertools
import pathlib
import re
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.engine import MARK, RUN, DisposableEngine, Engine  # noqa: E402
from support.fairlead import BINARY, ROOT, Fairlead  # noqa: E402
from support.fixtures import start  # noqa: E402, F401
from support.images import image_of  # noqa: E402

numbers = itertools.count(1)


def docker_settings(**provider):
    """Install configuration that sees only this run's containers."""
    settings = {"constraints": f"Label(`{MARK}`,`{RUN}`)", **provider}
    return {"providers": {"docker": settings}}


@pytest.fixture(scope="session")
def engine():
    """The engine of the host, with the images of the binary under test."""
    engine = Engine()
    assert engine.is_up(), "no Docker Engine answers on /var/run/docker.sock (.ci/ensure-docker.sh start)"
    subprocess.run([str(ROOT / ".ci/image.sh"), BINARY, RUN], check=True, stdout=subprocess.DEVNULL)
    yield engine
    engine.clean()
    engine.cli("rmi", "-f", f"{RUN}:latest", f"{RUN}-whoami:latest", check=False)


@pytest.fixture(scope="session")
def knot_image(engine, tmp_path_factory):
    """A DNS server."""
    with image_of(engine, tmp_path_factory.mktemp("knot-image"), "knotd") as name:
        yield name


@pytest.fixture(scope="session")
def shared_proxy(engine):
    with Fairlead(install=docker_settings()) as running:
        yield running


@pytest.fixture
def proxy(shared_proxy, engine):
    """Fairlead on the host with the Docker provider; containers of the test are removed after it."""
    yield shared_proxy
    engine.clean()


@pytest.fixture
def name():
    """A container name, also the host of its default route, that no other test uses."""
    return f"{RUN}-c{next(numbers)}"


@pytest.fixture(scope="module")
def second(engine):
    disposable = DisposableEngine()
    disposable.begin()
    disposable.load(engine, f"{RUN}-whoami:latest")
    yield disposable
    disposable.close()


def hostname_of(answer):
    """The container that answered, from whoami's text."""
    return re.search(r"^Hostname: (.*)$", answer.text, re.M).group(1)


def name_of(answer):
    """The --name of the whoami that answered."""
    return re.search(r"^Name: (.*)$", answer.text, re.M).group(1)
