"""Starts the real binary with a configuration of its own and ends it again."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

from support.ports import free_port, wait_for
from support.raw import Closed, ask

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("FAIRLEAD_BINARY", str(ROOT / "build/dev/fairlead"))
SANITIZER = re.compile(r"ERROR: AddressSanitizer|runtime error:|ERROR: LeakSanitizer|WARNING: ThreadSanitizer")


def environment(**more):
    """This process's environment without what would configure Fairlead, and with `more`."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("DOCKER_", "FAIRLEAD_", "TRAEFIK_"))}
    # A sanitized binary would keep 256 MiB of freed memory, and tests of flat memory could not tell.
    kept.setdefault("ASAN_OPTIONS", "quarantine_size_mb=4:allocator_release_to_os_interval_ms=100")
    return {**kept, **more}


class Fairlead:
    """`dynamic` and `install` are dictionaries with the keys of the YAML files (JSON is YAML). Every entry point
    named in `entry_points` gets a free port on 127.0.0.1; `ping` and the API are on one more."""

    def __init__(self, dynamic=None, install=None, entry_points=("web",), args=(), env=None, workers=2, prefix=()):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fairlead-test-"))
        self.ports = {name: free_port() for name in entry_points}
        self.api_port = free_port()
        self.args, self.env, self.workers, self.prefix = list(args), env or {}, workers, list(prefix)
        self.dynamic_path = self.folder / "dynamic.yml"
        self.log_path = self.folder / "log"
        self.access_path = self.folder / "access"
        self.process = None
        points = {name: {"address": f"127.0.0.1:{port}"} for name, port in self.ports.items()}
        points["traefik"] = {"address": f"127.0.0.1:{self.api_port}"}
        settings = {
            "entryPoints": points,
            "api": {"insecure": True},
            "ping": {},
            "log": {"level": "DEBUG"},
            "accessLog": {"filePath": str(self.access_path), "format": "json"},
        }
        if dynamic is not None:
            self.write_dynamic(dynamic)
            settings["providers"] = {"file": {"filename": str(self.dynamic_path)}}
        self.install = _merge(settings, install or {})
        self.install_path = self.folder / "fairlead.yml"
        self.install_path.write_text(json.dumps(self.install, indent=1))

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def command(self):
        return [*self.prefix, BINARY, f"--configFile={self.install_path}", f"--workers={self.workers}", *self.args]

    def start(self, ready=True):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, env=environment(**self.env))
        if ready:
            wait_for(self._is_ready, 15, "the binary answers its ping")
        return self

    def _is_ready(self):
        """The ping answers: then every entry point listens."""
        if self.process.poll() is not None:
            raise AssertionError(f"ended with {self.process.returncode}: {self.log()[-4000:]}")
        try:
            return ask(self.api_port, target="/ping", timeout=2).status == 200
        except (OSError, Closed):  # not listening yet
            return False

    def stop(self, seconds=60):
        """Ends it by SIGTERM; fails when it does not end, ends badly, or a sanitizer spoke."""
        try:
            if self.process and self.process.poll() is None:
                self.process.send_signal(signal.SIGTERM)
                try:
                    self.process.wait(seconds)
                except subprocess.TimeoutExpired:
                    self.process.kill()
                    self.process.wait()
                    raise AssertionError(f"did not end within {seconds} s of SIGTERM: {self.log()[-3000:]}") from None
            text = self.log()
            found = SANITIZER.search(text)
            assert not found, text[found.start() : found.start() + 6000]
            assert not self.process or self.process.returncode in (0, -signal.SIGKILL), (
                f"ended with {self.process.returncode}: {text[-3000:]}")
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def signal(self, number):
        self.process.send_signal(number)

    @property
    def pid(self):
        return self.process.pid

    def cpu_seconds(self):
        """User and system time so far."""
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_kib(self):
        return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{self.pid}/status").read_text()).group(1))

    def log(self):
        return self.log_path.read_text("utf-8", "replace") if self.log_path.exists() else ""

    def access_log(self):
        """The access log's lines so far, as dictionaries."""
        if not self.access_path.exists():
            return []
        whole = self.access_path.read_text().rpartition("\n")[0]  # the last line may be half written
        return [json.loads(line) for line in whole.splitlines()]

    def port(self, name="web"):
        return self.ports[name]

    def ask(self, target="/", host="localhost", entry_point="web", **more):
        return ask(self.ports[entry_point], target=target, host=host, **more)

    def api(self, path):
        answer = ask(self.api_port, target=path)
        assert answer.status == 200, (path, answer)
        return json.loads(answer.body)

    def metrics(self):
        answer = ask(self.api_port, target="/metrics")
        assert answer.status == 200, answer
        return answer.text

    def router(self, name):
        return next((r for r in self.api("/api/http/routers?per_page=2000") if r["name"] == name), None)

    def service(self, name):
        return next((s for s in self.api("/api/http/services?per_page=2000") if s["name"] == name), None)

    def write_dynamic(self, dynamic):
        """Replaces the dynamic file as careful editors do: written beside it, then renamed over it."""
        text = dynamic if isinstance(dynamic, str) else json.dumps(dynamic, indent=1)
        beside = self.dynamic_path.with_suffix(".new")
        beside.write_text(text)
        beside.rename(self.dynamic_path)

    def wait_status(self, status, host, target="/", seconds=15.0, **more):
        def matches():
            try:
                answer = self.ask(target, host, **more)
            except Exception:  # refused or closed: not yet
                return None
            return answer if answer.status == status else None

        return wait_for(matches, seconds, f"{host}{target} answers {status}")


def _merge(base, over):
    """`over` on top of `base`; None takes a key away."""
    merged = dict(base)
    for key, value in over.items():
        if value is None:
            merged.pop(key, None)
            continue
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


def routes(**hosts):
    """A dynamic configuration: routes(a=[url, …]) sends Host(`a`) to those servers."""
    return {
        "http": {
            "routers": {name: {"rule": f"Host(`{name}`)", "service": name} for name in hosts},
            "services": {
                name: {"loadBalancer": {"servers": [{"url": url} for url in urls]}} for name, urls in hosts.items()
            },
        }
    }
