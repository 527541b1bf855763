"""ImageMagick as an oracle of pixels."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import numpy as np


@cache
def imagemagick() -> str | None:
    """Return the path of ImageMagick's program; None if it is not installed."""
    for folder in os.environ['PATH'].split(os.pathsep):
        for name in ('magick', 'convert'):
            program = shutil.which(name, path=folder)
            if program is None:
                continue
            done = subprocess.run([program, '-version'], capture_output=True, text=True)
            if 'ImageMagick' in done.stdout.split('\n')[0]:
                return program
    return None


def convert(*words: str | Path) -> bytes:
    """Run ImageMagick and return what it prints."""
    program = imagemagick()
    assert program
    return subprocess.run([program, *map(str, words)], capture_output=True, check=True).stdout


def pixels_of(path: Path) -> np.ndarray:
    """Return red, green, blue and opacity (H, W, 4), uint16, upright, as ImageMagick reads a file."""
    upright = [path, '-auto-orient', '+repage', '-colorspace', 'sRGB', '-type', 'TrueColorAlpha']
    content = convert(*upright, '-depth', '16', '-endian', 'LSB', 'rgba:-')
    width, height = map(int, convert(path, '-auto-orient', '-format', '%w %h', 'info:').split())
    return np.frombuffer(content, '<u2').reshape(height, width, 4)
