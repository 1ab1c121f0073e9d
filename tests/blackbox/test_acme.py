"""Certificates from a real authority: pebble asks on loopback, and clients verify what they are served."""

import base64
import json
import pathlib
import socket
import ssl
import subprocess
import threading
import time

import pytest
from support.acme_front import Front
from support.acme_site import Stage, names_of, reason, row, served, site, wait_served
from support.certificates import make
from support.pebble import Pebble
from support.ports import free_port, wait_for


# ---- obtaining


def test_obtains_by_http01_and_serves_without_a_reload(stage, origin):
    orders = stage.pebble.orders()
    proxy = stage.start(site(origin, "Host(`a.test`) || Host(`b.test`)"))

    certificate = wait_served(proxy, "a.test", stage.pebble.root())

    assert names_of(certificate) == ["a.test", "b.test"], "one certificate for all names of the rule"
    assert stage.pebble.orders() == orders + 1
    entry = stage.wait_certificates()[0]
    assert stage.storage.stat().st_mode & 0o777 == 0o600
    assert entry["domain"] == {"main": "a.test", "sans": ["b.test"]} and entry["Store"] == "default"
    assert base64.b64decode(entry["key"]).startswith(b"-----BEGIN EC PRIVATE KEY-----")
    shown = wait_for(lambda: row(proxy, "a.test"), 10, "the API shows it")
    assert shown["status"] == "enabled" and shown["resolver"] == "le" and shown["next"].startswith("renewed at 20")
    assert proxy.router("r0@file")["status"] == "enabled"
    text = proxy.log() + json.dumps(proxy.api("/api/rawdata"))
    assert "PRIVATE KEY" not in text


def test_obtains_by_tls_alpn01(stage, origin):
    proxy = stage.start(site(origin, "Host(`alpn.test`)"), {"tlsChallenge": {}})

    certificate = wait_served(proxy, "alpn.test", stage.pebble.root())

    assert names_of(certificate) == ["alpn.test"]


def test_a_router_that_appears_is_ordered_for_at_once(stage, origin):
    proxy = stage.start(site(origin, "Host(`first.test`)"))
    root = stage.pebble.root()
    wait_served(proxy, "first.test", root)

    proxy.write_dynamic(site(origin, "Host(`first.test`)", "Host(`second.test`)"))
    wait_for(lambda: proxy.router("r1@file"), 10, "the router is there")
    began = time.monotonic()
    wait_for(lambda: "ordering second.test" in proxy.log(), 10, "the order begins")

    assert time.monotonic() - began < 20, "else when its plan is due: in hours"
    wait_served(proxy, "second.test", root)


def test_obtains_fifty_certificates_side_by_side(stage, origin):
    orders = stage.pebble.orders()
    names = [f"n{number}.many.test" for number in range(50)]
    proxy = stage.start(site(origin, *[f"Host(`{name}`)" for name in names]))

    stage.wait_certificates(50)

    root = stage.pebble.root()
    for name in names:
        assert names_of(wait_served(proxy, name, root)) == [name]
    assert stage.pebble.orders() == orders + 50, "one order for each, and no more"


def test_orders_once_for_names_that_several_routers_share(stage, origin):
    orders = stage.pebble.orders()
    proxy = stage.start(site(origin, "Host(`x.share.test`)", "Host(`x.share.test`) && PathPrefix(`/api`)",
                             "Host(`x.share.test`) || Host(`y.share.test`)", "!Host(`z.share.test`)"))
    root = stage.pebble.root()

    assert names_of(wait_served(proxy, "x.share.test", root)) == ["x.share.test", "y.share.test"]
    wait_for(lambda: row(proxy, "x.share.test"), 10, "it is shown")

    assert stage.pebble.orders() == orders + 1
    assert served(proxy.port("secure"), "z.share.test", root) is None, "names under ! order nothing"


@pytest.mark.parametrize("kind, expected", [("RSA2048", "RSA"), ("EC384", "ECDSA")])
def test_key_types(stage, origin, kind, expected):
    proxy = stage.start(site(origin, "Host(`key.test`)"), keyType=kind)

    wait_served(proxy, "key.test", stage.pebble.root())

    shown = wait_for(lambda: row(proxy, "key.test"), 10, "it is shown")
    assert (shown["keyType"], shown["keySize"]) == (expected, {"RSA2048": 2048, "EC384": 384}[kind])


def test_addresses_domains_and_the_entry_points_resolver(stage, origin):
    """A certificate for an address; names of tls.domains instead of the rule's; a router without tls on an entry point
    that has it; a TCP router."""
    dynamic = site(origin, ("PathPrefix(`/`)", {"domains": [{"main": "127.0.0.1"}, {"main": "m.test", "sans": ["s.test"]}]}))
    dynamic["http"]["routers"]["plain"] = {"rule": "Host(`plain.test`)", "service": "origin", "entryPoints": ["secure"]}
    dynamic["tcp"] = {"routers": {"db": {"rule": "HostSNI(`tcp.test`)", "service": "db", "entryPoints": ["secure"],
                                         "tls": {"certResolver": "le"}}},
                      "services": {"db": {"loadBalancer": {"servers": [{"address": origin.url.split("//")[1]}]}}}}
    proxy = stage.start(dynamic, install={"entryPoints": {"secure": {"http": {"tls": {
        "certResolver": "le", "domains": [{"main": "ep.test", "sans": ["plain.test"]}]}}}}})
    root = stage.pebble.root()

    assert names_of(wait_served(proxy, "s.test", root)) == ["m.test", "s.test"]
    assert names_of(wait_served(proxy, "plain.test", root)) == ["ep.test", "plain.test"]
    assert names_of(wait_served(proxy, "tcp.test", root)) == ["tcp.test"]
    assert wait_served(proxy, "127.0.0.1", root)["subjectAltName"] == (("IP Address", "127.0.0.1"),)


def test_addresses_by_tls_alpn01(stage, origin):
    proxy = stage.start(site(origin, ("PathPrefix(`/`)", {"domains": [{"main": "127.0.0.1"}]})), {"tlsChallenge": {}})

    wait_for(lambda: row(proxy, "127.0.0.1")["status"] == "enabled" if row(proxy, "127.0.0.1") else None, 30,
             "the address has one")


def test_tokens_come_before_redirections_and_middlewares(stage, origin):
    install = {"entryPoints": {"web": {"http": {
        "redirections": {"entryPoint": {"to": "secure"}}, "middlewares": ["deny@file"]}}}}
    dynamic = site(origin, "Host(`redirected.test`)")
    dynamic["http"]["middlewares"] = {"deny": {"ipAllowList": {"sourceRange": ["192.0.2.1"]}}}
    proxy = stage.start(dynamic, install=install)

    wait_served(proxy, "redirected.test", stage.pebble.root())

    assert proxy.ask("/.well-known/acme-challenge/unknown", host="redirected.test").status == 404


