"""Sites whose certificates come from a real authority (support/pebble.py), and what clients see of them."""

import json
import socket
import ssl
import subprocess

from support.fairlead import BINARY, environment
from support.ports import wait_for


def served(port, name, authority=None):
    """The certificate that a client gets for `name`, as the ssl module describes it; None when it is not trusted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(str(authority))
    try:
        with socket.create_connection(("127.0.0.1", port), 20) as plain:
            with context.wrap_socket(plain, server_hostname=name) as secure:
                return secure.getpeercert()
    except (ssl.SSLError, OSError):
        return None


def names_of(certificate):
    return sorted(value for _, value in certificate["subjectAltName"])


def wait_served(proxy, name, authority, seconds=30.0):
    return wait_for(lambda: served(proxy.port("secure"), name, authority), seconds, f"{name} has a trusted certificate")


def site(origin, *rules, resolver="le", **tls):
    """Each of `rules` is a rule, or (rule, tls block)."""
    routers = {}
    for number, rule in enumerate(rules):
        rule, block = rule if isinstance(rule, tuple) else (rule, {})
        routers[f"r{number}"] = {"rule": rule, "service": "origin", "entryPoints": ["secure"],
                                 "tls": {"certResolver": resolver, **block}}
    return {"http": {"routers": routers,
                     "services": {"origin": {"loadBalancer": {"servers": [{"url": origin.url}]}}}}, **tls}


class Stage:
    """Ports that a pebble and a Fairlead agree on, and storage that outlives both."""

    def __init__(self, start, pebble, folder):
        self.start_fairlead, self.pebble, self.folder = start, pebble, folder
        self.storage = folder / "acme.json"
        self.control = folder / "run"
        self.control.mkdir()

    def start(self, dynamic, challenge=None, install=None, resolvers=None, ready=True, **more):
        challenge = challenge or {"httpChallenge": {"entryPoint": "web"}}
        resolvers = resolvers or {"le": self.pebble.resolver(self.storage, challenge, **more)}
        points = {"web": {"address": f"127.0.0.1:{self.pebble.http_port}"},
                  "secure": {"address": f"127.0.0.1:{self.pebble.tls_port}"}}
        install = {"certificatesResolvers": resolvers, **(install or {})}
        install["entryPoints"] = {name: {**points.get(name, {}), **block} for name, block in
                                  {**points, **install.get("entryPoints", {})}.items()}
        proxy = self.start_fairlead(dynamic, install, entry_points=(), ready=ready,
                                    env={"XDG_RUNTIME_DIR": str(self.control)})
        proxy.ports.update(web=self.pebble.http_port, secure=self.pebble.tls_port)
        return proxy

    def certs(self, *arguments):
        return subprocess.run([BINARY, "certs", *arguments], capture_output=True, text=True, timeout=200,
                              env=environment(XDG_RUNTIME_DIR=str(self.control)))

    def stored(self):
        return json.loads(self.storage.read_text())

    def wait_certificates(self, count=1, resolver="le"):
        """The certificates in the storage once there are so many: they are served before they are stored."""
        def found():
            try:
                kept = self.stored().get(resolver, {}).get("Certificates")
            except (OSError, ValueError):  # there is none yet, or it is empty
                return None
            return kept if kept and len(kept) == count else None

        return wait_for(found, 30, f"{count} certificates are stored")


def row(proxy, name):
    return next((c for c in proxy.api("/api/certificates?per_page=1000") if name in c["sans"]), None)


def reason(proxy, router):
    found = proxy.router(router)
    return " ".join(found.get("error", [])) if found else ""
