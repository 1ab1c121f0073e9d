"""Real Redis and PostgreSQL servers behind TCP routers: passed through by SNI, terminated, and by STARTTLS."""

import os
import pathlib
import pwd
import shutil
import signal
import socket
import struct
import subprocess
import tempfile

import pytest
from support.certificates import make
from support.ports import free_port, wait_for
from support.raw import RawClient
from support.tcp_server import balancer, tcp


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    folder = tmp_path_factory.mktemp("db-pki")

    class Pki:
        ca = make(folder, "ca", ca=True)
        edge = make(folder, "edge", ["DNS:db.example", "DNS:redis.example"], ca)  # the router's
        inner = make(folder, "inner", ["DNS:inner.example", "DNS:inner-redis.example"], ca)  # the servers'

    return Pki


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), 10).close()
        return True
    except OSError:
        return False


# ---- Redis


@pytest.fixture(scope="module")
def redis(pki):
    """A Redis that speaks plain and TLS: (plain port, TLS port)."""
    plain, secure = free_port(), free_port()
    folder = tempfile.mkdtemp(prefix="fairlead-redis-")
    process = subprocess.Popen(
        ["redis-server", "--port", str(plain), "--bind", "127.0.0.1", "--save", "", "--dir", folder,
         "--tls-port", str(secure), "--tls-cert-file", str(pki.inner.cert), "--tls-key-file", str(pki.inner.key),
         "--tls-ca-cert-file", str(pki.ca.cert), "--tls-auth-clients", "no"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: accepts(plain) and accepts(secure), 20, "Redis listens")
        yield plain, secure
    finally:
        process.terminate()
        process.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def redis_cli(port, *arguments, tls=None, ca=None):
    command = ["redis-cli", "-h", "127.0.0.1", "-p", str(port)]
    if tls:
        command += ["--tls", "--sni", tls, "--cacert", str(ca.cert)]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=90)
    return done.stdout.strip(), done.stderr.strip()


def test_redis_plain_terminated_and_passed_through(start, redis, pki):
    plain, secure = redis
    config = tcp({"plain": ("HostSNI(`*`)", "plain", {"entryPoints": ["plain"]}),
                  "edge": ("HostSNI(`redis.example`)", "plain", {"entryPoints": ["tls"], "tls": {}}),
                  "inner": ("HostSNI(`inner-redis.example`)", "secure",
                            {"entryPoints": ["tls"], "tls": {"passthrough": True}}),
                  "twice": ("HostSNI(`*`)", "encrypted", {"entryPoints": ["again"], "tls": {}})},
                 {"plain": [f"127.0.0.1:{plain}"], "secure": [f"127.0.0.1:{secure}"],
                  "encrypted": balancer({"address": f"127.0.0.1:{secure}", "tls": True}, serversTransport="inner")},
                 serversTransports={"inner": {"tls": {"serverName": "inner.example", "rootCAs": [str(pki.ca.cert)]}}},
                 tls={"certificates": [pki.edge.config]})
    proxy = start(config, entry_points=("plain", "tls", "again"))

    assert redis_cli(proxy.port("plain"), "SET", "k", "v") == ("OK", "")
    assert redis_cli(proxy.port("tls"), "GET", "k", tls="redis.example", ca=pki.ca) == ("v", "")
    assert redis_cli(proxy.port("tls"), "GET", "k", tls="inner-redis.example", ca=pki.ca) == ("v", "")
    assert redis_cli(proxy.port("again"), "GET", "k", tls="redis.example", ca=pki.ca) == ("v", "")


def test_a_health_check_speaks_redis(start, redis):
    plain, _ = redis
    health = {"send": "PING\r\n", "expect": "+PONG", "interval": "50ms"}
    proxy = start(tcp({"any": ("HostSNI(`*`)", "redis", None)},
                      {"redis": balancer(f"127.0.0.1:{plain}", healthCheck=health)}))

    wait_for(lambda: int(redis_cli(plain, "INFO", "stats")[0].split("total_connections_received:")[1].split()[0]) > 4,
             10, "checks have run")
    assert redis_cli(proxy.port(), "PING") == ("PONG", "")
    assert list(proxy.api("/api/tcp/services/redis@file")["serverStatus"].values()) == ["UP"]


# ---- PostgreSQL