def test_a_bypass_lets_routers_serve_challenges(stage, origin):
    dynamic = site(origin, "Host(`bypass.test`)")
    dynamic["http"]["routers"]["mine"] = {
        "rule": "Host(`mine.test`) && PathPrefix(`/.well-known/acme-challenge/`)", "service": "origin", "entryPoints": ["web"]}
    proxy = stage.start(dynamic, install={"entryPoints": {"web": {"allowACMEByPass": True}}})

    assert proxy.ask("/.well-known/acme-challenge/x", host="mine.test").status == 200
    assert proxy.ask("/.well-known/acme-challenge/x", host="other.test").status == 404
    wait_served(proxy, "bypass.test", stage.pebble.root())


def test_a_bypass_is_no_redirection_of_challenges(start, origin):
    dynamic = {"http": {"routers": {"mine": {"rule": "PathPrefix(`/.well-known/acme-challenge/`)", "service": "origin"}},
                        "services": {"origin": {"loadBalancer": {"servers": [{"url": origin.url}]}}}}}
    proxy = start(dynamic, {"entryPoints": {"web": {"allowACMEByPass": True, "http": {"redirections": {"entryPoint": {
        "to": ":443"}}}}}})

    assert proxy.ask("/.well-known/acme-challenge/x", host="mine.test").status == 200
    assert proxy.ask("/other", host="mine.test").status == 301


def test_a_bypass_passes_tls_challenges_on(stage, origin, start):
    """The authority asks the first one, which passes TLS through to the second, which has the answer."""
    second_port = free_port()
    dynamic = {"tcp": {"routers": {"pass": {"rule": "HostSNI(`behind.test`)", "service": "pass", "entryPoints": ["secure"],
                                            "tls": {"passthrough": True}}},
                       "services": {"pass": {"loadBalancer": {"servers": [{"address": f"127.0.0.1:{second_port}"}]}}}}}
    dynamic["http"] = site(origin, "Host(`front.test`)")["http"]
    front = stage.start(dynamic, {"tlsChallenge": {}}, install={"entryPoints": {"secure": {"allowACMEByPass": True}}})
    resolver = stage.pebble.resolver(stage.folder / "behind.json", {"tlsChallenge": {}})
    start(site(origin, "Host(`behind.test`)"), {"certificatesResolvers": {"le": resolver},
                                                "entryPoints": {"secure": {"address": f"127.0.0.1:{second_port}"}}},
          entry_points=())
    root = stage.pebble.root()

    wait_served(front, "behind.test", root)
    wait_served(front, "front.test", root)


def test_resolvers_that_share_storage_and_authority_share_the_account(stage, origin):
    accounts = stage.pebble.accounts()
    mine = stage.pebble.resolver(stage.storage, {"httpChallenge": {"entryPoint": "web"}})
    spelled = f"{stage.control}/../{stage.storage.name}"  # another way to write the same
    other = stage.pebble.resolver(spelled, {"tlsChallenge": {}})
    dynamic = site(origin, "Host(`one.acct.test`)", ("Host(`two.acct.test`)", {"certResolver": "alpn"}))
    proxy = stage.start(dynamic, resolvers={"le": mine, "alpn": other})
    root = stage.pebble.root()

    wait_served(proxy, "one.acct.test", root)
    wait_served(proxy, "two.acct.test", root)

    wait_for(lambda: all(stage.stored().get(name, {}).get("Certificates") for name in ("le", "alpn")), 10, "both are stored")
    stored = stage.stored()
    assert stored["le"]["Account"]["Registration"]["uri"] == stored["alpn"]["Account"]["Registration"]["uri"]
    assert stage.pebble.accounts() == accounts + 1


def test_resolvers_are_started_and_changed_without_a_restart(stage, origin):
    proxy = stage.start(site(origin, "Host(`live.test`)"), resolvers={"other": stage.pebble.resolver(
        stage.folder / "other.json", {"tlsChallenge": {}})})
    wait_for(lambda: "there is no certificate resolver `le`" in reason(proxy, "r0@file"), 10, "the router says so")

    proxy.install["certificatesResolvers"]["le"] = stage.pebble.resolver(stage.storage, {"tlsChallenge": {}}, keyType="EC384")
    beside = proxy.install_path.with_suffix(".new")
    beside.write_text(json.dumps(proxy.install))
    beside.rename(proxy.install_path)

    wait_served(proxy, "live.test", stage.pebble.root())
    assert wait_for(lambda: row(proxy, "live.test"), 10, "it is shown")["keySize"] == 384


def test_the_default_certificate_can_be_generated(stage, origin):
    dynamic = site(origin, "PathPrefix(`/`)")
    dynamic["tls"] = {"stores": {"default": {"defaultGeneratedCert": {"resolver": "le", "domain": {"main": "default.test"}}}}}
    proxy = stage.start(dynamic)
    root = stage.pebble.root()

    wait_served(proxy, "default.test", root)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(str(root))
    with socket.create_connection(("127.0.0.1", proxy.port("secure")), 30) as plain:
        with context.wrap_socket(plain, server_hostname="unheard-of.test") as secure:
            assert names_of(secure.getpeercert()) == ["default.test"]


# ---- what goes wrong


def test_a_name_that_fails_is_left_out_and_comes_back(stage, origin):
    stage.pebble.dns("/set-servfail", host="broken.test")
    proxy = stage.start(site(origin, "Host(`good.test`) || Host(`broken.test`)"))
    root = stage.pebble.root()

    assert names_of(wait_served(proxy, "good.test", root)) == ["good.test"]

    text = wait_for(lambda: reason(proxy, "r0@file"), 10, "the router says so")
    assert "no certificate for broken.test" in text and "tried again at" in text
    assert proxy.router("r0@file")["status"] == "warning"
    listed = stage.certs("list").stdout
    assert "broken.test\n  no certificate" in listed and "that means: the authority could not" in listed
    orders = stage.pebble.orders()
    proxy.stop()

    proxy = stage.start(site(origin, "Host(`good.test`) || Host(`broken.test`)"))
    wait_for(lambda: "no certificate for broken.test" in reason(proxy, "r0@file"), 10, "the failure is remembered")
    assert stage.pebble.orders() == orders, "its time has not come"

    stage.pebble.dns("/clear-servfail", host="broken.test")
    done = stage.certs("renew", "broken.test")
    assert done.returncode == 0, done.stderr
    wait_served(proxy, "broken.test", root)
    wait_for(lambda: proxy.router("r0@file")["status"] == "enabled", 10, "nothing stands against it")


