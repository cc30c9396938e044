#!/bin/sh
# Installs what the project needs and the machine lacks; quick when there is nothing to do.
#
#   scripts/setup.sh                            uv, and the locked Python packages in .venv
#   scripts/setup.sh browser                    and a browser, for the checks of web interfaces
#   scripts/setup.sh browser postgresql redis applications
#                                               and these, for the project's own tests
#   scripts/setup.sh browser k6 wrk             and these, for the benchmarks
set -eu
cd "$(dirname "$0")/.."

UV_VERSION=0.13.9
UV_OLDEST=0.9.0

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

apt_install() {
    command -v apt-get >/dev/null || return 1
    sudo=
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || return 1
        sudo=sudo
    fi
    say "installing Debian's package $*"
    $sudo apt-get update -qq >&2 || return 1
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" \
        >/dev/null || return 1
}

is_recent_uv() {
    version=$("$1" --version 2>/dev/null | cut -d' ' -f2) || return 1
    [ "$(printf '%s\n%s\n' "$UV_OLDEST" "$version" | sort -V | head -n 1)" = "$UV_OLDEST" ]
}

ensure_uv() {
    for candidate in uv .tools/bin/uv; do
        if command -v "$candidate" >/dev/null && is_recent_uv "$candidate"; then
            UV=$candidate
            return
        fi
    done
    command -v python3 >/dev/null || apt_install python3 \
        || fail "there is no python3. Install Python 3.11 or newer, then try again"
    say "installing uv $UV_VERSION into .tools"
    python3 -m venv --clear .tools >/dev/null 2>&1 \
        || { apt_install python3-venv && python3 -m venv --clear .tools >/dev/null; } \
        || fail "python3 can't make virtual environments. Install python3-venv, then try again"
    .tools/bin/pip install --quiet --disable-pip-version-check "uv==$UV_VERSION" \
        || fail "pip can't install uv. See above, or install uv $UV_OLDEST or newer yourself"
    UV=.tools/bin/uv
}

ensure_browser() {
    # Debian's brings a font along, without which pages have no text.
    has_browser || has_own_browser || apt_install chromium || .venv/bin/playwright install chromium \
        || fail "there is no Chromium. Install one, or name it in the variable CHROMIUM"
    # Playwright drives it by a Node.js of its own, which needs this one library of the system.
    driver=$(echo .venv/lib/python3*/site-packages/playwright/driver/node)
    "$driver" --version >/dev/null 2>&1 || apt_install libatomic1 \
        || fail "Playwright's $driver doesn't start. Install the library that it names"
}

has_browser() {
    for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
        if [ -n "$name" ] && command -v "$name" >/dev/null; then return 0; fi
    done
    return 1
}

has_own_browser() {
    # Asked last, since Playwright takes half a second to say where its own would be.
    own=$(.venv/bin/python -c "
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)
" 2>/dev/null) && [ -x "$own" ]
}

ensure_wrk() {
    command -v wrk >/dev/null || apt_install wrk || fail "there is no wrk. Install it, then try again"
}

ensure_postgresql() {
    if command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
        return
    fi
    apt_install postgresql || fail "there is no PostgreSQL server. Install one, then try again"
}

ensure_redis() {
    if command -v redis-server >/dev/null || command -v redis-check-rdb >/dev/null; then
        return
    fi
    # Its redis-server is a link to a program of redis-tools, and a service that would be started.
    apt_install redis-tools || fail "there is no Redis server. Install one, then try again"
}

ensure_applications() {
    # Apart from the project: what they need would not go with what the gate needs.
    "$UV" sync --locked --quiet --compile-bytecode --project tests/applications \
        || fail "uv can't install the applications that the tests validate; see above"
}

ensure_uv
# In one go, since a sync takes out what isn't asked for.
case " $* " in *" k6 "*) groups="--group bench" ;; *) groups="" ;; esac
# shellcheck disable=SC2086  # two words
"$UV" sync --locked --quiet --compile-bytecode $groups || fail "uv can't install the locked packages; see above"
for what in "$@"; do
    case $what in
        applications | browser | postgresql | redis | wrk) "ensure_$what" ;;
        k6) ;;
        *) fail "there is nothing called '$what' to set up. Known: applications, browser, k6, postgresql, redis, wrk" ;;
    esac
done
