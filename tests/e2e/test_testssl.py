"""The TLS that is offered without any options, judged by testssl.sh: protocols, ciphers, known attacks."""

import json
import subprocess

from support.certificates import make
from support.origin import Origin


def test_testssl_finds_nothing_above_low(start, tmp_path):
    ca = make(tmp_path, "ca", ca=True)
    pairs = [make(tmp_path, kind, ["DNS:localhost"], ca, algorithm=kind) for kind in ("ec", "rsa:2048")]
    with Origin() as origin:
        proxy = start({
            "http": {"routers": {"site": {"rule": "Host(`localhost`)", "service": "origin", "tls": {}}},
                     "services": {"origin": {"loadBalancer": {"servers": [{"url": origin.url}]}}}},
            "tls": {"certificates": [pair.config for pair in pairs]},
        })
        findings = tmp_path / "findings.json"
        done = subprocess.run(
            ["testssl", "--quiet", "--color", "0", "--warnings", "batch", "--nodns", "min", "--add-ca", str(ca.cert),
             "--jsonfile", str(findings), "--protocols", "--std", "--vulnerable", "--ip", "127.0.0.1",
             f"https://localhost:{proxy.port()}"],
            capture_output=True, text=True, timeout=1200)

    found = json.loads(findings.read_text())
    severity = {finding["id"]: finding["severity"] for finding in found}
    # It did its work: what it looked at, and what it must have seen.
    for attack in ("heartbleed", "CCS", "ticketbleed", "ROBOT", "secure_renego", "CRIME_TLS", "POODLE_SSL", "SWEET32",
                   "FREAK", "DROWN", "LOGJAM", "BEAST", "RC4"):
        assert attack in severity, (attack, done.stdout[-3000:])
    assert severity["TLS1_3"] == "OK" and severity["SSLv3"] == "OK", done.stdout
    # "engine_problem" is about testssl's own OpenSSL.
    serious = [f for f in found if f["severity"] not in ("OK", "INFO", "LOW") and f["id"] != "engine_problem"]
    assert serious == []
