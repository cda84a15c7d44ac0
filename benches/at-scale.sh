#!/bin/sh
# A fleet of clusters, made once, and what looks at all of it. Usage: benches/at-scale.sh [CLUSTERS] [DIRECTORY]
# DIRECTORY keeps the fleet for the next run (10,000 clusters are 270,000 files); without it, it is removed at the end. KPKI: the program,
# default: the release build of this repository.
set -eu
clusters=${1:-2000}
here=$(cd "$(dirname "$0")/.." && pwd)
if [ -n "${2:-}" ]; then
    place=$2
else
    place=$(mktemp -d)
    trap 'rm -rf "$place"' EXIT INT TERM
fi
if [ -z "${KPKI:-}" ]; then
    cargo build --quiet --release --manifest-path "$here/Cargo.toml"
    KPKI=$here/target/release/kpki
fi
mkdir -p "$place/profiles" "$place/state"
out=$place/out
cores=$(nproc)

# Names of one length, so that the order of the profiles is that of the numbers. What a broken run left is finished by the next one.
seq -f %05.0f 1 "$clusters" | while read -r number; do
    profile=$place/profiles/c$number.yaml
    [ -e "$profile" ] || printf 'apiVersion: kpki/v1\nkind: ClusterProfile\nclusterName: c%s\nnodes:\n- name: cp1\n  addresses: [10.0.0.11]\n' \
        "$number" > "$profile"
    [ -e "$place/state/c$number/.kpki/journal.jsonl" ] || echo "c$number"
done > "$place/to-make"
began=$(date +%s)
xargs -r -P "$cores" -I NAME "$KPKI" init --quiet --profile "$place/profiles/NAME.yaml" --dir "$place/state/NAME" < "$place/to-make"
echo "$(wc -l < "$place/to-make") clusters made in $(($(date +%s) - began)) s; $(find "$place/state" -type f | wc -l) files, $cores cores"

# measure WORDS...: what one run takes and writes. Changes and warnings are no failure here.
measure() {
    status=0
    /usr/bin/time -o "$place/time" -f '%e s, %U s user, %S s system, %M KB' "$KPKI" "$@" > "$out" 2> "$place/err" || status=$?
    case $status in
        0 | 3 | 10) echo "kpki $*: $(tail -n 1 "$place/time"), $(wc -c < "$out") bytes" ;;
        *) echo "kpki $*: exit status $status: $(head -c 300 "$place/err")" >&2; exit 1 ;;
    esac
}

cd "$place"
measure plan --profiles profiles --state state
for form in table html json prometheus; do
    measure check-expiration --profiles profiles --state state -o "$form"
done
# When everything is due, and when a profile has changed.
measure plan --profiles profiles --state state --at +345d -o table
measure plan --profiles profiles --state state --at +345d -o markdown
measure plan --profiles profiles --state state --at +345d -o json
