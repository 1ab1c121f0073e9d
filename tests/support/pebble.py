"""A real ACME authority (pebble) with its mock DNS, for tests: every name resolves to 127.0.0.1."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import urllib.request
import ssl

from support.ports import free_port, wait_for


def _openssl(*arguments, folder):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


class Pebble:
    """`http_port` and `tls_port` are where the authority asks for answers; `validity` is in seconds. More settings
    of its configuration file go into `config`, of its environment into `env`."""

    def __init__(self, http_port=None, tls_port=None, validity=7776000, config=None, env=None, nonce_reject=5,
                 dns_port=None, listen="127.0.0.1"):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pebble-test-"))
        self.port, self.management = free_port(), free_port()
        self.mocks_dns = dns_port is None
        self.dns_port, self.dns_management = dns_port or free_port(), free_port()
        self.http_port, self.tls_port = http_port or free_port(), tls_port or free_port()
        self.validity, self.config, self.nonce_reject = validity, config or {}, nonce_reject
        self.env, self.listen = env or {}, listen
        self.processes = []
        self.ca = self.folder / "ca.pem"
        self.log_path = self.folder / "log"

    @property
    def directory(self):
        return f"https://127.0.0.1:{self.port}/dir"

    def __enter__(self):
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        _openssl("req", "-x509", *curve, "-days", "3650", "-subj", "/CN=pebble test CA", "-keyout", "ca.key", "-out",
                 "ca.pem", folder=self.folder)
        _openssl("req", *curve, "-subj", "/CN=localhost", "-keyout", "srv.key", "-out", "srv.csr", folder=self.folder)
        (self.folder / "ext").write_text(
            "subjectAltName=DNS:localhost,DNS:pebble,IP:127.0.0.1,IP:172.17.0.1\nextendedKeyUsage=serverAuth\n")
        _openssl("x509", "-req", "-in", "srv.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "3650",
                 "-extfile", "ext", "-out", "srv.pem", folder=self.folder)
        self.start()
        return self

    def start(self):
        """Starts it; whatever an earlier one knew is forgotten."""
        (self.folder / "pebble.json").write_text(json.dumps({"pebble": {
            "listenAddress": f"{self.listen}:{self.port}",
            "managementListenAddress": f"127.0.0.1:{self.management}",
            "certificate": str(self.folder / "srv.pem"), "privateKey": str(self.folder / "srv.key"),
            "httpPort": self.http_port, "tlsPort": self.tls_port, "ocspResponderURL": "",
            "externalAccountBindingRequired": False, "certificateValidityPeriod": self.validity,
            "profiles": {"default": {"description": "default", "validityPeriod": self.validity}}, **self.config}}))
        kept = {"PATH": os.environ["PATH"], "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_AUTHZREUSE": "0",
                "PEBBLE_WFE_NONCEREJECT": str(self.nonce_reject), **self.env}
        if self.mocks_dns:
            self._spawn(["pebble-challtestsrv", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-dns01",
                         f"127.0.0.1:{self.dns_port}", "-http01", "", "-https01", "", "-tlsalpn01", "", "-management",
                         f"127.0.0.1:{self.dns_management}"], kept)
        self._spawn(["pebble", "-config", str(self.folder / "pebble.json"), "-dnsserver",
                     f"127.0.0.1:{self.dns_port}"], kept)
        wait_for(self._answers, 30, "pebble answers")

    def _spawn(self, command, env):
        with open(self.log_path, "ab") as log:
            self.processes.append(subprocess.Popen(command, stdout=log, stderr=log, env=env, cwd=self.folder))

    def _answers(self):
        try:
            return self._get(f"https://127.0.0.1:{self.port}/dir")
        except OSError:
            return None

    def _get(self, url):
        context = ssl.create_default_context(cafile=str(self.ca))
        return urllib.request.urlopen(url, timeout=30, context=context).read()

    def stop(self):
        for process in self.processes:
            process.kill()
            process.wait()
        self.processes = []

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def root(self, number=0):
        """The root that signs what it issues, as a file; new at every start."""
        path = self.folder / f"root-{number}.pem"
        path.write_bytes(self._get(f"https://127.0.0.1:{self.management}/roots/{number}"))
        return path

    def log(self):
        return self.log_path.read_text("utf-8", "replace")

    def orders(self):
        return len(re.findall(r'Added order "', self.log()))

    def issued(self):
        return len(re.findall(r"Issued certificate serial", self.log()))

    def accounts(self):
        found = re.findall(r"There are now (\d+) accounts", self.log())
        return int(found[-1]) if found else 0

    def dns(self, path, **body):
        """A call to the mock DNS server: dns("/set-servfail", host="x")."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.dns_management}{path}", json.dumps(body).encode())
        urllib.request.urlopen(request, timeout=30).read()

    def resolver(self, storage, challenge, **more):
        """A certificate resolver of this authority."""
        return {"acme": {"email": "owner@example.org", "storage": str(storage), "caServer": self.directory,
                         "caCertificates": [str(self.ca)], **challenge, **more}}
