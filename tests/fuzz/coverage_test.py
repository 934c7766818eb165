"""Every function that reads foreign bytes is named in docs/reliability.md with the target that feeds it, and every target is there."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Contracts that are no parsers: reading whole files, callbacks, readers of a device.
NO_PARSER = {"read_only", "read_all", "read_at", "read_stream", "read_link", "read_attributes", "read_content", "read_files"}


def main():
    text = (ROOT / "docs/reliability.md").read_text()
    section = text.split("## Fuzzing", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|$", section, re.M)
    named = set(re.findall(r"`(\w+)`", " ".join(what for _, what in rows)))
    targets = {p.name[: -len("_fuzz.cc")] for p in (ROOT / "tests/fuzz").glob("*_fuzz.cc")}
    listed = set(re.search(r"HOLDFAST_FUZZ_TARGETS\n(.*?)\)", (ROOT / "tests/fuzz/CMakeLists.txt").read_text(), re.S).group(1).split())
    problems = [f"{t}: is a file, but not in the list of tests/fuzz/CMakeLists.txt" for t in targets - listed]
    problems += [f"{t}: docs/reliability.md names no such target" for t in targets - {t for t, _ in rows}]
    problems += [f"{t}: docs/reliability.md tells of it, but there is no {t}_fuzz.cc" for t, _ in rows if t not in targets]
    for header in sorted((ROOT / "src").rglob("*.h")):
        if "testing" in header.as_posix():
            continue
        for function in re.findall(r"\b((?:parse|decode|read)_[a-z0-9_]+)\(", header.read_text()):
            if function not in named and function not in NO_PARSER:
                problems.append(f"{header.relative_to(ROOT)}: {function} is fed by no target of docs/reliability.md")
    for problem in problems:
        print(problem)
    print(f"{len(targets)} targets, {len(named)} names")
    return 1 if problems or len(targets) < 20 else 0


sys.exit(main())
