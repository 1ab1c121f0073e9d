"""Compose projects, and traffic that must not notice what is done to them."""

import os
import time

import pytest
from conftest import RUN, hostname_of, name_of
from support.engine import Compose, Load
from support.fairlead import ROOT
from support.ports import free_port, wait_for
from support.raw import ask


def project(host):
    return f"""
version: "3.8"
services:
  web:
    image: {RUN}-whoami:latest
    command: whoami --name web
    labels:
      fairlead.e2e: {RUN}
      traefik.http.routers.{host}.rule: Host(`{host}`)
  plain:
    image: {RUN}-whoami:latest
    command: whoami --name plain
    labels:
      fairlead.e2e: {RUN}
"""


def test_service_and_project_name_the_default_route(engine, proxy, name):
    with Compose(engine, "dflt", project(name)) as compose:
        compose("up", "-d")

        assert name_of(proxy.wait_status(200, f"plain-{compose.name}")) == "plain"
        assert name_of(proxy.wait_status(200, name)) == "web"


def test_scale_up_and_down(engine, proxy, name):
    with Compose(engine, "scale", project(name)) as compose:
        compose("up", "-d", "--scale", "web=3")
        wait_for(lambda: len({hostname_of(a) for a in [proxy.ask(host=name) for _ in range(12)] if a.status == 200}) == 3,
                 15, "three answer")

        compose("up", "-d", "-t", "1", "--scale", "web=1")

        wait_for(lambda: len({hostname_of(a) for a in [proxy.ask(host=name) for _ in range(12)] if a.status == 200}) == 1,
                 15, "one answers")


@pytest.mark.parametrize("deed", [
    ("up", "-d", "-t", "2", "--force-recreate", "web"),
    ("restart", "-t", "2", "web"),
    ("up", "-d", "-t", "2", "--scale", "web=3", "web"),
], ids=["force-recreate", "restart", "scale"])
def test_constant_load_notices_nothing(engine, proxy, name, deed):
    with Compose(engine, "load", project(name)) as compose:
        compose("up", "-d")
        proxy.wait_status(200, name)

        with Load(lambda: proxy.ask(host=name), per_second=80) as load:
            time.sleep(0.5)
            compose(*deed)
            time.sleep(1.5)
            compose(*deed)
            if "--scale" in deed:
                compose("up", "-d", "-t", "2", "--scale", "web=1", "web")
            time.sleep(2)

        assert load.failures == []
        assert load.sent >= 100


def test_the_shipped_stack_routes(engine, name):
    """compose/compose.yml as "./dev run" starts it, on other ports and with this run's images."""
    text = (ROOT / "compose/compose.yml").read_text()
    text = text.replace("fairlead:latest", f"{RUN}:latest").replace("fairlead-whoami:latest", f"{RUN}-whoami:latest")
    web, api = free_port(), free_port()
    os.environ.update(FAIRLEAD_HTTP=str(web), FAIRLEAD_API=f"127.0.0.1:{api}",
                      DOCKER_GID=str(os.stat("/var/run/docker.sock").st_gid))
    with Compose(engine, "stack", text) as compose:
        compose("up", "-d")

        def served(host):
            try:
                answer = ask(web, host=host, timeout=20)
            except Exception:  # not listening yet
                return None
            return answer if answer.status == 200 else None

        assert name_of(wait_for(lambda: served("whoami.localhost"), 30, "the labelled route")) == "whoami"
        assert name_of(wait_for(lambda: served(f"app-{compose.name}.localhost"), 10, "the default route")) == "app"
        assert ask(api, target="/api/overview").status == 200
