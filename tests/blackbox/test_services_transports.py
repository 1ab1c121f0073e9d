"""serversTransports: every option, seen by the servers. One Fairlead for most of it."""

import shutil
import socket
import ssl
import time

import pytest
from support.certificates import make
from support.fairlead import Fairlead
from support.origin import Origin, respond
from support.ports import wait_for
from support.raw import RawClient


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pki")

    class Pki:
        ca = make(folder, "ca", ca=True)
        other_ca = make(folder, "other-ca", ca=True)
        server = make(folder, "server", ["IP:127.0.0.1", "URI:spiffe://x/y", "DNS:backend.example"], ca)
        client = make(folder, "client", issuer=ca)
        stranger = make(folder, "stranger", issuer=other_ca)

    Pki.folder = folder
    return Pki


def context(pki, lowest=None, highest=None, ciphers=None, client_ca=None):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(str(pki.server.cert), str(pki.server.key))
    if lowest:
        made.minimum_version = lowest
    if highest:
        made.maximum_version = highest
    if ciphers:
        made.set_ciphers(ciphers)
    if client_ca:
        made.load_verify_locations(str(client_ca.cert))
        made.verify_mode = ssl.CERT_REQUIRED
    return made


TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@pytest.fixture(scope="module")
def servers(pki):
    made = {
        "plain": Origin(),
        "any": Origin(tls=context(pki)),
        "old": Origin(tls=context(pki, highest=TLS12)),
        "new": Origin(tls=context(pki, lowest=TLS13)),
        "aes256": Origin(tls=context(pki, highest=TLS12, ciphers="ECDHE-ECDSA-AES256-GCM-SHA384")),
        "mutual": Origin(tls=context(pki, client_ca=pki.ca)),
        "late": Origin(lambda request: [3.0, respond()]),
    }
    yield made
    for server in made.values():
        server.stop()


