"""Configuration from files: what applies, what is refused, and what stands meanwhile."""

import json
import subprocess
import time

import pytest
from support.fairlead import routes
from support.labels import LabelledEngine
from support.origin import Origin, respond
from support.ports import free_port, wait_for


@pytest.fixture
def directory(start, tmp_path):
    """directory(files) → Fairlead with a watched directory of those files, and the directory."""
    def begin(files):
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        return start(install={"providers": {"file": {"directory": str(tmp_path)}}}), tmp_path

    return begin


def one(host, url):
    return json.dumps(routes(**{host: [url]}))


def toml(host, url):
    return (f"[http.routers.{host}]\nrule = \"Host(`{host}`)\"\nservice = \"{host}\"\n"
            f"[[http.services.{host}.loadBalancer.servers]]\nurl = \"{url}\"\n")


def test_a_directory_holds_yaml_and_toml(directory, origin):
    proxy, _ = directory({"a.yml": one("a", origin.url), "b.yaml": one("b", origin.url),
                          "c.toml": toml("c", origin.url), "notes.txt": "not read", "acme.json": one("d", origin.url)})

    for host in "abc":
        proxy.wait_status(200, host)
    assert proxy.ask(host="d").status == 404, "JSON in a directory is no configuration"


def test_files_come_change_and_go(directory, origin):
    proxy, folder = directory({"a.yml": one("a", origin.url)})
    proxy.wait_status(200, "a")

    (folder / "b.yml").write_text(one("b", origin.url))
    proxy.wait_status(200, "b")
    (folder / "a.yml").write_text(one("c", origin.url))
    proxy.wait_status(200, "c")
    proxy.wait_status(404, "a")
    (folder / "b.yml").unlink()
    proxy.wait_status(404, "b")


def test_one_file_that_cannot_be_parsed_leaves_the_others(directory, origin):
    proxy, _ = directory({"good.yml": one("a", origin.url), "bad.yml": "http:\n  routers: [\n"})

    proxy.wait_status(200, "a")
    assert "bad.yml" in proxy.log()


def test_one_broken_element_leaves_the_others_of_its_file(start, origin):
    dynamic = routes(good=[origin.url], bad=[origin.url])
    dynamic["http"]["routers"]["bad"]["priority"] = "high"
    proxy = start(dynamic)

    proxy.wait_status(200, "good")
    assert proxy.ask(host="bad").status == 503
    assert "priority" in proxy.log()


def test_an_unknown_key_of_a_router_breaks_it_and_names_the_nearest_spelling(start, origin):
    dynamic = routes(app=[origin.url])
    dynamic["http"]["routers"]["app"]["middelwares"] = ["auth"]
    proxy = start(dynamic)

    assert proxy.ask(host="app").status == 503
    assert "middlewares" in proxy.log()


def test_a_file_that_empties_for_a_moment_changes_nothing(start, origin):
    proxy = start(routes(app=[origin.url]))

    text = proxy.dynamic_path.read_text()
    begun = time.monotonic()
    proxy.dynamic_path.write_text("")
    while time.monotonic() - begun < 1:
        status = proxy.ask(host="app").status
        # A file that is empty for two seconds is meant so, and a busy machine may be this slow.
        assert status == 200 or time.monotonic() - begun > 1.9
        time.sleep(0.1)
    proxy.dynamic_path.write_text(text)
    time.sleep(1)

    proxy.wait_status(200, "app")


@pytest.mark.parametrize("rule, hit, miss", [
    ("Host(`a`) || Host(`b`)", {"host": "b"}, {"host": "c"}),
    ("Host(`a`) && !PathPrefix(`/x`)", {"host": "a", "target": "/y"}, {"host": "a", "target": "/x/1"}),
    ("HostRegexp(`^.+\\.dev$`)", {"host": "any.dev"}, {"host": "dev"}),
    ("Path(`/only`)", {"target": "/only"}, {"target": "/only/more"}),
    ("PathRegexp(`^/v[0-9]+/`)", {"target": "/v12/x"}, {"target": "/vx/"}),
    ("Method(`PUT`)", {"method": "PUT", "body": b""}, {"method": "GET"}),
    ("Header(`X-Kind`, `blue`)", {"headers": {"X-Kind": "blue"}}, {"headers": {"X-Kind": "red"}}),
    ("HeaderRegexp(`X-Kind`, `^b`)", {"headers": {"X-Kind": "blue"}}, {"headers": {"X-Kind": "red"}}),
    ("Query(`k`, `v`)", {"target": "/?a=b&k=v"}, {"target": "/?k=w"}),
    ("QueryRegexp(`k`, `^[0-9]+$`)", {"target": "/?k=42"}, {"target": "/?k=4x"}),
    ("ClientIP(`127.0.0.0/8`)", {}, None),
    ("ClientIP(`10.0.0.0/8`)", None, {}),
])
def test_rules_decide(start, origin, rule, hit, miss):
    proxy = start({"http": {"routers": {"r": {"rule": rule, "service": "s"}},
                            "services": {"s": {"loadBalancer": {"servers": [{"url": origin.url}]}}}}})

    if hit is not None:
        assert proxy.ask(**hit).status == 200
    if miss is not None:
        assert proxy.ask(**miss).status == 404


