"""Compare restorers on one data set: `attentive-gan leaderboard`."""

from attentive_gan.cli import leaderboard
from attentive_gan.cli.common import run_tool

if __name__ == '__main__':
    run_tool(leaderboard)
