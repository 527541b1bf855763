#!/usr/bin/env bash
set -euo pipefail
cd "$(dirname "$0")/.."

VENV=${ATTENTIVE_GAN_VENV:-.venv}
PYTHON=${PYTHON:-python3}
EXTRA=
TORCH=
# 6.4 GB were measured with torch 2.14.1, of which the libraries of CUDA and Triton have 4.1 GB; and pip
# unpacks before it installs.
NEEDED_GB=8
NEEDED_GB_SMALL=3

fail() { echo "error: $*" >&2; exit 1; }
step() { echo "[setup] $*"; }
usage() {
    cat <<'TEXT'
usage: bash tools/setup.sh [dev] [--torch KIND]

Makes the virtual environment .venv with everything that attentive_gan needs, or completes the one that is
there. Then: source .venv/bin/activate

  dev           also what the tests and checks need
  --torch KIND  the PyTorch to use:
                  here   the one of this Python, with its other packages (taken by itself if there is one)
                  pypi   the newest of PyPI, on Linux with CUDA (default if there is none)
                  cpu    without CUDA, from download.pytorch.org; some GB smaller
                  cu126, cu128, rocm6.4, ...   other builds of download.pytorch.org
  -h, --help    this text

Environment variables: ATTENTIVE_GAN_VENV chooses another folder than .venv, PYTHON another interpreter than
python3; those of pip (PIP_INDEX_URL, ...) are used by pip.
TEXT
}

while [ $# -gt 0 ]; do
    case $1 in
        dev) EXTRA=dev ;;
        -h | --help | help) usage; exit 0 ;;
        --torch) [ $# -gt 1 ] || fail "--torch needs a KIND; see bash tools/setup.sh --help"; TORCH=$2; shift ;;
        --torch=*) TORCH=${1#--torch=} ;;
        *) fail "unknown argument $1; see bash tools/setup.sh --help" ;;
    esac
    shift
done
case $TORCH in
    '' | here | pypi | cpu | cu[0-9]* | rocm[0-9]* | xpu) ;;
    *) fail "--torch $TORCH: choose here, pypi, cpu, or a build such as cu128; see bash tools/setup.sh --help" ;;
esac

command -v "$PYTHON" >/dev/null || fail "no $PYTHON found; run: sudo apt-get install python3 python3-venv"
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || fail \
    "$("$PYTHON" --version) found, but Python 3.10 or newer is needed; set PYTHON to one"

make_environment() {
    "$PYTHON" -m venv "$@" "$VENV" 2>/dev/null && return
    rm -rf "$VENV"
    # Debian's python3 comes without the part of venv that installs pip.
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        step "installing Debian's python3-venv"
        apt-get update -qq && apt-get install -qq -y python3-venv >/dev/null && "$PYTHON" -m venv "$@" "$VENV"
        return
    fi
    fail "this Python cannot make virtual environments; run: sudo apt-get install python3-venv"
}

# The version of PyTorch that an interpreter has; nothing if it has none.
torch_of() { "$1" -c 'import torch; print(torch.__version__)' 2>/dev/null || true; }

check_space() { # GB that are needed
    local folder=$VENV free
    while [ ! -d "$folder" ]; do folder=$(dirname "$folder"); done
    free=$(($(df -Pk "$folder" | awk 'NR == 2 {print $4}') / 1000000))
    step "$VENV needs about $1 GB of disk space; $free GB are free"
    [ "$free" -ge "$1" ] || fail \
        "too little disk space for $VENV: free $1 GB, choose a folder elsewhere by ATTENTIVE_GAN_VENV, or see --help"
}

if [ ! -x "$VENV/bin/python" ]; then
    # A virtual environment of another one sees the packages of neither.
    HERE=
    if "$PYTHON" -c 'import sys; sys.exit(sys.prefix != sys.base_prefix)'; then
        HERE=$(torch_of "$PYTHON")
    elif [ "$TORCH" = here ]; then
        fail "--torch here: $PYTHON is of a virtual environment; ATTENTIVE_GAN_VENV=FOLDER completes that one"
    fi
    [ "$TORCH" != here ] || [ -n "$HERE" ] || fail "--torch here: $PYTHON has no PyTorch"
    if [ -n "$HERE" ] && [ "${TORCH:-here}" = here ]; then
        step "using PyTorch $HERE of $PYTHON; --torch pypi would install another"
        check_space "$NEEDED_GB_SMALL"
        OPTIONS=(--system-site-packages)
    else
        case $TORCH in cpu) check_space "$NEEDED_GB_SMALL" ;; *) check_space "$NEEDED_GB" ;; esac
        OPTIONS=()
    fi
    if [ -z "$TORCH$HERE" ] && [ "$(uname -s)" = Linux ] && ! command -v nvidia-smi >/dev/null; then
        step "no NVIDIA driver found: --torch cpu installs a smaller PyTorch without CUDA"
    fi
    step "making the virtual environment $VENV"
    make_environment "${OPTIONS[@]}"
fi
PIP=("$VENV/bin/python" -m pip --disable-pip-version-check --quiet)

# Which requirement files and packaging the environment was made from.
STAMP=$VENV/.attentive_gan-${EXTRA:-user}
WANTED=$(cat requirements/*.txt setup.py | cksum)
THERE=$(torch_of "$VENV/bin/python")
case $TORCH in
    '' | here | pypi) BUILD= ;;
    # Builds of download.pytorch.org have their kind in the version, such as 2.9.0+cpu.
    *) BUILD=$TORCH; case $THERE in *"+$TORCH") BUILD= ;; esac ;;
esac
if [ -f "$STAMP" ] && [ "$(cat "$STAMP")" = "$WANTED" ] && [ -z "$BUILD" ]; then
    step "using $VENV as it is"
    exit 0
fi

if [ -n "$BUILD" ]; then
    step "installing PyTorch ($BUILD)"
    "${PIP[@]}" install --upgrade --force-reinstall --index-url "https://download.pytorch.org/whl/$BUILD" \
        torch torchvision || fail \
        "PyTorch ($BUILD) cannot be installed (see above); https://pytorch.org lists the builds there are"
    THERE=$(torch_of "$VENV/bin/python")
    case $THERE in
        *"+$BUILD") ;;
        *) step "pip took PyTorch ${THERE:-none}, not $BUILD: its settings name another index (pip config list)" ;;
    esac
fi
step "installing PyTorch${THERE:+ (there is $THERE)} and the small packages (some minutes the first time)"
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
