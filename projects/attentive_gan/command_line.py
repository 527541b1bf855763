"""To be removed: tools import `run` from attentive_gan_cli."""

from attentive_gan_cli import run

__all__ = ['run']
