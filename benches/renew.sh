#!/usr/bin/env bash
# Whole-process benchmark: kpki renews trees in place, and what of that is waiting for the disk.
#
#   cargo build --release && benches/renew.sh [KPKI [TREES]]
#
# Needs hyperfine, strace, GNU time and eatmydata (Debian: hyperfine, strace, time, eatmydata; without the last the row is left out).
set -euo pipefail

bin=$(realpath "${1:-$(dirname "$0")/../target/release/kpki}")
trees=${2:-1000}
for program in hyperfine strace /usr/bin/time python3; do
  command -v "$program" >/dev/null || { echo "error: $program is not installed" >&2; exit 1; }
done
work=$(mktemp -d)
memory=$(mktemp -d -p /dev/shm)
trap 'rm -rf "$work" "$memory"' EXIT

# profile NAME ALGORITHM
profile() {
  printf 'apiVersion: kpki/v1\nkind: ClusterProfile\nclusterName: %s\nencryptionAlgorithm: %s\n' "$1" "$2"
  printf 'nodes:\n  - {name: cp1, addresses: [10.0.0.1]}\n'
}

# row WHAT DIRECTORY KUBEADM COMMAND...
row() {
  local what=$1 dir=$2 kubeadm=$3; shift 3
  hyperfine -N --warmup 3 --runs 40 --style none --export-json "$work/row.json" "$* --dir $dir" >/dev/null
  python3 - "$work/row.json" "$what" "$kubeadm" <<'PY'
import json, sys
file, what, kubeadm = sys.argv[1:]
result = json.load(open(file))["results"][0]
ms = lambda seconds: f"{seconds * 1000:.1f} ms"
print(f"| {what} | {ms(result['mean'])} ± {ms(result['stddev'])} | {ms(result['median'])} | {ms(result['min'])} | {kubeadm} |")
PY
}

for algorithm in ECDSA-P256 RSA-2048; do
  profile "$algorithm" "$algorithm" >"$work/$algorithm.yaml"
  "$bin" init -p "$work/$algorithm.yaml" -d "$work/$algorithm" >/dev/null
done
"$bin" init -p "$work/ECDSA-P256.yaml" -d "$memory/tree" >/dev/null

printf '%s, %s cores, %s\n\n' "$("$bin" --version)" "$(nproc)" "$(df --output=fstype "$work" | tail -1)"
echo '| renew all of one node | mean | median | best | kubeadm 1.36.2 (two cores) |'
echo '|---|---|---|---|---|'
row 'ECDSA-P256, with every fsync' "$work/ECDSA-P256" '58 ms' "$bin" renew all
row 'the same in memory (tmpfs)' "$memory/tree" '-' "$bin" renew all
if command -v eatmydata >/dev/null; then
  row 'the same with fsync taken away (eatmydata)' "$work/ECDSA-P256" '-' "$(command -v eatmydata)" "$bin" renew all
fi
row 'ECDSA-P256, --due with nothing due' "$work/ECDSA-P256" '-' "$bin" renew all --due
row 'RSA-2048, with every fsync' "$work/RSA-2048" '-' "$bin" renew all

echo
echo 'System calls that wait for the disk:'
strace -f -c -w -e trace=fsync,fdatasync,renameat,renameat2,rename -o "$work/calls" "$bin" renew all --dir "$work/ECDSA-P256" >/dev/null
cat "$work/calls"

echo
echo "$trees trees in one run:"
mkdir "$work/fleet"
profile tree ECDSA-P256 >"$work/fleet/tree-0.yaml"
"$bin" init -p "$work/fleet/tree-0.yaml" -d "$work/fleet/tree-0" >/dev/null
for ((n = 1; n < trees; n++)); do
  cp "$work/fleet/tree-0.yaml" "$work/fleet/tree-$n.yaml"
  cp -a "$work/fleet/tree-0" "$work/fleet/tree-$n"
done
sync "$work"
for words in 'all' 'all --due'; do
  # shellcheck disable=SC2086 # two words
  /usr/bin/time -f "renew $words: %es elapsed, %Us user, %Ss system, %P of one core, %M KiB" \
    "$bin" renew $words --profiles "$work/fleet" | head -1
done
