"""Train a model from a config: `attentive-gan train`."""

from attentive_gan.cli import train
from attentive_gan.cli.common import run_tool

if __name__ == '__main__':
    run_tool(train)
