"""Says what to do where a tool is started by a Python without this project.

With the project but without a package, `attentive_gan.cli.common.run` says it for the tools that need it.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

_NEEDED = ('attentive_gan', 'torch', 'mmengine', 'mmcv', 'mmagic', 'numpy', 'cv2', 'rich')
_ROOT = (
    Path(__file__).resolve().parent.parent
)  # of the file itself; folders below tools/ have links to it

if find_spec('attentive_gan') is None:
    missing = [name for name in _NEEDED if find_spec(name) is None]
    made = _ROOT / '.venv' / 'bin' / 'activate'
    first = '' if made.is_file() else f'bash {_ROOT}/tools/setup.sh (once), then '
    sys.exit(
        f'error: this Python ({sys.executable}) has no {", ".join(missing)}. '
        f'Run {first}source {made}, and try again; or see README.md for your own environment.'
    )
