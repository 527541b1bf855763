"""How frames are encoded, and a trial of it by one frame."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .backend import VideoInfo
from .encoders import quality_arguments
from .ffmpeg_process import file_url, muxer

#: The device of VAAPI, to which frames are copied before they are encoded.
_VAAPI_DEVICE = '/dev/dri/renderD128'
#: Time after which a trial has failed, in seconds.
_PATIENCE = 300


class TrialError(Exception):
    """A trial frame could not be encoded."""


class WrongContainerError(TrialError):
    """The kind of the output file cannot hold the codec."""


@dataclass(frozen=True)
class Encoding:
    """How frames are encoded."""

    codec: str
    """Name of ffmpeg's encoder."""
    pixel_format: str
    """Pixel format that it encodes."""
    deep: bool = False
    """Whether frames are exchanged with 16 bits."""
    options: tuple[str, ...] = ()
    """Further options of the encoder."""
    notes: tuple[str, ...] = ()
    """Messages about what differs from the source."""
    alpha: bool = False
    """Whether frames are exchanged with their transparency."""
    segments: str = '.mp4'
    """File name suffix of segments; Matroska would round times to milliseconds."""

    def arguments(self, quality: int) -> list[str]:
        """Return ffmpeg's arguments.

        Args:
            quality: Constant rate factor of libx264, 0 to 51; for other encoders it is scaled.
        """
        pixels = [] if self._on_device else ['-pix_fmt', self.pixel_format]
        return [
            '-c:v', self.codec, *quality_arguments(self.codec, quality), *self.options, *pixels,
        ]  # fmt: skip

    @property
    def pipe_format(self) -> str:
        """Pixel format of frames in pipes, in the machine's byte order."""
        if not self.deep:
            return 'rgba' if self.alpha else 'rgb24'
        name = 'rgba64' if self.alpha else 'rgb48'
        return f'{name}{"le" if sys.byteorder == "little" else "be"}'

    @property
    def device(self) -> list[str]:
        """Ffmpeg's arguments before its input."""
        return ['-vaapi_device', _VAAPI_DEVICE] if self._on_device else []

    @property
    def filters(self) -> list[str]:
        """The last filters before the encoder."""
        return [f'format={self.pixel_format}', 'hwupload'] if self._on_device else []

    @property
    def _on_device(self) -> bool:
        return self.codec.endswith('_vaapi')


def try_encoding(encoding: Encoding, info: VideoInfo, suffix: str) -> None:
    """Encode one black frame, and put it into a file of the output's kind.

    Args:
        encoding: What to try.
        info: The source, which has the size.
        suffix: File name suffix of the output.

    Raises:
        TrialError: It fails, or takes too long; a WrongContainerError if only the file's kind is wrong.
    """
    with tempfile.TemporaryDirectory() as folder:
        segment = Path(folder, f'segment{encoding.segments}')
        filters = ['-vf', ','.join(encoding.filters)] if encoding.filters else []
        frame = bytes(info.width * info.height * (4 if encoding.alpha else 3) * (1 + encoding.deep))
        _run(
            [*encoding.device, '-f', 'rawvideo', '-pix_fmt', encoding.pipe_format,
             '-s', f'{info.width}x{info.height}', '-i', 'pipe:0', *filters, *encoding.arguments(18),
             '-f', muxer(encoding.segments), file_url(segment)], frame,
        )  # fmt: skip
        if muxer(suffix) != muxer(encoding.segments):
            kind = muxer(suffix)
            output = file_url(Path(folder, 'output'))
            try:
                _run(['-i', file_url(segment), '-c', 'copy', '-f', kind, output], b'')
            except TrialError as error:
                raise WrongContainerError(str(error)) from error


def _run(arguments: Sequence[str], frame: bytes) -> None:
    command = ['ffmpeg', '-hide_banner', '-y', '-loglevel', 'level+warning', *arguments]
    try:
        done = subprocess.run(  # noqa: S603
            command, input=frame, capture_output=True, check=False, timeout=_PATIENCE,
            start_new_session=True,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise TrialError(f'it did not end within {_PATIENCE} s') from error
    said = done.stderr.decode('utf-8', 'replace')
    # ffmpeg only warns of an option that the encoder does not have.
    if unused := re.search(r'Codec AVOption (\S+)', said):
        raise TrialError(f'the encoder has no option -{unused[1]}')
    if done.returncode:
        errors = re.findall(r'\[(?:error|fatal|panic)\] ?(.*)', said)
        text = ' '.join(' '.join(errors[:3]).split())
        raise TrialError(text or f'exit code {done.returncode}')
