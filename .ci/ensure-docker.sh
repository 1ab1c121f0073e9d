#!/bin/sh
# ensure-docker.sh [start|stop]: a Docker Engine for tests and demos. "start" prints the DOCKER_HOST of the
# engine found, or starts one; "stop" ends only what "start" began.
set -eu
state=${DOCKERD_STATE:-${TMPDIR:-/tmp}/fairlead-dockerd}
sock=${DOCKERD_SOCK:-/var/run/docker.sock}
sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
ping_engine() { [ "$($sudo curl -s --max-time 2 --unix-socket "$sock" http://localhost/_ping 2>/dev/null)" = OK ]; }
PATH=$PATH:/usr/sbin:/sbin
case ${1:-start} in
start)
  if ! ping_engine; then
    if ! command -v dockerd >/dev/null || ! command -v curl >/dev/null; then
      export DEBIAN_FRONTEND=noninteractive
      $sudo apt-get -o DPkg::Lock::Timeout=300 update -q >&2
      $sudo apt-get -o DPkg::Lock::Timeout=300 install -y -q --no-install-recommends \
        docker.io iptables cgroupfs-mount ca-certificates curl >&2
    fi
    [ -d /sys/fs/cgroup/memory ] || [ -f /sys/fs/cgroup/cgroup.controllers ] || $sudo cgroupfs-mount || true
    mkdir -p "$state"
    # Each attempt asks less of the kernel than the one before.
    for extra in "" "--iptables=false --ip-masq=false" "--storage-driver=vfs --iptables=false --ip-masq=false"; do
      $sudo rm -f "$state/pid"
      # It outlives this script: a lock that the caller holds must not live on in it.
      # shellcheck disable=SC2086
      $sudo setsid dockerd -H "unix://$sock" --pidfile "$state/pid" ${DOCKERD_ARGS:-} $extra \
        >"$state/log" 2>&1 </dev/null 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &
      i=0
      while [ $i -lt 300 ]; do
        ping_engine && break 2
        sleep 0.1; i=$((i + 1))
        [ $i -gt 20 ] && ! kill -0 $! 2>/dev/null && ! [ -s "$state/pid" ] && break
      done
      echo "dockerd did not start with '$extra'" >&2; tail -3 "$state/log" >&2
      [ -s "$state/pid" ] && $sudo kill "$(cat "$state/pid")" || true
      sleep 1
    done
    ping_engine || exit 1
    echo started >"$state/mine"
  fi
  echo "unix://$sock" ;;
stop)
  [ -f "$state/mine" ] && [ -s "$state/pid" ] || exit 0
  pid=$(cat "$state/pid"); $sudo kill "$pid"
  i=0; while [ -d "/proc/$pid" ] && [ $i -lt 200 ]; do sleep 0.1; i=$((i + 1)); done
  $sudo rm -rf "$state" ;;
*) echo "usage: $0 [start|stop]" >&2; exit 2 ;;
esac
