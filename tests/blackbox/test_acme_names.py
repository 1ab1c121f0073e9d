"""Rules whose names do not all fit into one certificate, and storage that moves."""

import json

import pytest
from support.acme_site import names_of, reason, row, served, site, wait_served
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
