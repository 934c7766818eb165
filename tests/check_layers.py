"""Fails when a file of src/ includes a room that src/layers.txt does not allow, or a header that is in no room."""
import re, sys
from pathlib import Path

src = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent / "src")
allowed = {}
for line in (src / "layers.txt").read_text().splitlines():
    if match := re.match(r"^([a-z_]+):(.*)$", line):
        allowed[match[1]] = {match[1], *match[2].split()}
problems, includes = [], 0
for file in sorted([*src.rglob("*.h"), *src.rglob("*.cc")]):
    room = file.relative_to(src).parts[0]
    if room not in allowed:
        problems.append(f"{file.relative_to(src)}: room '{room}' is not in layers.txt")
        continue
    for name in re.findall(r'^\s*#include "([^"]+)"', file.read_text(), re.M):
        includes += 1
        target = name.split("/")[0]
        if not (src / name).exists():
            problems.append(f'{file.relative_to(src)}: "{name}" is not a header of a room')
        elif target not in allowed[room]:
            problems.append(f"{file.relative_to(src)}: '{room}' may not include '{target}' ({name})")
print("\n".join(problems) or f"layers: {includes} includes, each allowed")
sys.exit(1 if problems or includes == 0 else 0)
