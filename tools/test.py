"""Test a checkpoint: `attentive-gan test`."""

from attentive_gan.cli import test
from attentive_gan.cli.common import run_tool

if __name__ == '__main__':
    run_tool(test)
