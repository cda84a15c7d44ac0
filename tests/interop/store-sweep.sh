#!/usr/bin/env bash
# Kills the store at, or fails, every single system call that can change the disk, and looks at what is left.
#
#   cargo build --example publish && tests/interop/store-sweep.sh target/debug/examples/publish [CASE...]
#
# KPKI_SWEEP=all tries every fault, KPKI_SWEEP=N the N-th tenth of them (default: the first), so that ten runs try all.
# Needs strace, which counts the calls of each thread by itself: N is the N-th call of every thread.
# Cases: create, parents, empty, kubelet, force, force-kubelet, renew, renew-kubelet; without one: all of them.
# The oracle: before the decision nothing has changed (after an error) or nothing is visible (after a kill); after it, one
# recovery makes the tree whole; no file with a key in it is ever readable by others; nothing prepared is left lying around;
# the journal has every line of the runs whose files are visible, once, and of no other.
set -euo pipefail

BIN=$(realpath "$1"); shift
CASES=("$@"); [ ${#CASES[@]} -gt 0 ] || CASES=(create parents empty kubelet force force-kubelet renew renew-kubelet)
CALLS=(openat write pwrite64 fsync rename renameat renameat2 mkdir mkdirat unlink unlinkat rmdir fchmod ftruncate lseek pread64 link linkat flock
       statx getdents64)
FAULTS=(signal=SIGKILL error=EIO error=ENOSPC)
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
BOX=$WORK/box
runs=0 bad=0 kills=0 seen=0
SWEEP=${KPKI_SWEEP:-0}

# Lays out what is there before, and sets the command.
prepare() {
  rm -rf "$BOX"; mkdir -p "$BOX"
  DIR=$BOX/tree VERB=init KUBELET=()
  case $1 in
    create) ;;
    parents) DIR=$BOX/a/b/tree ;;
    empty) mkdir -m 750 "$DIR" ;;
    kubelet) KUBELET=("$BOX/lib/kubelet") ;;
    force) VERB=force; "$BIN" "$DIR" init one 2>/dev/null; echo own > "$DIR/notes" ;;
    force-kubelet) VERB=force KUBELET=("$BOX/lib/kubelet"); "$BIN" "$DIR" init one "${KUBELET[@]}" 2>/dev/null ;;
    # Two files go, a generation is one too many, and somebody has left half a line in the journal.
    renew*)
      VERB=renew; [ "$1" = renew ] || KUBELET=("$BOX/lib/kubelet")
      "$BIN" "$DIR" init zero "${KUBELET[@]}" 2>/dev/null; "$BIN" "$DIR" force half "${KUBELET[@]}" 2>/dev/null
      rm -r "$DIR/pki" "$BOX"/lib/kubelet/* 2>/dev/null || true; rm "$DIR/admin.conf"
      "$BIN" "$DIR" seed one "${KUBELET[@]}" 2>/dev/null; printf torn >> "$DIR/.kpki/journal.jsonl" ;;
    *) echo "unknown case $1" >&2; exit 2 ;;
  esac
}

# Everything on disk: names, modes, owners, contents; not the lock, which may stay.
snapshot() { (cd "$BOX" && find . ! -path '*/.kpki/lock' -printf '%P %y %m %U %G\n' | sort
              find . -type f ! -path '*/.kpki/lock' -print0 | sort -z | xargs -0r sha256sum); }

# Which runs wrote the visible tree: "" (no tree), "one", "two" or "one two" (mixed); with the number of files of each.
visible() { (cd "$BOX" && find . -type f -regex '.*/\(tree\|lib/kubelet\)/.*' ! -path '*/.kpki*' ! -name notes -print0 |
             xargs -0r cat | awk '{n[$1]++} END {for (t in n) print t, n[t]}' | sort | xargs); }

complain() { bad=$((bad + 1)); echo "BAD $where: $*"; sed 's/^/    /' "$WORK/err" | head -5; }

# Each line has the SHA-256 of what is before it, back to the last line that has one itself.
chained() {
  local line digest open=
  while IFS= read -r line || [ -n "$line" ]; do
    digest=$(printf %s "$open" | sha256sum | cut -c1-64)
    case $line in
      *'"previous":"'"$digest"'"}') open=$line ;;
      *'"previous":"'*) complain "journal: the chain breaks at $line"; open=$line ;;
      *) open=${open:+$open$'\n'}$line ;;
    esac
  done < "$DIR/.kpki/journal.jsonl"
}

# The lines of the run under test: none when its files are not visible, else three different ones.
journalled() {
  local wanted=0 found unlike allowed
  [ "$(visible)" = "$whole" ] && wanted=3
  found=$(grep -cE '^\{"run":"two","number":[012],"previous":"[0-9a-f]{64}"\}$' "$DIR/.kpki/journal.jsonl" 2>/dev/null || true)
  unlike=$(grep '"two"' "$DIR/.kpki/journal.jsonl" 2>/dev/null | cut -d, -f1,2 | sort -u | grep -c . || true)
  if [ "${found:-0}" != "$wanted" ] || [ "$unlike" != "$wanted" ]; then
    complain "journal: ${found:-0} lines, $unlike unlike, $wanted wanted"
  fi
  if [ "$wanted" = 3 ]; then chained; fi
  if [ -e "$DIR/.kpki/generations" ] && [ "$wanted" = 3 ]; then
    found=$(find "$DIR/.kpki/generations" -mindepth 1 -maxdepth 1 | wc -l)
    # An old one that cannot be removed is no reason to fail: the next run tries again.
    case $fault in error=*) allowed=3 ;; *) allowed=2 ;; esac
    [ "$found" -le $allowed ] || complain "$found generations"
    found=$(find "$DIR/.kpki/generations" -mindepth 1 -maxdepth 1 ! -exec test -s '{}/generation.json' \; -print)
    [ -z "$found" ] || complain "no record in $found"
  fi
}

