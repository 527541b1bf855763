"""What every command-line tool does around its work: clear errors and honest exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from .errors import UserError

#: Exit code of a process that was interrupted from the keyboard (128 + SIGINT).
EXIT_INTERRUPTED = 130


def run(main: Callable[[], int | None]) -> None:
    """Call `main` and leave the process with its exit code; turn user mistakes into one clear message.

    Set the environment variable ATTENTIVE_GAN_TRACEBACK to 1 to see the full traceback.

    Args:
        main: The tool's work, which returns an exit code or None for success.
    """
    try:
        code = main() or 0
    except UserError as error:
        if os.environ.get('ATTENTIVE_GAN_TRACEBACK') == '1':
            raise
        sys.stderr.write(f'error: {error}\n')
        code = 1
    except KeyboardInterrupt:
        sys.stderr.write('interrupted\n')
        code = EXIT_INTERRUPTED
    sys.exit(code)
