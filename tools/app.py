"""Start a local web page that restores photos: `attentive-gan app`."""

from attentive_gan.cli import app
from attentive_gan.cli.common import run_tool

if __name__ == '__main__':
    run_tool(app)
