#!/bin/sh
# `kpki verify` of one tree and of a thousand trees. Usage: benches/verify.sh [TREES]
set -eu
trees=${1:-1000}
here=$(cd "$(dirname "$0")/.." && pwd)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT INT TERM
cargo build --quiet --release --manifest-path "$here/Cargo.toml"
kpki=$here/target/release/kpki
"$kpki" init --quiet --profile "$here/profiles/single-node.yaml" --dir "$place/one"
i=0
while [ "$i" -lt "$trees" ]; do
    mkdir -p "$place/many"
    cp -r "$place/one" "$place/many/cluster-$i"
    i=$((i + 1))
done
for round in 1 2 3 4 5; do
    echo "one tree, round $round"
    /usr/bin/time -f '%es %Us user %Ss system %MKB' "$kpki" verify "$place/one" | head -1
done
for round in 1 2; do
    echo "$trees trees, round $round"
    /usr/bin/time -f '%es %Us user %Ss system %MKB' "$kpki" verify "$place/many" | head -1
done
