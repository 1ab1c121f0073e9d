"""Rules whose names do not all fit into one certificate, and storage that moves."""

import base64
import json

import pytest
from support.acme_front import Front
from support.acme_site import names_of, reason, row, served, site, wait_served
from support.certificates import make
from support.pebble import Pebble
from support.ports import wait_for


@pytest.fixture(scope="module")
def pebble():
    with Pebble(config={"domainBlocklist": ["blocked.test"]}) as authority:
        yield authority


@pytest.mark.parametrize("refused, words", [("blocked.test", "policy"), ("un_der.test", "illegal character")])
def test_a_name_that_the_authority_refuses_keeps_no_other_from_its_certificate(stage, origin, refused, words):
    """Whether the refusal names it (blocked.test) or not."""
    proxy = stage.start(site(origin, f"Host(`a.{words[:3]}.test`) || Host(`{refused}`) || Host(`b.{words[:3]}.test`)"))

    root = stage.pebble.root()
    for name in (f"a.{words[:3]}.test", f"b.{words[:3]}.test"):
        assert names_of(wait_served(proxy, name, root, 15))
    told = wait_for(lambda: words in reason(proxy, "r0@file") and reason(proxy, "r0@file"), 10, "the router says so")
    assert told.startswith(f"no certificate for {refused}: ")
    orders = stage.pebble.orders()
    proxy.write_dynamic(site(origin, f"Host(`a.{words[:3]}.test`) || Host(`{refused}`) || Host(`b.{words[:3]}.test`)",
                             f"Host(`c.{words[:3]}.test`)"))
    wait_served(proxy, f"c.{words[:3]}.test", root)
    assert stage.pebble.orders() == orders + 1, "the time of the other one has not come"


@pytest.mark.parametrize("how", ["finalize", "invalid", "in the text"])
def test_a_name_that_is_refused_at_the_end_keeps_no_other_from_its_certificate(stage, origin, how):
    """CAA records are read once more when an order is finalized."""
    part = {"type": "urn:ietf:params:acme:error:caa", "detail": "CAA record for bad.end.test prevents issuance",
            "identifier": {"type": "dns", "value": "bad.end.test"}}
    problem = {"type": "urn:ietf:params:acme:error:caa", "status": 403, "detail": "Rechecking CAA failed. Refer to sub-problems",
               "subproblems": [part]}
    if how == "in the text":
        problem = {**problem, "detail": "While processing CAA for bad.end.test: forbidden", "subproblems": []}

    def recheck(handler, body):
        if not front.orders or not any(one["value"] == "bad.end.test" for one in front.orders[-1]["identifiers"]):
            return False
        if how == "invalid" and handler.path.startswith("/my-order/"):
            handler.answer(200, {"status": "invalid", "finalize": "https://127.0.0.1/f", "authorizations": [], "error": problem})
            return True
        if how != "invalid" and handler.path.startswith("/finalize-order/"):
            handler.answer(403, problem, "application/problem+json")
            return True
        return False

    with Front(stage.pebble, fault=recheck) as front:
        proxy = stage.start(site(origin, "Host(`good.end.test`) || Host(`bad.end.test`)"), caServer=front.directory)

        assert names_of(wait_served(proxy, "good.end.test", stage.pebble.root(), 20)) == ["good.end.test"]
        told = wait_for(lambda: "tried again at" in reason(proxy, "r0@file") and reason(proxy, "r0@file"), 10, "it is said")
        assert told.startswith("no certificate for bad.end.test: caa: ") and "CAA" in told
        assert len(front.orders) == 2


def test_a_certificate_stays_while_a_name_of_it_has_no_other(stage, origin):
    """Traefik lists one under the names that were uncovered when it was ordered, not under all that it has."""
    old = make(stage.folder, "old", ["DNS:blocked.test", "DNS:b.stays.test"], ca=True, left=5 * 86400)
    text = {kind: base64.b64encode(path.read_bytes()).decode() for kind, path in (("certificate", old.cert), ("key", old.key))}
    stage.storage.write_text(json.dumps({"le": {"Account": None, "Certificates": [
        {"domain": {"main": "b.stays.test"}, **text, "Store": "default"}]}}))
    stage.storage.chmod(0o600)
    proxy = stage.start(site(origin, "Host(`blocked.test`) || Host(`b.stays.test`)"))

    assert names_of(wait_served(proxy, "b.stays.test", stage.pebble.root())) == ["b.stays.test"]
    stage.wait_certificates(2)
    assert served(proxy.port("secure"), "blocked.test", old.cert)


def test_all_that_an_authority_says_of_a_refusal_is_shown(stage, origin):
    """Also of names that nobody asked for."""
    def refuse(handler, body):
        if not handler.path.startswith("/order-plz"):
            return False
        handler.answer(403, {"type": "urn:ietf:params:acme:error:compound", "status": 403, "detail": "Refer to sub-problems",
                             "subproblems": [{"type": "urn:ietf:params:acme:error:caa", "detail": "the zone forbids it",
                                              "identifier": {"type": "dns", "value": "test"}}]}, "application/problem+json")
        return True

    with Front(stage.pebble, fault=refuse) as front:
        proxy = stage.start(site(origin, "Host(`whole.end.test`)"), caServer=front.directory)

        wait_for(lambda: "test: the zone forbids it" in reason(proxy, "r0@file"), 20, "the router says so")


def test_storage_that_moves_takes_its_certificates_along(stage, origin):
    proxy = stage.start(site(origin, "Host(`moved.test`)"))
    root = stage.pebble.root()
    wait_served(proxy, "moved.test", root)
    wait_for(lambda: row(proxy, "moved.test"), 10, "it is shown")
    orders, accounts = stage.pebble.orders(), stage.pebble.accounts()

    install = json.loads(proxy.install_path.read_text())
    other = stage.folder / "elsewhere.json"
    install["certificatesResolvers"]["le"]["acme"]["storage"] = str(other)
    proxy.install_path.write_text(json.dumps(install))

    wait_for(lambda: other.exists() and json.loads(other.read_text())["le"]["Certificates"], 15, "it is stored there")
    assert served(proxy.port("secure"), "moved.test", root)
    proxy.write_dynamic(site(origin, "Host(`moved.test`)", "Host(`later.test`)"))
    wait_served(proxy, "later.test", root)
    assert len(json.loads(other.read_text())["le"]["Certificates"]) == 2
    assert (stage.pebble.orders(), stage.pebble.accounts()) == (orders + 1, accounts)
