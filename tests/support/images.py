"""Images of programs that the machine has."""

import contextlib
import os
import re
import shutil
import subprocess

from support.engine import CLI, RUN


@contextlib.contextmanager
def image_of(engine, context, program):
    """An image of one of the machine's own programs: no registry is asked."""
    binary = shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin")
    assert binary, f"{program} is missing: ./dev test installs it"
    libraries = re.findall(r"(/\S+)", subprocess.run(["ldd", binary], check=True, capture_output=True, text=True).stdout)
    for path in [binary, *libraries]:
        place = context / "root" / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(os.path.realpath(path), place)
    (context / "Dockerfile").write_text(f'FROM scratch\nCOPY root/ /\nENV PATH={os.path.dirname(binary)}\n')
    name = f"{RUN}-{program}:latest"
    subprocess.run([CLI, "-H", engine.endpoint, "build", "-q", "-t", name, str(context)], check=True, capture_output=True,
                   env={**os.environ, "DOCKER_BUILDKIT": "0"})
    yield name
    engine.cli("rmi", "-f", name, check=False)
