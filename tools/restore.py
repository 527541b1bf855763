"""Remove raindrops from images, folders and videos: `attentive-gan restore`."""

import _environment  # noqa: F401  (says what is missing)
from attentive_gan.cli import restore
from attentive_gan.cli.common import run_tool

if __name__ == '__main__':
    run_tool(restore)
