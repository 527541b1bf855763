"""Render raindrops into a data set: `attentive-gan render`."""

from attentive_gan.cli import render
from attentive_gan.cli.common import run_tool

if __name__ == '__main__':
    run_tool(render)
