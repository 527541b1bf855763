"""Tell how wet the glass in front of the camera is: `attentive-gan detect`."""

import _environment  # noqa: F401  (says what is missing)
from attentive_gan.cli import detect
from attentive_gan.cli.common import run_tool

if __name__ == '__main__':
    run_tool(detect)
