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
