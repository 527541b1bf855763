"""Render raindrops into a data set: `attentive-gan render`."""

import _environment  # noqa: F401  (says what is missing)
from attentive_gan.cli import render
from attentive_gan.cli.common import run_tool

if __name__ == '__main__':
    run_tool(render)