class Postgres:
    """A cluster in a folder of its own. PostgreSQL refuses to run as root."""

    def __init__(self, pki):
        found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        assert found, "the package postgresql is missing: ./dev installs it"
        self.bin = found[-1].parent
        self.port = free_port()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fairlead-postgres-"))
        self.user = None
        if os.getuid() == 0:
            self.user = next(name for name in ("postgres", "nobody") if self._exists(name))
        for name, source in (("server.crt", pki.inner.cert), ("server.key", pki.inner.key)):
            shutil.copy(source, self.folder / name)
            (self.folder / name).chmod(0o600)
        if self.user:
            entry = pwd.getpwnam(self.user)
            for path in (self.folder, *self.folder.iterdir()):
                os.chown(path, entry.pw_uid, entry.pw_gid)
        self.run("initdb", "-D", str(self.folder / "data"), "-A", "trust", "-U", "app", "-E", "UTF8", "--no-sync")
        self.process = subprocess.Popen(
            self.as_user([str(self.bin / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port),
                          "-h", "127.0.0.1", "-k", str(self.folder), "-c", "ssl=on", "-c", "fsync=off",
                          "-c", f"ssl_cert_file={self.folder}/server.crt", "-c", f"ssl_key_file={self.folder}/server.key"]),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder, preexec_fn=os.setsid)

    @staticmethod
    def _exists(name):
        try:
            pwd.getpwnam(name)
            return True
        except KeyError:
            return False

    def as_user(self, command):
        return ["setpriv", f"--reuid={self.user}", f"--regid={pwd.getpwnam(self.user).pw_gid}", "--clear-groups",
                *command] if self.user else command

    def run(self, program, *arguments):
        done = subprocess.run(self.as_user([str(self.bin / program), *arguments]), capture_output=True, text=True,
                              timeout=200, cwd=self.folder, env={**os.environ, "LC_ALL": "C", "HOME": str(self.folder)})
        assert done.returncode == 0, done.stderr

    def close(self):
        os.killpg(self.process.pid, signal.SIGINT)  # "fast": what is connected is cut
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def postgres(pki):
    server = Postgres(pki)
    try:
        wait_for(lambda: psql(server.port, "select 1", sslmode="disable")[0] == "1", 30, "PostgreSQL answers")
        yield server
    finally:
        server.close()


def psql(port, query, host="127.0.0.1", sslmode="verify-full", ca=None):
    """`host` is the name that is sent and verified; the connection goes to 127.0.0.1."""
    target = f"host={host} hostaddr=127.0.0.1 port={port} user=app dbname=postgres sslmode={sslmode} connect_timeout=60"
    if ca:
        target += f" sslrootcert={ca.cert}"
    done = subprocess.run(["psql", "-XAtq", target, "-c", query], capture_output=True, text=True, timeout=120)
    return done.stdout.strip(), done.stderr.strip()


def test_postgres_by_starttls_terminated_and_passed_through(start, postgres, pki):
    config = tcp({"edge": ("HostSNI(`db.example`)", "db", {"tls": {}}),
                  "inner": ("HostSNI(`inner.example`)", "db", {"tls": {"passthrough": True}}),
                  "plain": ("HostSNI(`*`)", "db", None)},
                 {"db": [f"127.0.0.1:{postgres.port}"]}, tls={"certificates": [pki.edge.config]})
    proxy = start(config)
    encrypted = "select ssl from pg_stat_ssl where pid = pg_backend_pid()"

    assert psql(proxy.port(), "select 6*7", "db.example", ca=pki.ca) == ("42", "")
    assert psql(proxy.port(), encrypted, "db.example", ca=pki.ca)[0] == "f", "terminated here, plain to the server"
    assert psql(proxy.port(), encrypted, "inner.example", ca=pki.ca) == ("t", ""), "opened by the server alone"
    assert psql(proxy.port(), "select 1", sslmode="disable") == ("1", "")
    out, error = psql(proxy.port(), "select 1", "unknown.example", ca=pki.ca)
    assert out == "" and error


def test_postgres_moves_much_data_through_tls(start, postgres, pki):
    config = tcp({"edge": ("HostSNI(`db.example`)", "db", {"tls": {}})}, {"db": [f"127.0.0.1:{postgres.port}"]},
                 tls={"certificates": [pki.edge.config]})
    proxy = start(config)

    out, error = psql(proxy.port(), "select md5(string_agg(x, '')), sum(length(x)) from "
                      "(select repeat(i::text, 100) x from generate_series(1, 20000) i) s", "db.example", ca=pki.ca)
    direct, _ = psql(postgres.port, "select md5(string_agg(x, '')), sum(length(x)) from "
                     "(select repeat(i::text, 100) x from generate_series(1, 20000) i) s", sslmode="disable")
    assert (out, error) == (direct, "")
    rows, _ = psql(proxy.port(), "select repeat('x', 1000) from generate_series(1, 5000)", "db.example", ca=pki.ca)
    assert len(rows) == 5000 * 1001 - 1


def test_plain_postgres_keeps_its_own_negotiation_where_nothing_is_tls(start, postgres, pki):
    proxy = start(tcp({"plain": ("HostSNI(`*`)", "db", None)}, {"db": [f"127.0.0.1:{postgres.port}"]}))

    assert psql(proxy.port(), "select 1", "inner.example", ca=pki.ca) == ("1", "")
    assert psql(proxy.port(), "select 1", sslmode="disable") == ("1", "")


def test_a_starttls_that_goes_nowhere_is_ended(start, postgres, pki):
    """The request for TLS is always agreed to; what then is no TLS, or fits no router, is closed."""
    proxy = start(tcp({"edge": ("HostSNI(`db.example`)", "db", {"tls": {}})}, {"db": [f"127.0.0.1:{postgres.port}"]}))

    with RawClient(proxy.port()) as client:
        client.send(struct.pack(">II", 8, 80877103)[:3])
        client.send(struct.pack(">II", 8, 80877103)[3:])
        assert client.read_exactly(1) == b"S"
        client.send(b"not TLS at all")
        assert client.read_all()[:1] in (b"\x15", b"")  # an alert, unless the reset overtakes it
