#!/bin/sh
# Two thousand kubeadm trees, read by kpki and, for comparison, by find and cat. Usage: benches/fleet.sh [TREES] [FIXTURE]
set -eu
trees=${1:-2000}
here=$(cd "$(dirname "$0")/.." && pwd)
from=${2:-$here/fixtures/kubeadm/v1.36-default-rsa2048/etc-kubernetes}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT INT TERM
i=0
while [ "$i" -lt "$trees" ]; do
    cp -r "$from" "$place/cluster-$i"
    i=$((i + 1))
done
cargo build --quiet --release --example fleet --manifest-path "$here/Cargo.toml"
find "$place" -type f | wc -l
for round in 1 2 3; do
    echo "find | cat, round $round"
    bash -c "time (find '$place' -name '*.crt' -o -name '*.conf' | xargs cat >/dev/null)" 2>&1 | grep real
    echo "kpki, one tree at a time, round $round"
    /usr/bin/time -f '%es %MKB' "$here/target/release/examples/fleet" "$place"
done
echo "kpki, every tree kept in memory"
/usr/bin/time -f '%es %MKB' "$here/target/release/examples/fleet" "$place" keep
