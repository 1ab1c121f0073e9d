"""Engines that restart, several engines at once, engines far away, and Swarm."""

import signal
import subprocess
import time

import pytest
from conftest import MARK, RUN, docker_settings, name_of
from support.engine import DisposableEngine, Load
from support.ports import wait_for


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["TERM", "KILL"])
def test_routes_outlive_a_restart_of_the_engine(second, start, name, number):
    proxy = start(install=docker_settings(endpoint=second.endpoint))
    second.run(name, restart="always")
    proxy.wait_status(200, name)

    second.end(number)
    time.sleep(1)
    # TERM takes the containers down with the engine, KILL does not: the routes stand either way.
    proxy.wait_status(200 if number == signal.SIGKILL else 503, name)
    second.begin()

    proxy.wait_status(200, name, seconds=40)
    second.run(f"{name}-after")
    proxy.wait_status(200, f"{name}-after", seconds=30)


def test_an_engine_that_is_absent_at_first_is_found_later(start, engine, name):
    late = DisposableEngine()
    try:
        proxy = start(install=docker_settings(endpoint=late.endpoint))
        assert proxy.ask(host=name).status == 404
        late.begin()
        late.load(engine, f"{RUN}-whoami:latest")
        late.run(name)
        proxy.wait_status(200, name, seconds=40)
    finally:
        late.close()


def test_two_engines_serve_side_by_side(engine, second, start, name):
    proxy = start(install={"providers": {"docker": {
        "constraints": f"Label(`{MARK}`,`{RUN}`)",
        "hosts": {"near": {"endpoint": engine.endpoint}, "far": {"endpoint": second.endpoint}}}}})
    engine.run(f"{name}-near", command=("whoami", "--name", "near"))
    second.run(f"{name}-far", command=("whoami", "--name", "far"))
    try:
        assert name_of(proxy.wait_status(200, f"{name}-near")) == "near"
        assert name_of(proxy.wait_status(200, f"{name}-far")) == "far"
    finally:
        engine.clean()
        second.clean()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *key, "-days", "30", "-subj", "/CN=test CA", "-keyout", "ca.key", "-out", "ca.pem")

    def issue(name, extension):
        (folder / "ext").write_text(extension)
        openssl("req", *key, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30",
                "-extfile", "ext", "-out", f"{name}.pem")

    issue("client", "extendedKeyUsage=clientAuth\n")
    return folder, issue


def test_an_engine_behind_tcp_with_tls(engine, start, name, certificates):
    folder, issue = certificates
    remote = DisposableEngine()
    try:
        issue("server", f"subjectAltName=IP:{remote.inner}\nextendedKeyUsage=serverAuth\n")
        remote.arguments += ["-H", f"tcp://{remote.inner}:2376", "--tlsverify", "--tlscacert", str(folder / "ca.pem"),
                             "--tlscert", str(folder / "server.pem"), "--tlskey", str(folder / "server.key")]
        remote.begin()
        remote.load(engine, f"{RUN}-whoami:latest")
        proxy = start(install=docker_settings(
            endpoint=f"tcp://{remote.inner}:2376",
            tls={"ca": str(folder / "ca.pem"), "cert": str(folder / "client.pem"), "key": str(folder / "client.key")}))
        # Containers of a remote host are reached by their published ports.
        remote.run(name, ports={80: 18080})

        proxy.wait_status(200, name, seconds=20)
    finally:
        remote.close()


def test_swarm_services_are_reached_by_the_addresses_of_their_tasks(engine, start, name):
    manager = DisposableEngine()
    try:
        manager.begin()
        manager.load(engine, f"{RUN}-whoami:latest")
        manager.cli("swarm", "init", "--advertise-addr", "127.0.0.1")
        manager.cli("network", "create", "-d", "overlay", "--attachable", "mesh")
        # Task addresses answer only inside the overlay: Fairlead runs in the namespace of a container there.
        manager.create("anchor", labels={"traefik.enable": "false"})
        manager.connect("mesh", "anchor")
        manager.start("anchor")
        manager.cli("service", "create", "--detach", "--name", name, "--network", "mesh", "--replicas", "2",
                    "--no-resolve-image", "-l", f"traefik.http.services.{name}.loadbalancer.server.port=80",
                    "-l", f"{MARK}={RUN}", f"{RUN}-whoami:latest", "whoami", "--name", "task")
        pid = manager.inspect("anchor")["State"]["Pid"]
        inside = ["nsenter", f"--net=/proc/{pid}/ns/net"]
        proxy = start(install={"providers": {"swarm": {"endpoint": manager.endpoint, "refreshSeconds": 1,
                                                       "constraints": f"Label(`{MARK}`,`{RUN}`)"}}},
                      prefix=inside, ready=False)

        def answers():
            out = subprocess.run([*inside, "curl", "-s", "-o", "-", "-w", "\n%{http_code}", "-H", f"Host: {name}",
                                  f"http://127.0.0.1:{proxy.port()}/"], capture_output=True, text=True).stdout
            return out if out.endswith("\n200") else None

        seen = set()

        def both():
            text = answers()
            if text:
                seen.update(line for line in text.splitlines() if line.startswith("Hostname:"))
            return len(seen) == 2

        wait_for(both, 60, "both tasks answer", every=0.2)
    finally:
        manager.cli("swarm", "leave", "--force", check=False)
        manager.close()


def test_load_through_an_engine_restart_with_live_restore(engine, start, name):
    keeper = DisposableEngine(["--live-restore"])
    try:
        keeper.begin()
        keeper.load(engine, f"{RUN}-whoami:latest")
        proxy = start(install=docker_settings(endpoint=keeper.endpoint))
        keeper.run(name)
        proxy.wait_status(200, name)
        with Load(lambda: proxy.ask(host=name)) as load:
            keeper.end()
            time.sleep(1)
            keeper.begin()
            time.sleep(2)
        assert load.failures == []
    finally:
        keeper.close()