@pytest.fixture(scope="module")
def full():
    """An address whose queue of connections is full: a dial to it gets no answer."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = []
        for _ in range(8):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
            waiting.append(client)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        for client in waiting:
            client.close()


def cases(pki):
    """name → (server, options of its transport, status)"""
    trusting = {"rootCAs": [str(pki.ca.cert)]}
    return {
        "lowest-too-high": ("old", {**trusting, "minVersion": "VersionTLS13"}, 500),
        "lowest": ("new", {**trusting, "minVersion": "VersionTLS13"}, 200),
        "highest-too-low": ("new", {**trusting, "maxVersion": "VersionTLS12"}, 500),
        "highest": ("old", {**trusting, "maxVersion": "VersionTLS12"}, 200),
        "ciphers": ("aes256", {**trusting, "cipherSuites": ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"]}, 200),
        "other-ciphers": ("aes256", {**trusting, "cipherSuites": ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"]}, 500),
        "unsafe-cipher": ("aes256", {**trusting, "cipherSuites": [
            "TLS_RSA_WITH_RC4_128_SHA", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"]}, 200),
        "uri": ("any", {**trusting, "peerCertURI": "spiffe://x/y"}, 200),
        "other-uri": ("any", {**trusting, "peerCertURI": "spiffe://x/z"}, 500),
        "uri-of-another-name": ("any", {**trusting, "peerCertURI": "spiffe://x/y", "insecureSkipVerify": True,
                                        "serverName": "elsewhere"}, 200),
        "san": ("any", {**trusting, "peerCertSANs": [{"type": "DNSName", "value": "other"},
                                                     {"type": "URI", "value": "spiffe://x/y"}]}, 200),
        "dns-san": ("any", {**trusting, "peerCertSANs": [{"type": "DNSName", "value": "backend.example"}]}, 200),
        "other-san": ("any", {**trusting, "peerCertSANs": [{"type": "URI", "value": "spiffe://x/z"}]}, 500),
        "pem-text": ("any", {"rootCAs": [pki.ca.cert.read_text()]}, 200),
        "name": ("any", {**trusting, "serverName": "backend.example"}, 200),
        "no-client-certificate": ("mutual", trusting, (500, 502)),
        "client-certificate": ("mutual", {**trusting, "certificates": [pki.client.config]}, 200),
        "unreadable": ("any", {"rootCAs": ["/nowhere.pem"]}, 503),
        "late": ("late", {"forwardingTimeouts": {"responseHeaderTimeout": "200ms"}}, 504),
        "patient": ("late", {"forwardingTimeouts": {"responseHeaderTimeout": "60s"}}, 200),
    }


def balancer(url, transport=None, **more):
    return {"loadBalancer": {"servers": [{"url": url}], **({"serversTransport": transport} if transport else {}), **more}}


@pytest.fixture(scope="module")
def house(pki, servers, full, tmp_path_factory):
    folder = tmp_path_factory.mktemp("changing")
    changing = {name: folder / name for name in ("ca.pem", "client.pem", "client.key")}
    shutil.copy(pki.other_ca.cert, changing["ca.pem"])
    shutil.copy(pki.stranger.cert, changing["client.pem"])
    shutil.copy(pki.stranger.key, changing["client.key"])
    services, transports = {}, {}
    for name, (server, options, _) in cases(pki).items():
        services[name], transports[name] = balancer(servers[server].url, name), options
    for name, url, options in [
        ("unused-idle", servers["plain"].url, {"maxIdleConnsPerHost": -1}),
        ("short-idle", servers["plain"].url, {"forwardingTimeouts": {"idleConnTimeout": "300ms"}}),
        ("long-idle", servers["plain"].url, {"maxIdleConnsPerHost": 4}),
        ("full", full, {"forwardingTimeouts": {"dialTimeout": "300ms"}}),
        ("changing-ca", servers["any"].url, {"rootCAs": [str(changing["ca.pem"])]}),
        ("changing-client", servers["mutual"].url, {"rootCAs": [str(pki.ca.cert)], "certificates": [
            {"certFile": str(changing["client.pem"]), "keyFile": str(changing["client.key"])}]}),
    ]:
        services[name], transports[name] = balancer(url, name), options
    transports["any"] = {"insecureSkipVerify": True}
    services["checked"] = balancer(servers["plain"].url, "any", healthCheck={
        "path": "/checked", "scheme": "https", "port": servers["any"].port, "interval": "100ms"})
    dynamic = {"http": {"routers": {name: {"rule": f"Host(`{name}`)", "service": name} for name in services},
                        "services": services, "serversTransports": transports}}
    with Fairlead(dynamic, workers=1) as proxy:
        yield proxy, changing


@pytest.mark.parametrize("name", ["lowest-too-high", "lowest", "highest-too-low", "highest", "ciphers", "other-ciphers",
                                  "unsafe-cipher", "uri", "other-uri", "uri-of-another-name", "san", "dns-san", "other-san",
                                  "pem-text", "name", "no-client-certificate", "client-certificate", "unreadable", "late",
                                  "patient"])
def test_what_a_transport_asks_of_its_servers(house, pki, name):
    proxy, _ = house
    expected = cases(pki)[name][2]

    assert proxy.ask(host=name).status in (expected if isinstance(expected, tuple) else (expected,))


def test_a_suite_that_is_skipped_is_told(house):
    proxy, _ = house

    assert "serversTransport unsafe-cipher@file" in proxy.log()
    assert "TLS_RSA_WITH_RC4_128_SHA is unsafe and is skipped" in proxy.log()


def connections_used(proxy, server, host, pause=0.0):
    before = server.connections
    with RawClient(proxy.port()) as client:
        for _ in range(3):
            assert client.ask(host=host).status == 200
            time.sleep(pause)
    return server.connections - before


def test_connections_are_kept_as_long_and_as_many_as_told(house, servers):
    proxy, _ = house

    assert connections_used(proxy, servers["plain"], "long-idle") == 1
    assert connections_used(proxy, servers["plain"], "unused-idle") == 3
    assert connections_used(proxy, servers["plain"], "short-idle", pause=1.5) == 3


def test_a_dial_without_an_answer_ends_in_time(house):
    proxy, _ = house

    begun = time.monotonic()
    assert proxy.ask(host="full").status == 504
    assert time.monotonic() - begun < 20, "else 30 s"


def replace(pair, paths):
    for source, path in zip(pair, paths):
        beside = path.with_suffix(".new")
        shutil.copy(source, beside)
        beside.rename(path)


def test_an_authority_that_changes_on_disk_counts_at_once(house, pki):
    proxy, changing = house

    assert proxy.ask(host="changing-ca").status == 500
    replace([pki.ca.cert], [changing["ca.pem"]])
    proxy.wait_status(200, "changing-ca")
    replace([pki.other_ca.cert], [changing["ca.pem"]])
    proxy.wait_status(500, "changing-ca")


def test_a_client_certificate_that_changes_on_disk_counts_at_once(house, pki):
    proxy, changing = house

    assert proxy.ask(host="changing-client").status in (500, 502)
    replace([pki.client.cert, pki.client.key], [changing["client.pem"], changing["client.key"]])
    proxy.wait_status(200, "changing-client")


def test_a_file_that_breaks_keeps_what_was(house, pki):
    proxy, changing = house
    replace([pki.ca.cert], [changing["ca.pem"]])
    proxy.wait_status(200, "changing-ca")

    beside = changing["ca.pem"].with_suffix(".new")
    beside.write_text("no certificate")
    beside.rename(changing["ca.pem"])
    wait_for(lambda: "what the file said before is used" in proxy.log(), 10, "it is told")

    assert proxy.ask(host="changing-ca").status == 200


def test_a_check_may_use_another_scheme_and_port(house, servers):
    proxy, _ = house

    wait_for(lambda: any(request.target == "/checked" for request in servers["any"].requests), 10, "a check over TLS")
    assert proxy.ask(host="checked").status == 200


def test_the_time_for_an_answer_begins_when_the_request_was_sent(start):
    prompt, late = Origin(), Origin(lambda request: [6.0, respond()])
    proxy = start({"http": {
        "routers": {name: {"rule": f"Host(`{name}`)", "service": name} for name in ("prompt", "late")},
        "services": {name: {"loadBalancer": {"servers": [{"url": server.url}], "serversTransport": "brief"}}
                     for name, server in (("prompt", prompt), ("late", late))},
        "serversTransports": {"brief": {"forwardingTimeouts": {"responseHeaderTimeout": "2s"}}}}})

    for host, status in (("prompt", 200), ("late", 504)):
        with RawClient(proxy.port()) as client:
            client.send(f"POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 3\r\n\r\n")
            for byte in (b"a", b"b", b"c"):
                time.sleep(0.8)
                client.send(byte)
            assert client.read_answer().status == status
    assert [server.requests[0].body for server in (prompt, late)] == [b"abc", b"abc"]
    prompt.stop(), late.stop()


def test_the_default_transport_is_the_one_of_the_installation(start, servers, full):
    dynamic = {"http": {"routers": {}, "services": {}}}
    for name, url in [("any", servers["any"].url), ("late", servers["late"].url), ("full", full),
                      ("plain", servers["plain"].url)]:
        dynamic["http"]["routers"][name] = {"rule": f"Host(`{name}`)", "service": name}
        dynamic["http"]["services"][name] = balancer(url)
    proxy = start(dynamic, {"serversTransport": {
        "insecureSkipVerify": True, "maxIdleConnsPerHost": -1,
        "forwardingTimeouts": {"responseHeaderTimeout": "1500ms", "dialTimeout": "1500ms", "idleConnTimeout": "1s"}}})

    assert [proxy.ask(host=host).status for host in ("any", "late", "full")] == [200, 504, 504]
    assert connections_used(proxy, servers["plain"], "plain") == 3


def test_the_default_transport_trusts_the_authorities_of_the_installation(start, servers, pki):
    dynamic = {"http": {"routers": {"app": {"rule": "Host(`app`)", "service": "app"}},
                        "services": {"app": balancer(servers["any"].url)}}}
    with_it = start(dynamic, {"serversTransport": {"rootCAs": [str(pki.ca.cert)]}})
    without = start(dynamic)

    assert [proxy.ask(host="app").status for proxy in (with_it, without)] == [200, 500]


def test_a_file_of_the_default_transport_that_breaks_keeps_what_was_and_is_told(start, servers, pki, tmp_path):
    trusted = tmp_path / "trusted.pem"
    replace([pki.ca.cert], [trusted])
    dynamic = {"http": {"routers": {"app": {"rule": "Host(`app`)", "service": "app"}},
                        "services": {"app": balancer(servers["any"].url)}},
               "tcp": {"routers": {"db": {"rule": "HostSNI(`*`)", "service": "db", "entryPoints": ["db"]}},
                       "services": {"db": {"loadBalancer": {"servers": [{
                           "address": f"127.0.0.1:{servers['any'].port}", "tls": True}]}}}}}
    proxy = start(dynamic, {"serversTransport": {"rootCAs": [str(trusted)]},
                            "tcpServersTransport": {"tls": {"insecureSkipVerify": True, "rootCAs": [str(trusted)]}}},
                  entry_points=("web", "db"))
    assert proxy.ask(host="app").status == 200

    beside = trusted.with_suffix(".new")
    beside.write_text("no certificate")
    beside.rename(trusted)
    for option in ("serversTransport.rootCAs", "tcpServersTransport.tls.rootCAs"):
        said = f"{option}: {trusted}: no certificate in PEM form; what the file said before is used"
        wait_for(lambda said=said: f": {said}" in proxy.log(), 10, said)
    assert proxy.ask(host="app").status == 200


def test_servers_that_spiffe_should_verify_are_not_served_unverified(start, servers):
    install = {"serversTransport": {"insecureSkipVerify": True, "spiffe": {"ids": ["spiffe://x/y"]}}}
    proxy = start({"http": {
        "routers": {name: {"rule": f"Host(`{name}`)", "service": name} for name in ("secure", "plain")},
        "services": {"secure": balancer(servers["any"].url), "plain": balancer(servers["plain"].url)}}}, install)

    proxy.wait_status(503, "secure")
    assert "serversTransport \"default@internal\" cannot be used: spiffe" in proxy.log()
    assert proxy.ask(host="plain").status == 200


def test_a_login_of_a_connection_stays_with_its_client(start):
    """NTLM: the server knows the connection, not the request."""
    logged_in = set()

    def answer(request):
        if request.connection in logged_in:
            return respond(b"secret")
        credentials = request.header("Authorization", "")
        if credentials.startswith("NTLM last"):
            logged_in.add(request.connection)
            return respond(b"secret")
        challenge = "NTLM challenge" if credentials.startswith("NTLM") else "NTLM"
        return respond(b"", 401, [("WWW-Authenticate", challenge)])

    with Origin(answer) as origin:
        proxy = start({"http": {"routers": {"app": {"rule": "Host(`app`)", "service": "app"}},
                                "services": {"app": balancer(origin.url)}}}, workers=1)
        with RawClient(proxy.port()) as alice, RawClient(proxy.port()) as bob:
            for credentials, status in [(None, 401), ("NTLM first", 401), ("NTLM last", 200), (None, 200)]:
                headers = {"Authorization": credentials} if credentials else {}
                assert alice.ask(host="app", headers=headers).status == status
                assert bob.ask(host="app").status == 401, "the login of another"
            assert alice.ask(host="app").text == "secret"
            used = {request.connection for request in origin.requests if request.header("Authorization")}
            assert len(used) == 1 == len(logged_in)
        # The client is gone, and its connection with it.
        assert proxy.ask(host="app").status == 401
        login = next(iter(logged_in))
        assert all(request.connection != login for request in origin.requests[-1:])
