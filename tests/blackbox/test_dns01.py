"""DNS-01 from outside: a real authority (pebble) looks at a real DNS server (Knot) that Fairlead updates."""

import ssl
import socket
import time

import pytest
from support.knot import Knot
from support.pebble import Pebble
from support.ports import free_port, wait_for


@pytest.fixture(scope="module")
def knot():
    with Knot() as server:
        yield server


@pytest.fixture(scope="module")
def authority(knot):
    with Pebble(dns_port=knot.port) as pebble:
        yield pebble


def names(port, name, root):
    """The names in the trusted certificate that a client gets for `name`; None when it gets none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(str(root))
    try:
        with socket.create_connection(("127.0.0.1", port), 20) as plain:
            with context.wrap_socket(plain, server_hostname=name) as secure:
                return sorted(value for _, value in secure.getpeercert()["subjectAltName"])
    except OSError:
        return None


def site(origin, rule, resolver="le", domains=None):
    tls = {"certResolver": resolver, **({"domains": domains} if domains else {})}
    return {"http": {"routers": {"site": {"rule": rule, "service": "origin", "tls": tls}},
                     "services": {"origin": {"loadBalancer": {"servers": [{"url": origin.url}]}}}}}


def resolvers(authority, storage, provider, **challenge):
    return {"certificatesResolvers": {"le": authority.resolver(storage, {"dnsChallenge": {
        "provider": provider, **challenge}})}}


def seen_by(knot):
    """Only the resolver is asked: name servers of a zone are asked at port 53."""
    return {"resolvers": [knot.address], "propagation": {"disableANSChecks": True, "requireAllRNS": True}}


def test_a_domain_and_its_wildcard_by_signed_updates(start, origin, knot, authority, tmp_path):
    proxy = start(site(origin, "Host(`example.test`)", domains=[{"main": "example.test", "sans": ["*.example.test"]}]),
                  resolvers(authority, tmp_path / "acme.json", "rfc2136", **seen_by(knot)), env=knot.environment)

    got = wait_for(lambda: names(proxy.port(), "www.example.test", authority.root()), 60, "the wildcard is served")

    assert got == ["*.example.test", "example.test"]
    assert f"resolver {knot.address} shows the record" in proxy.log()
    wait_for(lambda: knot.texts("_acme-challenge.example.test") == 0, 10, "the records are gone")


def test_follows_the_delegation_of_a_name(start, origin, knot, authority, tmp_path):
    proxy = start(site(origin, "Host(`delegated.example.test`)"),
                  resolvers(authority, tmp_path / "acme.json", "rfc2136", **seen_by(knot)), env=knot.environment)

    got = wait_for(lambda: names(proxy.port(), "delegated.example.test", authority.root()), 60, "it is served")

    assert got == ["delegated.example.test"]
    assert "TXT record of delegated.proofs.example.test is seen" in proxy.log()


def test_a_hook_program_makes_the_records(start, origin, tmp_path):
    with Pebble() as pebble:
        hook = tmp_path / "hook.sh"
        # The mock DNS keeps one value for each name.
        hook.write_text(f"""#!/bin/sh
echo "$*" >>{tmp_path}/calls
case $1 in
present) curl -sS -m 10 -d '{{"host":"'"$2"'","value":"'"$3"'"}}' http://127.0.0.1:{pebble.dns_management}/set-txt ;;
cleanup) curl -sS -m 10 -d '{{"host":"'"$2"'"}}' http://127.0.0.1:{pebble.dns_management}/clear-txt ;;
esac
""")
        hook.chmod(0o700)
        proxy = start(site(origin, "Host(`hook.test`)", domains=[{"main": "*.hook.test"}]),
                      resolvers(pebble, tmp_path / "acme.json", "exec", resolvers=[f"127.0.0.1:{pebble.dns_port}"],
                                propagation={"disableChecks": True}), env={"EXEC_PATH": str(hook)})

        assert wait_for(lambda: names(proxy.port(), "a.hook.test", pebble.root()), 60, "it is served") == ["*.hook.test"]

        calls = wait_for(lambda: [line.split() for line in (tmp_path / "calls").read_text().splitlines()
                                  if "cleanup" in (tmp_path / "calls").read_text()], 10, "the hook cleans up")
    assert [call[:2] for call in calls] == [["present", "_acme-challenge.hook.test."], ["cleanup", "_acme-challenge.hook.test."]]
    assert calls[0][2] == calls[1][2] and len(calls[0][2]) == 43


def test_a_record_that_cannot_be_taken_away_is_told(start, origin, tmp_path):
    with Pebble(env={"PEBBLE_VA_ALWAYS_VALID": "1"}) as pebble:
        hook = tmp_path / "hook.sh"
        hook.write_text("#!/bin/sh\n[ $1 = present ] || { echo the zone is locked; exit 3; }\n")
        hook.chmod(0o700)
        proxy = start(site(origin, "Host(`stays.test`)"),
                      resolvers(pebble, tmp_path / "acme.json", "exec", resolvers=[f"127.0.0.1:{pebble.dns_port}"],
                                propagation={"disableChecks": True}), env={"EXEC_PATH": str(hook)})

        assert wait_for(lambda: names(proxy.port(), "stays.test", pebble.root()), 60, "it is served") == ["stays.test"]

        told = wait_for(lambda: [line for line in proxy.log().splitlines() if "could not be taken away" in line], 20, "it is told")
    assert len(told) == 1 and "dns-01 challenge of stays.test" in told[0] and "the zone is locked" in told[0]


def test_missing_credentials_are_said_on_the_router_and_harm_no_other(start, origin, authority, tmp_path):
    dynamic = site(origin, "Host(`example.test`)", domains=[{"main": "*.example.test"}])
    dynamic["http"]["routers"]["plain"] = {"rule": "Host(`plain`)", "service": "origin"}
    proxy = start(dynamic, resolvers(authority, tmp_path / "acme.json", "cloudfare"))

    told = wait_for(lambda: [e for e in proxy.router("site@file").get("error", []) if "dnsChallenge" in e], 20, "it is said")

    assert "did you mean cloudflare?" in str(told)
    assert proxy.ask(host="plain").status == 200

    proxy = start(dynamic, resolvers(authority, tmp_path / "acme.json", "cloudflare"))
    told = wait_for(lambda: [e for e in proxy.router("site@file").get("error", []) if "cloudflare" in e], 20, "it is said")
    assert "CF_DNS_API_TOKEN (or CLOUDFLARE_DNS_API_TOKEN) is not set" in str(told)


def test_what_the_servers_show_is_said_and_a_stop_does_not_wait(start, origin, knot, authority, tmp_path):
    nobody = free_port()
    proxy = start(site(origin, "Host(`slow.example.test`)"),
                  resolvers(authority, tmp_path / "acme.json", "rfc2136", resolvers=[knot.address, f"127.0.0.1:{nobody}"],
                            propagation={"disableANSChecks": True, "requireAllRNS": True}), env=knot.environment)
    wait_for(lambda: f"resolver 127.0.0.1:{nobody} shows" in proxy.log(), 30, "what it shows is logged")
    wait_for(lambda: f"resolver {knot.address} shows the record" in proxy.log(), 10, "and what the other one shows")
    begun = time.monotonic()

    proxy.stop(60)

    assert time.monotonic() - begun < 40
    wait_for(lambda: knot.texts("_acme-challenge.slow.example.test") == 0, 5, "the record is taken away also at the end")
