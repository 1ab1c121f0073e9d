"""An engine that answers with nonsense, without end or with far too much: the process and its routes live on."""

import json
import re
import signal
import socket
import threading
import time

import pytest
from support.fairlead import Fairlead, routes
from support.labels import LabelledEngine
from support.ports import wait_for

GOOD = ["http.routers.good.rule=Host(`good`)"]
DEEP = b"[" * 300_000 + b"]" * 300_000


class HostileEngine(LabelledEngine):
    """`answers`: the end of a path → the body given instead; a function makes it of the usual one."""

    def __init__(self):
        super().__init__()
        self.answers = {}
        self.asked = 0

    def _answer(self, path):
        self.asked += 1
        status, body = super()._answer(path)
        for end, other in self.answers.items():
            if path.endswith(end):
                return 200, other(body) if callable(other) else other
        return status, body

    def flood(self, events):
        text = b"".join(json.dumps(event).encode() + b"\n" for event in events)
        with self._lock:
            for connection in self._subscribers:
                connection.sendall(b"%x\r\n%s\r\n" % (len(text), text))


@pytest.fixture
def engine(origin):
    with HostileEngine() as engine:
        engine.put("good", origin.port, GOOD)
        yield engine


def with_row(row):
    return {"/containers/json": lambda usual: usual[:-1] + b"," + row + b"]"}


def with_inspection(body):
    return {"/id-bad/json": body}


def inspection(**members):
    return with_inspection(json.dumps({"Id": "id-bad", "Name": "/bad", **members}).encode())


HARMLESS = {
    "a row that nests without end": with_row(b'{"Id":"id-x","Labels":' + DEEP + b',"Ports":' + DEEP + b"}"),
    "rows that are no containers": with_row(b'null,1,"x",[],{"Id":5},{"Id":"a","Names":5,"Labels":[],"State":{}}'),
    "an inspection that nests without end": with_inspection(b'{"Id":"id-bad","Config":{"Labels":' + DEEP + b"}}"),
    "an inspection that is garbage": with_inspection(b"\xff\xfe" + b"a" * 100_000),
    "an inspection of nothing": with_inspection(b""),
    "a name that is no UTF-8": with_inspection(b'{"Id":"id-bad","Name":"/\xff"}'),
    "no name": with_inspection(b'{"Id":"id-bad"}'),
    "members of other types": inspection(Config=[], NetworkSettings="x", HostConfig=None, Name=7, State=[1]),
    "times beyond all clocks": inspection(Created="9999-99-99T99:99:99.999999999Z",
                                          State={"Status": "running", "StartedAt": "9999-12-31T23:59:59Z"}),
    "numbers beyond all integers": inspection(State={"Status": "running", "ExitCode": 10**30}),
    "addresses that are none": inspection(State={"Status": "running"}, NetworkSettings={
        "Networks": {"": {"IPAddress": "x\r\ny"}, "a\nb": None}, "Ports": {"80/tcp": [{"HostPort": "x"}, 5], "/": 2}}),
    "labels of a megabyte": inspection(State={"Status": "running"}, Config={"Labels": {
        "traefik.http.routers.a.rule": "Host(`" + "a" * 1_000_000 + "`)", "traefik.http.routers.b.rule": "(" * 1_000_000,
        "traefik." + "a." * 200_000 + "b": "c"}}),
    "an index beyond all lists": inspection(State={"Status": "running"}, Config={"Labels": {
        "traefik.http.services.x.loadbalancer.servers[4000000000].url": "http://127.0.0.1:1"}}),
}


@pytest.mark.parametrize("case", HARMLESS)
def test_nonsense_of_one_container_takes_nobody_else_down(start, origin, engine, case):
    engine.answers = HARMLESS[case]
    engine.put("bad", 1, [])
    proxy = start(install=engine.install)

    proxy.wait_status(200, "good")
    engine.put("late", origin.port, ["http.routers.late.rule=Host(`late`)"])
    proxy.wait_status(200, "late")


def test_names_and_labels_cannot_forge_lines_of_the_log(start, engine):
    engine.containers["id-evil"] = ("evil\nFORGED\x1b[31m", 1, {
        "traefik.enable": "may\nFORGED", "traefik.http.routers.x.rul\nFORGED": "y\r\nFORGED"})
    proxy = start(install=engine.install)

    proxy.wait_status(200, "good")
    wait_for(lambda: "traefik.enable" in proxy.log(), 10, "the label is named")
    assert not re.search("^.?FORGED", proxy.log(), re.MULTILINE) and "\x1b" not in proxy.log() and "\r" not in proxy.log()


