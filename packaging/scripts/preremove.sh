#!/bin/sh
# Before a removal, not an upgrade: dpkg says `remove`, rpm how many versions are left. The timer that an operator has enabled
# is stopped, and its link is removed.
set -e
case ${1:-} in
  remove | 0)
    if command -v systemctl >/dev/null; then
      systemctl --no-reload disable kpki-renew.timer >/dev/null 2>&1 || true
      if [ -d /run/systemd/system ]; then
        systemctl stop kpki-renew.timer kpki-renew.service >/dev/null 2>&1 || true
      fi
    fi
    ;;
esac