def test_priority_decides_over_length(start):
    with Origin(respond(b"long")) as long, Origin(respond(b"short")) as short:
        dynamic = {"http": {
            "routers": {"long": {"rule": "Host(`app`) && PathPrefix(`/a`)", "service": "long"},
                        "short": {"rule": "Host(`app`)", "service": "short", "priority": 1000}},
            "services": {name: {"loadBalancer": {"servers": [{"url": server.url}]}}
                         for name, server in (("long", long), ("short", short))}}}
        proxy = start(dynamic)
        assert proxy.ask("/a", host="app").body == b"short"

        del dynamic["http"]["routers"]["short"]["priority"]
        proxy.write_dynamic(dynamic)
        wait_for(lambda: proxy.ask("/a", host="app").body == b"long", 10, "the longer rule wins")


def test_routers_keep_to_their_entry_points(start, origin):
    dynamic = routes(app=[origin.url])
    dynamic["http"]["routers"]["app"]["entryPoints"] = ["inner"]
    proxy = start(dynamic, entry_points=("web", "inner"))

    assert proxy.ask(host="app", entry_point="inner").status == 200
    assert proxy.ask(host="app", entry_point="web").status == 404


def test_weights_share_requests(start):
    with Origin(respond(b"a")) as a, Origin(respond(b"b")) as b:
        dynamic = routes(app=[])
        dynamic["http"]["services"]["app"]["loadBalancer"]["servers"] = [{"url": a.url, "weight": 3},
                                                                         {"url": b.url, "weight": 1}]
        proxy = start(dynamic)

        answers = [proxy.ask(host="app").body for _ in range(40)]

        assert (answers.count(b"a"), answers.count(b"b")) == (30, 10)


def test_the_host_header_can_be_the_servers_own(start, origin):
    dynamic = routes(app=[origin.url])
    dynamic["http"]["services"]["app"]["loadBalancer"]["passHostHeader"] = False
    proxy = start(dynamic)

    proxy.ask(host="app")

    assert origin.last().header("Host") == f"127.0.0.1:{origin.port}"


def test_an_option_not_yet_in_effect_never_leaves_a_route_unguarded(start, origin):
    dynamic = routes(app=[origin.url])
    dynamic["http"]["middlewares"] = {"auth": {"basicAuth": {"users": ["a:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/"]}}}
    dynamic["http"]["routers"]["app"]["middlewares"] = ["auth"]
    proxy = start(dynamic)

    assert proxy.ask(host="app").status in (401, 503)
    assert origin.requests == []


def test_entry_points_change_while_it_runs(start, origin):
    proxy = start(routes(app=[origin.url]))
    added = free_port()
    proxy.install["entryPoints"]["added"] = {"address": f"127.0.0.1:{added}"}
    proxy.ports["added"] = added
    beside = proxy.install_path.with_suffix(".new")
    beside.write_text(json.dumps(proxy.install))
    beside.rename(proxy.install_path)
    proxy.signal(1)

    proxy.wait_status(200, "app", entry_point="added")
    assert proxy.ask(host="app").status == 200


def test_own_answers_suit_whoever_asked(start):
    proxy = start(routes())

    plain = proxy.ask(host="nobody")
    page = proxy.ask(host="nobody", headers={"Accept": "text/html,*/*;q=0.8"})
    problem = proxy.ask(host="nobody", headers={"Accept": "application/problem+json"})

    assert plain.text.strip() == "404 page not found"
    assert "text/html" in page.header("Content-Type")
    assert json.loads(problem.body)["status"] == 404
    assert all(answer.header("X-Request-Id") for answer in (plain, page, problem))


def test_an_endpoint_may_redirect(start, origin):
    def answer(request):
        if request.target == "/moved":
            return respond(one("app", origin.url).encode())
        return respond(b"not here", 307, [("Location", "/moved")])

    with Origin(answer) as source:
        proxy = start(install={"providers": {"http": {"endpoint": source.url + "/config"}}})

        proxy.wait_status(200, "app")
        assert [request.target for request in source.requests[:2]] == ["/config", "/moved"]


