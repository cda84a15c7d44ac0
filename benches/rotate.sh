#!/usr/bin/env bash
# Whole-process benchmark: the steps of a rotation of all four authorities in a cluster directory, beside an init of the same directory.
#
#   cargo build --release && benches/rotate.sh [KPKI [WORKERS]]
#
# Each step may take four times as long as init, and 40 MB; says so and ends with 1 if one does not. Every file is synced.
# Needs GNU time (Debian: time).
set -euo pipefail

bin=$(realpath "${1:-$(dirname "$0")/../target/release/kpki}")
workers=${2:-100}
[ -x /usr/bin/time ] || { echo 'error: /usr/bin/time is not installed' >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

{
  printf 'apiVersion: kpki/v1\nkind: ClusterProfile\nclusterName: bench\ncontrolPlaneEndpoint: api.example.com:6443\nnodes:\n'
  for n in 1 2 3; do
    printf -- '- {name: cp%d, addresses: [10.0.0.%d]}\n' "$n" "$n"
  done
  for ((n = 1; n <= workers; n++)); do
    printf -- '- {name: w%d, roles: [worker], addresses: [10.0.%d.%d]}\n' "$n" $((1 + n / 200)) $((1 + n % 200))
  done
} >"$work/profile.yaml"

# row WHAT COMMAND...: seconds and KiB into `seconds` and `memory`, and a line of the table.
row() {
  local what=$1
  shift
  sync "$work"
  /usr/bin/time -o "$work/time" -f '%e %U %S %M' "$@" >"$work/said" 2>&1 || { cat "$work/said" >&2; exit 1; }
  read -r seconds user system memory <"$work/time"
  [ "$what" != init ] || init=$seconds
  printf '| %s | %s s | %s s | %s s | %s MB | %s |\n' "$what" "$seconds" "$user" "$system" "$((memory / 1024))" \
    "$(awk -v a="$seconds" -v b="$init" 'BEGIN { printf "%.1f", a / b }')"
  awk -v a="$seconds" -v b="$init" -v m="$memory" 'BEGIN { exit !(a <= 4 * b && m < 40 * 1024) }' || failed=yes
}

failed=
printf '%s, %s cores, %s, 3 control-plane nodes and %d workers, ECDSA-P256\n\n' "$("$bin" --version)" "$(nproc)" \
  "$(df --output=fstype "$work" | tail -1)" "$workers"
echo '| step | elapsed | user | system | memory | times init |'
echo '|---|---|---|---|---|---|'
# A new authority is not used in its first ten minutes.
row init "$bin" init -p "$work/profile.yaml" -d "$work/cluster" --at -2d
row prepare "$bin" rotate prepare all --signer-file-in-use -d "$work/cluster" --at -1d
row switch "$bin" rotate switch --confirm-all --not-before-override -d "$work/cluster"
row retire "$bin" rotate retire --confirm-all --not-before-override -d "$work/cluster"
[ -z "$failed" ] || { echo 'error: a step took more than four times as long as init, or 40 MB' >&2; exit 1; }