def test_a_list_that_is_far_too_large_is_given_up(start, engine):
    engine.answers = {"/containers/json": b'[{"Id":"' + b"a" * (70 << 20)}
    proxy = start(install=engine.install)

    wait_for(lambda: "larger than" in proxy.log(), 20, "the list is given up")
    engine.answers = {}
    proxy.wait_status(200, "good")


def test_inspections_that_hang_keep_nobody_else_waiting(start, origin, engine):
    released = threading.Event()

    def hang(usual):
        released.wait(120)
        return usual

    stuck = [f"stuck-{i}" for i in range(12)]
    engine.answers = {f"/id-{name}/json": hang for name in stuck}
    for name in stuck:
        engine.put(name, origin.port, [f"http.routers.{name}.rule=Host(`{name}`)"])
    proxy = start(install=engine.install)

    proxy.wait_status(200, "good", seconds=5)
    for name in stuck:
        engine._event("update", f"id-{name}")
    engine.put("late", origin.port, ["http.routers.late.rule=Host(`late`)"])
    proxy.wait_status(200, "late", seconds=5)
    released.set()
    for name in stuck:
        proxy.wait_status(200, name)


def test_an_engine_that_always_takes_its_time_is_read_all_the_same(start, origin, engine):
    def think(usual):
        time.sleep(9)
        return usual

    engine.answers = {"/json": lambda usual: usual if usual.startswith(b"[") else think(usual)}
    proxy = start(install=engine.install)

    proxy.wait_status(200, "good", seconds=20)


def test_events_about_containers_without_number_are_one_list(start, origin, engine):
    proxy = start(install=engine.install)
    proxy.wait_status(200, "good")

    asked = engine.asked
    engine.flood({"Type": "container", "Action": "start", "Actor": {"ID": f"made-up-{i}"}} for i in range(100_000))
    engine.put("late", origin.port, ["http.routers.late.rule=Host(`late`)"])
    proxy.wait_status(200, "late")
    assert engine.asked - asked < 10_000, "the more the slower they come"
    assert proxy.ask(host="good").status == 200


MANY = {
    "routers without a rule": lambda i: (f"http.routers.r{i}.priority", str(i + 1)),
    "routers with a mistake": lambda i: (f"http.routers.r{i}.rulle", "x"),
    "services": lambda i: (f"http.services.s{i}.loadbalancer.server.port", "80"),
    "servers": lambda i: (f"http.services.s.loadbalancer.servers[{i}].url", f"http://127.0.0.1:{i + 1}"),
    "headers": lambda i: (f"http.middlewares.m.headers.customrequestheaders.x-{i}", "x"),
}


@pytest.mark.parametrize("kind", MANY)
def test_twenty_thousand_labels_keep_nobody_waiting(start, origin, engine, kind):
    proxy = start(install=engine.install)
    proxy.wait_status(200, "good")

    engine.put("many", 1, {f"traefik.{key}": value for key, value in map(MANY[kind], range(20_000))})
    engine.put("late", origin.port, ["http.routers.late.rule=Host(`late`)"])
    proxy.wait_status(200, "late", seconds=10)

    del engine.containers["id-many"]
    engine._event("destroy", "id-many")
    engine.put("later", origin.port, ["http.routers.later.rule=Host(`later`)"])
    proxy.wait_status(200, "later", seconds=10)


def test_a_name_server_that_does_not_answer_keeps_neither_start_nor_end_waiting(origin, tmp_path):
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind(("127.53.53.53", 53))
    resolver = tmp_path / "resolv.conf"
    resolver.write_text("nameserver 127.53.53.53\noptions timeout:30 attempts:3\n")
    silent.settimeout(60)
    prefix = ["unshare", "-m", "sh", "-c", f'mount --bind {resolver} /etc/resolv.conf; exec "$@"', "sh"]

    begun = time.monotonic()
    with Fairlead(routes(app=[origin.url]), {"providers": {"docker": {"endpoint": "tcp://engine.example:2375"}}},
                  prefix=prefix) as proxy:
        assert proxy.wait_status(200, "app")
        assert silent.recv(512), "it is asked"
        assert time.monotonic() - begun < 28
        begun = time.monotonic()
        proxy.signal(signal.SIGTERM)
        proxy.process.wait(60)
        assert time.monotonic() - begun < 28
    silent.close()


def test_a_proxy_before_the_engine_may_let_through_only_what_traefik_asks(start, origin):
    class Guarded(LabelledEngine):
        def _respond(self, method, path):
            allowed = (method, path) == ("HEAD", "/_ping") or re.fullmatch(r"/v1\.\d+/containers/.*", path)
            return self._answer(path) if allowed else (403, b"forbidden")

    with Guarded() as engine:
        engine.put("good", origin.port, GOOD)
        start(install=engine.install).wait_status(200, "good")
