#!/bin/sh
# Makes .venv from requirements.txt and node_modules from package-lock.json; does nothing when both
# are as these files want them. Needs Python 3.11 or newer with venv, and names what is missing.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

# step TEXT COMMAND…: runs it silently, says how long it took, and shows its output if it failed.
step() {
    text=$1
    shift
    begun=$(date +%s)
    printf '%-58s' "$text" >&2
    if output=$("$@" 2>&1 </dev/null); then
        say "$(($(date +%s) - begun)).0 s"
    else
        say 'failed'
        say "$output"
        exit 1
    fi
}

usable() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    for name in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
        if usable "$name"; then
            python=$name
            break
        fi
    done
    if [ -z "${python:-}" ]; then
        say 'Python 3.11 or newer is missing. On Debian 12, Ubuntu 24.04 or newer:'
        say '    sudo apt install python3 python3-venv'
        say 'Another Python is taken with: make PYTHON=/path/to/python …'
        exit 1
    fi
    if ! "$python" -c 'import venv, ensurepip' >/dev/null 2>&1; then
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        say "$python has no venv module. On Debian or Ubuntu:"
        say "    sudo apt install python$version-venv"
        exit 1
    fi
}

digest() { sha256sum "$1" | cut -d ' ' -f 1; }

# current STAMP FILE: whether what STAMP was made for is FILE as it is now.
current() { [ -f "$1" ] && [ "$(cat "$1")" = "$(digest "$2")" ]; }

if ! usable .venv/bin/python || ! current .venv/.requirements requirements.txt; then
    if ! usable .venv/bin/python; then
        find_python
        step 'Making the virtual environment' "$python" -m venv --clear .venv
    fi
    step 'Installing the pinned requirements' .venv/bin/python -m pip install --quiet \
        --disable-pip-version-check --no-compile --require-hashes -r requirements.txt
    digest requirements.txt >.venv/.requirements
fi

if ! [ -x .venv/bin/hatchway ] || ! current .venv/.project pyproject.toml; then
    step 'Installing the command hatchway' .venv/bin/python -m pip install --quiet \
        --disable-pip-version-check --no-deps --no-build-isolation --no-index --editable .
    digest pyproject.toml >.venv/.project
fi

if ! current node_modules/.lock package-lock.json; then
    # npm is a script for `env node`: the virtual environment's Node has to come first.
    PATH="$PWD/.venv/bin:$PATH"
    step 'Installing the CDK CLI' .venv/bin/npm ci --no-audit --no-fund --loglevel=error
    digest package-lock.json >node_modules/.lock
fi
