#!/usr/bin/env bash
# Makes a virtual environment with everything that attentive_gan needs, or completes the one that is
# there. Usage: bash tools/setup.sh [dev]    (dev: also what the tests and checks need)
# ATTENTIVE_GAN_VENV chooses another folder than .venv, PYTHON another interpreter than python3.
set -euo pipefail
cd "$(dirname "$0")/.."

VENV=${ATTENTIVE_GAN_VENV:-.venv}
PYTHON=${PYTHON:-python3}
EXTRA=${1:-}

fail() { echo "error: $*" >&2; exit 1; }
step() { echo "[setup] $*"; }

command -v "$PYTHON" >/dev/null || fail "no $PYTHON found; run: sudo apt-get install python3 python3-venv"
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || fail \
    "$("$PYTHON" --version) found, but Python 3.10 or newer is needed; set PYTHON to one"

make_environment() {
    "$PYTHON" -m venv "$VENV" 2>/dev/null && return
    rm -rf "$VENV"
    # Debian's python3 comes without the part of venv that installs pip.
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        step "installing Debian's python3-venv"
        apt-get update -qq && apt-get install -qq -y python3-venv >/dev/null && "$PYTHON" -m venv "$VENV"
        return
    fi
    fail "this Python cannot make virtual environments; run: sudo apt-get install python3-venv"
}

if [ ! -x "$VENV/bin/python" ]; then
    step "making the virtual environment $VENV"
    make_environment
fi
PIP=("$VENV/bin/python" -m pip --disable-pip-version-check --quiet)

# Which requirement files and packaging the environment was made from.
STAMP=$VENV/.attentive_gan-${EXTRA:-user}
WANTED=$(cat requirements/*.txt setup.py | cksum)
if [ -f "$STAMP" ] && [ "$(cat "$STAMP")" = "$WANTED" ]; then
    step "using $VENV as it is"
    exit 0
fi

step "installing PyTorch and the small packages (some minutes, several GB on the first time)"
"${PIP[@]}" install --requirement requirements/runtime.txt
step "installing MMagic and mmcv-lite without their lists of dependencies"
"${PIP[@]}" install --no-deps --requirement requirements/toolbox.txt
step "installing attentive_gan"
"${PIP[@]}" install --no-deps --no-build-isolation --editable .
if [ "$EXTRA" = dev ]; then
    step "installing what the tests need"
    "${PIP[@]}" install --requirement requirements/dev.txt
fi

# The tests drive a browser and a video encoder; those that find none are skipped, with the reason.
if [ "$EXTRA" = dev ]; then
    missing=()
    command -v chromium >/dev/null || command -v google-chrome >/dev/null || missing+=(chromium)
    command -v chromedriver >/dev/null || missing+=(chromium-driver)
    command -v ffmpeg >/dev/null || missing+=(ffmpeg)
    if [ "${#missing[@]}" -gt 0 ]; then
        step "installing ${missing[*]} for the tests"
        AS_ROOT=()
        if [ "$(id -u)" != 0 ]; then AS_ROOT=(sudo -n); fi
        if ! { "${AS_ROOT[@]}" apt-get update -qq && "${AS_ROOT[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -qq -y --no-install-recommends "${missing[@]}"; } >/dev/null 2>&1; then
            step "could not install ${missing[*]}; the tests that need them will be skipped"
        fi
    fi
fi

# opencv-python needs libGL and glib, which servers and containers often lack.
if ! "$VENV/bin/python" -c 'import cv2' 2>/dev/null; then
    step "this machine lacks libraries that opencv-python needs; taking opencv-python-headless"
    "${PIP[@]}" uninstall --yes opencv-python
    "${PIP[@]}" install --force-reinstall --no-deps opencv-python-headless
    "$VENV/bin/python" -c 'import cv2' || fail "OpenCV does not start on this machine (see above)"
fi

"$VENV/bin/python" tools/doctor.py --brief
echo "$WANTED" > "$STAMP"
