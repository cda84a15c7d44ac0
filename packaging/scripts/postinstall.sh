#!/bin/sh
# After an installation or an upgrade, deb or rpm. systemd reads the new units; the timer stays as it is, enabled or not.
set -e
if [ -d /run/systemd/system ]; then
  systemctl --system daemon-reload >/dev/null || true
fi
