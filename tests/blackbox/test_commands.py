"""The command line."""

import json
import os
import re
import signal
import subprocess
import time

import pytest
from support.fairlead import BINARY, Fairlead, environment, routes
from support.ports import free_port, wait_for
from support.raw import ask


def call(*arguments, seconds=90, **options):
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=seconds,
                          env=environment(), **options)


@pytest.fixture
def whoami():
    port = free_port()
    process = subprocess.Popen([BINARY, "whoami", "--port", str(port), "--name", "demo"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, env=environment())

    def answers():
        try:
            return ask(port).status == 200
        except OSError:
            return False

    try:
        wait_for(answers, 10, "whoami answers")
        yield port
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()


def test_version_is_printed():
    done = call("version")
    assert done.returncode == 0
    assert "Version" in done.stdout


def test_help_names_the_options():
    done = call("--help")
    assert done.returncode == 0
    assert "entrypoints" in done.stdout.lower()


def test_help_is_a_command_too_and_says_what_each_command_does():
    done = call("help")
    assert (done.returncode, done.stdout) == (0, call("--help").stdout)
    assert re.search(r"^  healthcheck +asks the ping", done.stdout, re.MULTILINE)


@pytest.mark.parametrize("command", ["--help", "help", "reference", "version", "whoami --help", "certs --help", "check"])
def test_what_cannot_be_printed_whole_ends_no_command_badly(command):
    command = command.split()
    reads, writes = os.pipe()
    os.close(reads)
    left = subprocess.run([BINARY, *command], stdout=writes, stderr=subprocess.PIPE, text=True, timeout=90,
                          env=environment())
    os.close(writes)
    assert left.returncode in (0, -signal.SIGPIPE) and left.stderr == ""

    with open("/dev/full", "w") as full:
        told = subprocess.run([BINARY, *command], stdout=full, stderr=subprocess.PIPE, text=True, timeout=90,
                              env=environment())
    assert (told.returncode, told.stderr) == (1, "fairlead: stdout: No space left on device\n")


def test_a_report_that_cannot_be_written_down_still_ends_with_its_verdict(tmp_path):
    routers = {f"r{i}": {"rule": "Host(`x`)", "service": "nowhere"} for i in range(200)}
    (tmp_path / "broken.yml").write_text(json.dumps({"http": {"routers": routers}}))

    with open("/dev/full", "w") as full:
        done = subprocess.run([BINARY, "check", f"--providers.file.filename={tmp_path}/broken.yml"], stdout=full,
                              stderr=subprocess.PIPE, text=True, timeout=90, env=environment())

    assert (done.returncode, done.stderr) == (1, "fairlead: stdout: No space left on device\n")


def test_control_bytes_of_a_configuration_never_reach_the_terminal(tmp_path):
    """A file of variables that an editor of Windows wrote ends its lines with a carriage return, and nobody sees it."""
    (tmp_path / "a.yml").write_text('http: {routers: {a: {rule: "Host(`x`)", service: "no\\n\\e[2Jforged"}}}')
    told = call("check", f"--providers.file.filename={tmp_path}/a.yml")
    assert r'the service "no\x0a\x1b[2Jforged@file" does not exist' in told.stdout

    for command in ("check", "healthcheck"):
        wrong = subprocess.run([BINARY, command, "--ping"], capture_output=True, timeout=90,
                               env={**environment(), "FAIRLEAD_ENTRYPOINTS_WEB_ADDRESS": ":80\r"})
        assert rb'got ":80\x0d"' in wrong.stdout + wrong.stderr


def test_a_command_behind_the_flags_is_told_its_place():
    done = call("--ping", "--api", "check")
    assert done.returncode == 2
    assert "before the flags: fairlead check [flags]" in done.stderr


def test_an_unknown_flag_is_refused_with_the_nearest_spelling():
    done = call("--providers.dokcer=true")
    assert done.returncode == 2
    assert "providers.docker" in (done.stdout + done.stderr).lower()
    dotted = call("--tracing.resourceAttributes.deployment.environment=prod").stderr
    assert "a name in a flag holds no dot, but in a file it may" in dotted


def test_a_value_without_its_equals_sign_is_refused():
    done = call("--api.insecure", "true", "--providers.docker.exposedByDefault=false")
    assert done.returncode == 2
    assert "--api.insecure=true" in done.stderr
    assert "no command" in call("sevre").stderr


@pytest.mark.parametrize("name, value, remedy", [
    ("providers.docker.swarmMode", "true", "providers.swarm"),
    ("pilot.token", "x", "drop it"),
    ("tracing.jaeger.samplingType", "const", "tracing.otlp"),
])
def test_an_option_that_was_removed_is_refused_with_what_took_its_place(name, value, remedy):
    by_flag = call(f"--{name}={value}")
    variable = "TRAEFIK_" + name.replace(".", "_").upper()
    by_variable = subprocess.run([BINARY], capture_output=True, text=True, timeout=90, env=environment(**{variable: value}))

    for done in (by_flag, by_variable):
        assert done.returncode == 2
        assert "was removed" in done.stderr and remedy in done.stderr, done.stderr


def test_an_unknown_format_of_the_access_log_means_common(start, origin):
    proxy = start(routes(app=[origin.url]), {"accessLog": {"format": "JSON"}})
    assert proxy.ask("/", "app").status == 200

    wait_for(lambda: '"GET / HTTP/1.1" 200 2 "-" "-"' in proxy.access_path.read_text(), 5, "the line is written")
    assert "accessLog.format" in proxy.log()


def test_a_named_configuration_that_is_missing_is_an_error():
    done = call("--configFile=/nowhere/fairlead.yml")
    assert done.returncode not in (0, -6, -11)
    assert "/nowhere/fairlead.yml" in done.stdout + done.stderr


@pytest.mark.parametrize("text", ["- entryPoints\n", "entryPoints\n"])
def test_a_configuration_that_holds_no_options_is_an_error(tmp_path, text):
    path = tmp_path / "fairlead.yml"
    path.write_text(text)
    done = call(f"--configFile={path}")
    assert done.returncode == 2
    assert f"{path}: holds no options" in done.stderr


def test_a_taken_port_is_reported(start):
    running = start(routes())
    done = call(f"--entryPoints.web.address=127.0.0.1:{running.port()}")
    assert done.returncode not in (0, -6, -11)
    assert str(running.port()) in done.stdout + done.stderr


def test_healthcheck_follows_the_ping(start):
    running = start(routes())
    good = call("healthcheck", "--ping", f"--entryPoints.traefik.address=127.0.0.1:{running.api_port}")
    bad = call("healthcheck", "--ping", f"--entryPoints.traefik.address=127.0.0.1:{free_port()}")
    assert (good.returncode, bad.returncode) == (0, 1)
    assert good.stdout == f"OK: http://127.0.0.1:{running.api_port}/ping\n"
    assert bad.stderr.startswith("Error calling healthcheck: http://127.0.0.1:"), "it says what was asked"


@pytest.mark.parametrize("arguments, says", [
    (["prune", "--dry-run"], "prune has no --dry-run"),
    (["renew", "a.example", "--server=https://ca.example/dir"], "--server is for --dry-run only"),
    (["export", "--json"], "export has no --json"),
    (["renew"], "renew needs the name of a certificate"),
    (["list", "all"], 'unexpected word "all"'),
    (["lst"], 'there is no "lst"'),
    (["list", "--jsn"], "there is no flag --jsn"),
    ([], "what is to be done is missing"),
])
def test_certs_does_nothing_that_was_not_asked_and_says_what_is_wrong(arguments, says):
    """Least of all does a dry run prune."""
    done = call("certs", *arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"fairlead certs: {says}\n"), done.stderr
    assert "Usage: fairlead certs list" in done.stderr


def test_healthcheck_names_an_address_of_ipv6_in_brackets():
    port = free_port()
    address = f"--entryPoints.traefik.address=[::1]:{port}"
    running = subprocess.Popen([BINARY, "--ping", address], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env=environment())
    try:
        done = wait_for(lambda: (run := call("healthcheck", "--ping", address)).returncode == 0 and run, 15,
                        "the ping answers")
        assert done.stdout == f"OK: http://[::1]:{port}/ping\n"
    finally:
        running.terminate()
        assert running.wait(60) == 0


@pytest.mark.parametrize("init", [[], ["sh", "-c", '"$@"; exit $?', "init"]], ids=["alone", "below an init"])
@pytest.mark.parametrize("flags, verdict, says", [
    (["--ping"], 0, "/ping"),
    (["--ping", "--ping.entryPoint=web"], 0, "/ping"),
    ([], 0, "without a ping"),
])
def test_the_health_check_of_an_image_knows_the_flags_of_its_container(flags, verdict, says, init):
    """It is called without any; the first process of the container has them, or the child of its init."""
    web, ping = free_port(), free_port()
    first = subprocess.Popen(["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", *init, BINARY, "--workers=1",
                              f"--entryPoints.web.address=127.0.0.1:{web}",
                              f"--entryPoints.traefik.address=127.0.0.1:{ping}", *flags],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment())
    try:
        wait_for(lambda: listens(web), 15, "the entry point listens")
        inside = (f"nsenter --target $(pgrep --parent {first.pid}) --pid --mount {BINARY} healthcheck")
        done = subprocess.run(["sh", "-c", inside], capture_output=True, text=True, timeout=60, env=environment())
        assert (done.returncode, says in done.stdout) == (verdict, True), done
    finally:
        first.kill()
        first.wait()


def listens(port):
    try:
        return ask(port).status
    except OSError:
        return None


def test_the_name_of_traefik_may_come_first(start):
    done = call("traefik", "healthcheck", f"--configFile={start(routes()).install_path}")
    assert done.returncode == 0, done.stderr

    assert call("traefik", "--log.level=WARN", "--nope").returncode == 2, "what follows it is read"


def test_a_file_that_was_missing_where_it_is_mounted_from_is_told(tmp_path):
    (tmp_path / "fairlead" / "fairlead.yml").mkdir(parents=True)
    done = subprocess.run([BINARY, "check"], capture_output=True, text=True, timeout=90, cwd=tmp_path,
                          env={**environment(), "XDG_CONFIG_HOME": str(tmp_path)})

    assert f"notice: {tmp_path}/fairlead/fairlead.yml: is a directory; an engine makes one" in done.stdout


def test_a_file_mounted_where_the_image_of_traefik_runs_is_read_from_there(tmp_path):
    """Images of Traefik run in /, ours does not: /traefik.yml and the paths in it are found all the same."""
    root = tmp_path / "root"
    (root / "data").mkdir(parents=True)
    (root / "traefik.yml").write_text("providers: {file: {filename: config.yml}}")
    (root / "config.yml").write_text("http: {routers: {r: {rule: Hots(`a`), service: s}}}")
    (root / "fairlead").touch()
    script = (f"cd {root} && mount --bind {BINARY} fairlead && for d in usr lib lib64 etc proc dev; do "
              "[ ! -e /$d ] || { mkdir -p $d && mount --rbind /$d $d; } || exit 9; done; "
              "exec chroot . sh -c 'cd /data && exec /fairlead check'")
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, timeout=60,
                          env={"PATH": os.environ["PATH"]})

    said = done.stdout + done.stderr
    assert "/traefik.yml: Traefik's own install file is read" in said
    assert "Hots" in said, "config.yml is the one beside it"


