"""The options of TLS against each other: versions × client authentication × what the client shows, and server names ×
strictness × versions, each with the real openssl s_client against one running binary."""

import concurrent.futures
import itertools

import pytest
from support.certificates import make, s_client
from support.fairlead import Fairlead
from support.origin import Origin

VERSIONS = {
    "usual": ({}, {"1_2", "1_3"}),
    "only12": ({"minVersion": "VersionTLS12", "maxVersion": "VersionTLS12"}, {"1_2"}),
    "only13": ({"minVersion": "VersionTLS13"}, {"1_3"}),
    "old": ({"minVersion": "VersionTLS10", "maxVersion": "VersionTLS12"}, {"1", "1_1", "1_2"}),
}
# Mode: what is served to a client without a certificate, with one of the authority, with a stranger's.
MODES = {
    "NoClientCert": (True, True, True),
    "RequestClientCert": (True, True, True),
    "RequireAnyClientCert": (False, True, True),
    "VerifyClientCertIfGiven": (True, True, False),
    "RequireAndVerifyClientCert": (False, True, False),
}
SHOWN = ("nothing", "good", "stranger")


def host(version, mode):
    return f"{version}-{mode.lower()}.example"


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    folder = tmp_path_factory.mktemp("matrix")
    ca = make(folder, "ca", ca=True)
    hosts = [host(version, mode) for version, mode in itertools.product(VERSIONS, MODES)]
    return {
        "ca": ca,
        "server": make(folder, "server", [f"DNS:{name}" for name in hosts], ca),
        "exact": make(folder, "exact", ["DNS:app.site"], ca),
        "wild": make(folder, "wild", ["DNS:*.site"], ca),
        "good": make(folder, "good", issuer=ca),
        "stranger": make(folder, "stranger", issuer=make(folder, "other-ca", ca=True)),
    }


@pytest.fixture(scope="module")
def authenticating(pki):
    """One router for each pair of versions and mode, each with options of its own."""
    routers, options = {}, {}
    for (version, (limits, _)), mode in itertools.product(VERSIONS.items(), MODES):
        name = f"{version}-{mode}"
        options[name] = {**limits, "clientAuth": {"clientAuthType": mode, "caFiles": [str(pki["ca"].cert)]}}
        routers[name] = {"rule": f"Host(`{host(version, mode)}`)", "service": "origin", "tls": {"options": name}}
    with Origin() as origin, Fairlead({
        "http": {"routers": routers, "services": {"origin": {"loadBalancer": {"servers": [{"url": origin.url}]}}}},
        "tls": {"certificates": [pki["server"].config], "options": options},
    }) as proxy:
        yield proxy


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("versions", VERSIONS)
def test_versions_and_client_certificates(authenticating, pki, versions, mode):
    name = host(versions, mode)
    request = f"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode()

    def served(case):
        version, shown = case
        # The signatures of TLS 1.0 and 1.1 need the lowest level of OpenSSL 3 on both sides.
        options = [f"-tls{version}", *(["-cipher", "DEFAULT:@SECLEVEL=0"] if version in ("1", "1_1") else [])]
        if shown != "nothing":
            options += ["-cert", str(pki[shown].cert), "-key", str(pki[shown].key)]
        _, printed = s_client(authenticating.port(), *options, name=name, send=request)
        return "HTTP/1.1 200" in printed, printed

    cases = list(itertools.product(("1", "1_1", "1_2", "1_3"), SHOWN))
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        outcomes = dict(zip(cases, pool.map(served, cases), strict=True))

    for (version, shown), (was_served, printed) in outcomes.items():
        expected = version in VERSIONS[versions][1] and MODES[mode][SHOWN.index(shown)]
        assert was_served == expected, (version, shown, printed[-1500:])
        if not was_served:
            assert "alert" in printed, (version, shown, printed[-1500:])


# Server name: the certificate's names, or None where no certificate has it; the router that answers, or 404.
NAMES = {
    "app.site": ("app.site", 200),
    "APP.Site": ("app.site", 200),
    "app.site.": ("app.site", 200),
    "x.site": ("*.site", 200),
    "X.SITE.": ("*.site", 200),
    "deep.x.site": (None, 404),
    "site": (None, 404),
    "nobody": (None, 404),
    "": (None, 404),
}


@pytest.fixture(scope="module", params=["lenient", "strict"])
def naming(request, pki):
    with Origin() as origin, Fairlead({
        "http": {
            "routers": {
                "app": {"rule": "Host(`app.site`)", "service": "origin", "tls": {}},
                "wild": {"rule": "Host(`*.site`)", "service": "origin", "tls": {}, "priority": 1},
            },
            "services": {"origin": {"loadBalancer": {"servers": [{"url": origin.url}]}}},
        },
        "tls": {"certificates": [pki["exact"].config, pki["wild"].config],
                "options": {"default": {"sniStrict": request.param == "strict"}}},
    }) as proxy:
        yield proxy, request.param == "strict"


@pytest.mark.parametrize("version", ["1_2", "1_3"])
@pytest.mark.parametrize("name", NAMES)
def test_server_names(naming, name, version):
    proxy, strict = naming
    certificate, status = NAMES[name]
    request = f"GET / HTTP/1.1\r\nHost: {name or 'nobody'}\r\nConnection: close\r\n\r\n".encode()

    _, printed = s_client(proxy.port(), f"-tls{version}", name=name, send=request)

    if strict and certificate is None:
        assert "unrecognized name" in printed and "HTTP/1.1" not in printed, printed
        return
    assert f"HTTP/1.1 {status}" in printed, printed
    leaf = printed[printed.index("Certificate chain"):].splitlines()[1]
    expected = {"app.site": "exact", "*.site": "wild", None: "no certificate for this name yet"}[certificate]
    assert expected in leaf, printed


@pytest.mark.parametrize("version", ["1_2", "1_3"])
def test_every_connection_can_be_resumed_by_the_next(authenticating, tmp_path, version):
    name = host("usual", "NoClientCert")
    request = f"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode()
    sessions = [tmp_path / f"session{i}" for i in range(5)]
    s_client(authenticating.port(), f"-tls{version}", "-sess_out", str(sessions[0]), name=name, send=request)

    for before, after in itertools.pairwise(sessions):
        # A client of TLS 1.3 uses a ticket once: each connection must bring the next one.
        _, printed = s_client(authenticating.port(), f"-tls{version}", "-sess_in", str(before), "-sess_out", str(after),
                              name=name, send=request)
        assert "Reused, " in printed and "HTTP/1.1 200" in printed, printed
        if version == "1_2":
            after.write_bytes(before.read_bytes())  # its one ticket is good for all
