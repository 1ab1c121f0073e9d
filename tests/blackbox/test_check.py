"""`fairlead check`: what would not work, without starting anything."""

import json
import subprocess

import pytest
from support.fairlead import BINARY, environment


def call(*arguments, env=None):
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=90,
                          env=environment(**(env or {})))


def test_check_says_what_the_log_would_and_starts_nothing(tmp_path):
    sites, install = tmp_path / "sites.yml", tmp_path / "fairlead.yml"

    def check(routers, **more):
        sites.write_text(json.dumps({"http": {"routers": routers, "services": {
            "app": {"loadBalancer": {"servers": [{"url": "http://127.0.0.1:9"}]}}}}}))
        install.write_text(json.dumps({"entryPoints": {"web": {"address": "127.0.0.1:0"}},
                                       "providers": {"file": {"filename": str(sites)}, "docker": {}}, **more}))
        done = call("check", f"--configFile={install}")
        return done.returncode, done.stdout

    good = {"rule": "Host(`a`)", "service": "app", "middlewares": ["auth@docker"]}
    code, text = check({"a": good})
    assert code == 0 and "notice: router a@file" in text and "auth@docker" in text, text

    code, text = check({"a": good, "b": {"rule": "Hots(`b`)", "service": "app"}, "c": {"rule": "Host(`c`)", "service": "ap"}})
    assert code == 1 and "error: router b@file" in text and "sites.yml:" in text and "error: router c@file" in text, text

    assert call("check", "--api.insecure", "true").returncode == 2
    code, text = check({}, global_={})
    assert code == 2 and "error: global_" in text and "would not start" in text, text


MISTAKES = {
    "tls": {"certificates": [{"certFile": "/nope/a.crt", "keyfil": "/nope/a.key"},
                             {"certFile": "/nope/b.crt", "keyFile": "/nope/b.key"},
                             {"certFile": "/nope/c.crt", "keyFile": "/nope/c.key", "stores": ["other"]}],
            "stores": {"default": {"defaultCertificate": {"certFile": "/nope/d.crt", "keyFile": "/nope/d.key"}}}},
    "http": {"serversTransports": {"unused": {"rootCAs": ["/nope/e.pem"]}}},
    "tcp": {"serversTransports": {"misspelt": {"tls": {"insecureSkipVerify": True}, "dialTimeou": "5s"},
                                  "negative": {"dialTimeout": "-3s"},
                                  "unused": {"tls": {"serverName": "db", "rootCAs": ["/nope/f.pem"]}}}},
}
WHAT_IS_WRONG = [  # with what else its line says, and whether it is an error
    ("TLS certificate /nope/a.crt", "keyfil", False),
    ("TLS certificate /nope/a.crt", "needs certFile and keyFile", True),
    ("TLS certificate /nope/b.crt", "No such file", True),
    ("TLS certificate /nope/c.crt", "in no store that serves", False),
    ("TLS store default", "/nope/d.crt", True),
    ("serversTransport unused@file", "/nope/e.pem", True),
    ("TCP serversTransport misspelt@file", "dialTimeou", False),
    ("TCP serversTransport negative@file", "dialTimeout is negative", False),
    ("TCP serversTransport unused@file", "/nope/f.pem", True),
]


def test_elements_of_every_kind_are_looked_at(tmp_path):
    sites = tmp_path / "sites.json"
    sites.write_text(json.dumps(MISTAKES))
    done = call("check", "--entryPoints.web.address=:0", f"--providers.file.filename={sites}")
    lines = done.stdout.splitlines()
    for element, what, is_error in WHAT_IS_WRONG:
        beginning = f"{'error' if is_error else 'notice'}: {element} ("
        assert [line for line in lines if line.startswith(beginning) and what in line], (element, what, done.stdout)
    assert done.returncode == 1


def test_the_log_says_of_every_kind_what_is_wrong_once(start):
    running = start(MISTAKES)
    log = running.log()
    for element, what, is_error in WHAT_IS_WRONG:
        said = [line for line in log.splitlines() if f"{element} (" in line and what in line]
        assert len(said) == 1 and (" ERR " if is_error else " WRN ") in said[0], (element, what, log)


ACME = "--certificatesResolvers.le.acme."
HTTP_01 = f"{ACME}httpChallenge.entryPoint=web"