def test_healthcheck_fails_by_one_whatever_is_wrong():
    """An engine that runs it as HEALTHCHECK knows no other number."""
    for arguments in ((), ("--ping", "--ping.entryPoint=nowhere"), ("--nonsense",), ("--configFile=/nowhere.yml",)):
        assert call("healthcheck", *arguments).returncode == 1, arguments


def test_a_file_may_hold_both_configurations(origin):
    both = Fairlead(None, routes(app=[origin.url]))
    both.install["providers"] = {"file": {"filename": str(both.install_path)}}
    both.install_path.write_text(json.dumps(both.install))

    with both as proxy:
        proxy.wait_status(200, "app")


def test_environment_and_flags_are_combined(start):
    from support.origin import Origin

    with Origin() as origin:
        running = start(routes(app=[origin.url]), {"ping": None}, env={"FAIRLEAD_PING": "true"})
        assert running.ask(host="app").status == 200


def test_a_second_term_ends_at_once(start):
    from support.origin import Origin
    from support.raw import RawClient

    with Origin(lambda request: [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", 90.0, b"ok"]) as origin:
        life = {"transport": {"lifeCycle": {"graceTimeOut": "90s"}}}
        running = start(routes(app=[origin.url]), {"entryPoints": {"web": life, "traefik": life}})
        with RawClient(running.port()) as client:
            client.send("GET / HTTP/1.1\r\nHost: app\r\n\r\n")
            client.read_until(b"\r\n\r\n")
            running.signal(signal.SIGTERM)
            wait_for(lambda: "stopping" in running.log(), 10, "the first one is taken")
            begun = time.monotonic()
            running.signal(signal.SIGTERM)
            running.process.wait(60)
            assert time.monotonic() - begun < 30
        running.process.returncode = 0  # how it ended early is its own affair


def test_logs_are_reopened_by_usr1(start):
    running = start(routes())
    running.ask(host="before")
    wait_for(lambda: running.access_log(), 10, "a line")
    moved = running.access_path.with_name("access.1")
    running.access_path.rename(moved)

    running.signal(signal.SIGUSR1)
    wait_for(running.access_path.exists, 10, "a new file")
    running.ask(host="after")

    wait_for(lambda: any(line["RequestHost"] == "after" for line in running.access_log()), 10, "a line in the new file")
    assert "after" not in moved.read_text()


@pytest.mark.parametrize("option", ["log", "accessLog"])
def test_a_log_into_a_pipe_that_nobody_reads_keeps_nothing_from_starting(start, origin, tmp_path, option):
    os.mkfifo(tmp_path / "pipe")
    proxy = start(routes(app=[origin.url]), {option: {"filePath": str(tmp_path / "pipe")}})

    assert proxy.ask("/", "app").status == 200
    wait_for(lambda: f"{tmp_path}/pipe: a pipe or socket that nobody reads" in proxy.log(), 10, "it is told")
    proxy.stop()


def test_whoami_says_what_it_was_asked(whoami):
    text = ask(whoami, target="/x?y=1", host="someone", headers={"X-A": "b"}).text
    assert "Name: demo" in text
    assert "GET /x?y=1 HTTP/1.1" in text
    assert "Host: someone" in text
    assert "X-A: b" in text


def test_whoami_has_an_api_data_and_settable_health(whoami):
    assert json.loads(ask(whoami, target="/api").body)["name"] == "demo"
    assert len(ask(whoami, target="/data?size=1000&unit=B").body) == 1000
    assert ask(whoami, target="/health").status == 200
    ask(whoami, method="POST", target="/health", body=b"503")
    assert ask(whoami, target="/health").status == 503


def test_the_api_lists_what_runs(start):
    from support.origin import Origin

    with Origin() as origin:
        running = start(routes(app=[origin.url]))
        assert running.router("app@file")["status"] == "enabled"
        names = {service["name"] for service in running.api("/api/http/services")}
        assert "app@file" in names
        assert running.api("/api/overview")["http"]["routers"]["total"] >= 1
        assert "app@file" in running.api("/api/rawdata")["routers"]
        assert {point["name"] for point in running.api("/api/entrypoints")} >= {"web", "traefik"}
        assert "version" in {key.lower() for key in running.api("/api/version")}


@pytest.mark.parametrize("flags", [
    ["--certificatesResolvers.le.acme.httpChallenge=true", "--certificatesResolvers.le.acme.httpChallenge.entryPoint=web"],
    ["--certificatesResolvers.le=true", "--certificatesResolvers.le.acme.dnsChallenge",
     "--certificatesResolvers.le.acme.dnsChallenge.provider=exec"],
    ["--metrics=true", "--metrics.prometheus=true", "--log=true", "--entryPoints.web=true", "--providers=true",
     "--providers.providersThrottleDuration=1"],
    ["--log.level=verbose", "--log.format=text"],
    ["--entryPoints.web.http.middlewares=", "--entryPoints.web.forwardedHeaders.trustedIPs=", "--metrics.prometheus.buckets="],
])
def test_flags_that_say_little_are_no_mistakes(start, tmp_path, flags):
    """Compose files are full of them: `=true` beside the options of a section."""
    start(None, {"certificatesResolvers": {"le": {"acme": {"storage": str(tmp_path / "acme.json")}}}}, args=flags)
