"""What helps whoever looks for a fault: the support dump, /debug, and the demo server over TLS."""

import io
import json
import signal
import subprocess
import tarfile

import pytest
from support.certificates import TlsClient, make
from support.fairlead import BINARY, environment, routes
from support.ports import free_port, wait_for
from support.raw import Closed, ask

SECRET = "5up3r-h1dden"


def test_a_support_dump_is_an_archive_without_secrets(start, origin):
    dynamic = routes(app=[origin.url])
    dynamic["http"]["middlewares"] = {
        "auth": {"basicAuth": {"users": ["jo:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M="]}},
        "limit": {"rateLimit": {"average": 1, "redis": {"password": SECRET}}},
        "plug": {"plugin": {"demo": {"apiToken": SECRET}}},
    }
    dynamic["http"]["services"]["login"] = {"loadBalancer": {"servers": [{"url": f"http://jo:{SECRET}@127.0.0.1:9"}]}}
    proxy = start(dynamic, {"providers": {"http": {"endpoint": f"http://user:{SECRET}@127.0.0.1:9/x"}}})

    answer = ask(proxy.api_port, target="/api/support-dump")

    assert (answer.status, answer.header("Content-Type")) == (200, "application/gzip")
    assert answer.header("Content-Disposition") == "attachment; filename=support-dump.tar.gz"
    with tarfile.open(fileobj=io.BytesIO(answer.body)) as archive:
        files = {member.name: json.load(archive.extractfile(member)) for member in archive}
    assert set(files) == {"version.json", "static-config.json", "runtime-config.json"}
    assert files["version.json"]["Version"]
    assert files["static-config.json"]["entryPoints"]["web"]["address"] == f"127.0.0.1:{proxy.port()}"
    assert "app@file" in files["runtime-config.json"]["routers"]
    for secret in (SECRET, "qUqP5cyxm6YcTAhz05Hph5gvu9M"):
        assert secret not in json.dumps(files)
    assert "xxxx@127.0.0.1:9" in json.dumps(files)


def test_debug_is_served_only_when_asked_for(start, origin):
    closed = start(routes(app=[origin.url]))
    open_ = start(routes(app=[origin.url]), {"api": {"debug": True}}, args=[f"--providers.redis.password={SECRET}"])

    # Without it the dashboard's router is what matches, and knows no such page.
    assert ask(closed.api_port, target="/debug/vars").status == 404
    told = json.loads(ask(open_.api_port, target="/debug/vars").body)
    assert told["process"]["residentBytes"] > 1_000_000
    assert told["process"]["threads"] >= 3
    assert "--providers.redis.password=xxxx" in told["cmdline"]
    assert SECRET not in json.dumps(told)
    assert ask(open_.api_port, target="/debug/pprof/profile").status == 501


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pki")

    class Pki:
        ca = make(folder, "ca", ca=True)
        server = make(folder, "server", ["DNS:whoami", "IP:127.0.0.1"], ca)
        client = make(folder, "client", issuer=ca)

    return Pki


@pytest.mark.parametrize("asks_clients", [False, True])
def test_whoami_serves_https(start, pki, asks_clients):
    port = free_port()
    command = [BINARY, "whoami", f"--port={port}", "--name=safe", "--cert", str(pki.server.cert), "-key", str(pki.server.key)]
    command += ["--cacert", str(pki.ca.cert)] if asks_clients else []
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment())

    def text(certificate=pki.client, timeout=60.0):
        with TlsClient(port, "whoami", pki.ca, certificate, timeout=timeout) as client:
            return client.ask(host="whoami").text

    def listens():
        try:
            return text()
        except OSError:
            return None

    try:
        assert "Name: safe" in wait_for(listens, 15, "whoami answers")
        if asks_clients:
            with pytest.raises((OSError, Closed)):
                text(certificate=None)
        else:
            assert "Name: safe" in text(certificate=None)
            with pytest.raises((Closed, AssertionError, ValueError)):
                assert ask(port).status == 200  # plain HTTP
        # The router speaks to it as to any other server.
        dynamic = routes(app=[f"https://127.0.0.1:{port}"])
        dynamic["http"]["services"]["app"]["loadBalancer"]["serversTransport"] = "t"
        dynamic["http"]["serversTransports"] = {"t": {"rootCAs": [str(pki.ca.cert)], "certificates": [pki.client.config]}}
        proxy = start(dynamic)
        for _ in range(3):
            assert "Name: safe" in proxy.ask(host="app").text
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("arguments, status, says", [
    (["--cert", "/nowhere/cert.pem", "--key", "/nowhere/key.pem"], 1, "/nowhere/cert.pem: No such file or directory"),
    (["--cert", "/nowhere/cert.pem"], 2, "go together"),
    (["--cacert", "/nowhere/ca.pem"], 2, "--cacert needs"),
])
def test_whoami_says_what_is_wrong_with_its_files(arguments, status, says):
    done = subprocess.run([BINARY, "whoami", *arguments], capture_output=True, text=True, timeout=90, env=environment())

    assert done.returncode == status
    assert says in done.stderr


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_whoami_says_which_flags_it_has(flag):
    done = subprocess.run([BINARY, "whoami", flag], capture_output=True, text=True, timeout=90, env=environment())

    assert (done.returncode, done.stderr) == (0, "")
    assert "--port PORT" in done.stdout and "--cacert" in done.stdout
