#!/usr/bin/env bash
# Whole-process benchmark: kpki makes trees, beside what kubeadm 1.36.2 needs for the same.
#
#   cargo build --release && benches/compare.sh [KPKI]
#
# Needs hyperfine and GNU time (Debian: hyperfine, time). Prints one Markdown table.
set -euo pipefail

bin=$(realpath "${1:-$(dirname "$0")/../target/release/kpki}")
for program in hyperfine /usr/bin/time python3; do
  command -v "$program" >/dev/null || { echo "error: $program is not installed" >&2; exit 1; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# profile NAME ALGORITHM CONTROL-PLANES WORKERS
profile() {
  {
    printf 'apiVersion: kpki/v1\nkind: ClusterProfile\nclusterName: bench\nencryptionAlgorithm: %s\n' "$2"
    [ "$3" -eq 1 ] || printf 'controlPlaneEndpoint: api.bench.example.com:6443\n'
    printf 'nodes:\n'
    local n
    for ((n = 1; n <= $3; n++)); do printf '  - {name: cp%d, addresses: [10.0.0.%d]}\n' "$n" "$n"; done
    for ((n = 1; n <= $4; n++)); do
      printf '  - {name: worker%d, roles: [worker], addresses: [10.0.1.%d]}\n' "$n" "$n"
    done
  } >"$work/$1.yaml"
}

# row NAME WHAT KUBEADM RUNS
row() {
  local command="$bin init --profile $work/$1.yaml --dir $work/tree" certificates memory
  hyperfine -N --warmup 1 --runs "$4" --style none --prepare "rm -rf $work/tree" --export-json "$work/$1.json" "$command" \
    >/dev/null
  rm -rf "$work/tree"
  /usr/bin/time -f %M -o "$work/memory" "$bin" init --profile "$work/$1.yaml" --dir "$work/tree" >/dev/null
  memory=$(awk '{printf "%.1f MiB", $1 / 1024}' "$work/memory")
  certificates=$(find "$work/tree" -name '*.crt' | wc -l)
  python3 - "$work/$1.json" "$2" "$certificates" "$memory" "$3" <<'PY'
import json, sys
file, what, count, memory, kubeadm = sys.argv[1:]
result = json.load(open(file))["results"][0]
ms = lambda seconds: f"{seconds * 1000:.1f} ms"
print(f"| {what} | {count} | {ms(result['mean'])} ± {ms(result['stddev'])} | {ms(result['min'])} | {memory} | {kubeadm} |")
PY
}

profile p256 ECDSA-P256 1 0
profile rsa RSA-2048 1 0
profile ha ECDSA-P256 3 100
printf '%s, %s cores\n\n' "$("$bin" --version)" "$(nproc)"
echo '| tree | .crt files | mean | best | peak memory | kubeadm 1.36.2 (two cores) |'
echo '|---|---|---|---|---|---|'
row p256 'one node, ECDSA-P256' '86 ms' 30
row rsa 'one node, RSA-2048' '1.04 s' 15
row ha '3 control planes, 100 workers, ECDSA-P256' '-' 10
