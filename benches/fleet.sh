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
cargo build --quiet --release --manifest-path "$here/Cargo.toml"
kpki=$here/target/release/kpki
echo "$(find "$place" -type f | wc -l) files"
for round in 1 2 3; do
    echo "find | xargs cat, round $round"
    bash -c "time (find '$place' -name '*.crt' -o -name '*.conf' | xargs cat >/dev/null)" 2>&1 | grep real
    echo "kpki check-expiration, round $round"
    # The fixture's certificates may have ended by now: that is no failure here.
    /usr/bin/time -f '%es %Us user %Ss system %MKB' "$kpki" check-expiration "$place" --exit-zero | head -1
done
for form in json csv prometheus html; do
    echo "kpki check-expiration -o $form"
    /usr/bin/time -f '%es %MKB' "$kpki" check-expiration "$place" --exit-zero -o "$form" | wc -c
done
echo "one tree"
/usr/bin/time -f '%es %MKB' "$kpki" check-expiration "$place/cluster-0" --exit-zero | head -1
