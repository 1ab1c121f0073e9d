"""A Docker Engine through its API, and disposable engines in network namespaces of their own."""

import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse

from support.ports import wait_for

CLI = "/usr/bin/docker" if os.path.exists("/usr/bin/docker") else "docker"
# Everything a run creates carries this label, and its names begin with the prefix.
RUN = f"fl{os.getpid()}"
MARK = "fairlead.e2e"


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("engine", timeout=timeout)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Failure(Exception):
    pass


class Engine:
    def __init__(self, path="/var/run/docker.sock"):
        self.path = path
        self.endpoint = f"unix://{path}"

    def call(self, method, path, body=None, timeout=60):
        connection = _UnixConnection(self.path, timeout)
        try:
            payload = None if body is None else json.dumps(body)
            connection.request(method, "/v1.41" + path, payload, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode()
            if answer.status >= 400:
                raise Failure(f"{method} {path}: {answer.status} {text}")
            try:
                return json.loads(text) if text else None
            except json.JSONDecodeError:
                return text
        finally:
            connection.close()

    def is_up(self):
        try:
            return self.call("GET", "/_ping", timeout=3) == "OK"
        except (OSError, Failure, http.client.HTTPException):
            return False

    def cli(self, *arguments, check=True, **more):
        return subprocess.run([CLI, "-H", self.endpoint, *arguments], check=check, capture_output=True, text=True, **more)

    # Containers

    def create(self, name, command=("whoami",), labels=None, image=None, network=None, mode=None, health=None,
               ports=None, binds=(), groups=(), env=(), restart=None):
        config = {
            "Image": image or f"{RUN}-whoami:latest",
            "Cmd": list(command),
            "Labels": {MARK: RUN, **(labels or {})},
            "Env": list(env),
            "HostConfig": {"Binds": list(binds), "GroupAdd": list(groups)},
        }
        if mode:
            config["HostConfig"]["NetworkMode"] = mode
        elif network:
            config["HostConfig"]["NetworkMode"] = network
            config["NetworkingConfig"] = {"EndpointsConfig": {network: {}}}
        if health:
            config["Healthcheck"] = health
        if restart:
            config["HostConfig"]["RestartPolicy"] = {"Name": restart}
        if ports:
            config["ExposedPorts"] = {f"{inner}/tcp": {} for inner in ports}
            config["HostConfig"]["PortBindings"] = {
                f"{inner}/tcp": [{"HostPort": str(outer)}] for inner, outer in ports.items()}
        self.call("POST", f"/containers/create?name={name}", config)
        return name

    def run(self, name, *args, **options):
        self.create(name, *args, **options)
        self.start(name)
        return name

    def start(self, name):
        self.call("POST", f"/containers/{name}/start")

    def stop(self, name, seconds=2):
        self.call("POST", f"/containers/{name}/stop?t={seconds}")

    def restart(self, name, seconds=2):
        self.call("POST", f"/containers/{name}/restart?t={seconds}")

    def kill(self, name, number="KILL"):
        self.call("POST", f"/containers/{name}/kill?signal={number}")

    def pause(self, name):
        self.call("POST", f"/containers/{name}/pause")

    def unpause(self, name):
        self.call("POST", f"/containers/{name}/unpause")

    def rename(self, name, new):
        self.call("POST", f"/containers/{name}/rename?name={new}")

    def remove(self, name):
        self.call("DELETE", f"/containers/{name}?force=1&v=1")

    def inspect(self, name):
        return self.call("GET", f"/containers/{name}/json")

    def list(self):
        filters = urllib.parse.quote(json.dumps({"label": [f"{MARK}={RUN}"]}))
        return self.call("GET", f"/containers/json?all=1&filters={filters}")

    def execute(self, name, *command):
        """Starts a process in the container and leaves it running."""
        made = self.call("POST", f"/containers/{name}/exec", {"Cmd": list(command)})
        self.call("POST", f"/exec/{made['Id']}/start", {"Detach": True})

    def pids(self, name, text):
        """Process ids, as the host sees them, of the container's processes whose command contains `text`."""
        top = self.call("GET", f"/containers/{name}/top")
        column = top["Titles"].index("PID")
        return [int(row[column]) for row in top["Processes"] if text in row[-1]]

    # Networks

    def network(self, name, **more):
        self.call("POST", "/networks/create", {"Name": name, "Labels": {MARK: RUN}, **more})
        return name

    def subnet(self, name):
        return self.call("GET", f"/networks/{name}")["IPAM"]["Config"][0]["Subnet"]

    def connect(self, network, container):
        self.call("POST", f"/networks/{network}/connect", {"Container": container})

    def disconnect(self, network, container):
        self.call("POST", f"/networks/{network}/disconnect", {"Container": container})

    def clean(self):
        """Removes what this run created."""
        for container in self.list():
            try:
                self.remove(container["Id"])
            except Failure:
                pass  # already on its way
        filters = urllib.parse.quote(json.dumps({"label": [f"{MARK}={RUN}"]}))
        for network in self.call("GET", f"/networks?filters={filters}"):
            try:
                self.call("DELETE", f"/networks/{network['Id']}")
            except Failure:
                pass


class DisposableEngine(Engine):
    """A second engine. It lives in its own network namespace, because two engines in one namespace remove each
    other's rules; a veth pair leads there, so that the host reaches its containers."""

    count = 0

    def __init__(self, arguments=()):
        DisposableEngine.count += 1
        self.number = DisposableEngine.count
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fairlead-engine-"))
        super().__init__(str(self.folder / "docker.sock"))
        base = (os.getpid() % 50) * 4 + self.number
        self.outer, self.inner = f"10.213.{base}.1", f"10.213.{base}.2"
        self.containers_net = f"10.214.{base}"
        self.veth = f"fle{os.getpid() % 10000}{self.number}"
        self.arguments = list(arguments)
        self.process = None
        # Holds the namespace while the engine is down.
        self.holder = subprocess.Popen(["unshare", "-n", "sleep", "infinity"])
        wait_for(lambda: os.readlink(f"/proc/{self.holder.pid}/ns/net") != os.readlink("/proc/self/ns/net"), 5,
                 "the namespace")
        inside = ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net"]
        for command in (
            ["ip", "link", "add", self.veth, "type", "veth", "peer", "name", "up0", "netns", str(self.holder.pid)],
            ["ip", "addr", "add", f"{self.outer}/30", "dev", self.veth],
            ["ip", "link", "set", self.veth, "up"],
            [*inside, "ip", "link", "set", "lo", "up"],
            [*inside, "ip", "addr", "add", f"{self.inner}/30", "dev", "up0"],
            [*inside, "ip", "link", "set", "up0", "up"],
            [*inside, "ip", "route", "add", "default", "via", self.outer],
            ["ip", "route", "add", f"{self.containers_net}.0/24", "via", self.inner],
        ):
            subprocess.run(command, check=True)
        self.inside = inside

    def begin(self):
        log = open(self.folder / "log", "ab")
        # There is no way out: names must fail at once, or Swarm tries for a minute to pull what it has.
        resolver = self.folder / "resolv.conf"
        resolver.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        environment = {key: value for key, value in os.environ.items() if not key.startswith("DOCKER_")}
        environment["PATH"] += ":/usr/sbin:/sbin"
        self.process = subprocess.Popen(
            [*self.inside, "unshare", "-m", "--propagation", "private", "sh", "-c",
             'mount --bind "$0" /etc/resolv.conf && exec dockerd "$@"', str(resolver),
             "--data-root", str(self.folder / "data"), "--exec-root", str(self.folder / "exec"),
             "--pidfile", str(self.folder / "pid"), "-H", self.endpoint, "--iptables=false", "--ip-masq=false",
             "--bip", f"{self.containers_net}.1/24", *self.arguments],
            stdout=log, stderr=log, env=environment)
        log.close()
        wait_for(self.is_up, 60, "the second engine", every=0.1)
        return self

    def load(self, source, *images):
        save = subprocess.Popen([CLI, "-H", source.endpoint, "save", *images], stdout=subprocess.PIPE)
        subprocess.run([CLI, "-H", self.endpoint, "load"], stdin=save.stdout, check=True, stdout=subprocess.DEVNULL)
        assert save.wait() == 0

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.process.wait(60)
        if number == signal.SIGKILL:
            self._forget_killed()

    def _forget_killed(self):
        """After SIGKILL the pid files stay and would keep the next start waiting."""
        inner = self.folder / "exec/containerd/containerd.pid"
        if inner.exists():
            pid = int(inner.read_text())
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            wait_for(lambda: _is_gone(pid), 20, "containerd ends")
            inner.unlink(missing_ok=True)
        (self.folder / "pid").unlink(missing_ok=True)

    def close(self):
        if self.is_up():
            for container in self.call("GET", "/containers/json?all=1"):
                try:
                    self.remove(container["Id"])
                except Failure:
                    pass
        if self.process and self.process.poll() is None:
            self.end()
        self.holder.kill()
        self.holder.wait()
        subprocess.run(["ip", "link", "del", self.veth], stderr=subprocess.DEVNULL)
        with open("/proc/mounts") as mounts:
            left = [line.split()[1] for line in mounts if str(self.folder) in line]
        for path in reversed(left):
            subprocess.run(["umount", "-l", path])
        shutil.rmtree(self.folder, ignore_errors=True)


def _is_gone(pid):
    try:
        return re.search(r"^State:\s+Z", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M) is not None
    except OSError:
        return True


class Compose:
    """A docker-compose project in a folder of its own."""

    def __init__(self, engine, name, text):
        self.engine, self.name = engine, f"{RUN}{name}"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fairlead-compose-"))
        (self.folder / "docker-compose.yml").write_text(text)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self("down", "-t", "1", "--remove-orphans")
        shutil.rmtree(self.folder, ignore_errors=True)

    def __call__(self, *arguments, seconds=120):
        environment = {**os.environ, "DOCKER_HOST": self.engine.endpoint}
        done = subprocess.run(["docker-compose", "-p", self.name, *arguments], cwd=self.folder, env=environment,
                              capture_output=True, text=True, timeout=seconds)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout


class Load:
    """Requests at a steady, functional rate from a thread, each on a connection of its own."""

    def __init__(self, request, per_second=50):
        import threading

        self.request, self.pause = request, 1 / per_second
        self.sent, self.failures = 0, []
        self.answers = []
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._loop, daemon=True) for _ in range(4)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        for thread in self._threads:
            thread.join(30)

    def _loop(self):
        while not self._done.is_set():
            begun = time.monotonic()
            try:
                answer = self.request()
                self.answers.append(answer)
                if answer.status != 200:
                    self.failures.append((answer.status, answer.text[:200]))
            except Exception as failure:
                self.failures.append(repr(failure))
            self.sent += 1
            self._done.wait(max(0, self.pause * len(self._threads) - (time.monotonic() - begun)))
