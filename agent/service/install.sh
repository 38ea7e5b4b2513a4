#!/bin/sh
# Installs or upgrades the agent from an unpacked bundle. As root:
#   ./install.sh --api-url URL --region REGION [--session-user NAME] [--iot-connect HOST:PORT]
# With DESTDIR set it only lays the files out below it, for packaging and for tests.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=${DESTDIR:-}
user=hatchway-session
api_url='' region='' iot_connect=''

fail() { echo "install.sh: $1" >&2; exit 2; }

while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || fail "$1 needs a value"
    case $1 in
        --api-url) api_url=$2 ;;
        --region) region=$2 ;;
        --session-user) user=$2 ;;
        --iot-connect) iot_connect=$2 ;;
        *) fail "unknown option $1" ;;
    esac
    shift 2
done

[ -n "$root" ] || [ "$(id -u)" = 0 ] || fail 'run it as root'
config=$root/etc/hatchway/agent.toml
if ! [ -e "$config" ]; then
    [ -n "$api_url" ] && [ -n "$region" ] || fail 'the first time, --api-url and --region are needed'
fi

python=''
for name in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
    if "$name" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$name
        break
    fi
done
[ -n "$python" ] || fail 'Python 3.11 or newer with venv is missing (apt install python3-venv, dnf install python3.11)'

home=$root/opt/hatchway
mkdir -p "$home/lib" "$root/etc/hatchway" "$root/etc/systemd/system"
[ -x "$home/venv/bin/python" ] || "$python" -m venv "$home/venv"
if [ -d "$here/wheels" ]; then
    set -- --no-index --find-links "$here/wheels"
else
    set --
fi
"$home/venv/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: \
    --require-hashes "$@" -r "$here/requirements.txt"
rm -rf "$home/lib/agent" "$home/lib/hatchway"
cp -R "$here/agent" "$here/hatchway" "$home/lib/"
cp "$here/hatchway-agent.service" "$root/etc/systemd/system/"

if ! [ -e "$config" ]; then
    {
        echo "region = \"$region\""
        echo "agent_api_url = \"$api_url\""
        echo "session_user = \"$user\""
        [ -z "$iot_connect" ] || echo "iot_connect = \"$iot_connect\""
    } >"$config"
    chmod 0600 "$config"
fi

[ -z "$root" ] || exit 0
id "$user" >/dev/null 2>&1 || useradd --create-home --shell /bin/bash "$user"
systemctl daemon-reload
systemctl enable --quiet hatchway-agent
systemctl restart hatchway-agent
echo 'The agent runs. Its log: journalctl -u hatchway-agent'
