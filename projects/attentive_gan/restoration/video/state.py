"""State of an unfinished video on disk, from which the work resumes."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from attentive_gan.errors import UserError, shown
from attentive_gan.utils.atomic_io import write_text
from attentive_gan.utils.strict_json import one_line, parse_json, read_small_text

from .backend import Segment


class Scene(NamedTuple):
    """What the next frame of a scene needs of the earlier ones."""

    held: NDArray[np.float32]
    """Attention map (H, W), averaged since the scene began."""
    thumbnail: NDArray[np.float32]
    """The last frame, small, to detect a new scene."""


class VideoState:
    """A hidden folder beside the output with the complete segments.

    The files are those of version 0.1.0, so that its unfinished videos are resumed.

    Args:
        output: The video to write.
        identity: Everything that determines its frames; segments of another identity are removed.
        suffix: File name suffix of segments.

    Raises:
        UserError: Another process restores into the same output.
    """

    def __init__(self, output: Path, identity: Mapping[str, Any], suffix: str) -> None:
        self.folder = output.with_name(f'.{output.name}.restoring')
        self._suffix = suffix
        self._lock = _lock(self.folder, output)
        path = self.folder / 'identity.json'
        wanted = json.loads(json.dumps(identity, default=str))
        #: Whether segments of another identity were removed.
        self.restarted = path.is_file() and _read_json(path) != wanted
        if self.restarted:
            for file in self.folder.iterdir():  # not the folder, which is locked
                file.unlink()
        write_text(path, json.dumps(wanted, indent=2))
        # An encoder that outlives its killed parent may still write to one of these.
        for left_over in self.folder.glob('unfinished_*'):
            left_over.unlink()

    def __enter__(self) -> VideoState:
        return self

    def __exit__(self, *_exception: object) -> None:
        """Let another process go on."""
        os.close(self._lock)

    @property
    def segments(self) -> list[Segment]:
        """Complete segments from the start of the video."""
        counts = _read_json(self._counts_path) if self._counts_path.is_file() else None
        segments = []
        for number, frames in enumerate(counts if isinstance(counts, list) else []):
            # What follows a missing segment or a count that is none cannot be used.
            if type(frames) is not int or frames < 1 or not self._segment_path(number).is_file():
                break
            segments.append(Segment(self._segment_path(number), frames))
        return segments

    @property
    def frames(self) -> int:
        """Number of frames in the complete segments."""
        return sum(segment.frames for segment in self.segments)

    @property
    def unfinished(self) -> Path:
        """File for the next segment; `complete_segment` renames it."""
        return self.folder / f'unfinished_{os.getpid()}{self._suffix}'

    def complete_segment(self, frames: int, scene: Scene | None) -> None:
        """Count the unfinished segment as complete.

        Args:
            frames: Its number of frames.
            scene: State at its end, for the next segment.
        """
        counts = [segment.frames for segment in self.segments]
        number = len(counts)
        if scene is not None:
            np.savez(self._scene_path(number + 1), held=scene.held, thumbnail=scene.thumbnail)
        write_text(self._counts_path, json.dumps([*counts, frames]))
        with self.unfinished.open('rb+') as stream:
            os.fsync(stream.fileno())
        self.unfinished.rename(self._segment_path(number))
        self._scene_path(number).unlink(missing_ok=True)

    def scene(self) -> Scene | None:
        """Return the state for the next segment; None at the start."""
        path = self._scene_path(len(self.segments))
        if not path.is_file():
            return None
        try:
            with np.load(path, allow_pickle=False) as stored:
                return Scene(stored['held'], stored['thumbnail'])
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise UserError(
                f'{shown(path)} is damaged ({one_line(error)}); delete the folder {shown(self.folder)} to '
                'begin the video anew'
            ) from error

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder)

    @property
    def _counts_path(self) -> Path:
        return self.folder / 'frames.json'

    def _segment_path(self, number: int) -> Path:
        return self.folder / f'{number:06d}{self._suffix}'

    def _scene_path(self, number: int) -> Path:
        return self.folder / f'scene_{number:06d}.npz'


def _lock(folder: Path, output: Path) -> int:
    """Return an open handle of the folder, locked until it is closed or the process ends."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise UserError(
            f'{shown(output)}: another process is restoring this video now. Wait for it, or choose '
            'another output.'
        ) from error
    except OSError:  # a file system without locks
        return handle
    return handle


def _read_json(path: Path) -> Any:
    """Return the content of a JSON file; None if it is damaged."""
    try:
        return parse_json(read_small_text(path))
    except ValueError:
        return None
