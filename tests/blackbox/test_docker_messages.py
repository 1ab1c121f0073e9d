"""What is wrong with a container's labels is said in the log: the container, the label, and what would be right."""

import re

import pytest
from support.labels import LabelledEngine
from support.ports import free_port, wait_for

RULE = "http.routers.x.rule=Host(`x`)"

# labels (without "traefik.") → what a line of the log says besides the container, and what `x` answers
MISTAKES = {
    "a section": ([RULE, "htpp.routers.y.rule=Host(`y`)"], "traefik.http.routers.y.rule", None),
    "enable": ([RULE, "enabel=true"], "traefik.enabel .*did you mean `traefik.enable`", None),
    "enable that hides": ([RULE, "enabled=false"], "traefik.enabled .*did you mean `traefik.enable`", 404),
    "enable is no boolean": ([RULE, "enable=yes"], 'traefik.enable .*expected true or false, got "yes"', 404),
    "an option of docker": ([RULE, "docker.netwrok=proxy"], "traefik.docker.netwrok .*did you mean `network`", None),
    "a label of Traefik 1": ([RULE, "frontend.rule=Host:x"], "traefik.frontend.rule .*Traefik 1.*traefik.http.routers", None),
    "an empty segment": ([RULE, "http..y.rule=Host(`y`)"], r"traefik.http..y.rule .*a dot too many", None),
    "an option of a router": ([RULE, "http.routers.x.middlewars=a"], "middlewars.*did you mean `middlewares`", 503),
    "an option of a middleware": ([RULE, "http.routers.x.middlewares=a", "http.middlewares.a.basicauth.user=a:b"],
                                  "basicAuth.user.*did you mean `users`", 503),
    "a type of middleware": ([RULE, "http.routers.x.middlewares=a", "http.middlewares.a.basicaut.users=a:b"],
                             "basicaut.*did you mean `basicAuth`", 503),
    "an option of a service": ([RULE, "http.services.x.loadbalancer.server.prot=80"], "prot.*did you mean .*port", None),
    "a port that is none": ([RULE, "http.services.x.loadbalancer.server.port=http"], 'service x .*"http" is no port', 503),
    "url and port": ([RULE, "http.services.x.loadbalancer.server.port=80", "http.services.x.loadbalancer.server.url=http://127.0.0.1"],
                     "url excludes port and scheme; remove", 503),
    "two services": ([RULE, "http.services.a.loadbalancer.server.port=80", "http.services.b.loadbalancer.server.port=81"],
                     "cannot be linked automatically with 2 services; add traefik.http.routers.x.service", 503),
    "two services and no router": (["http.services.a.loadbalancer.server.port=80", "http.services.b.loadbalancer.server.port=81"],
                                   "too many services; add a router", 404),
    "a matcher": (["http.routers.x.rule=Hots(`x`)"], 'unknown matcher "Hots"; did you mean Host', 404),
    "a rule of version 2": (["http.routers.x.rule=Host(`x`,`y`)"], "v2 syntax.*Host\\(`x`\\) \\|\\| Host\\(`y`\\)", 404),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_said_once_with_its_container_and_the_right_spelling(start, origin, case):
    labels, said, status = MISTAKES[case]
    with LabelledEngine() as engine:
        engine.put("shop-1", origin.port, labels)
        proxy = start(install=engine.install)

        def lines():
            return [line.split("Z ", 1)[1] for line in proxy.log().splitlines()
                    if re.search("WRN|ERR", line) and "container shop-1" in line and re.search(said, line)]

        wait_for(lines, 10, "the log says it")

        # Whatever has no fault of its own is served.
        proxy.wait_status(status or 200, "x", seconds=5)
        engine.put("other-1", origin.port, ["http.routers.other.rule=Host(`other`)"])
        proxy.wait_status(200, "other")
        assert len(lines()) == len(set(lines())), "once, not with every change"
        assert all(line.count("did you mean") <= 1 for line in lines())


def test_a_container_that_gets_no_rule_is_told_of_once(start, origin):
    with LabelledEngine() as engine:
        engine.put("shop-1", origin.port, [])
        engine.put("good-1", origin.port, ["http.routers.good.rule=Host(`good`)"])
        proxy = start(install={"providers": {"docker": {**engine.install["providers"]["docker"], "defaultRule": ""}}})

        proxy.wait_status(200, "good")
        assert proxy.router("shop-1@docker")["error"] == ["the router has no rule and defaultRule is empty"]
        assert len([line for line in proxy.log().splitlines() if "ERR router shop-1@docker" in line]) == 1


def test_a_constraint_that_never_matches_is_said(start, origin):
    with LabelledEngine() as engine:
        engine.put("good-1", origin.port, ["http.routers.good.rule=Host(`good`)"])
        proxy = start(install={"providers": {"docker": {
            **engine.install["providers"]["docker"], "constraints": "Label(`a`, ``) || LabelRegex(`b`, `(`)"}}})

        proxy.wait_status(200, "good")
        assert re.search(r"ERR providers.docker.constraints: LabelRegex.*never matches: missing", proxy.log())


def test_a_container_without_a_port_is_named(start, origin):
    class Portless(LabelledEngine):
        def _inspected(self, *container):
            return {**super()._inspected(*container), "Config": {"Labels": {}}}

    with Portless() as engine:
        engine.put("db-1", 1, [])
        proxy = start(install=engine.install)

        wait_for(lambda: re.search("service db-1 .container db-1.: db-1: port is missing; EXPOSE one", proxy.log()), 10, "the log says it")
        proxy.wait_status(503, "db-1")


def test_a_port_on_which_nobody_listens_is_named(start, origin):
    with LabelledEngine() as engine:
        proxy = start(install=engine.install)
        port = free_port()
        engine.put("shop-1", port, [RULE])

        said = f"WRN docker: shop-1 accepts no connection on port {port} after 10s; .*label .*loadbalancer.server.port"
        wait_for(lambda: re.search(said, proxy.log()), 40, "the log says it")


def test_a_misspelt_enable_is_said_where_nothing_is_exposed_without(start, origin):
    with LabelledEngine() as engine:
        engine.put("shop-1", origin.port, [RULE, "enabled=true"])
        engine.put("other-1", origin.port, ["enable=true", "http.routers.other.rule=Host(`other`)"])
        engine.put("stranger-1", origin.port, ["foo.bar=1"])
        docker = {**engine.install["providers"]["docker"], "exposedByDefault": False}
        proxy = start(install={"providers": {"docker": docker}})
        proxy.wait_status(200, "other")

        wait_for(lambda: re.search("WRN .*traefik.enabled .container shop-1.*did you mean `traefik.enable`", proxy.log()),
                 10, "the log says it")
        assert proxy.ask(host="x").status == 404
        assert "foo.bar" not in proxy.log(), "labels of what is not meant to be exposed are nobody's business"


class Guests(LabelledEngine):
    """The container `guest` uses the network of `vpn`."""

    def _inspected(self, identifier, name, port, labels):
        out = super()._inspected(identifier, name, port, labels)
        if name == "guest":
            out["HostConfig"]["NetworkMode"] = "container:id-vpn"
            out["NetworkSettings"]["Networks"] = {}
        return out


def test_what_uses_the_network_of_another_is_no_fault_because_it_is_listed_first(start, origin):
    with Guests() as engine:
        engine.put("guest", origin.port, [RULE])
        engine.put("vpn", origin.port)
        proxy = start(install=engine.install)

        proxy.wait_status(200, "x")
        assert "which is unknown" not in proxy.log()