def test_who_mends_the_cause_in_the_configuration_need_not_wait(stage, origin):
    stage.pebble.dns("/set-servfail", host="mended.test")
    proxy = stage.start(site(origin, "Host(`mended.test`)"), keyType="EC384")
    wait_for(lambda: "tried again at" in reason(proxy, "r0@file"), 20, "it has failed")
    proxy.stop()
    stage.pebble.dns("/clear-servfail", host="mended.test")

    proxy = stage.start(site(origin, "Host(`mended.test`)"), {"tlsChallenge": {}}, keyType="EC384")

    wait_served(proxy, "mended.test", stage.pebble.root(), 60)
    assert "it is set up differently than before" in proxy.log()


def test_the_patience_that_one_authority_asks_for_is_not_owed_to_another(stage, origin):
    def limit(handler, body):
        if not handler.path.startswith("/order-plz"):
            return False
        handler.problem(429, "rateLimited", "too many new orders recently", Retry_After="7200")
        return True

    with Front(stage.pebble, fault=limit) as front:
        proxy = stage.start(site(origin, "Host(`moved.test`)"), caServer=front.directory)
        text = wait_for(lambda: "too many new orders" in reason(proxy, "r0@file") and reason(proxy, "r0@file"), 20, "it is closed")
        assert "nothing helps but waiting" in text + json.dumps(proxy.router("r0@file")), "what that means is said too"
        proxy.stop()
        proxy = stage.start(site(origin, "Host(`moved.test`)"), caServer=front.directory)
        wait_for(lambda: "too many new orders" in reason(proxy, "r0@file"), 20, "it stays closed")
        proxy.stop()

    proxy = stage.start(site(origin, "Host(`moved.test`)"))

    wait_served(proxy, "moved.test", stage.pebble.root(), 60)
    stage.wait_certificates()
    proxy.stop()
    with Front(stage.pebble) as front:
        proxy = stage.start(site(origin, "Host(`moved.test`)"), caServer=front.directory)
        wait_for(lambda: "certificates of the one before serve until they are renewed" in proxy.log(), 10, "it is said")


def test_an_authority_that_asks_for_no_patience_is_not_asked_all_the_time(stage, origin):
    def down(handler, body):
        if not handler.path.startswith("/order-plz"):
            return False
        handler.answer(503, b"down for maintenance", "text/plain", Retry_After="0")
        return True

    with Front(stage.pebble, fault=down) as front:
        proxy = stage.start(site(origin, "Host(`patient.test`)"), caServer=front.directory)
        wait_for(lambda: "down for maintenance" in reason(proxy, "r0@file"), 20, "it was asked")
        time.sleep(3)
        assert sum(path.startswith("/order-plz") for _, path in front.requests) == 1


def test_an_authority_that_hangs_is_not_asked_by_every_order_in_turn(stage, origin):
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        silent.settimeout(60)
        stage.start(site(origin, *[f"Host(`n{number}.silent.test`)" for number in range(8)]),
                    caServer=f"https://127.0.0.1:{silent.getsockname()[1]}/dir", clientResponseHeaderTimeout="1s")
        held = [silent.accept()[0]]
        silent.settimeout(4)  # it is left alone for at least as long after a failure
        began = time.monotonic()
        try:
            held.append(silent.accept()[0])
        except TimeoutError:
            pass
        assert time.monotonic() - began > 3.9
        for connection in held:
            connection.close()


def test_what_went_wrong_is_told_while_it_is_tried_again(stage, origin):
    released = threading.Event()

    def hang(handler, body):
        if not handler.path.startswith("/dir"):
            return False
        if sum(path.startswith("/dir") for _, path in front.requests) == 1:
            handler.answer(503, b"down for maintenance", "text/plain")
        else:
            released.wait(100)
            handler.answer(503, b"still down", "text/plain")
        return True

    with Front(stage.pebble, fault=hang) as front:
        proxy = stage.start(site(origin, "Host(`told.test`)"), caServer=front.directory)

        wait_for(lambda: "being obtained" in reason(proxy, "r0@file") and "down for maintenance" in reason(proxy, "r0@file"), 30,
                 "both are said")
        released.set()


def test_a_directory_that_moved_is_followed_and_signed_requests_are_not(stage, origin):
    def moved(handler, body):
        if handler.path == "/old/dir":
            handler.answer(301, b"", "text/plain", Location="/dir")
            return True
        if handler.path.startswith("/order-plz"):
            handler.answer(307, b"", "text/plain", Location="/elsewhere")
            return True
        return False

    with Front(stage.pebble, fault=moved) as front:
        proxy = stage.start(site(origin, "Host(`follow.test`)"), caServer=front.directory.replace("/dir", "/old/dir"))
        text = wait_for(lambda: "status 307" in reason(proxy, "r0@file") and reason(proxy, "r0@file"), 20, "the router says so")
        assert "/elsewhere" in text and not any("/elsewhere" in path for _, path in front.requests)
        assert ("GET", "/dir") in front.requests


def test_an_authority_that_nobody_vouches_for_is_told_with_the_remedy(stage, origin):
    proxy = stage.start(site(origin, "Host(`unvouched.test`)"), caCertificates=[])

    # On a machine without any authorities curl has other words for it.
    remedy = "caCertificates names who vouches for it"
    text = wait_for(lambda: remedy in reason(proxy, "r0@file") and reason(proxy, "r0@file"), 20, "the router says so")

    assert "certificate problem" in text or "install ca-certificates" in text


def test_files_of_authorities_are_read_again(stage, origin):
    """As where the authority is a container of its own that writes its root at its first start."""
    root = stage.folder / "root.pem"
    proxy = stage.start(site(origin, "Host(`late-root.test`)"), caCertificates=[str(root)])
    wait_for(lambda: "holds no certificate, or cannot be read" in reason(proxy, "r0@file"), 20, "the router says so")
    root.write_bytes(stage.pebble.ca.read_bytes())
    wait_served(proxy, "late-root.test", stage.pebble.root(), 20)

    root.write_text("broken")
    wait_for(lambda: "what was read before stays" in proxy.log(), 20, "it is said")
    proxy.write_dynamic(site(origin, "Host(`late-root.test`)", "Host(`later.late-root.test`)"))
    wait_served(proxy, "later.late-root.test", stage.pebble.root(), 20)


