#!/bin/sh
# The promise of the Dockerfile, kept without a container engine: a user without rights, a root file system that nobody can
# write, one writable volume and a /tmp. Needs Linux and root (mount namespaces): sh scripts/check_container.sh
set -eu
cd "$(dirname "$0")/.."
here=$(pwd)
if [ "${1:-}" != inside ]; then
  exec unshare --mount sh "$here/scripts/check_container.sh" inside
fi
mount --make-rprivate /
base=$(.venv/bin/python -c 'import sys; print(sys.base_prefix)')
mount -t tmpfs tmpfs /mnt
mkdir /mnt/data /mnt/base && chown 10001 /mnt/data && chmod 700 /mnt/data
case "$base" in
  /root/*) # an interpreter in a home that others may not enter, as an image would not have it
    mount --bind "$base" /mnt/base && mount -t tmpfs -o mode=755 tmpfs /root && mkdir -p "$base" && mount --bind /mnt/base "$base" ;;
esac
venv=/mnt/app/.venv # a checkout below /tmp is covered by what is mounted there
[ ! -L .venv ] || venv=$(readlink -f .venv)
mkdir /mnt/app && mount --bind "$here" /mnt/app
mount -t tmpfs -o mode=1777 tmpfs /tmp
{ cat /etc/passwd; echo "casebridge:x:10001:10001::/mnt/data:/usr/sbin/nologin"; } > /mnt/passwd # as useradd in the image
mount --bind /mnt/passwd /etc/passwd
mount -o remount,bind,ro / && mount -o remount,bind,ro /mnt/app
if touch /mnt/app/written 2>/dev/null || touch /usr/written 2>/dev/null; then echo "the root is writable"; exit 1; fi
cd /mnt/app
run() { exec setpriv --reuid=10001 --regid=10001 --clear-groups --no-new-privs --bounding-set=-all env -i HOME=/mnt/data PYTHONPATH=/mnt/app PYTHONDONTWRITEBYTECODE=1 \
  CASEBRIDGE_DATA_DIR=/mnt/data PATH="$venv/bin:/usr/bin:/bin" "$@"; }
run python -m service serve --host 127.0.0.1 --port 18089 > /tmp/out 2>&1 &
server=$!
trap 'kill $server 2>/dev/null || true' EXIT
for _ in $(seq 120); do
  grep -q ready /tmp/out && break
  kill -0 $server 2>/dev/null || { cat /tmp/out; exit 1; }
  sleep 0.5
done
( run python -c "
import urllib.request as u
print('ready', u.urlopen('http://127.0.0.1:18089/health/ready', timeout=5).status)
print('metadata', u.urlopen('http://127.0.0.1:18089/fhir/metadata', timeout=20).status)" )
( run python -m service partner add 'A Clinic' --role ehr > /dev/null ) && echo "a command beside it works"
kill -TERM $server
wait $server
echo "stopped cleanly"
trap - EXIT
echo "ok: uid 10001, no capabilities, read-only root"
