"""Many names at once: orders run side by side, slow ones delay no other, and requests are served meanwhile."""

import datetime
import json
import re
import time

from support.acme_front import Front
from support.acme_site import reason, site, wait_served
from support.ports import wait_for
from support.raw import RawClient


def latencies(proxy, host, seconds):
    """Seconds that requests took, one after the other over one connection, for at least so long."""
    taken = []
    with RawClient(proxy.port("web")) as client:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            begun = time.monotonic()
            assert client.ask(host=host).status == 200
            taken.append(time.monotonic() - begun)
            time.sleep(0.002)
    return sorted(taken)


def at_once(log):
    """The most orders that ran at one moment, by the log's own order of lines."""
    running = most = 0
    for line in log.splitlines():
        if re.search(r"resolver le: ordering \S+\.crowd\.test", line):
            running += 1
        elif re.search(r"certificate for \S+\.crowd\.test obtained", line):
            running -= 1
        most = max(most, running)
    return most


def test_many_names_are_ordered_side_by_side_while_requests_are_served(stage, origin):
    def dynamic(count):
        made = site(origin, *[f"Host(`n{number}.crowd.test`)" for number in range(count)])
        made["http"]["routers"]["plain"] = {"rule": "Host(`plain.test`)", "service": "origin", "entryPoints": ["web"]}
        return made

    names = 150
    with Front(stage.pebble, gently=True) as front:
        proxy = stage.start(dynamic(0), caServer=front.directory)
        wait_for(lambda: "entry point web listens" in proxy.log(), 15, "it listens")
        quiet = latencies(proxy, "plain.test", 0.5)

        proxy.write_dynamic(dynamic(names))
        busy = []
        stored = 0
        deadline = time.monotonic() + 300
        while stored < names and time.monotonic() < deadline:
            busy = sorted(busy + latencies(proxy, "plain.test", 0.5))
            stored = len(stage.storage.exists() and stage.stored()["le"]["Certificates"] or ())

        assert stored == names
        assert at_once(proxy.log()) >= 8
        # The authority and this test need the same two cores: the middle tells what Fairlead does to requests.
        assert busy[len(busy) // 2] < 5 * quiet[len(quiet) // 2] + 0.1, (quiet[len(quiet) // 2], busy[len(busy) // 2], busy[-1])
        wait_served(proxy, f"n{names - 1}.crowd.test", stage.pebble.root())


def test_names_that_hang_delay_no_other(stage, origin):
    """The authority never comes to a result for twenty names; one that comes after them has its certificate soon."""
    def hang(handler, body):
        if not front.challenges.get(handler.path, "").startswith("hang"):
            return False
        hanging.add(front.challenges[handler.path])
        handler.answer(200, {"type": "http-01", "status": "processing", "url": f"{front.directory}{handler.path}", "token": "x"})
        return True

    hanging = set()
    slow = [f"Host(`hang{number}.test`)" for number in range(20)]
    with Front(stage.pebble, fault=hang, gently=True) as front:
        proxy = stage.start(site(origin, *slow), caServer=front.directory)
        wait_for(lambda: len(hanging) == 20, 30, "all of them hang")

        proxy.write_dynamic(site(origin, *slow, "Host(`quick.test`)"))
        wait_served(proxy, "quick.test", stage.pebble.root(), 15)

        # The others wait still.
        shown = reason(proxy, "r0@file")
        assert "being obtained: waiting for the authority to validate hang0.test" in shown


def test_no_more_is_ordered_than_the_authority_allows(stage, origin):
    """Let's Encrypt takes 300 orders of an account in three hours: 275 of them were made, by what the storage says."""
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    stage.storage.write_text(json.dumps({"le": {"Account": None, "Certificates": None,
                                                "Fairlead": {"Limits": {"Orders": [now] * 275}}}}))
    stage.storage.chmod(0o600)
    orders = stage.pebble.orders()
    # Authorities are known by their host name, wherever it stands in the URL.
    proxy = stage.start(site(origin, *[f"Host(`n{number}.allowed.test`)" for number in range(30)]),
                        caServer=stage.pebble.directory + "?for=acme.letsencrypt.org/")

    wait_for(lambda: sum("orders were made within 3 hours" in reason(proxy, f"r{number}@file") for number in range(30)) == 25,
             30, "the others say why they wait")

    assert stage.pebble.orders() == orders + 5