def test_wildcards_need_dns01_and_resolvers_must_exist(stage, origin):
    dynamic = site(origin, ("Host(`w.test`)", {"domains": [{"main": "*.w.test"}]}))
    dynamic["http"]["routers"]["mine"] = {"rule": "Host(`mine.test`)", "service": "origin", "tls": {"certResolver": "le"}}
    dynamic["tls"] = {"certificates": [make(stage.folder, "mine", ["DNS:mine.test"]).config]}
    dynamic["http"]["routers"]["case"] = {"rule": "Host(`case.test`)", "service": "origin", "tls": {"certResolver": "Le"}}
    dynamic["http"]["routers"]["lost"] = {"rule": "Host(`lost.test`)", "service": "origin", "tls": {"certResolver": "nobody"}}
    dynamic["http"]["routers"]["tail"] = {"rule": "Host(`tail.test`)", "service": "origin", "tls": {"certResolver": "ts"}}
    proxy = stage.start(dynamic, resolvers={
        "le": stage.pebble.resolver(stage.storage, {"httpChallenge": {"entryPoint": "web"}}), "ts": {"tailscale": {}}})

    text = wait_for(lambda: "a wildcard can only be proven by DNS-01" in reason(proxy, "r0@file") and reason(proxy, "r0@file"), 20,
                    "the router says so")
    assert "the authority does not issue for names of this kind" not in text + json.dumps(proxy.router("r0@file"))
    wait_for(lambda: "there is no certificate resolver `nobody`" in reason(proxy, "lost@file"), 10, "the router says so")
    assert "did you mean `le`?" in reason(proxy, "case@file")
    assert "a certificate of the configuration covers mine.test" in stage.certs("renew", "mine.test").stderr
    listed = stage.certs("list").stdout
    assert "last error: a wildcard can only be proven by DNS-01" in listed and "need not wait: fairlead certs renew NAME" in listed
    wait_for(lambda: "Tailscale is not supported" in reason(proxy, "tail@file"), 10, "the router says so")


def test_timeouts_that_contradict_each_other_are_told(stage, origin):
    proxy = stage.start(site(origin, "Host(`brief.test`)"), clientTimeout="20s")

    wait_for(lambda: "clientTimeout is shorter than clientResponseHeaderTimeout" in reason(proxy, "r0@file"), 10, "as in Traefik")


def test_survives_an_authority_that_is_down_refuses_nonces_and_forgets(origin, start, tmp_path):
    other = Pebble(nonce_reject=50)
    with other:
        other.stop()
        mine = Stage(start, other, tmp_path)
        proxy = mine.start(site(origin, "Host(`down.test`)"))
        wait_for(lambda: "no certificate for down.test" in reason(proxy, "r0@file"), 20, "the router says so")
        assert proxy.ask(host="nowhere.test").status == 404, "it serves meanwhile"
        other.start()
        wait_served(proxy, "down.test", other.root())
        mine.wait_certificates()
        account = mine.stored()["le"]["Account"]["Registration"]["uri"]

        other.stop()
        other.start()  # it knows no account any more
        proxy.write_dynamic(site(origin, "Host(`down.test`)", "Host(`again.test`)"))
        wait_served(proxy, "again.test", other.root())
        assert "is registered anew" in proxy.log()
        mine.wait_certificates(2)
        assert mine.stored()["le"]["Account"]["Registration"]["uri"] != account


@pytest.mark.parametrize("step", ["ordering kill.test", "Pulled a task from the Tasks queue", "Issued certificate serial"])
def test_a_kill_in_mid_order_loses_nothing(stage, origin, step):
    delay = {"httpChallenge": {"entryPoint": "web", "delay": "1s"}}
    proxy = stage.start(site(origin, "Host(`kept.test`)"))
    root = stage.pebble.root()
    wait_served(proxy, "kept.test", root)
    stage.wait_certificates()
    accounts = stage.pebble.accounts()
    proxy.stop()
    said = len(stage.pebble.log())
    proxy = stage.start(site(origin, "Host(`kept.test`)", "Host(`kill.test`)"), delay if "ordering" in step else None)
    wait_for(lambda: step in proxy.log() + stage.pebble.log()[said:], 20, step, every=0.002)
    proxy.process.kill()
    proxy.process.wait()

    before = stage.stored()
    assert before["le"]["Account"] and before["le"]["Certificates"]
    proxy = stage.start(site(origin, "Host(`kept.test`)", "Host(`kill.test`)"))
    assert served(proxy.port("secure"), "kept.test", root) or wait_served(proxy, "kept.test", root)
    wait_served(proxy, "kill.test", root)
    assert stage.pebble.accounts() == accounts, "the account is kept"


