"""TLS from outside: what real clients get, by name, version, certificate and options."""

import signal
import socket
import ssl
import struct
import subprocess
import threading

import pytest
from support.certificates import TlsClient, make, s_client
from support.fairlead import BINARY, environment, routes
from support.origin import Origin, respond
from support.ports import wait_for
from support.raw import RawClient


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    """Authorities and certificates that all tests of this file share."""
    folder = tmp_path_factory.mktemp("pki")

    class Pki:
        ca = make(folder, "ca", ca=True)
        other_ca = make(folder, "other-ca", ca=True)
        app = make(folder, "app", ["DNS:app", "DNS:app.example"], ca)
        app_rsa = make(folder, "app-rsa", ["DNS:app"], ca, algorithm="rsa:2048")
        wild = make(folder, "wild", ["DNS:*.wild.example"], ca)
        local = make(folder, "local", ["IP:127.0.0.1"], ca)
        client = make(folder, "client", issuer=ca, subject="/O=Clients/CN=alice")
        stranger = make(folder, "stranger", issuer=other_ca)

    Pki.folder = folder
    return Pki


def site(origin, pki, options=None, hosts=("app",), by_host=None, certificates=("app",), **tls):
    """Every host of `hosts` over HTTPS to `origin`; `by_host` names the options of some of them."""
    routers = {}
    for host in hosts:
        routers[host] = {"rule": f"Host(`{host}`)", "service": "origin", "tls": {}}
        if by_host and host in by_host:
            routers[host]["tls"] = {"options": by_host[host]}
    return {
        "http": {"routers": routers,
                 "services": {"origin": {"loadBalancer": {"servers": [{"url": origin.url}]}}}},
        "tls": {"certificates": [getattr(pki, name).config for name in certificates],
                **({"options": options} if options else {}), **tls},
    }


# ---- requests


def test_serves_https_and_says_so_to_the_server(start, origin, pki):
    proxy = start(site(origin, pki))

    with TlsClient(proxy.port(), "app", pki.ca) as client:
        for _ in range(3):
            assert client.ask(host="app").status == 200

    seen = origin.last()
    assert seen.header("X-Forwarded-Proto") == "https"
    assert origin.connections == 1
    line = wait_for(lambda: len(proxy.access_log()) == 3 and proxy.access_log()[-1], 5, "the lines are written")
    assert (line["TLSVersion"], line["RequestScheme"]) == ("1.3", "https")
    assert line["TLSCipher"].startswith("TLS_")


def test_carries_large_bodies_both_ways(start, origin, pki):
    body = bytes(range(256)) * 12_000
    origin.script(lambda request: respond(request.body))
    proxy = start(site(origin, pki))

    with TlsClient(proxy.port(), "app", pki.ca) as client:
        answer = client.ask("POST", host="app", body=body)

    assert (answer.status, answer.body) == (200, body)


def test_a_slow_reader_gets_everything(start, origin, pki):
    body = b"0123456789abcdef" * 500_000
    origin.script(respond(body))
    proxy = start(site(origin, pki))

    with TlsClient(proxy.port(), "app", pki.ca) as client:
        client.send("GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n")
        threading.Event().wait(0.5)
        answer = client.read_answer()

    assert answer.body == body


def test_a_plain_request_on_a_tls_port_is_told_so(start, origin, pki):
    proxy = start(site(origin, pki))

    answer = proxy.ask(host="app")

    assert answer.status == 400
    assert "https://" in answer.text
    assert origin.requests == []


def test_one_port_serves_both(start, origin, pki):
    dynamic = site(origin, pki)
    dynamic["http"]["routers"]["plain"] = {"rule": "Host(`plain`)", "service": "origin"}
    proxy = start(dynamic)

    assert proxy.ask(host="plain").status == 200
    assert proxy.ask(host="app").status == 404
    with TlsClient(proxy.port(), "app", pki.ca) as client:
        assert client.ask(host="app").status == 200
        assert client.ask(host="plain").status == 404