# Said of every state, however the run ended.
no_open_key() {
  local open
  open=$(find "$BOX" -type f -perm /077 -print0 | xargs -0r grep -lE '\.key|admin\.conf' 2>/dev/null || true)
  # A manifest names keys and holds none.
  open=$(grep -v '/commit$' <<<"$open" || true)
  [ -z "$open" ] || complain "readable by others: $open"
}

no_rest() {
  local rest
  rest=$(find "$BOX" \( -name '.*.kpki-*' -o -name '.kpki-staging-*' -o -path '*/.kpki/staging' -o -path '*/.kpki/commit' \) | head -3)
  [ -z "$rest" ] || complain "left behind: $rest"
}

after_kill() {
  no_open_key
  local seen; seen=$(visible)
  if ! [ -e "$DIR/.kpki/commit" ]; then
    [ "$seen" = "$before" ] || [ "$seen" = "$whole" ] || complain "visible without a mark: '$seen'"
  fi
  if ! "$BIN" "$DIR" recover two "${KUBELET[@]}" 2>"$WORK/err"; then complain "recovery failed"; fi
  seen=$(visible)
  [ "$seen" = "$before" ] || [ "$seen" = "$whole" ] || complain "visible after recovery: '$seen'"
  if [ "$seen" != "$whole" ]; then
    "$BIN" "$DIR" $VERB two "${KUBELET[@]}" 2>"$WORK/err" || complain "the plain rerun failed"
    [ "$(visible)" = "$whole" ] || complain "not whole after the rerun: $(visible)"
  fi
  no_open_key; no_rest; journalled
}

after_error() {
  local rc=$1
  no_open_key
  if [ "$rc" = 0 ]; then
    [ "$(visible)" = "$whole" ] || complain "exit 0 and not whole: $(visible)"
    no_rest; journalled
  elif [ "$rc" = 127 ] && ! grep -q '^error:' "$WORK/err"; then
    : # the loader did not get as far as the program
  elif [ "$rc" != 1 ]; then
    complain "exit status $rc"
  elif grep -qE 'the next run (puts them in place|cleans up)' "$WORK/err"; then
    "$BIN" "$DIR" recover two "${KUBELET[@]}" 2>"$WORK/err" || complain "recovery failed"
    [ "$(visible)" = "$whole" ] || complain "not whole after recovery: $(visible)"
    no_open_key; no_rest; journalled
  elif grep -q 'may not survive a power failure' "$WORK/err"; then
    [ "$(visible)" = "$whole" ] || complain "not whole: $(visible)"
    journalled
  else
    # The write that failed may have been that of the message.
    [ "$call" = write ] && ! [ -s "$WORK/err" ] || grep -qE '^error: cannot [a-z ]+ /[^:]*: ' "$WORK/err" || complain "message"
    snapshot > "$WORK/after"
    diff "$WORK/before" "$WORK/after" > "$WORK/diff" || { complain "changed in spite of the error"; head -5 "$WORK/diff"; }
  fi
}

for case in "${CASES[@]}"; do
  prepare "$case"; before=$(visible)
  "$BIN" "$DIR" $VERB two "${KUBELET[@]}" 2>/dev/null; whole=$(visible)
  for call in "${CALLS[@]}"; do
    prepare "$case"
    count=$(strace -f -qq -e trace="$call" -o /dev/stdout "$BIN" "$DIR" $VERB two "${KUBELET[@]}" 2>/dev/null | grep -c "$call(" || true)
    for fault in "${FAULTS[@]}"; do
      for ((n = 1; n <= count; n++)); do
        seen=$((seen + 1))
        [ "$SWEEP" = all ] || [ $(( (seen + SWEEP) % 10 )) = 0 ] || continue
        prepare "$case"; snapshot > "$WORK/before"
        where="$case $call:$fault:when=$n"
        rc=0
 # Through a second shell, which keeps "Killed" to itself.
        sh -c '"$@"; exit $?' sh strace -f -qq -o /dev/null -e trace="$call" -e inject="$call:$fault:when=$n" \
          "$BIN" "$DIR" $VERB two "${KUBELET[@]}" >/dev/null 2>"$WORK/err" || rc=$?
        runs=$((runs + 1))
        if [ "$rc" = 137 ]; then
          kills=$((kills + 1)); after_kill
        else
          after_error "$rc"
        fi
      done
    done
  done
  echo "$case: done ($runs runs so far, $kills killed, $bad bad)"
done
# A strace that lets kills pass would leave half of this untested.
least=20; [ "$SWEEP" = all ] || least=2
[ "$kills" -ge $((least * ${#CASES[@]})) ] || { echo "BAD only $kills runs were killed" >&2; exit 1; }
[ "$bad" = 0 ]