@pytest.mark.own_clock
def test_a_clock_that_is_wrong_orders_once_and_not_for_ever(start, pebble, origin, tmp_path):
    orders = pebble.orders()
    resolver = pebble.resolver(tmp_path / "acme.json", {"httpChallenge": {"entryPoint": "web"}})
    library = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    clock = {"LD_PRELOAD": str(library), "FAKETIME": "+100d", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    proxy = start(site(origin, "Host(`clock.test`)"), {
        "certificatesResolvers": {"le": resolver},
        "entryPoints": {"web": {"address": f"127.0.0.1:{pebble.http_port}"},
                        "secure": {"address": f"127.0.0.1:{pebble.tls_port}"}}}, entry_points=(), env=clock)

    wait_for(lambda: "the clock here says" in reason(proxy, "r0@file"), 20, "the router says so")
    time.sleep(1)

    assert pebble.orders() == orders + 1


@pytest.mark.own_clock
def test_a_clock_that_is_put_right_lets_orders_go_on(start, pebble, origin, tmp_path):
    """Eleven years ahead the authority's certificate has expired."""
    resolver = pebble.resolver(tmp_path / "acme.json", {"httpChallenge": {"entryPoint": "web"}})
    library = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    clock = tmp_path / "clock"
    clock.write_text("+4000d\n")
    proxy = start(site(origin, "Host(`right.test`)"), {
        "certificatesResolvers": {"le": resolver},
        "entryPoints": {"web": {"address": f"127.0.0.1:{pebble.http_port}"},
                        "secure": {"address": f"127.0.0.1:{pebble.tls_port}"}}}, entry_points=(),
        env={"LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1", "NO_FAKE_STAT": "1",
             "FAKETIME_DONT_FAKE_MONOTONIC": "1"})
    proxy.ports.update(secure=pebble.tls_port)
    wait_for(lambda: "certificate has expired" in reason(proxy, "r0@file"), 20, "the authority is not believed")

    (tmp_path / "right").write_text("+0\n")
    (tmp_path / "right").rename(clock)

    wait_served(proxy, "right.test", pebble.root())
    wait_for(lambda: proxy.router("r0@file")["status"] == "enabled", 10, "nothing stands against it")


def test_a_restart_orders_nothing(stage, origin):
    proxy = stage.start(site(origin, "Host(`rest.test`)"))
    root = stage.pebble.root()
    wait_served(proxy, "rest.test", root)
    stage.wait_certificates()
    orders = stage.pebble.orders()
    proxy.stop()

    proxy = stage.start(site(origin, "Host(`rest.test`)"))
    wait_served(proxy, "rest.test", root, 10)
    wait_for(lambda: row(proxy, "rest.test"), 10, "it is shown")

    assert stage.pebble.orders() == orders


@pytest.mark.parametrize("content", ["{\"le\": {\"Account\": ", "nonsense", "[]", None])
def test_a_storage_that_cannot_be_read_is_left_as_it_is(stage, origin, content):
    orders = stage.pebble.orders()
    if content is None:
        stage.storage.mkdir()
    else:
        stage.storage.write_text(content)
        stage.storage.chmod(0o600)
    proxy = stage.start(site(origin, "Host(`bad.test`)"))

    wait_for(lambda: str(stage.storage) in reason(proxy, "r0@file"), 10, "the router says so")

    assert stage.pebble.orders() == orders
    if content is None:
        assert list(stage.storage.iterdir()) == []
        return
    assert stage.storage.read_text() == content
    stage.storage.write_text("")
    wait_served(proxy, "bad.test", stage.pebble.root())


def test_a_mode_that_is_too_loose_is_corrected(stage, origin):
    stage.storage.write_text("")
    stage.storage.chmod(0o644)
    proxy = stage.start(site(origin, "Host(`mode.test`)"))

    wait_served(proxy, "mode.test", stage.pebble.root())

    assert stage.storage.stat().st_mode & 0o777 == 0o600
    assert "holds private keys and had the mode 644" in proxy.log()


@pytest.mark.parametrize("mount, words", [("mount -t tmpfs -o size=4k tmpfs {0}", "No space left"),
                                          ("mount --bind {0} {0}; mount -o remount,ro,bind {0}", "Read-only")])
def test_serves_from_memory_when_storage_is_full_or_read_only(start, pebble, origin, tmp_path, mount, words):
    mine = Stage(start, pebble, tmp_path)
    folder = tmp_path / "storage"
    folder.mkdir()
    mine.storage = folder / "acme.json"
    prefix = ["unshare", "-m", "sh", "-c", mount.format(folder) + '; exec "$@"', "sh"]
    resolver = pebble.resolver(mine.storage, {"httpChallenge": {"entryPoint": "web"}})
    proxy = start(site(origin, "Host(`memory.test`)"), {
        "certificatesResolvers": {"le": resolver},
        "entryPoints": {"web": {"address": f"127.0.0.1:{pebble.http_port}"},
                        "secure": {"address": f"127.0.0.1:{pebble.tls_port}"}}}, entry_points=(), prefix=prefix)
    proxy.ports.update(web=pebble.http_port, secure=pebble.tls_port)

    wait_served(proxy, "memory.test", pebble.root())

    wait_for(lambda: "certificates are kept in memory only" in proxy.log() and words in proxy.log(), 10, "the log says so")
    wait_for(lambda: "kept in memory only" in reason(proxy, "r0@file"), 10, "the router says so")


def test_a_file_that_is_mounted_alone_is_rewritten_in_place(stage, start, pebble, origin, tmp_path):
    target = tmp_path / "mounted.json"
    target.write_text("")
    target.chmod(0o600)
    inner = tmp_path / "inner"
    inner.mkdir()
    stage.storage = inner / "acme.json"
    stage.storage.write_text("")
    prefix = ["unshare", "-m", "sh", "-c", f'mount --bind {target} {stage.storage}; exec "$@"', "sh"]
    resolver = pebble.resolver(stage.storage, {"httpChallenge": {"entryPoint": "web"}})
    proxy = start(site(origin, "Host(`mounted.test`)"), {
        "certificatesResolvers": {"le": resolver},
        "entryPoints": {"web": {"address": f"127.0.0.1:{pebble.http_port}"},
                        "secure": {"address": f"127.0.0.1:{pebble.tls_port}"}}}, entry_points=(), prefix=prefix)
    proxy.ports.update(web=pebble.http_port, secure=pebble.tls_port)

    wait_served(proxy, "mounted.test", pebble.root())

    def stored():
        try:
            return json.loads(target.read_text())["le"]["Certificates"]
        except ValueError:  # empty, or half written
            return None

    wait_for(stored, 10, "it is stored")
    assert stage.storage.read_text() == ""


# ---- storage


def test_takes_over_a_file_of_traefik(stage, origin):
    """Made as Traefik 3 makes it: the certificate serves, nothing is ordered, what is unknown stays."""
    folder = stage.folder
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "60", "-subj", "/CN=old.test",
                    "-addext", "subjectAltName=DNS:old.test,DNS:*.old.test", "-keyout", "k.pem", "-out", "c.pem"],
                   cwd=folder, check=True, capture_output=True)
    subprocess.run(["openssl", "genrsa", "-traditional", "-out", "a.pem", "4096"], cwd=folder, check=True, capture_output=True)
    der = subprocess.run(["openssl", "rsa", "-in", "a.pem", "-traditional", "-outform", "der"], cwd=folder, check=True,
                         capture_output=True).stdout

    def encoded(name):
        return base64.b64encode((folder / name).read_bytes()).decode()

    account = {"Email": "owner@example.org", "Registration": {
        "body": {"status": "valid", "contact": ["mailto:owner@example.org"]},
        "uri": f"https://127.0.0.1:{stage.pebble.port}/my-account/12345"},
        "PrivateKey": base64.b64encode(der).decode(), "KeyType": "4096"}
    certificate = {"domain": {"main": "old.test", "sans": ["*.old.test"]}, "certificate": encoded("c.pem"),
                   "key": encoded("k.pem"), "Store": "default"}
    stage.storage.write_text(json.dumps({"le": {"Account": account, "Certificates": [certificate]},
                                         "other": {"Account": None, "Certificates": None, "Mine": 7}}))
    stage.storage.chmod(0o600)
    orders = stage.pebble.orders()
    proxy = stage.start(site(origin, "Host(`old.test`)", "Host(`www.old.test`)"))

    assert names_of(wait_served(proxy, "old.test", folder / "c.pem", 10)) == ["*.old.test", "old.test"]
    assert served(proxy.port("secure"), "www.old.test", folder / "c.pem")
    wait_for(lambda: row(proxy, "old.test"), 10, "it is shown")
    assert stage.pebble.orders() == orders

    proxy.write_dynamic(site(origin, "Host(`old.test`)", "Host(`new.test`)"))
    wait_served(proxy, "new.test", stage.pebble.root())
    stage.wait_certificates(2)
    stored = stage.stored()
    kept = stored["le"]["Account"]
    assert kept["PrivateKey"] == account["PrivateKey"] and kept["KeyType"] == "4096", "the key stays PKCS#1"
    assert kept["Registration"]["uri"] != account["Registration"]["uri"], "unknown there, so registered anew"
    assert certificate in stored["le"]["Certificates"] and stored["other"]["Mine"] == 7


def test_a_stored_certificate_that_is_of_no_use_is_told_and_ordered_anew(stage, origin):
    dynamic = site(origin, "Host(`torn.test`)")
    proxy = stage.start(dynamic)
    stage.wait_certificates()
    proxy.stop()
    stored = stage.stored()
    other = subprocess.run(["openssl", "ecparam", "-genkey", "-name", "prime256v1", "-noout"], check=True, capture_output=True)
    stored["le"]["Certificates"][0]["key"] = base64.b64encode(other.stdout).decode()
    stage.storage.write_text(json.dumps(stored))

    proxy = stage.start(dynamic)

    wait_served(proxy, "torn.test", stage.pebble.root())
    assert "the certificate of torn.test cannot be used: the key does not belong to the certificate" in proxy.log()