def test_tls_of_the_entry_point_counts_for_its_routers(start, origin, pki):
    dynamic = site(origin, pki)
    del dynamic["http"]["routers"]["app"]["tls"]
    proxy = start(dynamic, {"entryPoints": {"web": {"http": {"tls": {}}}}})

    with TlsClient(proxy.port(), "app", pki.ca) as client:
        assert client.ask(host="app").status == 200


# ---- certificates


@pytest.mark.parametrize("name,expected", [
    ("app", "DNS:app"),
    ("APP.example", "DNS:app"),
    ("x.wild.example", "*.wild.example"),
    ("x.y.wild.example", "no certificate for this name yet"),
    ("wild.example", "no certificate for this name yet"),
    ("nobody", "no certificate for this name yet"),
])
def test_the_certificate_follows_the_name(start, origin, pki, name, expected):
    proxy = start(site(origin, pki, certificates=("app", "wild")))

    with TlsClient(proxy.port(), name) as client:
        assert expected in client.server()
        assert client.ask(host="nobody").status == 404


def test_without_a_name_the_address_counts(start, origin, pki):
    proxy = start(site(origin, pki, certificates=("app", "local")))

    with TlsClient(proxy.port(), None) as client:
        assert "IP Address:127.0.0.1" in client.server()


def test_ecdsa_and_rsa_stand_side_by_side(start, origin, pki):
    proxy = start(site(origin, pki, certificates=("app", "app_rsa")))

    for algorithms, expected in (("ECDSA+SHA256", "id-ecPublicKey"), ("RSA-PSS+SHA256:RSA+SHA256", "rsaEncryption")):
        _, printed = s_client(proxy.port(), "-sigalgs", algorithms)
        assert f"a:PKEY: {expected}" in printed, printed


def test_how_strong_the_own_chain_is_clients_judge(start, origin, pki, tmp_path):
    """As in Traefik: a key of 1,024 bits, and issuers whose own signature is an old one."""
    root = make(tmp_path, "root", ca=True)
    old = make(tmp_path, "old", ca=True, issuer=root, digest="sha1")
    leaf = make(tmp_path, "leaf", ["DNS:old"], old)
    leaf.cert.write_bytes(leaf.cert.read_bytes() + old.cert.read_bytes())
    weak = make(tmp_path, "weak", ["DNS:weak"], algorithm="rsa:1024", digest="sha1")
    dynamic = site(origin, pki)
    dynamic["tls"]["certificates"] = [leaf.config, weak.config]
    proxy = start(dynamic)

    for name in ("old", "weak"):
        for version in ("-tls1_2", "-tls1_3"):
            _, printed = s_client(proxy.port(), version, "-cipher", "ALL:@SECLEVEL=0", name=name)
            assert "HTTP/1.1 200" in printed, printed
    _, printed = s_client(proxy.port(), "-cipher", "ALL:@SECLEVEL=0", "-sigalgs", "RSA+SHA1", "-tls1_2", name="weak")
    assert "HTTP/1.1 200" not in printed, "what is signed in the handshake is as strong as ever"


def test_a_default_certificate_of_the_configuration(start, origin, pki):
    proxy = start(site(origin, pki, certificates=(), stores={"default": {"defaultCertificate": pki.wild.config}}))

    with TlsClient(proxy.port(), "nobody") as client:
        assert "*.wild.example" in client.server()


def test_sni_strict_refuses_unknown_names(start, origin, pki):
    proxy = start(site(origin, pki, {"default": {"sniStrict": True}}))

    with TlsClient(proxy.port(), "app", pki.ca) as client:
        assert client.ask(host="app").status == 200
    for name in ("nobody", None):
        _, printed = s_client(proxy.port(), name=name)
        assert "unrecognized name" in printed, printed


def test_a_renewed_certificate_file_is_served(start, origin, pki, tmp_path):
    pair = make(tmp_path, "renewed", ["DNS:app"], pki.ca)
    dynamic = site(origin, pki)
    dynamic["tls"]["certificates"] = [pair.config]
    proxy = start(dynamic)
    with TlsClient(proxy.port(), "app", pki.ca) as client:
        before = client.server()

    pair.cert.write_text("-----BEGIN CERTIFICATE-----\nhalf")
    wait_for(lambda: "certificate read before stays" in proxy.log(), 10, "the broken file is noticed")
    with TlsClient(proxy.port(), "app", pki.ca) as client:
        assert client.server() == before
    make(tmp_path, "renewed", ["DNS:app"], pki.ca)

    def renewed():
        with TlsClient(proxy.port(), "app", pki.ca) as client:
            return client.server() != before

    wait_for(renewed, 10, "the new certificate is served")


