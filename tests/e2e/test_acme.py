"""A Compose stack whose labelled container gets its certificate from a real authority."""

import os
import socket
import ssl

from conftest import MARK, RUN
from support.certificates import TlsClient
from support.engine import Compose
from support.pebble import Pebble
from support.ports import free_port, wait_for
from support.raw import ask


def stack(pebble, web, secure):
    return f"""
version: "3.8"
services:
  fairlead:
    image: {RUN}:latest
    command:
      - --entryPoints.web.address=:80
      - --entryPoints.websecure.address=:443
      - --providers.docker.constraints=Label(`{MARK}`,`{RUN}`)
      - --certificatesResolvers.pebble.acme.email=owner@example.org
      - --certificatesResolvers.pebble.acme.storage=/data/acme.json
      - --certificatesResolvers.pebble.acme.caServer=https://pebble:{pebble.port}/dir
      - --certificatesResolvers.pebble.acme.caCertificates=/ca.pem
      - --certificatesResolvers.pebble.acme.httpChallenge.entryPoint=web
    extra_hosts:
      - "pebble:host-gateway"
    ports:
      - "127.0.0.1:{web}:80"
      - "127.0.0.1:{secure}:443"
    volumes:
      - /var/run/docker.sock:/var/run/docker.sock:ro
      - {pebble.ca}:/ca.pem:ro
    group_add:
      - "{os.stat('/var/run/docker.sock').st_gid}"
  site:
    image: {RUN}-whoami:latest
    command: whoami --name site
    labels:
      {MARK}: {RUN}
      fairlead.host: site.test
"""


class Root:
    def __init__(self, path):
        self.cert = path


def trusted(port, root):
    context = ssl.create_default_context(cafile=str(root))
    try:
        with socket.create_connection(("127.0.0.1", port), 20) as plain:
            with context.wrap_socket(plain, server_hostname="site.test") as secure:
                return secure.getpeercert()
    except OSError:
        return None


def test_one_label_is_enough_for_a_site_with_verified_https(engine):
    web, secure = free_port(), free_port()
    with Pebble(web, secure, listen="0.0.0.0") as pebble:
        pebble.ca.chmod(0o644)
        pebble.folder.chmod(0o755)
        with Compose(engine, "acme", stack(pebble, web, secure)) as compose:
            compose("up", "-d")

            wait_for(lambda: trusted(secure, pebble.root()), 60, "site.test has a trusted certificate")

            with TlsClient(secure, "site.test", Root(pebble.root())) as client:
                answer = client.ask(host="site.test")
            assert answer.status == 200 and b"Name: site" in answer.body
            redirect = ask(web, target="/x", host="site.test")
            assert redirect.status == 308 and redirect.header("Location") == "https://site.test/x"
            assert pebble.orders() == 1
            assert "kept in memory" not in compose("logs", "fairlead"), "the image has a place for acme.json"