def test_an_expired_certificate_makes_room_for_a_wildcard_that_is_valid(stage, origin):
    """A site whose own certificate nobody renews any more, since a wildcard covers it."""
    folder, days = stage.folder, 30

    def made(name, alternative, began):
        subprocess.run(["faketime", "-f", f"-{began}s", "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", str(days), "-subj", f"/CN={name}", "-addext",
                        f"subjectAltName=DNS:{alternative}", "-keyout", f"{name}.key", "-out", f"{name}.pem"],
                       cwd=folder, check=True, capture_output=True)
        text = {kind: base64.b64encode((folder / f"{name}.{end}").read_bytes()).decode()
                for kind, end in (("certificate", "pem"), ("key", "key"))}
        return {"domain": {"main": alternative}, **text, "Store": "default"}

    certificates = [made("wildcard", "*.over.test", 3600), made("own", "www.over.test", days * 86400 - 6)]
    stage.storage.write_text(json.dumps({"le": {"Account": None, "Certificates": certificates}}))
    stage.storage.chmod(0o600)
    orders = stage.pebble.orders()
    proxy = stage.start(site(origin, "Host(`www.over.test`)", "Host(`api.over.test`)"))

    assert wait_served(proxy, "api.over.test", folder / "wildcard.pem", 10)
    assert wait_served(proxy, "www.over.test", folder / "wildcard.pem", 30), "from the moment on when its own has expired"
    assert proxy.router("r0@file")["status"] == "enabled" and stage.pebble.orders() == orders


def test_two_instances_share_storage_and_answers(stage, start, pebble, origin):
    first = stage.start(site(origin, "Host(`shared.test`)"))
    root = pebble.root()
    wait_served(first, "shared.test", root)
    stage.wait_certificates()
    orders = pebble.orders()

    # The authority cannot reach the second one: the first answers for it.
    resolver = pebble.resolver(stage.storage, {"httpChallenge": {"entryPoint": "web"}})
    second = start(site(origin, "Host(`shared.test`)", "Host(`second.shared.test`)"), {"certificatesResolvers": {"le": resolver}},
                   entry_points=("web", "secure"))
    wait_served(second, "shared.test", root, 10)
    wait_served(second, "second.shared.test", root)

    assert pebble.orders() == orders + 1
    first.write_dynamic(site(origin, "Host(`shared.test`)", "Host(`second.shared.test`)"))
    wait_served(first, "second.shared.test", root, 10)
    assert pebble.orders() == orders + 1


def test_exports_with_a_hook_prunes_and_tries_without_keeping(stage, origin):
    target = stage.folder / "export"
    hook = f'echo "$CERT_NAME $CERT_PATH" >> {stage.folder}/hook'
    proxy = stage.start(site(origin, "Host(`out.test`)", "Host(`gone.test`)"),
                        install={"certificates": {"export": str(target), "exportHook": hook}})
    root = stage.pebble.root()
    wait_served(proxy, "out.test", root)
    wait_served(proxy, "gone.test", root)

    chain = wait_for(lambda: (target / "out.test/fullchain.pem").exists() and (target / "out.test/fullchain.pem").read_text(),
                     10, "it is exported")
    assert chain.startswith("-----BEGIN CERTIFICATE-----")
    assert (target / "out.test/privkey.pem").stat().st_mode & 0o777 == 0o600
    wait_for(lambda: (stage.folder / "hook").exists() and f"out.test {target}/out.test/fullchain.pem" in
             (stage.folder / "hook").read_text(), 10, "the hook ran")

    proxy.write_dynamic(site(origin, "Host(`out.test`)"))
    wait_for(lambda: "no route uses it" in (row(proxy, "gone.test") or {}).get("next", ""), 10, "it is not used")
    done = stage.certs("prune")
    assert done.returncode == 0 and "removed: gone.test" in done.stdout
    wait_for(lambda: [c["domain"]["main"] for c in stage.stored()["le"]["Certificates"]] == ["out.test"], 10, "it is gone")

    tried = stage.certs("renew", "out.test", "--dry-run", f"--server={stage.pebble.directory}")
    assert tried.returncode == 0 and "out.test can be obtained" in tried.stdout, tried
    assert len(stage.stored()["le"]["Certificates"]) == 1
    before = row(proxy, "out.test")["serialNumber"]
    assert stage.certs("renew", "out.test").returncode == 0
    wait_for(lambda: row(proxy, "out.test")["serialNumber"] != before, 30, "it is renewed")
    assert stage.certs("renew", "strange.test").returncode == 1
    assert stage.certs("export", str(stage.folder / "by-hand")).returncode == 0
    assert (stage.folder / "by-hand/out.test/privkey.pem").exists()
    listed = json.loads(stage.certs("list", "--json").stdout)
    assert [c["names"] for c in listed] == [["out.test"]] and listed[0]["issuer"].startswith("CN=Pebble")
    assert stage.certs("nonsense").returncode == 2


def test_metrics_tell_when_certificates_end(stage, origin):
    proxy = stage.start(site(origin, "Host(`metric.test`)"), install={"metrics": {"prometheus": {}}})
    wait_served(proxy, "metric.test", stage.pebble.root())
    wait_for(lambda: row(proxy, "metric.test"), 10, "it is shown")

    from support.raw import ask
    text = ask(proxy.api_port, target="/metrics").body.decode()
    assert 'traefik_tls_certs_not_after{cn="metric.test",sans="metric.test",serial="' in text


# ---- renewal, and what Debian's pebble lacks


def test_renews_short_lived_certificates_with_new_keys_and_stops_when_nobody_uses_them(start, origin, tmp_path):
    with Pebble(validity=9) as authority:
        mine = Stage(start, authority, tmp_path)
        proxy = mine.start(site(origin, "Host(`short.test`)"))
        root = authority.root()
        first = wait_served(proxy, "short.test", root)
        keys = {}

        def two_were_shown():
            if shown := row(proxy, "short.test"):
                keys[shown["serialNumber"]] = shown["publicKeyFingerprint"]
            return len(keys) > 1

        def renewed():
            two_were_shown()
            found = served(proxy.port("secure"), "short.test", root)
            return found and found["serialNumber"] != first["serialNumber"]

        wait_for(renewed, 20, "it is renewed in time")
        wait_for(two_were_shown, 20, "the API shows both, one after the other")
        assert len(set(keys.values())) == len(keys), "each has a key of its own"
        mine.wait_certificates(1)  # the one before is dropped

        proxy.write_dynamic(site(origin))
        wait_for(lambda: not mine.stored()["le"]["Certificates"], 20, "it is removed after expiry")
        orders = authority.orders()
        time.sleep(1)
        assert authority.orders() == orders