def test_a_certificate_that_expires_makes_room_for_one_that_is_valid(start, origin, pki, tmp_path):
    own = make(tmp_path, "own", ["DNS:www.wild.example"], pki.ca, left=5)
    dynamic = site(origin, pki, certificates=("wild",))
    dynamic["tls"]["certificates"].insert(0, own.config)
    dynamic["tls"]["certificates"].append({"certFile": str(tmp_path / "lost.pem"), "keyFile": str(tmp_path / "lost.pem")})
    proxy = start(dynamic, env={"XDG_RUNTIME_DIR": str(tmp_path)})

    def shown():
        with TlsClient(proxy.port(), "www.wild.example") as client:
            return client.server()

    assert "CN = own" in shown()
    wait_for(lambda: "CN = wild" in shown(), 15, "the wildcard serves once the other one has expired")
    assert "the certificate expired at" in proxy.log()
    # There is no resolver, and the command knows what files hold.
    listed = subprocess.run([BINARY, "certs", "list"], capture_output=True, text=True, timeout=30,
                            env=environment(XDG_RUNTIME_DIR=str(tmp_path)))
    assert "www.wild.example" in listed.stdout and "issued by CN=ca, valid until" in listed.stdout, listed
    assert "from a file\n  next: its owner renews it" in listed.stdout
    assert f"{own.cert}\n  the certificate expired at" in listed.stdout and f"{tmp_path}/lost.pem\n  open " in listed.stdout


def test_a_certificate_of_another_key_is_skipped_and_told(start, origin, pki):
    dynamic = site(origin, pki)
    dynamic["tls"]["certificates"].insert(0, {"certFile": str(pki.wild.cert), "keyFile": str(pki.app.key)})
    proxy = start(dynamic)

    with TlsClient(proxy.port(), "app", pki.ca) as client:
        assert client.ask(host="app").status == 200
    wait_for(lambda: "the key does not belong to the certificate" in proxy.log(), 5, "the reason is logged")


# ---- versions, ciphers, curves, protocols


@pytest.mark.parametrize("lowest,highest,accepted", [
    (None, None, {"1_2", "1_3"}),
    ("VersionTLS13", None, {"1_3"}),
    ("VersionTLS12", "VersionTLS12", {"1_2"}),
    ("VersionTLS10", "VersionTLS12", {"1", "1_1", "1_2"}),
])
def test_versions(start, origin, pki, lowest, highest, accepted):
    options = {key: value for key, value in (("minVersion", lowest), ("maxVersion", highest)) if value}
    proxy = start(site(origin, pki, {"default": options}))

    got = set()
    for version in ("1", "1_1", "1_2", "1_3"):
        old = ["-cipher", "DEFAULT:@SECLEVEL=0"] if version in ("1", "1_1") else []
        _, printed = s_client(proxy.port(), f"-tls{version}", *old)
        if "HTTP/1.1 200" in printed:
            got.add(version)

    assert got == accepted


def test_cipher_suites_by_their_names(start, origin, pki):
    options = {"maxVersion": "VersionTLS12", "cipherSuites": ["TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305"]}
    proxy = start(site(origin, pki, {"default": options}))

    assert "Cipher is ECDHE-ECDSA-CHACHA20-POLY1305" in s_client(proxy.port())[1]
    assert "handshake failure" in s_client(proxy.port(), "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256")[1]


@pytest.mark.parametrize("preferred, chosen", [
    ("TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"),
    ("TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_256_GCM_SHA384"),
    ("TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"),
])
def test_suites_of_tls_1_3_go_in_gos_order(start, origin, pki, preferred, chosen):
    proxy = start(site(origin, pki))

    assert f"Cipher is {chosen}" in s_client(proxy.port(), "-ciphersuites", preferred)[1]


