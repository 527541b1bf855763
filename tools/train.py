"""Train a model from a config: `attentive-gan train`."""

import _environment  # noqa: F401  (says what is missing)
from attentive_gan.cli import train
from attentive_gan.cli.common import run_tool

if __name__ == '__main__':
    run_tool(train)
