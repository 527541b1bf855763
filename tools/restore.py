"""Remove raindrops from images, folders and videos: `attentive-gan restore`."""

from attentive_gan.cli import restore
from attentive_gan.cli.common import run_tool

if __name__ == '__main__':
    run_tool(restore)