def test_curves_by_their_names(start, origin, pki):
    proxy = start(site(origin, pki, {"default": {"curvePreferences": ["X25519MLKEM768", "CurveP384"]}}))

    assert "HTTP/1.1 200" in s_client(proxy.port(), "-groups", "P-384")[1]
    assert "HTTP/1.1 200" not in s_client(proxy.port(), "-groups", "X25519")[1]


def test_protocols(start, origin, pki):
    proxy = start(site(origin, pki))

    with TlsClient(proxy.port(), "app", protocols=("h2", "http/1.1")) as client:
        assert client.socket.selected_alpn_protocol() in ("h2", "http/1.1")
    with TlsClient(proxy.port(), "app", protocols=()) as client:
        assert client.ask(host="app").status == 200
    with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
        TlsClient(proxy.port(), "app", protocols=("made-up",))


@pytest.mark.parametrize("ours, theirs", [
    (["h2"], ("http/1.1",)),
    ([], ("h2", "http/1.1")),
])
def test_http_1_is_served_to_clients_whose_protocol_is_not_agreed_on(start, origin, pki, ours, theirs):
    proxy = start(site(origin, pki, {"default": {"alpnProtocols": ours}}))

    with TlsClient(proxy.port(), "app", protocols=theirs) as client:
        assert client.socket.selected_alpn_protocol() is None
        assert client.ask(host="app").status == 200
    if ours:
        with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
            TlsClient(proxy.port(), "app", protocols=("made-up",))


# ---- client certificates


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("mode,none,good,bad", [
    ("NoClientCert", True, True, True),
    ("RequestClientCert", True, True, True),
    ("RequireAnyClientCert", False, True, True),
    ("VerifyClientCertIfGiven", True, True, False),
    ("RequireAndVerifyClientCert", False, True, False),
])
def test_client_certificates(start, origin, pki, version, mode, none, good, bad):
    proxy = start(site(origin, pki, {"default": {"clientAuth": {"clientAuthType": mode, "caFiles": [str(pki.ca.cert)]}}}))

    def served(pair):
        options = ["-cert", str(pair.cert), "-key", str(pair.key)] if pair else []
        return "HTTP/1.1 200" in s_client(proxy.port(), version, *options)[1]

    assert (served(None), served(pki.client), served(pki.stranger)) == (none, good, bad)


def test_authorities_alone_mean_required_and_verified(start, origin, pki):
    proxy = start(site(origin, pki, {"default": {"clientAuth": {"caFiles": [str(pki.ca.cert)]}}}))

    assert "HTTP/1.1 200" not in s_client(proxy.port())[1]
    with TlsClient(proxy.port(), "app", pki.ca, pki.client) as client:
        assert client.ask(host="app").status == 200
    line = wait_for(lambda: proxy.access_log() and proxy.access_log()[-1], 5, "the line is written")
    assert line["TLSClientSubject"] == "CN=alice,O=Clients"


@pytest.mark.parametrize("options", [
    {"clientAuth": {"caFiles": ["/nowhere/ca.pem"]}},
    {"clientAuth": {"clientAuthType": "RequireAndVerifyClientCert"}},
    {"cipherSuites": ["TLS_NO_SUCH_SUITE"]},
    {"curvePreferences": ["CurveP1"]},
])
def test_unusable_options_close_their_router(start, origin, pki, options):
    proxy = start(site(origin, pki, {"strict": options}, hosts=("app", "app.example"), by_host={"app": "strict"}))

    with TlsClient(proxy.port(), "app", pki.ca) as client:
        assert client.ask(host="app").status == 503
    with TlsClient(proxy.port(), "app.example", pki.ca) as client:
        assert client.ask(host="app.example").status == 200
    assert origin.requests[-1].header("Host") == "app.example" and len(origin.requests) == 1
    assert next(iter(options)) in " ".join(proxy.router("app@file")["error"]), "the router says why"


def test_a_version_that_nobody_knows_has_no_effect(start, origin, pki):
    proxy = start(site(origin, pki, {"default": {"minVersion": "TLS1.3", "maxVersion": "VersionTLS12"}}))

    assert "HTTP/1.1 200" in s_client(proxy.port(), "-tls1_2")[1]
    assert "HTTP/1.1 200" not in s_client(proxy.port(), "-tls1_3")[1]
    assert 'minVersion "TLS1.3" is no version and has no effect' in proxy.log()


