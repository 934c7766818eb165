#!/usr/bin/env bash
# Fails when a file of src/ includes a room that src/layers.txt does not allow its own room to include,
# or a header that belongs to no room. Usage: check_layers.sh [SRC]
set -euo pipefail
src=${1:-$(cd "$(dirname "$0")/.." && pwd)/src}
declare -A allowed
while IFS=: read -r room rooms; do
  case $room in ''|'#'*) continue;; esac
  allowed[$room]=" $room $rooms "
done < "$src/layers.txt"
bad=0
while IFS= read -r line; do
  file=${line%%:*}; rest=${line#*:}
  included=$(sed -n 's/.*#include "\([^"]*\)".*/\1/p' <<<"$rest")
  [ -n "$included" ] || continue
  relative=${file#"$src"/}
  room=${relative%%/*}; target=${included%%/*}
  if [ -z "${allowed[$room]:-}" ]; then echo "$relative: room '$room' is not in layers.txt"; bad=1; continue; fi
  if [ "$target" = "$included" ] || [ ! -e "$src/$included" ]; then
    echo "$relative: \"$included\" is not a header of a room"; bad=1; continue
  fi
  # Tests may use the test doubles of lower rooms, nothing else.
  case ${allowed[$room]} in *" $target "*) ;; *) echo "$relative: '$room' may not include '$target' ($included)"; bad=1;; esac
done < <(grep -rn --include='*.cc' --include='*.h' '#include "' "$src" | sed 's/:[0-9]*:/:/')
[ "$bad" -eq 0 ] && echo "layers: every include is allowed"
exit "$bad"
