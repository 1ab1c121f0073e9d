"""A real Knot DNS server on 127.0.0.1, primary of example.test; TSIG-signed updates may change the zone."""

import pathlib
import shutil
import socket
import struct
import subprocess
import tempfile

from support.ports import free_port, wait_for

KEY, SECRET = "updates", "c2VjcmV0IHNoYXJlZCB3aXRoIHRoZSBzZXJ2ZXI="


class Knot:
    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="knot-test-"))
        self.port = free_port()
        (self.folder / "zone").write_text("\n".join((
            "$ORIGIN example.test.", "$TTL 1", "@ SOA ns1 admin 1 60 60 3600 1", "@ NS ns1", "ns1 A 127.0.0.1",
            "* A 127.0.0.1", "_acme-challenge.delegated CNAME delegated.proofs", "")))
        (self.folder / "knot.conf").write_text(f"""
server:
    rundir: {self.folder}
    listen: 127.0.0.1@{self.port}
    background-workers: 1
    udp-workers: 1
    tcp-workers: 1
database:
    storage: {self.folder}
log:
  - target: stderr
    any: info
key:
  - id: {KEY}
    algorithm: hmac-sha256
    secret: {SECRET}
acl:
  - id: signed
    key: {KEY}
    action: update
zone:
  - domain: example.test
    storage: {self.folder}
    file: zone
    acl: signed
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
""")
        self.log_path = self.folder / "log"
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([shutil.which("knotd") or "/usr/sbin/knotd", "-c",
                                             str(self.folder / "knot.conf")], stdout=log, stderr=log)
        wait_for(lambda: self.texts("example.test") is not None, 20, "Knot answers")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    @property
    def environment(self):
        return {"RFC2136_NAMESERVER": self.address, "RFC2136_TSIG_KEY": KEY, "RFC2136_TSIG_SECRET": SECRET,
                "RFC2136_TSIG_ALGORITHM": "hmac-sha256.", "RFC2136_POLLING_INTERVAL": "1"}

    def log(self):
        return self.log_path.read_text("utf-8", "replace")

    def texts(self, name):
        """How many TXT records the name has; None when the server does not answer with NOERROR or NXDOMAIN."""
        question = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0\0\x10\0\1"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(5)
            try:
                client.sendto(b"\x12\x34\0\0\0\1\0\0\0\0\0\0" + question, ("127.0.0.1", self.port))
                answer = client.recv(4096)
            except OSError:
                return None
        _, flags, _, answers = struct.unpack(">HHHH", answer[:8])
        return answers if flags & 0xF in (0, 3) else None
