"""Compare restorers on one data set: `attentive-gan leaderboard`."""

import _environment  # noqa: F401  (says what is missing)
from attentive_gan.cli import leaderboard
from attentive_gan.cli.common import run_tool

if __name__ == '__main__':
    run_tool(leaderboard)
