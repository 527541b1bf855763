"""Write a network to a file for other programs: `attentive-gan export`."""

import _environment  # noqa: F401  (says what is missing)
from attentive_gan.cli import export
from attentive_gan.cli.common import run_tool

if __name__ == '__main__':
    run_tool(export)
