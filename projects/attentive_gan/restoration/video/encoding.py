"""Choice of the video encoder: bits, chroma subsampling and colour metadata of the source are kept."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from attentive_gan.errors import UserError

from .backend import VideoInfo

#: Pixel formats with more than 8 bits, as `yuv420p10le`, `p010le`, `rgb48le`, `gray12le`, `x2rgb10le`.
_DEEP = re.compile(
    r'(p|gray|rgb|rgba|bgr|bgra|xyz|ya)(9|10|12|14|16|20|48|64)(le|be)?$'
    r'|^p[0-4]1[026]|f(16|32)(le|be)$|^y21|^xv3|^nv20'
)
#: Smallest side for x265, of which version 3.5 writes past its memory below 48 rows.
_X265_SIDE = 64
#: Transfers of high dynamic range, with their names.
_HDR = {'smpte2084': 'HDR (PQ)', 'arib-std-b67': 'HDR (HLG)'}


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

    def arguments(self, quality: int) -> list[str]:
        """Return ffmpeg's arguments.

        Args:
            quality: Constant rate factor of libx264, 0 to 51; of AV1 it is scaled to 0 to 63.
        """
        crf = round(quality * 63 / 51) if self.codec == 'libsvtav1' else quality
        return ['-c:v', self.codec, '-crf', str(crf), *self.options, '-pix_fmt', self.pixel_format]


def is_deep(pixel_format: str) -> bool:
    """Return whether a pixel format has more than 8 bits per colour.

    Example:
        >>> [is_deep(name) for name in ('yuv420p', 'yuv422p10le', 'rgb48be', 'p010le', 'nv12', 'yuv410p')]
        [False, True, True, True, False, False]
    """
    return bool(_DEEP.search(pixel_format))


def has_transparency(stream: dict[str, Any]) -> bool:
    """Return whether a video stream of ffprobe has an alpha channel."""
    tags = {key.lower(): value for key, value in stream.get('tags', {}).items()}
    name = stream.get('pix_fmt', '')
    return tags.get('alpha_mode') == '1' or bool(
        re.match(r'yuva|gbrap|rgba|bgra|argb|abgr|ya\d', name)
    )


def chroma(pixel_format: str, odd: bool) -> str:
    """Return the digits of the smallest written chroma subsampling that loses none of a source's.

    Args:
        pixel_format: Of the source.
        odd: Whether a side is odd, which needs 4:4:4.
    """
    if (
        odd
        or re.search(r'444|440|gbr|rgb|bgr|xyz|^p41|vuy|ayuv|^xv3|^nv24|^nv42', pixel_format)
        or pixel_format == 'pal8'
    ):
        return '444'
    return '422' if re.search(r'422|411|uyvy|yvyu|nv16|nv20|^p21|^y21', pixel_format) else '420'


def choose_encoding(info: VideoInfo, suffix: str) -> Encoding:
    """Return the best encoding that the installed ffmpeg has, found by encoding one black frame.

    Args:
        info: The source.
        suffix: File name suffix of the output.

    Raises:
        UserError: There is none.
    """
    errors = ''
    for encoding in _candidates(info, suffix):
        errors = _try(encoding, info)
        if not errors:
            return encoding
    raise UserError(
        f'the installed ffmpeg cannot encode {info.width}x{info.height} by libx264 ({errors}); '
        'install an ffmpeg with it'
    )


def _candidates(info: VideoInfo, suffix: str) -> Iterator[Encoding]:
    odd = bool(info.width % 2 or info.height % 2)
    digits = chroma(info.pixel_format, odd)
    notes = [_hdr_note(info, 10), _deeper_note(info)] if info.deep else []
    if info.deep:
        for codec, options in _deep_encoders(info, suffix):
            for kept in dict.fromkeys((digits, '444' if odd else '420')):
                yield Encoding(
                    codec, f'yuv{kept}p10le', True, options, _notes(digits, kept, odd, codec, notes)
                )
        notes = [_hdr_note(info, 8)]
    for kept in dict.fromkeys((digits, '444' if odd else '420')):
        # No B-frames (-bf 0): their delay differs in a last segment of few frames, and the joined file
        # would declare a wrong duration.
        options = ('-preset', 'medium', '-bf', '0')
        yield Encoding(
            'libx264', f'yuv{kept}p', False, options, _notes(digits, kept, odd, 'libx264', notes)
        )


def _deep_encoders(info: VideoInfo, suffix: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    parameters = ':'.join(['bframes=0', 'log-level=error', *_hdr_parameters(info)])
    if min(info.width, info.height) >= _X265_SIDE:
        yield 'libx265', ('-preset', 'medium', '-x265-params', parameters, '-tag:v', 'hvc1')
    yield 'libx264', ('-preset', 'medium', '-bf', '0')
    if suffix != '.mov':  # which cannot hold AV1
        yield 'libsvtav1', ('-preset', '6')


def _hdr_parameters(info: VideoInfo) -> list[str]:
    """Return the mastering display and the light level for x265."""
    found = []
    if info.mastering_display:
        found.append(f'master-display={info.mastering_display}')
    if info.light_level:
        found.append(f'max-cll={info.light_level}')
    if 'smpte2084' in dict(info.colour_tags).values():
        found.append('hdr10=1')
    return [*found, 'repeat-headers=1'] if found else found


def _hdr_note(info: VideoInfo, bits: int) -> str:
    transfer = dict(info.colour_tags).get('-color_trc', '')
    kind = _HDR.get(transfer, 'more than 8 bits per colour')
    if bits == 8:
        return f'the source has {kind}; this ffmpeg has no encoder for 10 bits, so the result has 8'
    return f'{kind}: restored and written in 10 bits' if transfer in _HDR else ''


def _deeper_note(info: VideoInfo) -> str:
    deeper = re.search(r'12|14|16|48|64|f32', info.pixel_format)
    return 'the source has more than 10 bits per colour; the result has 10' if deeper else ''


def _notes(digits: str, kept: str, odd: bool, codec: str, notes: list[str]) -> tuple[str, ...]:
    written = {'libx264': 'H.264', 'libx265': 'H.265', 'libsvtav1': 'AV1'}[codec]
    subsampling = ':'.join(kept)
    if kept != digits:
        notes = [*notes, f'chroma of {":".join(digits)} became {subsampling}']
    elif odd:
        notes = [
            *notes,
            f'odd sides: written as {written} in 4:4:4, which some players cannot show',
        ]
    elif kept != '420':
        notes = [
            *notes,
            f'written as {written} in {subsampling}, which some players cannot show',
        ]
    return tuple(filter(None, notes))


def _try(encoding: Encoding, info: VideoInfo) -> str:
    """Encode a black frame; return the error messages, empty if there were none."""
    command = [
        'ffmpeg', '-hide_banner', '-loglevel', 'error', '-f', 'rawvideo', '-pix_fmt', 'rgb24',
        '-s', f'{info.width}x{info.height}', '-i', 'pipe:0', *encoding.arguments(18), '-f', 'null', '-',
    ]  # fmt: skip
    frame = bytes(info.width * info.height * 3)
    done = subprocess.run(  # noqa: S603
        command, input=frame, capture_output=True, check=False, start_new_session=True
    )
    if not done.returncode:
        return ''
    return (
        ' '.join(done.stderr.decode('utf-8', 'replace').split()) or f'exit code {done.returncode}'
    )
