"""Check a data set of image pairs: `attentive-gan check`."""

import _environment  # noqa: F401  (says what is missing)
from attentive_gan.cli import check
from attentive_gan.cli.common import run_tool

if __name__ == '__main__':
    run_tool(check)
