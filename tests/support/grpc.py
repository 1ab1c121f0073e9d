"""gRPC's own C++ library as server and as client: grpc_echo/echo.cpp, built once."""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import subprocess
import threading

from support.ports import wait_for

SOURCES = pathlib.Path(__file__).resolve().parent / "grpc_echo"
BUILD = pathlib.Path(__file__).resolve().parents[2] / "build" / "grpc_echo"


def program():
    """The built program. It is kept by the digest of its sources; the first call compiles, in some ten seconds."""
    digest = hashlib.sha256(b"".join((SOURCES / name).read_bytes() for name in ("echo.proto", "echo.cpp"))).hexdigest()
    BUILD.mkdir(parents=True, exist_ok=True)
    made = BUILD / f"echo-{digest[:16]}"
    with open(BUILD / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            _compile(made)
    return str(made)


def _compile(made):
    def run(*command):
        subprocess.run(command, check=True, cwd=BUILD, timeout=280)

    plugin = subprocess.run(["sh", "-c", "command -v grpc_cpp_plugin"], capture_output=True, check=True, text=True)
    run("protoc", f"-I{SOURCES}", f"--plugin=protoc-gen-grpc={plugin.stdout.strip()}", f"--cpp_out={BUILD}",
        f"--grpc_out={BUILD}", "echo.proto")
    compiling = [subprocess.Popen(["clang++-19", "-std=c++17", "-O0", "-w", f"-I{BUILD}", "-c", str(source),
                                   "-o", str(BUILD / f"{source.name}.o")], cwd=BUILD)
                 for source in (SOURCES / "echo.cpp", BUILD / "echo.pb.cc", BUILD / "echo.grpc.pb.cc")]
    assert all(one.wait(250) == 0 for one in compiling)
    objects = [str(BUILD / f"{name}.o") for name in ("echo.cpp", "echo.pb.cc", "echo.grpc.pb.cc")]
    run("clang++-19", "-fuse-ld=lld", *objects, "-o", f"{made}.new", "-lgrpc++", "-lgrpc", "-lgpr", "-lprotobuf",
        "-labsl_synchronization",
        "-lpthread")
    os.rename(f"{made}.new", made)


class GrpcServer:
    """`pair`: a certificate, for TLS. `lines` is what it said so far."""

    def __init__(self, pair=None, streams=None):
        command = [program(), "serve"]
        command += ["cert", str(pair.cert), "key", str(pair.key)] if pair else []
        command += ["streams", str(streams)] if streams else []
        self.secure = pair is not None
        self.lines = []
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self._read, daemon=True).start()
        self.port = int(self.wait_line("port ").split()[1])

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def wait_line(self, start):
        def found():
            assert self.process.poll() is None or any(line.startswith(start) for line in self.lines), self.lines
            return next((line for line in self.lines if line.startswith(start)), None)

        return wait_for(found, 20, f"the server says {start!r}")

    @property
    def url(self):
        return f"{'https' if self.secure else 'h2c'}://127.0.0.1:{self.port}"

    def health(self, state):
        self.process.stdin.write(state + "\n")
        self.process.stdin.flush()
        self.wait_line(f"health {state}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start_call(port, kind, authority="app", **options):
    options = {"target": f"127.0.0.1:{port}", "authority": authority, **options}
    words = [str(word) for pair in options.items() for word in pair]
    return subprocess.Popen([program(), kind, *words], stdout=subprocess.PIPE, text=True)


def call(port, kind, **options):
    """What the client printed: its lines. Kinds: unary, collect, expand, chat."""
    process = start_call(port, kind, **options)
    try:
        return process.communicate(timeout=180)[0].splitlines()
    finally:
        process.kill()
