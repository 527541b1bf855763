"""Small videos for tests, made by ffmpeg or OpenCV."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import nn

#: A grey ramp that moves on with each frame: 48x32, 30000/1001 frames a second.
TEST_IMAGE = "nullsrc=size=48x32:rate=30000/1001,geq=lum='mod(N*23+X\\,220)+16':cb=128:cr=128"


class Unchanged(nn.Module):
    """Gives back what it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the images."""
        return images * self.weight


def make_clip(path: Path, *words: str, frames: int = 20, image: str = TEST_IMAGE) -> Path:
    """Make a clip with ffmpeg's test image and a tone.

    Args:
        path: File to write.
        words: Further output options.
        frames: Number of frames.
        image: Source of the lavfi device.
    """
    subprocess.run(
        ['ffmpeg', '-v', 'error', '-y', '-f', 'lavfi', '-i', image, '-f', 'lavfi', '-i',
         f'sine=frequency=440:duration={frames / 29.97:.4f}', '-frames:v', str(frames),
         '-pix_fmt', 'yuv420p', *words, str(path)], check=True,
    )  # fmt: skip
    return path


def streams(path: Path) -> list[dict[str, Any]]:
    """Return ffprobe's description of all streams, with frames counted by decoding."""
    done = subprocess.run(
        ['ffprobe', '-v', 'error', '-count_frames', '-show_streams', '-of', 'json', str(path)],
        check=True, capture_output=True,
    )  # fmt: skip
    return json.loads(done.stdout)['streams']


def frame_times(path: Path) -> list[float]:
    """Return when each frame is shown, in seconds."""
    done = subprocess.run(
        ['ffprobe', '-v', 'error', '-select_streams', 'v:0', '-show_entries', 'frame=pts_time',
         '-of', 'json', str(path)], check=True, capture_output=True,
    )  # fmt: skip
    return [float(frame['pts_time']) for frame in json.loads(done.stdout)['frames']]


def stream_hash(path: Path, stream: str) -> str:
    """Return a hash of a stream's packets as they are stored."""
    done = subprocess.run(
        ['ffmpeg', '-v', 'error', '-i', str(path), '-map', f'0:{stream}', '-c', 'copy', '-f', 'hash',
         '-'], check=True, capture_output=True,
    )  # fmt: skip
    return done.stdout.decode().strip()


def decoded(path: Path) -> np.ndarray:
    """Return all frames (N, H, W, 3), RGB, decoded by OpenCV."""
    capture, frames = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG), []
    while True:
        there, frame = capture.read()
        if not there:
            break
        frames.append(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
    capture.release()
    return np.stack(frames)
