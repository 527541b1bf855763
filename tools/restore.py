"""Remove raindrops from images, folders and videos of any size."""

from __future__ import annotations

from attentive_gan.cli.restore import console

if __name__ == '__main__':
    console()
