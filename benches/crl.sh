#!/bin/sh
# A revocation list with ENTRIES entries (default 1,000,000; 49 MB of DER): 1,000 certificates looked up with the signature
# verified, one entry added with the result verified and written as PEM, and the same list before `openssl crl -verify`.
# Whole processes, the best of five, with the largest memory. Wants GNU time and openssl.
set -eu

entries=${1:-1000000}
here=$(cd "$(dirname "$0")/.." && pwd)
cargo build --quiet --release --manifest-path "$here/Cargo.toml" --example crl --bin kpki
kpki=$here/target/release/kpki
crl=$here/target/release/examples/crl
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

"$crl" make "$entries" "$dir"

measure() {
    what=$1
    shift
    for _ in 1 2 3 4 5; do
        command time -f '%e s  %M KB' -a -o "$dir/times" "$@" >/dev/null 2>&1
    done
    printf '%-44s %s\n' "$what" "$(sort -n "$dir/times" | head -n 1)"
    rm "$dir/times"
}

measure 'kpki: check 1,000 certificates, DER' "$crl" check "$dir/ca.der" "$dir/ca.crt" 1000
measure 'kpki: check 1,000 certificates, PEM' "$crl" check "$dir/ca.crl" "$dir/ca.crt" 1000
measure 'kpki: add one entry, write PEM' "$crl" add "$dir/ca.crl" "$dir" "$dir/new.crl"
measure 'openssl crl -verify, DER' openssl crl -verify -CAfile "$dir/ca.crt" -inform DER -in "$dir/ca.der" -noout
measure 'openssl crl -verify, PEM' openssl crl -verify -CAfile "$dir/ca.crt" -in "$dir/ca.crl" -noout
openssl crl -verify -CAfile "$dir/ca.crt" -in "$dir/new.crl" -noout 2>&1 | sed 's/^/openssl on the list with one more: /'

# The verbs on the same CRL: files found, certificates parsed, the new issue synced with its journal and generation.
tree=$dir/tree
mkdir -p "$tree/pki"
mv "$dir/ca.crt" "$dir/ca.key" "$dir/ca.crl" "$tree/pki"
"$crl" leaves 1000 "$tree/pki"
mv "$tree/pki/leaves.pem" "$dir"
at='2026-11-20T13:00:00Z'
measure 'kpki crl check leaves.pem (1,000), PEM' "$kpki" crl check "$dir/leaves.pem" --ca "$tree/pki/ca.crt" --crl "$tree/pki/ca.crl" --at "$at"
for _ in 1 2 3 4 5; do
    next="4f$(date +%s%N)"
    command time -f '%e s  %M KB' -a -o "$dir/times" "$kpki" revoke --serial "$next" --ca ca --unknown-serial -d "$tree" --at "$at" --allow-future >/dev/null
done
printf '%-44s %s\n' 'kpki revoke, one more entry' "$(sort -n "$dir/times" | head -n 1)"
