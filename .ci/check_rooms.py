#!/usr/bin/env python3
"""Checks the include order of docs/architecture.md: a room includes only rooms on lower floors."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROW = re.compile(r"^\| (\d+|wing) \| ([a-z0-9_]+(?:, [a-z0-9_]+)*) \|")
INCLUDE = re.compile(r'^\s*#\s*include\s+"((?:engine|providers|acme|cmd)/[^"]+)"')
# The wings stand beside the engine and see little of it (the figure of architecture.md).
WING_SEES = {
    "providers": ("engine/base/", "engine/schema/", "engine/model/"),
    "acme": ("engine/base/", "engine/schema/", "engine/model/"),
}
ACME_TABLES = re.compile(r"^engine/tls/\w+_table\.h$")


def floors():
    found = {}
    for line in (ROOT / "docs/architecture.md").read_text().splitlines():
        row = ROW.match(line)
        if row and row.group(1) != "wing":
            for room in row.group(2).split(", "):
                found[room] = int(row.group(1))
    return found


def complaint(source, target, floor):
    """Why `source` may not include `target` (paths from the root), or None."""
    top, room = source.split("/")[0], source.split("/")[1]
    to_top, to_room = target.split("/")[0], target.split("/")[1]
    if top in ("cmd", "tests", "bench"):
        return None
    if top in WING_SEES:
        if to_top == top or target.startswith(WING_SEES[top]):
            return None
        if top == "acme" and ACME_TABLES.match(target):
            return None
        return f"the {top} wing may not see {target}"
    if to_top != "engine":
        return "the engine may not see the wings or the roof"
    if room == to_room:
        return None
    if room not in floor or to_room not in floor:
        return f"{room if room not in floor else to_room} has no floor in docs/architecture.md"
    if floor[to_room] < floor[room]:
        return None
    way = "sideways" if floor[to_room] == floor[room] else "upward"
    return f"{way}: {room} is on floor {floor[room]}, {to_room} on floor {floor[to_room]}"


def main():
    floor = floors()
    if len(floor) < 15:
        print("check_rooms: the floor table of docs/architecture.md was not understood")
        return 1
    bad = 0
    for top in ("engine", "providers", "acme"):
        for path in sorted((ROOT / top).rglob("*")):
            if path.suffix not in (".h", ".cpp"):
                continue
            source = str(path.relative_to(ROOT))
            for number, line in enumerate(path.read_text().splitlines(), 1):
                include = INCLUDE.match(line)
                why = include and complaint(source, include.group(1), floor)
                if why:
                    print(f"{source}:{number}: {include.group(1)}: {why}")
                    bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
