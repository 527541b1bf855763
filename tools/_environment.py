"""Says what to do where a tool is started by a Python without this project or what it needs."""

import sys
from importlib.util import find_spec
from pathlib import Path

_NEEDED = ('attentive_gan', 'torch', 'mmengine', 'mmcv', 'mmagic', 'numpy', 'cv2', 'rich')
_ROOT = (
    Path(__file__).resolve().parent.parent
)  # of the file itself; folders below tools/ have links to it

missing = [name for name in _NEEDED if find_spec(name) is None]
if missing:
    made = _ROOT / '.venv' / 'bin' / 'activate'
    first = '' if made.is_file() else f'bash {_ROOT}/tools/setup.sh (once), then '
    sys.exit(
        f'error: this Python ({sys.executable}) has no {", ".join(missing)}. '
        f'Run {first}source {made}, and try again; or see README.md for your own environment.'
    )
