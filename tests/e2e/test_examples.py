"""Every project below examples/, as it is shipped, with this run's images and on other ports."""

import base64
import os
import pathlib
import re
import shutil
import socket
import subprocess

import dns.exception
import dns.message
import dns.query
import pytest
from conftest import RUN, name_of
from support.engine import CLI, Compose
from support.fairlead import ROOT
from support.images import image_of
from support.ports import free_port, wait_for
from support.raw import ask


class Example(Compose):
    """examples/<folder>, started."""

    def __init__(self, engine, folder):
        source = ROOT / "examples" / folder
        text = (source / "compose.yml").read_text()
        text = text.replace("fairlead:latest", f"{RUN}:latest").replace("fairlead-whoami:latest", f"{RUN}-whoami:latest")
        super().__init__(engine, folder, text)
        shutil.copytree(source, self.folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("compose.yml"))
        self.folder.chmod(0o755)  # the image runs as another user
        self.port = free_port()

    def __enter__(self):
        os.environ.update(FAIRLEAD_HTTP=str(self.port), DOCKER_GID=str(os.stat(self.engine.path).st_gid))
        try:
            self("up", "-d")
        except BaseException:
            self.__exit__()
            raise
        return self

    def ask(self, host, target="/", **more):
        return ask(self.port, target=target, host=host, **more)

    def until(self, status, host, target="/", **more):
        """The first answer with that status: routes appear one after the other."""

        def matches():
            try:
                answer = self.ask(host, target, timeout=20, **more)
            except Exception:  # not listening yet
                return None
            return answer if answer.status == status else None

        return wait_for(matches, 40, f"{host}{target} answers {status}", every=0.1)


def basic(text):
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


def seen(answer, header):
    """A header as whoami saw it; None when it was not there."""
    found = re.search(rf"^{header}: (.*?)\r?$", answer.text, re.M)
    return found and found.group(1)


def test_labels(engine):
    with Example(engine, "labels") as example:
        assert name_of(example.until(200, "shop.localhost")) == "shop"
        assert name_of(example.until(200, "blog.localhost")) == "blog"
        wait_for(lambda: name_of(example.ask("shop.localhost", "/cart/7")) == "cart", 10, "the longer rule wins")


def test_file(engine):
    with Example(engine, "file") as example:
        example.until(200, "shop.localhost")
        names = [name_of(example.ask("shop.localhost")) for _ in range(8)]
        assert (names.count("one"), names.count("two")) == (6, 2)


def test_both(engine):
    with Example(engine, "both") as example:
        assert name_of(example.until(200, "app.localhost")) == "app"
        assert name_of(example.until(200, "alias.localhost")) == "app"


def test_auth(engine):
    with Example(engine, "auth") as example:
        assert example.until(401, "basic.localhost").header("WWW-Authenticate") == 'Basic realm="shop"'
        assert example.ask("basic.localhost", headers=basic("jo:guess")).status == 401
        passed = example.until(200, "basic.localhost", headers=basic("jo:demo"))
        assert (name_of(passed), seen(passed, "X-User"), seen(passed, "Authorization")) == ("basic", "jo", None)

        assert example.until(401, "digest.localhost").header("WWW-Authenticate").startswith('Digest realm="shop"')
        curl = subprocess.run(["curl", "-s", "-m", "60", "--digest", "-u", "jo:demo", "-H", "Host: digest.localhost",
                               f"http://127.0.0.1:{example.port}/x"], capture_output=True, text=True)
        assert "Name: digest" in curl.stdout

        example.until(401, "key.localhost")
        passed = example.until(200, "key.localhost", headers={"X-API-Key": "opensesame"})
        assert (seen(passed, "X-Client"), seen(passed, "X-Api-Key")) == ("ci", None)


def test_sso(engine):
    with Example(engine, "sso") as example:
        example.until(401, "auth.sso.localhost", "/login")
        for host in ("app.sso.localhost", "wiki.sso.localhost"):
            assert example.until(302, host).header("Location") == "http://auth.sso.localhost/login"

        cookie = example.ask("auth.sso.localhost", "/login", headers=basic("jo:demo")).header("Set-Cookie")
        assert cookie == "sso=opensesame; Domain=sso.localhost; Path=/; HttpOnly"

        for name in ("app", "wiki"):
            passed = example.ask(f"{name}.sso.localhost", headers={"Cookie": cookie.split(";")[0], "remote_user": "root"})
            assert (passed.status, name_of(passed), seen(passed, "Remote-User")) == (200, name, "jo")
            assert "root" not in passed.text