def test_unusable_default_options_refuse_the_handshake(start, origin, pki):
    proxy = start(site(origin, pki, {"default": {"cipherSuites": ["TLS_NO_SUCH_SUITE"]}}))

    assert "handshake failure" in s_client(proxy.port())[1]


def strict_site(origin, pki):
    return site(origin, pki, {"strict": {"clientAuth": {"caFiles": [str(pki.ca.cert)]}}},
                hosts=("app", "open", "*.wild.example"), by_host={"app": "strict", "*.wild.example": "strict"})


@pytest.mark.parametrize("host", ["app", "APP.", "app:443", "x.wild.example"])
def test_a_host_with_other_options_is_misdirected(start, origin, pki, host):
    proxy = start(strict_site(origin, pki))

    with TlsClient(proxy.port(), "open") as client:
        assert client.ask(host="open").status == 200
        assert client.ask(host=host).status == 421
        assert client.ask(host="open").status == 200
    assert all(request.header("Host") == "open" for request in origin.requests)


@pytest.mark.parametrize("name", ["app", "APP", "app.", "x.wild.example", "X.Wild.Example"])
def test_options_follow_every_spelling_of_the_name(start, origin, pki, name):
    proxy = start(strict_site(origin, pki))

    assert "HTTP/1.1" not in s_client(proxy.port(), name=name)[1]
    with TlsClient(proxy.port(), name.rstrip("."), None, pki.client) as client:
        assert client.ask(host=name).status == 200


def test_a_session_of_one_host_is_worth_nothing_at_a_stricter_one(start, origin, pki, tmp_path):
    proxy = start(strict_site(origin, pki))
    for version in ("-tls1_2", "-tls1_3"):
        session = tmp_path / f"session{version}"
        s_client(proxy.port(), version, "-sess_out", str(session), name="open")
        again = s_client(proxy.port(), version, "-sess_in", str(session), name="open")[1]
        assert "Reused, " in again, again

        stolen = s_client(proxy.port(), version, "-sess_in", str(session), name="app")[1]

        assert "Reused, " not in stolen
        assert "HTTP/1.1 200" not in stolen


def test_two_routers_of_a_host_get_the_stricter_options(start, origin, pki):
    dynamic = strict_site(origin, pki)
    dynamic["http"]["routers"]["also"] = {"rule": "Host(`app`) && PathPrefix(`/x`)", "service": "origin", "tls": {}}
    proxy = start(dynamic)

    assert "HTTP/1.1 200" not in s_client(proxy.port())[1]
    with TlsClient(proxy.port(), "app", pki.ca, pki.client) as client:
        assert client.ask(host="app", target="/x").status == 200
    assert any("different TLS options" in reason for reason in str(proxy.router("also@file")).split("'"))


def test_options_that_no_name_chooses_are_told(start, origin, pki):
    """Of the entry point as well: whoever believes that they guard something should hear it."""
    dynamic = strict_site(origin, pki)
    dynamic["http"]["routers"] = {"rest": {"rule": "!Host(`open`)", "service": "origin", "tls": {"options": "strict"}},
                                  "path": {"rule": "PathPrefix(`/x`)", "service": "origin"},
                                  "app": {"rule": "Host(`app`) && !Host(`open`)", "service": "origin"}}
    proxy = start(dynamic, {"entryPoints": {"web": {"http": {"tls": {"options": "strict@file"}}}}})

    for name, told in (("rest", True), ("path", True), ("app", False)):
        assert ("tls.options need a Host()" in str(proxy.router(f"{name}@file").get("error"))) == told, name
    assert proxy.log().count("tls.options need a Host()") == 2


# ---- resumption and tickets


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("disabled", [False, True])
def test_sessions_resume_unless_disabled(start, origin, pki, tmp_path, version, disabled):
    proxy = start(site(origin, pki, {"default": {"disableSessionTickets": disabled}}))
    session = tmp_path / "session"
    s_client(proxy.port(), version, "-sess_out", str(session))

    reused = 0
    for _ in range(6 if session.exists() else 0):
        reused += "Reused, " in s_client(proxy.port(), version, "-sess_in", str(session))[1]

    assert reused == (0 if disabled else 6)