@pytest.mark.parametrize("flags, what", [
    ([f"{ACME}dnsChallenge.provider=namecheap"], "certificate resolver le cannot obtain anything: dnsChallenge.provider"),
    ([f"{ACME}dnsChallenge.provider=cloudflare"], "certificate resolver le cannot obtain anything: "),
    ([HTTP_01, f"{ACME}caCertificates=/nope/ca.pem"], "/nope/ca.pem"),
    ([HTTP_01, f"{ACME}storage=/nope/acme.json"], "the storage /nope/acme.json cannot be created: No such file"),
    ([HTTP_01, f"{ACME}storage=/"], "the storage / is no file"),
    (["--providers.docker.constraints=Tag(`x`)"], "providers.docker.constraints: "),
    (["--providers.docker.constraints=Label('a','b')"], "no container is exposed"),
    (["--providers.swarm.constraints=Tag(`x`)"], "providers.swarm.constraints: "),
    (["--providers.docker.defaultRule=Host(`{{ block }}`)"], "provider docker: providers.docker.defaultRule: "),
    (["--providers.swarm.defaultRule=Host(`{{ block }}`)"], "provider swarm: providers.swarm.defaultRule: "),
    (["--providers.docker.endpoint=ftp://engine"], "provider docker: providers.docker.endpoint: "),
    (["--providers.swarm.endpoint=ftp://engine"], "provider swarm: providers.swarm.endpoint: "),
    (["--providers.http.endpoint=routes"], "provider http: providers.http.endpoint: \"routes\" is no http or https URL"),
    (["--providers.http.endpoint=https://routes", "--providers.http.tls.ca=/nope/ca.pem"],
     "providers.http.tls: open /nope/ca.pem: No such file"),
    (["--providers.docker.endpoint=tcp://engine", "--providers.docker.tls.cert=/nope/c.pem", "--providers.docker.tls.key=/nope/k.pem"],
     "providers.docker.tls: open /nope/c.pem: No such file"),
    (["--providers.swarm.tls.cert=/nope/c.pem"], "providers.swarm.tls: `cert` and `key` go together"),
    (["--providers.docker.hosts.far.endpoint=tcp://far", "--providers.docker.hosts.far.tls.ca=/nope/ca.pem"],
     "providers.docker.hosts.far.tls: "),
    (["--tracing.otlp.grpc.tls.ca=/nope/ca.pem"], "tracing.otlp.grpc.tls: open /nope/ca.pem: "),
    (["--accessLog.otlp.http.tls.ca=/nope/ca.pem"], "accessLog.otlp.http.tls: open /nope/ca.pem: "),
    (["--tracing.otlp.http.endpoint=nowhere"], "tracing.otlp.http.endpoint: "),
    (["--metrics.otlp.grpc.endpoint=nowhere:port"], "metrics.otlp.grpc.endpoint: "),
    (["--log.otlp.http.endpoint=ftp://collector"], "log.otlp.http.endpoint: "),
    (["--accessLog.otlp.http.endpoint=http://u:p@collector"], "accessLog.otlp.http.endpoint: "),
    (["--log.filePath=/"], "log.filePath: / is a directory"),
    (["--accessLog.filePath=/"], "accessLog.filePath: / is a directory"),
], ids=lambda value: value[-1].lstrip("-").split("=")[0] if isinstance(value, list) else "")
def test_what_the_install_configuration_asks_for_in_vain_is_an_error(tmp_path, flags, what):
    storage = [] if any("storage" in flag for flag in flags) else [f"{ACME}storage={tmp_path}/acme.json"]
    if not any(flag.startswith(ACME) for flag in flags):
        storage = []
    done = call("check", "--entryPoints.web.address=:0", *storage, *flags)
    assert done.returncode == 1, done.stdout
    assert [line for line in done.stdout.splitlines() if line.startswith("error: ") and what in line], done.stdout
    assert list(tmp_path.iterdir()) == []


def test_what_would_work_is_no_error_and_nothing_is_touched(tmp_path):
    storage = tmp_path / "acme.json"
    flags = ["--entryPoints.web.address=:0", f"{ACME}storage={storage}", f"{ACME}caServer=http://127.0.0.1:9/",
             f"{ACME}dnsChallenge.provider=cloudflare", "--providers.docker.endpoint=tcp://127.0.0.1:9",
             "--providers.docker.constraints=Label(`a`, `b`)", "--tracing.otlp.http.endpoint=http://127.0.0.1:9"]
    done = call("check", *flags, env={"CF_DNS_API_TOKEN": "t"})
    assert done.returncode == 0 and "errors 0" in done.stdout, done.stdout
    assert list(tmp_path.iterdir()) == []

    storage.write_text("{")
    storage.chmod(0o640)
    done = call("check", *flags, env={"CF_DNS_API_TOKEN": "t"})
    assert done.returncode == 1 and f"error: certificate resolver le cannot obtain anything: the storage {storage} " in done.stdout
    assert storage.read_text() == "{" and storage.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [storage]