def test_external_accounts_and_preferred_chains(start, origin, tmp_path):
    key = base64.urlsafe_b64encode(b"0123456789abcdef0123456789abcdef").decode().rstrip("=")
    config = {"externalAccountBindingRequired": True, "externalAccountMACKeys": {"kid-1": key}}
    with Pebble(config=config, env={"PEBBLE_ALTERNATE_ROOTS": "1"}) as authority:
        mine = Stage(start, authority, tmp_path)
        proxy = mine.start(site(origin, "Host(`eab.test`)"))
        wait_for(lambda: "external account" in reason(proxy, "r0@file"), 20, "the router says so")
        assert "set eab.kid and eab.hmacEncoded" in reason(proxy, "r0@file") + json.dumps(proxy.router("r0@file"))
        assert "set eab.kid and eab.hmacEncoded" in proxy.log()
        proxy.stop()
        other = subprocess.run(["openssl", "x509", "-in", str(authority.root(1)), "-noout", "-subject", "-nameopt", "multiline"],
                               capture_output=True, text=True, check=True).stdout.split("= ")[-1].strip()

        proxy = mine.start(site(origin, "Host(`eab.test`)"), eab={"kid": "kid-1", "hmacEncoded": key}, preferredChain=other)

        wait_served(proxy, "eab.test", authority.root(1))
        assert served(proxy.port("secure"), "eab.test", authority.root(0)) is None
        assert key not in proxy.log() + json.dumps(proxy.api("/api/rawdata"))


@pytest.mark.parametrize("step", ["/order-plz", "/finalize-order/"])
def test_an_account_that_may_order_no_more_is_told_as_one(stage, origin, step):
    def deactivated(handler, body):
        if not handler.path.startswith(step):
            return False
        handler.problem(403, "unauthorized", 'Account is not valid, has status "deactivated"')
        return True

    with Front(stage.pebble, fault=deactivated) as front:
        proxy = stage.start(site(origin, "Host(`deactivated.test`)"), caServer=front.directory)

        wait_for(lambda: 'has status "deactivated"' in reason(proxy, "r0@file"), 20, "it is told")
        told = reason(proxy, "r0@file")
        assert "`Account` of this resolver" in told
        assert "another server answers" not in told, "it is not about a challenge"


@pytest.mark.parametrize("entry_point", ["nope", "", "udp"])
def test_an_entry_point_that_cannot_answer_challenges_costs_no_order(stage, origin, entry_point):
    orders = stage.pebble.orders()
    proxy = stage.start(site(origin, "Host(`unanswered.test`)"), {"httpChallenge": {"entryPoint": entry_point}},
                        {"entryPoints": {"udp": {"address": f"127.0.0.1:{free_port()}/udp"}}})

    wait_for(lambda: "httpChallenge.entryPoint" in reason(proxy, "r0@file"), 20, "the router says so")

    assert stage.pebble.orders() == orders, "failed validations count against the authority's limits"


def test_an_answer_that_is_no_authoritys_is_told_with_its_address(stage, origin):
    def portal(handler, body):
        handler.answer(404, b"404 page not found", "text/plain")
        return True

    with Front(stage.pebble, fault=portal) as front:
        proxy = stage.start(site(origin, "Host(`portal.test`)"), caServer=front.directory)

        wait_for(lambda: f"GET {front.directory}: status 404: 404 page not found" in reason(proxy, "r0@file"), 20, "it is told")


@pytest.mark.parametrize("url", ["acme.example/directory", "ftp://acme.example/directory"])
def test_a_directory_that_is_no_url_is_told_once(stage, origin, url):
    proxy = stage.start(site(origin, "Host(`nourl.test`)"), caServer=url)

    wait_for(lambda: "caServer is" in reason(proxy, "r0@file"), 20, "the router says so")


def test_an_external_account_that_is_wrong_is_told_as_one(start, origin, tmp_path):
    key = base64.urlsafe_b64encode(b"0123456789abcdef0123456789abcdef").decode().rstrip("=")
    config = {"externalAccountBindingRequired": True, "externalAccountMACKeys": {"kid-1": key}}
    with Pebble(config=config) as authority:
        mine = Stage(start, authority, tmp_path)
        proxy = mine.start(site(origin, "Host(`kid.test`)"), eab={"kid": "kid-2", "hmacEncoded": key})
        text = wait_for(lambda: "unauthorized" in reason(proxy, "r0@file") and reason(proxy, "r0@file"), 20, "the router says so")
        assert "are eab.kid and eab.hmacEncoded what it gave out" in text + json.dumps(proxy.router("r0@file"))
        assert "another server answers" not in text + json.dumps(proxy.router("r0@file"))
        proxy.stop()

        proxy = mine.start(site(origin, "Host(`kid.test`)"), eab={"kid": "kid-1", "hmacEncoded": "<the key>"})

        text = wait_for(lambda: "eab.hmacEncoded is no base64url text" in reason(proxy, "r0@file") and reason(proxy, "r0@file"), 20,
                        "the router says so")
        assert "set eab.kid and eab.hmacEncoded" not in text + json.dumps(proxy.router("r0@file"))


def test_asks_when_to_renew_and_says_what_is_replaced(stage, origin):
    windows = {}
    soon = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 10 * 86400))
    with Front(stage.pebble, renewal=lambda name: windows.get(name, (f"{soon}T00:00:00Z", f"{soon}T01:00:00Z")),
               retry_after="1", profiles={"default": "x", "shortlived": "six days"}) as front:
        proxy = stage.start(site(origin, "Host(`ari.test`)"), caServer=front.directory, profile="shortlived")
        root = stage.pebble.root()
        first = wait_served(proxy, "ari.test", root)
        wait_for(lambda: row(proxy, "ari.test")["next"].startswith(f"renewed at {soon}") if row(proxy, "ari.test") else None, 20,
                 "the authority's wish counts")
        assert front.orders[0]["profile"] == "shortlived" and "replaces" not in front.orders[0]
        name = front.polls[0]

        windows[name] = ("2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z")

        wait_for(lambda: (found := served(proxy.port("secure"), "ari.test", root)) and
                 found["serialNumber"] != first["serialNumber"], 20, "a window that is past means now")
        assert front.orders[1]["replaces"] == name
        key, serial = name.split(".")
        number = int.from_bytes(base64.urlsafe_b64decode(serial + "=="), "big")
        assert number == int(first["serialNumber"], 16) and len(base64.urlsafe_b64decode(key + "==")) == 20