def test_a_client_that_asks_for_nothing_has_its_ticket(start, origin, pki):
    proxy = start(site(origin, pki, {"default": {}}))
    context = ssl.create_default_context(cafile=str(pki.ca.cert))
    context.minimum_version = ssl.TLSVersion.TLSv1_3

    with socket.create_connection(("127.0.0.1", proxy.port()), 60) as plain:
        with context.wrap_socket(plain, server_hostname="app") as client:
            client.setblocking(False)

            def has_ticket():
                try:
                    client.recv(1)  # reads the ticket, and nothing else
                except ssl.SSLWantReadError:
                    pass
                return client.session and client.session.has_ticket

            wait_for(has_ticket, 20, "a ticket")


# ---- hostile openings


def hello(name="app"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        context.wrap_bio(incoming, outgoing, server_hostname=name).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def in_records(message, size):
    return b"".join(message[:3] + struct.pack(">H", len(message[5:][at : at + size])) + message[5:][at : at + size]
                    for at in range(0, len(message) - 5, size))


def test_a_fragmented_client_hello_gets_the_options_of_its_name(start, origin, pki):
    proxy = start(strict_site(origin, pki))

    for size in (1, 40):
        with RawClient(proxy.port()) as client:
            message = in_records(hello("app"), size)
            client.send(message[:60])
            threading.Event().wait(0.05)
            client.send(message[60:])
            assert client.read_exactly(1) == b"\x16"  # a ServerHello
    assert "HTTP/1.1" not in s_client(proxy.port(), "-max_send_frag", "512", "-split_send_frag", "512")[1]


@pytest.mark.parametrize("opening", [
    b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\xff",
    b"\x16\x03\x01\x00\x00",
    b"\x16\x03\x01\x00\x04\x02\x00\x00\x00",
    b"\x16\x03\x01\x40\x00\x01\xff\xff\xff" + b"a" * 100,
    b"\x16\x02\x00\x00",
])
def test_a_broken_client_hello_gets_an_alert(start, origin, pki, opening):
    proxy = start(site(origin, pki))

    with RawClient(proxy.port()) as client:
        client.send(opening)
        assert client.read_all()[:1] == b"\x15"


def test_half_a_client_hello_does_not_stay_for_ever(start, origin, pki):
    proxy = start(site(origin, pki))

    with RawClient(proxy.port()) as client:
        client.send(hello()[:50])
        assert client.is_closed()
    wait_for(lambda: "ClientHello was not complete in time" in proxy.log(), 5, "the reason is logged")


@pytest.mark.parametrize(("begins", "awaited"), [(b"PRI * HTTP/2.0\r\n\r\nS", "first line"), (b"\0\0\0\x08\x04", "request of PostgreSQL for TLS")])
def test_what_was_awaited_in_vain_is_told(start, origin, begins, awaited):
    limit = {"transport": {"respondingTimeouts": {"readTimeout": "1s"}}}
    proxy = start(routes(app=[origin.url]), {"entryPoints": {"web": limit}})

    with RawClient(proxy.port()) as client:
        client.send(begins)
        assert client.is_closed()
    wait_for(lambda: f"the {awaited} was not complete in time" in proxy.log(), 5, "the reason is logged")


def test_silence_after_the_hello_does_not_stay_for_ever(start, origin, pki):
    proxy = start(site(origin, pki))

    with RawClient(proxy.port()) as client:
        client.send(hello())
        client.read_all()
    wait_for(lambda: "not finished in time" in proxy.log(), 5, "the reason is logged")


def test_connections_that_say_nothing_do_not_delay_the_end(start, origin, pki):
    life = {"transport": {"lifeCycle": {"graceTimeOut": "60s"}}}
    proxy = start(site(origin, pki), {"entryPoints": {"web": life, "traefik": life}})

    with RawClient(proxy.port()), TlsClient(proxy.port(), "app", pki.ca):
        proxy.signal(signal.SIGTERM)
        proxy.process.wait(50)
        # It did not wait for the time of a ClientHello, which is less, either.
        assert "not complete in time" not in proxy.log()


# ---- TLS to servers


@pytest.fixture
def secure_origin(pki):
    """A server that speaks TLS with the certificate of 127.0.0.1."""
    servers = []

    def begin(pair, ask_for=None, **context_options):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(pair.cert), str(pair.key))
        for name, value in context_options.items():
            setattr(context, name, value)
        if ask_for:
            context.load_verify_locations(str(ask_for.cert))
            context.verify_mode = ssl.CERT_REQUIRED
        server = Origin(tls=context)
        servers.append(server)
        return server

    yield begin
    for server in servers:
        server.stop()