@pytest.fixture(scope="module")
def redis_image(engine, tmp_path_factory):
    with image_of(engine, tmp_path_factory.mktemp("redis-image"), "redis-server") as name:
        yield name


def test_limits(engine, redis_image, monkeypatch):
    monkeypatch.setenv("REDIS_IMAGE", redis_image)
    with Example(engine, "limits") as example:
        for host in ("alone.localhost", "shared.localhost"):
            example.until(200, host)
            asked = [example.ask(host) for _ in range(4)]
            assert [answer.status for answer in asked] == [200, 200, 429, 429], host
            assert 1 <= int(asked[-1].header("Retry-After")) <= 20
        for tenant in ("a", "b"):
            headers = {"X-Tenant": tenant}
            example.until(200, "tenants.localhost", headers=headers)
            assert [example.ask("tenants.localhost", headers=headers).status for _ in range(3)] == [200, 200, 429]


def test_errors(engine):
    with Example(engine, "errors") as example:
        example.until(200, "pages.localhost")
        example.until(200, "app.localhost", "/health")
        assert example.ask("app.localhost", "/health", method="POST", body=b"503").status == 200

        page = example.ask("app.localhost", "/health", headers={"Cookie": "session=1"})

        assert (page.status, name_of(page)) == (503, "pages")
        assert "GET /503.html?from=http%3A%2F%2Fapp.localhost%2Fhealth HTTP/1.1" in page.text
        assert seen(page, "Cookie") is None
        assert name_of(example.ask("app.localhost")) == "app"


def test_cors(engine):
    with Example(engine, "cors") as example:
        example.until(200, "api.localhost")

        preflight = example.ask("api.localhost", method="OPTIONS", headers={
            "Origin": "https://shop.example", "Access-Control-Request-Method": "PUT"})
        assert (preflight.status, preflight.body) == (200, b"")
        assert {name: value for name, value in preflight.headers if name.startswith("Access-Control-")} == {
            "Access-Control-Allow-Credentials": "true", "Access-Control-Allow-Headers": "Content-Type,X-Request-Id",
            "Access-Control-Allow-Methods": "GET,PUT,DELETE", "Access-Control-Allow-Origin": "https://shop.example",
            "Access-Control-Expose-Headers": "X-Total", "Access-Control-Max-Age": "600"}
        for origin, allowed in (("https://pr-7.preview.example", True), ("https://preview.example.org", False)):
            answer = example.ask("api.localhost", headers={"Origin": origin})
            assert answer.header("Access-Control-Allow-Origin") == (origin if allowed else None)
            assert answer.header("Vary") == "Origin"


def test_maintenance(engine, monkeypatch):
    with Example(engine, "maintenance") as example:
        example.until(503, "app.localhost")
        wait_for(lambda: "Back at noon" in example.ask("app.localhost").text, 20, "the app has started")
        page = example.ask("app.localhost", headers={"Accept": "text/html"})
        assert page.header("Content-Type") == "text/html; charset=utf-8"
        assert "We are moving the shelves. Back at noon." in page.text
        assert page.header("Retry-After") == "600"

        monkeypatch.setenv("ALLOWED", "0.0.0.0/0")
        example("up", "-d", "-t", "1", "app")
        example.until(200, "app.localhost")

        monkeypatch.setenv("ALLOWED", "192.0.2.0/24")
        monkeypatch.setenv("DOWN", "false")
        example("up", "-d", "-t", "1", "app")
        example.until(200, "app.localhost")


def test_udp_dns(engine, knot_image, monkeypatch):
    port = free_port(socket.SOCK_DGRAM)
    monkeypatch.setenv("KNOT_IMAGE", knot_image)
    monkeypatch.setenv("FAIRLEAD_DNS", str(port))
    with Example(engine, "udp-dns"):
        query = dns.message.make_query("www.example.test", "A")
        for ask_dns in (dns.query.udp, dns.query.tcp):

            def addresses():
                try:
                    return [str(record) for record in ask_dns(query, "127.0.0.1", timeout=5, port=port).answer[0]]
                except (OSError, EOFError, IndexError, dns.exception.DNSException):
                    return None

            assert wait_for(addresses, 40, "the DNS server answers", every=0.1) == ["192.0.2.7"]


