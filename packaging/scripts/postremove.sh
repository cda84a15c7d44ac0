#!/bin/sh
# After a removal, deb or rpm: systemd forgets the units. What kpki made (/etc/kubernetes) is not touched.
set -e
if [ -d /run/systemd/system ]; then
  systemctl --system daemon-reload >/dev/null || true
fi