def towards(url, **transport):
    return {"http": {"routers": {"app": {"rule": "Host(`app`)", "service": "app"}},
                     "services": {"app": {"loadBalancer": {"servers": [{"url": url}], "serversTransport": "t"}}},
                     "serversTransports": {"t": transport}}}


def test_a_server_is_verified_by_its_address(start, secure_origin, pki):
    server = secure_origin(pki.local)
    proxy = start(towards(server.url, rootCAs=[str(pki.ca.cert)]), workers=1)

    for _ in range(3):
        assert proxy.ask(host="app").status == 200
    assert server.connections == 1


@pytest.mark.parametrize("transport,status", [
    ({}, 500),
    ({"insecureSkipVerify": True}, 200),
    ({"rootCAs": ["OTHER"]}, 500),
    ({"rootCAs": ["CA"], "serverName": "app"}, 500),
    ({"rootCAs": ["CA"], "peerCertURI": "spiffe://x/y"}, 500),
    ({"insecureSkipVerify": True, "peerCertURI": "spiffe://x/y"}, 500),
    ({"rootCAs": ["CA"], "peerCertSANs": [{"type": "DNSName", "value": "other"}]}, 500),
    ({"rootCAs": ["CA"], "maxVersion": "VersionTLS12"}, 200),
    ({"rootCAs": ["/nowhere.pem"]}, 503),
])
def test_verification_of_servers(start, secure_origin, pki, transport, status):
    server = secure_origin(pki.local)
    replaced = {"CA": str(pki.ca.cert), "OTHER": str(pki.other_ca.cert)}
    if "rootCAs" in transport:
        transport = {**transport, "rootCAs": [replaced.get(name, name) for name in transport["rootCAs"]]}
    proxy = start(towards(server.url, **transport))

    assert proxy.ask(host="app").status == status
    assert (len(server.requests) > 0) == (status == 200)


def test_server_name_is_sent_and_verified(start, secure_origin, pki):
    server = secure_origin(pki.app)
    proxy = start(towards(server.url, rootCAs=[str(pki.ca.cert)], serverName="app.example"))

    assert proxy.ask(host="app").status == 200


def test_a_client_certificate_toward_servers(start, secure_origin, pki):
    server = secure_origin(pki.local, ask_for=pki.ca)
    ok = start(towards(server.url, rootCAs=[str(pki.ca.cert)], certificates=[pki.client.config]))
    without = start(towards(server.url, rootCAs=[str(pki.ca.cert)]))

    assert ok.ask(host="app").status == 200
    assert without.ask(host="app").status in (500, 502)


def test_a_server_that_speaks_no_tls_is_500(start):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        proxy = start(towards(f"https://127.0.0.1:{server.getsockname()[1]}", insecureSkipVerify=True))

        assert proxy.ask(host="app").status == 500


def test_large_bodies_from_a_tls_server_through_tls(start, secure_origin, pki):
    server = secure_origin(pki.local)
    body = b"0123456789abcdef" * 200_000
    server.script(respond(body))
    dynamic = towards(server.url, rootCAs=[str(pki.ca.cert)])
    dynamic["http"]["routers"]["app"]["tls"] = {}
    dynamic["tls"] = {"certificates": [pki.app.config]}
    proxy = start(dynamic)

    with TlsClient(proxy.port(), "app", pki.ca) as client:
        assert client.ask(host="app").body == body
