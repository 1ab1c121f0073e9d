#!/bin/sh
# image.sh BINARY [NAME]: makes the images NAME:latest (the router, default name "fairlead") and
# NAME-whoami:latest (the demo server) from a finished binary and the libraries it names. Needs no registry.
set -eu
binary=$1
name=${2:-fairlead}
here=$(cd "$(dirname "$0")/.." && pwd)
docker=/usr/bin/docker; [ -x $docker ] || docker=docker
[ "$(id -u)" = 0 ] || [ -w /var/run/docker.sock ] || docker="sudo $docker"
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
chmod 755 "$context"
root=$context/root
mkdir -p "$root/usr/bin" "$root/usr/local/bin" "$root/etc/ssl/certs" "$root/usr/lib/ssl" "$root/tmp" "$root/run" "$root/etc/fairlead" "$context/state/data"
# /run holds the socket that `fairlead certs` asks, whatever user the container has.
chmod 1777 "$root/tmp" "$root/run"
cp "$binary" "$root/usr/bin/fairlead"
chmod 755 "$root/usr/bin/fairlead"
# Health checks written for Traefik call it by name: test: ["CMD", "traefik", "healthcheck", "--ping"].
ln -s ../../bin/fairlead "$root/usr/local/bin/traefik"
ldd "$binary" | awk '$2 == "=>" && $3 ~ /^\// {print $3} $1 ~ /^\// {print $1}' | while read -r library; do
  mkdir -p "$root$(dirname "$library")"
  cp -L "$library" "$root$library"
done
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
ln -s /etc/ssl/certs/ca-certificates.crt "$root/usr/lib/ssl/cert.pem"
printf 'root:x:0:0:root:/:/sbin/nologin\nfairlead:x:65532:65532:fairlead:/data:/sbin/nologin\n' >"$root/etc/passwd"
printf 'root:x:0:\nfairlead:x:65532:\n' >"$root/etc/group"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
cp "$here/compose/Dockerfile" "$context/Dockerfile"
DOCKER_BUILDKIT=0 $docker build -q --target whoami -t "$name-whoami:latest" "$context"
DOCKER_BUILDKIT=0 $docker build -q --target fairlead -t "$name:latest" "$context"