def test_an_install_file_that_empties_or_goes_for_a_moment_changes_nothing(start, origin):
    proxy = start(routes(app=[origin.url]))

    text = proxy.install_path.read_text()
    for gone in (False, True):
        begun = time.monotonic()
        if gone:
            proxy.install_path.unlink()
        else:
            proxy.install_path.write_text("")
        while time.monotonic() - begun < 1.5:
            assert proxy.ask(host="app").status == 200 or time.monotonic() - begun > 1.9
            time.sleep(0.1)
        proxy.install_path.write_text(text)

    proxy.install_path.write_text(text.replace('"DEBUG"', '"INFO"'))
    wait_for(lambda: "install configuration applied" in proxy.log(), 10, "a real change is applied")
    assert proxy.ask(host="app").status == 200


def test_a_provider_whose_new_options_cannot_be_used_goes_on_with_the_old(start, origin):
    with LabelledEngine() as engine:
        engine.put("shop-1", origin.port, ["http.routers.x.rule=Host(`x`)"])
        proxy = start(install=engine.install)
        proxy.wait_status(200, "x")

        install = json.loads(proxy.install_path.read_text())
        install["providers"]["docker"]["defaultRule"] = "Host(`{{ normalize"
        proxy.install_path.write_text(json.dumps(install))

        wait_for(lambda: "install configuration applied" in proxy.log(), 10, "the change is seen")
        assert "provider docker goes on with its former options" in proxy.log()
        assert proxy.ask(host="x").status == 200


def test_a_changed_resolver_leaves_the_last_good_content_of_a_broken_file(start, origin):
    proxy = start(routes(app=[origin.url]))
    proxy.write_dynamic("http: [unclosed")
    wait_for(lambda: "its last good content stays" in proxy.log(), 10, "the file is refused")

    install = json.loads(proxy.install_path.read_text())
    install["certificatesResolvers"] = {"le": {"acme": {"storage": str(proxy.folder / "acme.json"), "tlsChallenge": {}}}}
    proxy.install_path.write_text(json.dumps(install))

    wait_for(lambda: "install configuration applied" in proxy.log(), 10, "the change is applied")
    assert proxy.ask(host="app").status == 200


def test_the_page_of_a_login_is_no_configuration(start, origin):
    pages = [b"<!DOCTYPE html><html><body>Log in</body></html>", b'{"error": "not logged in"}', b"[1, 2]"]
    said = []

    def answer(request):
        return respond(pages[said[-1]] if said else one("app", origin.url).encode())

    with Origin(answer) as source:
        proxy = start(install={"providers": {"http": {"endpoint": source.url, "pollInterval": "50ms"}}})
        proxy.wait_status(200, "app")
        for index in range(len(pages)):
            said.append(index)
            wait_for(lambda: proxy.log().count("holds no configuration") == index + 1, 10, "the page is refused")
            assert proxy.ask(host="app").status == 200
        assert proxy.log().count("the last good configuration stays") == len(pages)


def test_the_redirection_of_short_labels_follows_the_entry_points(start, origin, tmp_path):
    with LabelledEngine() as engine:
        engine.put("shop-1", origin.port, {"fairlead.host": "x"})
        resolver = {"le": {"acme": {"storage": str(tmp_path / "acme.json"), "tlsChallenge": {},
                                    "caServer": "http://127.0.0.1:1/"}}}
        proxy = start(install={**engine.install, "certificatesResolvers": resolver})
        assert proxy.wait_status(308, "x").header("Location") == "https://x/"

        install = json.loads(proxy.install_path.read_text())
        install["entryPoints"]["secure"] = {"address": f"127.0.0.1:{(port := free_port())}", "http": {"tls": {}}}
        proxy.install_path.write_text(json.dumps(install))

        wait_for(lambda: proxy.ask(host="x").header("Location") == f"https://x:{port}/", 15, "the port is the new one")


def test_an_install_file_mounted_alone_that_was_replaced_is_told(start, origin, tmp_path):
    proxy = start(routes(app=[origin.url]))
    on_host = tmp_path / "fairlead.yml"
    on_host.write_text(proxy.install_path.read_text())
    if subprocess.run(["mount", "--bind", str(on_host), str(proxy.install_path)], check=False).returncode != 0:
        pytest.skip("mounting needs CAP_SYS_ADMIN")
    try:
        beside = tmp_path / "new"
        beside.write_text(on_host.read_text().replace('"DEBUG"', '"INFO"'))
        beside.rename(on_host)
        wait_for(lambda: "was replaced on the host; mounted alone" in proxy.log(), 10, "it is told")
        assert proxy.ask(host="app").status == 200
    finally:
        subprocess.run(["umount", str(proxy.install_path)], check=True)
