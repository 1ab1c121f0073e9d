#!/usr/bin/env python3
"""Checks that the source files and links which the documents name exist, so that a page moves with the code, and that
what a program writes into a page is there."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
NAMED = re.compile(r"`([\w/{},]+\.(?:h|cpp|py))`")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
FENCE = re.compile(r"^```.*?^```", re.S | re.M)
WRITTEN = re.compile(r"<!-- begin of ([^>]*) -->(.*?)(?:<!-- end of \1 -->|\Z)", re.S)
PLACEHOLDERS = {"x.cpp", "x_test.cpp"}


def spelled_out(name):
    """`h1/{server,client}.h` is two names."""
    braces = re.search(r"\{([^}]*)\}", name)
    if not braces:
        return [name]
    return [name[: braces.start()] + one + name[braces.end() :] for one in braces.group(1).split(",")]


def main():
    tracked = subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True).split("\n")
    known = {"/".join(parts[at:]) for path in tracked for parts in [path.split("/")] for at in range(len(parts))}
    bad = 0
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        text = FENCE.sub("", page.read_text())
        where = page.relative_to(ROOT)
        for name in (one for written in NAMED.findall(text) for one in spelled_out(written)):
            if name not in known and name not in PLACEHOLDERS:
                print(f"{where}: there is no file {name}")
                bad += 1
        for target in LINK.findall(text):
            if not (page.parent / target).exists():
                print(f"{where}: the link to {target} leads nowhere")
                bad += 1
        for block in WRITTEN.finditer(text):
            if not block.group().endswith("-->") or "\n|" not in block.group(2):
                print(f"{where}: {block.group(1)} has left no table, or no end of it")
                bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
