"""Tell how wet the glass in front of the camera is: `attentive-gan detect`."""

from attentive_gan.cli import detect
from attentive_gan.cli.common import run_tool

if __name__ == '__main__':
    run_tool(detect)