def test_tcp_redis(engine, redis_image, monkeypatch):
    monkeypatch.setenv("REDIS_IMAGE", redis_image)
    plain, tls = free_port(), free_port()
    monkeypatch.setenv("FAIRLEAD_REDIS", str(plain))
    monkeypatch.setenv("FAIRLEAD_REDISS", str(tls))

    def redis_cli(port, *arguments):
        done = subprocess.run(["redis-cli", "-h", "127.0.0.1", "-p", str(port), *arguments], capture_output=True, text=True,
                              timeout=90)
        return done.stdout.strip()

    with Example(engine, "tcp-redis"):
        wait_for(lambda: redis_cli(plain, "SET", "k", "v") == "OK", 40, "Redis answers", every=0.1)
        secure = ("--tls", "--insecure", "--sni")
        assert redis_cli(tls, *secure, "redis.localhost", "GET", "k") == "v"
        assert redis_cli(tls, *secure, "other.localhost", "GET", "k") != "v"


@pytest.fixture(scope="module")
def postgres_image(engine, tmp_path_factory):
    """A PostgreSQL image from the machine's own server: no registry is asked."""
    context = tmp_path_factory.mktemp("postgres-image")
    versions = sorted(path.name for path in pathlib.Path("/usr/lib/postgresql").glob("*"))
    assert versions, "postgresql is missing: ./dev test installs it"
    version, root = versions[-1], context / "root"
    for folder in (f"/usr/lib/postgresql/{version}/lib", f"/usr/share/postgresql/{version}", "/usr/share/zoneinfo/Etc"):
        shutil.copytree(folder, root / folder.lstrip("/"), ignore=shutil.ignore_patterns("bitcode", "locale", "man"))
    programs = [f"/usr/lib/postgresql/{version}/bin/{name}" for name in ("postgres", "initdb")] + ["/bin/sh"]
    libraries = {path for program in programs for path in re.findall(
        r"(/\S+)", subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout)}
    for path in [*programs, *libraries]:
        place = root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            shutil.copy(os.path.realpath(path), place)
    (root / "etc").mkdir()
    (root / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\npostgres:x:70:70::/data:/bin/sh\n")
    (root / "start").write_text(
        "#!/bin/sh\nset -e\ninitdb -D /data/db -A trust -E UTF8 --no-sync >/dev/null\n"
        "echo 'host all all all trust' >>/data/db/pg_hba.conf\n"
        "exec postgres -D /data/db -h 0.0.0.0 -k /data -c fsync=off\n")
    (root / "start").chmod(0o755)
    (context / "data").mkdir()
    (context / "Dockerfile").write_text(
        "FROM scratch\nCOPY root/ /\nCOPY --chown=70:70 data /data\n"
        f"ENV PATH=/usr/lib/postgresql/{version}/bin:/bin TZ=Etc/UTC LC_ALL=C\nUSER 70\nEXPOSE 5432\nCMD [\"/start\"]\n")
    name = f"{RUN}-postgres:latest"
    subprocess.run([CLI, "-H", engine.endpoint, "build", "-q", "-t", name, str(context)], check=True, capture_output=True,
                   env={**os.environ, "DOCKER_BUILDKIT": "0"})
    yield name
    engine.cli("rmi", "-f", name, check=False)


def test_tcp_postgres(engine, postgres_image, monkeypatch):
    port = free_port()
    monkeypatch.setenv("POSTGRES_IMAGE", postgres_image)
    monkeypatch.setenv("FAIRLEAD_POSTGRES", str(port))

    def psql(host, query):
        done = subprocess.run(
            ["psql", "-XAtq", f"host={host} hostaddr=127.0.0.1 port={port} user=postgres dbname=postgres sslmode=require "
             "connect_timeout=60", "-c", query], capture_output=True, text=True, timeout=120)
        return done.stdout.strip()

    with Example(engine, "tcp-postgres"):
        for name in ("orders", "users"):
            wait_for(lambda: psql(f"{name}.localhost", "select 6*7") == "42", 60, f"{name} answers", every=0.2)
        psql("orders.localhost", "create table t (x int)")
        assert psql("orders.localhost", "select count(*) from t") == "0"
        assert psql("users.localhost", "select count(*) from t") == "", "the other server"
        assert psql("nobody.localhost", "select 1") == ""


def test_every_example_is_started_here():
    """A folder without a test of its name fails."""
    folders = {path.parent.name for path in (ROOT / "examples").glob("*/compose.yml")}

    assert folders == {name.removeprefix("test_").replace("_", "-") for name in globals() if name.startswith("test_")} - {
        "every-example-is-started-here"}
    for folder in folders:
        assert f"examples/{folder}" in (ROOT / "README.md").read_text()
