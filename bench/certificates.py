#!/usr/bin/env python3
"""What 50,000 certificates cost Fairlead: from the configuration, and from an acme.json.

Measured are the time from the start until the last one is served, memory then and after handshakes with other names,
and CPU time of a handshake beside that of a Fairlead with ten certificates: finding one does not depend on their number.
"""

import argparse
import json
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time

from bench import enter_quiet_network
from proxies import BINARY, LOAD_CORE, Process, free_port, pinned

TOOLS = pathlib.Path(BINARY).parent


def served(port, name):
    """Whether a client of `name` is shown a certificate for it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with context.wrap_socket(socket.create_connection(("127.0.0.1", port), 10), server_hostname=name) as secure:
            return name.encode() in secure.getpeercert(binary_form=True)
    except OSError:
        return False


class Many(Process):
    """Fairlead with `count` certificates of a folder; `source` is "file" or "acme"."""

    name = "Fairlead"

    def command(self):
        folder, count, source = (self.options[key] for key in ("folder", "count", "source"))
        install = {"entryPoints": {"secure": {"address": f"127.0.0.1:{self.tls_port}", "http": {"tls": {}}}}, "log": {"level": "ERROR"}}
        dynamic = {"tls": {"options": {"default": {"minVersion": "VersionTLS12"}}}}
        if source == "file":
            dynamic["tls"]["certificates"] = [{"certFile": f"{folder}/{i}.crt", "keyFile": f"{folder}/{i}.key"} for i in range(count)]
        else:
            storage = self.folder / "acme.json"
            shutil.copy(f"{folder}/acme.json", storage)
            storage.chmod(0o600)
            install["certificatesResolvers"] = {"le": {"acme": {
                "email": "bench@example.org", "storage": str(storage), "caServer": f"https://127.0.0.1:{free_port()}/dir",
                "tlsChallenge": {}}}}
        install["providers"] = {"file": {"filename": str(self.write("dynamic.yml", json.dumps(dynamic)))}}
        return [BINARY, f"--configFile={self.write('install.yml', json.dumps(install))}", "--workers=1"]

    def wait(self, path, seconds):
        deadline = time.monotonic() + seconds
        last = f"n{self.options['count'] - 1}.many.test"
        while not served(self.tls_port, last):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{last} is not served: {(self.folder / 'log').read_text()[-3000:]}")
            time.sleep(0.02)

    def peak(self):
        return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{self.process.pid}/status").read_text()).group(1))

    def handshake(self, name, seconds=2):
        """µs of CPU time."""
        before = self.cpu()
        command = [str(TOOLS / "handshake_load"), "full", str(self.tls_port), str(seconds), "16", name]
        seen = json.loads(subprocess.run(pinned(LOAD_CORE, command), capture_output=True, check=True, timeout=60).stdout)
        return (self.cpu() - before) * 1e6 / max(1, seen["requests"])


def measure(folder, count, source, others):
    with Many(folder=folder, count=count, source=source, seconds=300) as proxy:
        row = {"source": source, "count": count, "start": proxy.start_seconds, "peak": proxy.peak() / 1024}
        time.sleep(3)
        row["rest"] = proxy.rss() / 1024
        begun, used = time.monotonic(), proxy.cpu()
        for i in range(min(others, count)):
            assert served(proxy.tls_port, f"n{i * max(1, count // others)}.many.test")
        row["first"] = (proxy.cpu() - used) * 1e6 / min(others, count)
        row["after"] = proxy.rss() / 1024
        row["handshake"] = proxy.handshake(f"n{count // 2}.many.test")
        row["seconds"] = time.monotonic() - begun
    print(row, flush=True)
    return row


def main():
    enter_quiet_network()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=50_000)
    parser.add_argument("--names", type=int, default=2_000, help="names that handshakes ask for")
    options = parser.parse_args()
    rows = []
    for count in (10, options.count):
        folder = tempfile.mkdtemp(prefix="fairlead-certificates-")
        try:
            subprocess.run([str(TOOLS / "make_certificates"), folder, str(count)], check=True, timeout=300)
            rows += [measure(folder, count, source, options.names) for source in ("file", "acme")]
        finally:
            shutil.rmtree(folder)
    print("\n| from | certificates | start, s | RSS, MiB | at most | after handshakes with "
          f"{options.names:,} names | first handshake of a name, µs CPU | handshake, µs CPU |\n|---|---|---|---|---|---|---|---|")
    for row in rows:
        print(f"| {row['source']} | {row['count']:,} | {row['start']:.1f} | {row['rest']:.0f} | {row['peak']:.0f} | {row['after']:.0f} "
              f"| {row['first']:.0f} | {row['handshake']:.0f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