def test_a_wish_to_renew_after_the_end_is_not_heeded(stage, origin):
    with Front(stage.pebble, renewal=lambda name: ("2099-01-01T00:00:00Z", "2099-01-02T00:00:00Z")) as front:
        proxy = stage.start(site(origin, "Host(`late.test`)"), caServer=front.directory)
        end = ssl.cert_time_to_seconds(wait_served(proxy, "late.test", stage.pebble.root())["notAfter"])

        day = time.strftime("%Y-%m-%d", time.gmtime(end - 9 * 86400))
        wait_for(lambda: (row(proxy, "late.test") or {"next": ""})["next"].startswith(f"renewed at {day}"), 20,
                 "a tenth of its 90 days is left")


def test_an_unknown_profile_is_said(stage, origin):
    with Front(stage.pebble, profiles={"default": "x"}) as front:
        proxy = stage.start(site(origin, "Host(`profile.test`)"), caServer=front.directory, profile="nosuch")

        text = wait_for(lambda: "nosuch" in reason(proxy, "r0@file") and reason(proxy, "r0@file"), 20, "the router says so")

        assert "the authority offers no profile" in text and "it offers: default" in text and not front.orders


def test_a_rate_limit_of_the_account_closes_and_one_of_a_name_does_not(stage, origin):
    def limit(handler, body):
        if not handler.path.startswith("/order-plz"):
            return False
        payload = json.loads(base64.urlsafe_b64decode(json.loads(body)["payload"] + "=="))
        if payload["identifiers"][0]["value"] != "many.limit.test":
            return False
        handler.problem(429, "rateLimited", 'too many certificates already issued for "limit.test"', Retry_After="7200")
        return True

    with Front(stage.pebble, fault=limit) as front:
        proxy = stage.start(site(origin, "Host(`many.limit.test`)", "Host(`other.test`)"), caServer=front.directory)
        wait_served(proxy, "other.test", stage.pebble.root())
        text = wait_for(lambda: "rateLimited" in reason(proxy, "r0@file") and reason(proxy, "r0@file"), 20, "the router says so")
        assert "tried again at" in text
        state = stage.stored()["le"]["Fairlead"]["Names"]["many.limit.test"]
        assert time.mktime(time.strptime(state["NextTry"], "%Y-%m-%dT%H:%M:%SZ")) - time.timezone > time.time() + 7000

        def account_limit(handler, body):
            if not handler.path.startswith("/order-plz"):
                return False
            handler.problem(429, "rateLimited", "too many new orders recently", Retry_After="6")
            return True

        front.fault = account_limit
        proxy.write_dynamic(site(origin, "Host(`many.limit.test`)", "Host(`other.test`)", "Host(`third.test`)"))
        wait_for(lambda: "too many new orders recently" in reason(proxy, "r2@file"), 20, "the router says so")
        asked = sum(path.startswith("/order-plz") for _, path in front.requests)
        assert asked <= 6, "nothing is asked while it lasts, but for nonces that were refused"
        front.fault = None
        wait_served(proxy, "third.test", stage.pebble.root())


def test_an_order_that_is_ready_and_not_ready_is_asked_for_with_pauses(stage, origin):
    def contradict(handler, body):
        if not handler.path.startswith("/finalize-order/"):
            return False
        handler.problem(403, "orderNotReady", "not yet")
        return True

    with Front(stage.pebble, fault=contradict) as front:
        proxy = stage.start(site(origin, "Host(`contradicted.test`)"), caServer=front.directory)
        asked = lambda: sum(path.startswith("/finalize-order/") for _, path in front.requests)
        wait_for(asked, 20, "the order is ready")
        time.sleep(2)
        assert asked() < 15
        front.fault = None
        wait_served(proxy, "contradicted.test", stage.pebble.root())


@pytest.mark.parametrize("what", ["html", "truncated", "type", "slow", "empty"])
def test_answers_that_make_no_sense_leave_other_names_alone(stage, origin, what):
    released = threading.Event()

    def nonsense(handler, body):
        if handler.command != "POST" or not handler.path.startswith("/certZ/") or nonsense.done:
            return False
        nonsense.done = True
        if what == "html":
            handler.answer(200, b"<html>hello</html>", "text/html")
        elif what == "truncated":
            handler.answer(200, b"-----BEGIN CERTIFICATE-----\nMIIB", "application/pem-certificate-chain")
        elif what == "type":
            handler.answer(200, b"\x00\x01", "application/octet-stream")
        elif what == "empty":
            handler.answer(200, b"", "application/pem-certificate-chain")
        else:
            released.wait(100)
            handler.answer(503, b"", "text/plain")
        return True

    nonsense.done = False
    with Front(stage.pebble, fault=nonsense) as front:
        proxy = stage.start(site(origin, "Host(`one.odd.test`)"), caServer=front.directory)
        wait_for(lambda: nonsense.done, 20, "the answer was nonsense")
        if what == "slow":
            wait_for(lambda: "being obtained: waiting for the certificate" in reason(proxy, "r0@file"), 10, "what it waits for is said")

        proxy.write_dynamic(site(origin, "Host(`one.odd.test`)", "Host(`two.odd.test`)"))

        wait_served(proxy, "two.odd.test", stage.pebble.root())
        released.set()
        if what != "slow":
            wait_for(lambda: "no certificate for one.odd.test" in reason(proxy, "r0@file"), 20, "the router says so")
        assert proxy.process.poll() is None


def test_a_download_that_fails_is_tried_again_and_not_ordered_again(stage, origin):
    """An authority allows few certificates for one set of names in a week."""
    answers = []

    def down(handler, body):
        if handler.command != "POST" or not handler.path.startswith("/certZ/") or len(answers) == 4:
            return False
        answers.append(time.monotonic())
        handler.answer(503, b"down for a moment", "text/plain")
        return True

    with Front(stage.pebble, fault=down) as front:
        proxy = stage.start(site(origin, "Host(`again.test`)"), caServer=front.directory)

        wait_for(lambda: "down for a moment" in reason(proxy, "r0@file"), 20, "the router says what it waits for")
        wait_served(proxy, "again.test", stage.pebble.root())

        assert len(front.orders) == 1 and answers[3] - answers[0] > 5, "with pauses"


def test_an_order_whose_certificate_did_not_come_is_gone_on_with(stage, origin):
    def nonsense(handler, body):
        if handler.command != "POST" or not handler.path.startswith("/certZ/"):
            return False
        handler.answer(200, b"<html>hello</html>", "text/html")
        return True

    with Front(stage.pebble, fault=nonsense) as front:
        proxy = stage.start(site(origin, "Host(`x.goneon.test`) || Host(`y.goneon.test`)"), caServer=front.directory)
        wait_for(lambda: "the certificate came as" in reason(proxy, "r0@file"), 20, "the router says so")
        front.fault = None

        done = stage.certs("renew", "x.goneon.test")

        assert done.returncode == 0, done.stderr
        assert names_of(wait_served(proxy, "y.goneon.test", stage.pebble.root())) == ["x.goneon.test", "y.goneon.test"]
        assert len(front.orders) == 1
