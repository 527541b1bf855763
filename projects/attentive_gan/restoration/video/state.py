"""How far the restoring of a video has come, so that it can go on after a stop."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from attentive_gan.utils.atomic_io import write_text

from .files import Segment


class Scene(NamedTuple):
    """What later frames need of those before."""

    held: NDArray[np.float32]
    """Attention map (H, W), averaged since the scene began."""
    thumbnail: NDArray[np.float32]
    """The last frame, small, for noticing a new scene."""


class VideoState:
    """A hidden folder beside the target with the segments that are complete.

    Args:
        target: The video to be written.
        identity: All that decides about its frames; segments of another one are removed.
        suffix: File name suffix of segments.
    """

    def __init__(self, target: Path, identity: Mapping[str, Any], suffix: str) -> None:
        self.folder = target.with_name(f'.{target.name}.restoring')
        self._suffix = suffix
        self.began_anew = False
        path = self.folder / 'identity.json'
        wanted = json.loads(json.dumps(identity, default=str))
        if path.is_file() and json.loads(path.read_text('utf-8')) != wanted:
            shutil.rmtree(self.folder)
            self.began_anew = True
        write_text(path, json.dumps(wanted, indent=2))
        # An encoder that outlives its killed parent may still write to one of these.
        for left_over in self.folder.glob('unfinished_*'):
            left_over.unlink()

    @property
    def segments(self) -> list[Segment]:
        """Complete segments from the beginning of the video."""
        return [Segment(self._path(i), frames) for i, frames in enumerate(self._counts())]

    def unfinished(self) -> Path:
        """Return the file for the next segment; `finish` gives it its name."""
        return self.folder / f'unfinished_{os.getpid()}{self._suffix}'

    @property
    def frames(self) -> int:
        """Frames in the complete segments."""
        return sum(self._counts())

    def finish(self, frames: int, scene: Scene | None) -> None:
        """Count the unfinished segment as complete.

        Args:
            frames: Its number of frames.
            scene: What the next segment begins with.
        """
        counts = self._counts()
        number = len(counts)
        if scene is not None:
            path = self._scene_path(number + 1)
            np.savez(path, held=scene.held, thumbnail=scene.thumbnail)
        write_text(self._count_path, json.dumps([*counts, frames]))
        with self.unfinished().open('rb+') as stream:
            os.fsync(stream.fileno())
        self.unfinished().rename(self._path(number))
        self._scene_path(number).unlink(missing_ok=True)

    def scene(self) -> Scene | None:
        """Return what the next segment begins with; None at the beginning."""
        path = self._scene_path(len(self._counts()))
        if not path.is_file():
            return None
        with np.load(path, allow_pickle=False) as stored:
            return Scene(stored['held'], stored['thumbnail'])

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder)

    def _path(self, number: int) -> Path:
        return self.folder / f'{number:06d}{self._suffix}'

    @property
    def _count_path(self) -> Path:
        return self.folder / 'frames.json'

    def _counts(self) -> list[int]:
        """Return the number of frames of each complete segment."""
        if not self._count_path.is_file():
            return []
        counts: list[int] = json.loads(self._count_path.read_text('utf-8'))
        there = 0
        while there < len(counts) and self._path(there).is_file():
            there += 1
        return counts[:there]

    def _scene_path(self, number: int) -> Path:
        return self.folder / f'scene_{number:06d}.npz'
