"""Start a local web page that restores photos: `attentive-gan app`."""

import _environment  # noqa: F401  (says what is missing)
from attentive_gan.cli import app
from attentive_gan.cli.common import run_tool

if __name__ == '__main__':
    run_tool(app)
