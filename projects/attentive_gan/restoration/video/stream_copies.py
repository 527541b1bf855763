"""Which streams of a source an output can hold besides its frames, tried before the work."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .backend import OtherStream
from .ffmpeg_process import FfmpegProcess, file_url, muxer, source_input
from .ffprobe import readable_codec

#: Encoders for streams whose codec the output cannot hold, by ffmpeg's format and the kind of stream.
_CONVERTED = {
    'mp4': {'audio': 'aac', 'subtitle': 'mov_text'},
    'mov': {'audio': 'aac', 'subtitle': 'mov_text'},
    'matroska': {'audio': 'aac', 'subtitle': 'srt'},
    'webm': {'audio': 'libopus', 'subtitle': 'webvtt'},
}
_SAID = {
    'aac': 'encoded again as AAC', 'libopus': 'encoded again as Opus',
    'mov_text': 'converted to text (mov_text)', 'srt': 'converted to text (srt)',
    'webvtt': 'converted to text (webvtt)',
}  # fmt: skip
_NAMES = {'audio': 'sound', 'subtitle': 'subtitles', 'data': 'data', 'attachment': 'attachment'}
_LETTERS = {'audio': 'a', 'subtitle': 's', 'data': 'd', 'attachment': 't'}


@dataclass(frozen=True)
class StreamCopies:
    """Streams to copy from the source."""

    arguments: tuple[str, ...] = ()
    """ffmpeg's arguments; the source is its second input."""
    notes: tuple[str, ...] = ()
    """Messages about what is converted or left out."""
    has_audio: bool = False
    """Whether sound is among them."""


def plan_copies(source: Path, streams: Sequence[OtherStream], suffix: str) -> StreamCopies:
    """Find out by a trial of each stream whether it can be copied, converted, or must be left out.

    Args:
        source: The video.
        streams: Its streams other than the restored one.
        suffix: File name suffix of the output.
    """
    arguments: list[str] = []
    notes: list[str] = []
    kept = dict.fromkeys(_LETTERS, 0)
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder, 'trial')
        for stream in streams:
            words, note = _plan(source, stream, muxer(suffix), trial, kept.get(stream.kind, 0))
            if words:
                kept[stream.kind] += 1
            arguments += words
            notes += [note] if note else []
    return StreamCopies(tuple(arguments), tuple(notes), kept['audio'] > 0)


def _plan(
    source: Path, stream: OtherStream, kind: str, trial: Path, number: int
) -> tuple[list[str], str]:
    """Return ffmpeg's arguments for a stream, empty to leave it out, and a message."""
    name = f'{_NAMES.get(stream.kind, "stream")} {stream.index} ({stream.codec})'
    if stream.kind not in _LETTERS:
        return [], f'{name} was left out: {stream.reason}'
    target = ['-map', f'1:{stream.index}']
    letter = _LETTERS[stream.kind]
    if _fits(source, stream, [f'-c:{letter}:0', 'copy'], kind, trial):
        return [*target, f'-c:{letter}:{number}', 'copy'], ''
    codec = _CONVERTED[kind].get(stream.kind)
    if codec and _fits(source, stream, [f'-c:{letter}:0', codec], kind, trial):
        return [*target, f'-c:{letter}:{number}', codec], f'{name} was {_SAID[codec]}'
    return [], f'{name} was left out: its kind does not fit this file'


def _fits(source: Path, stream: OtherStream, codec: list[str], kind: str, trial: Path) -> bool:
    """Return whether the first second of a stream can be written, and read again."""
    process = FfmpegProcess([
        '-y', *source_input(source), '-map', f'0:{stream.index}', *codec, '-t', '1', '-f', kind,
        file_url(trial),
    ])  # fmt: skip
    if not process.succeeded():
        return False
    return stream.kind not in _CONVERTED[kind] or bool(readable_codec(trial))
