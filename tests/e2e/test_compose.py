"""Compose projects, and traffic that must not notice what is done to them."""

import base64
import os
import time

import pytest
from conftest import RUN, docker_settings, hostname_of, name_of
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


def test_a_project_written_for_the_image_of_traefik(engine, name):
    """Only the image is another one: the program and its health check are called by Traefik's name, and the file lies
    where that image looks for it."""
    web = free_port()
    text = f"""
version: "3.8"
services:
  traefik:
    image: {RUN}:latest
    command: traefik
    ports: ["127.0.0.1:{web}:80"]
    volumes:
      - /var/run/docker.sock:/var/run/docker.sock:ro
      - ./traefik.yml:/traefik.yml:ro
    group_add: ["{os.stat("/var/run/docker.sock").st_gid}"]
    healthcheck:
      test: ["CMD", "traefik", "healthcheck", "--ping"]
      interval: 1s
      retries: 30
  web:
    image: {RUN}-whoami:latest
    command: whoami --name web
    labels:
      fairlead.e2e: {RUN}
      traefik.enable: "true"
      traefik.http.routers.{name}.rule: Host(`{name}`)
"""
    with Compose(engine, "swapped", text) as compose:
        (compose.folder / "traefik.yml").write_text(
            "entryPoints: {web: {address: ':80'}}\nping: {}\nproviders:\n  docker: {exposedByDefault: false}\n")
        compose("up", "-d")
        router = compose("ps", "-q", "traefik").strip()

        wait_for(lambda: engine.inspect(router)["State"]["Health"]["Status"] == "healthy", 60, "the router is healthy")
        assert name_of(ask(web, host=name, timeout=20)) == "web"


def test_a_file_as_people_write_it(engine, start, name):
    """Anchors, labels as list and as map, `$$`, renamed, internal and IPv6 networks, a network that is shared."""
    text = f"""
x-base: &base
  image: {RUN}-whoami:latest
  labels: &labels
    fairlead.e2e: {RUN}
networks:
  default: {{}}
  front:
    name: {name}-renamed
  inner:
    internal: true
  six:
    enable_ipv6: true
    ipam:
      config: [{{subnet: "fd00:7:7::/64"}}, {{subnet: "10.203.77.0/24"}}]
services:
  anchored:
    <<: *base
    command: whoami --name anchored
    labels:
      <<: *labels
      traefik.http.routers.anchored.rule: Host(`anchored`)
      traefik.http.routers.anchored.middlewares: guard
      traefik.http.middlewares.guard.basicauth.users: "u:$$apr1$$H6uskkkW$$IgXLP6ewTrSuBkTrqE8wj/"
  listed:
    <<: *base
    command: whoami --name listed
    labels:
      - "fairlead.e2e={RUN}"
      - "traefik.http.routers.listed.rule=Host(`listed`) && PathPrefix(`/x`)"
      - traefik.http.routers.listed.middlewares=strip
      - traefik.http.middlewares.strip.stripprefix.prefixes=/x
    networks: [front, inner]
  inside:
    <<: *base
    command: whoami --name inside
    labels: ["fairlead.e2e={RUN}", "fairlead.host=inside"]
    networks: [inner]
  six:
    <<: *base
    command: whoami --name six
    labels: ["fairlead.e2e={RUN}", "fairlead.host=six"]
    networks: [six]
  vpn:
    <<: *base
    command: whoami --name vpn --port 81
    labels: ["fairlead.e2e={RUN}", "traefik.enable=false"]
    ports: ["127.0.0.1::80"]
  sidecar:
    <<: *base
    command: whoami --name sidecar
    network_mode: service:vpn
    labels: ["fairlead.e2e={RUN}", "fairlead.host=sidecar"]
"""
    proxy = start(install={**docker_settings(), "hold": {"requests": 0}, "reasons": {"detail": "full"}})
    with Compose(engine, "habits", text) as compose:
        compose("up", "-d")

        for host in ("inside", "six", "sidecar"):
            assert name_of(proxy.wait_status(200, host)) == host
        assert "GET /y " in proxy.wait_status(200, "listed", "/x/y").text
        proxy.wait_status(401, "anchored")
        login = base64.b64encode(b"u:test").decode()
        proxy.wait_status(200, "anchored", headers=[("Authorization", f"Basic {login}")])

        compose("run", "-d", "--rm", "inside", "whoami", "--name", "once")
        time.sleep(1)
        assert {name_of(proxy.ask(host="inside")) for _ in range(6)} == {"inside"}

        engine.remove(f"{compose.name}_vpn_1")
        # The state is told at once, its reason comes with the next configuration.
        wait_for(lambda: "which is unknown; if that one was replaced, recreate this one too" in proxy.wait_status(
            503, "sidecar", headers=[("Accept", "application/json")]).text, 10, "the reason is told")
