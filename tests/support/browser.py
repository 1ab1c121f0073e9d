"""A real browser: Debian's Chromium, headless."""

import base64
import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile


class Chromium:
    """Opens `url` and goes on until it is ended. `hosts`: names that are 127.0.0.1 to it. `trusted`: the certificate
    (support.certificates.Pair) that it takes without knowing its authority; every other one it judges itself."""

    def __init__(self, url, hosts, trusted):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fairlead-browser-"))
        self.command = [
            "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
            f"--user-data-dir={self.folder}/profile",
            "--host-resolver-rules=" + ",".join(f"MAP {host} 127.0.0.1" for host in hosts),
            f"--ignore-certificate-errors-spki-list={key_digest(trusted)}", url]

    def __enter__(self):
        environment = {**os.environ, "HOME": str(self.folder)}
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, env=environment, start_new_session=True)
        return self

    def __exit__(self, *_):
        # It is a family of processes, which end together; those that do not are ended by their group.
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self):
        return (self.folder / "log").read_text("utf-8", "replace")


def key_digest(pair):
    key = subprocess.run(["openssl", "pkey", "-in", str(pair.key), "-pubout", "-outform", "der"], check=True,
                         capture_output=True).stdout
    return base64.b64encode(hashlib.sha256(key).digest()).decode()
