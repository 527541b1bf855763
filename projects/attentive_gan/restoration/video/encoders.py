"""The encoders of the installed ffmpeg: which there are, and how a quality is asked of each."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from functools import cache

from attentive_gan.errors import UserError

#: Names of `--codec`, with ffmpeg's encoders, the best first; other names are encoders of ffmpeg.
CODECS = {
    'h264': ('libx264',),
    'hevc': ('libx265',),
    'av1': ('libsvtav1', 'libaom-av1', 'librav1e'),
    'vp9': ('libvpx-vp9',),
    'prores': ('prores_ks', 'prores'),
    'ffv1': ('ffv1',),
}
#: Containers (file name suffixes) that hold a codec, the best first; of other codecs all but .webm.
_CONTAINERS = {
    'prores': ('.mov', '.mkv'), 'ffv1': ('.mkv', '.mov'), 'qtrle': ('.mov',), 'png': ('.mov', '.mkv'),
    'dnxhd': ('.mov', '.mkv'), 'huffyuv': ('.mkv', '.mov'), 'utvideo': ('.mkv', '.mov'),
    'cfhd': ('.mov', '.mkv'), 'vp8': ('.webm', '.mkv'), 'vp9': ('.mp4', '.webm', '.mkv', '.m4v'),
    'av1': ('.mp4', '.webm', '.mkv', '.m4v'),
}  # fmt: skip
_MOST = ('.mp4', '.m4v', '.mov', '.mkv')
#: Options of ffmpeg that this tool sets itself.
_OWN_OPTIONS = {
    'i', 'f', 'c', 'codec', 'vcodec', 'vf', 'filter', 'filter_complex', 'lavfi', 'map', 'r', 's', 'bf',
    'ss', 't', 'to', 'frames', 'vframes', 'pass', 'fps_mode', 'vsync', 'attach',
}  # fmt: skip
#: Encoders without loss or with a fixed quality of each profile.
_FIXED = re.compile(r'ffv1|qtrle|png|huffyuv|ffvhuff|utvideo|rawvideo|prores|dnxhd|cfhd|magicyuv')


def ffmpeg_is_installed() -> bool:
    """Return whether both programs can be started."""
    return shutil.which('ffmpeg') is not None and shutil.which('ffprobe') is not None


@cache
def encoders() -> dict[str, str]:
    """Return the names of ffmpeg's video encoders, with those of their codecs."""
    found = {}
    for line in _ask('-encoders').splitlines():
        row = re.match(r' V[.A-Z]{5} (\S+)', line)
        if row and row[1] != '=':
            codec = re.search(r'\(codec (\S+)\)$', line.rstrip())
            found[row[1]] = codec[1] if codec else row[1].removeprefix('lib')
    return found | {
        name: codec for name, codec in (('libx264', 'h264'), ('libx265', 'hevc')) if name in found
    }


@cache
def pixel_formats(encoder: str) -> tuple[str, ...]:
    """Return the pixel formats that an encoder takes; empty if ffmpeg does not say."""
    found = re.search(r'Supported pixel formats: (.*)', _ask('-h', f'encoder={encoder}'))
    return tuple(found[1].split()) if found else ()


def find_encoders(codec: str) -> tuple[str, ...]:
    """Return the encoders of the installed ffmpeg for a codec.

    Args:
        codec: A name of `CODECS`, or that of an encoder.

    Raises:
        UserError: There is none.
    """
    there = encoders()
    found = tuple(name for name in CODECS.get(codec, (codec,)) if name in there)
    if found:
        return found
    known = [name for name, names in CODECS.items() if any(each in there for each in names)]
    same = [name for name, of in there.items() if of == codec or name.startswith(f'{codec}_')]
    also = f'; its encoders for {codec}: {", ".join(same)}' if same else ''
    raise UserError(
        f'--codec {codec}: the installed ffmpeg has no such encoder. It has {", ".join(known) or "none"}'
        f'{also}; "ffmpeg -encoders" lists all names.'
    )


def check_codec(codec: str, encoder_options: str) -> None:
    """Check what a user chose before any file is opened.

    Args:
        codec: A name of `CODECS`, that of an encoder, or nothing.
        encoder_options: Options of the encoder, or nothing.

    Raises:
        UserError: The installed ffmpeg has no such encoder, or there is no ffmpeg, or the options are none.
    """
    parse_options(encoder_options)
    if (codec or encoder_options) and not ffmpeg_is_installed():
        raise UserError(
            '--codec and --encoder-options need ffmpeg, which is not installed; install it or omit them'
        )
    if codec:
        find_encoders(codec)


def containers(codec: str) -> tuple[str, ...]:
    """Return the suffixes of files that hold a codec, the best first; all if none was chosen.

    Args:
        codec: A name of `CODECS`, that of an encoder, or nothing.

    Example:
        >>> containers('prores_ks'), containers('h264_nvenc')
        (('.mov', '.mkv'), ('.mp4', '.m4v', '.mov', '.mkv'))
    """
    if not codec:
        return (*_MOST, '.webm')
    return next((found for name, found in _CONTAINERS.items() if name in codec), _MOST)


def has_fixed_quality(encoder: str) -> bool:
    """Return whether an encoder is lossless, or made for editing."""
    return bool(_FIXED.match(encoder))


def quality_arguments(encoder: str, quality: int) -> list[str]:
    """Return ffmpeg's arguments for a constant quality.

    Args:
        encoder: ffmpeg's name.
        quality: As libx264's constant rate factor, 0 to 51; it is scaled to the encoder's range.
    """
    of_63 = str(round(quality * 63 / 51))
    if encoder in ('libx264', 'libx264rgb', 'libx265'):
        return ['-crf', str(quality)]
    if encoder == 'libsvtav1':
        return ['-crf', of_63]
    if encoder.startswith(('libvpx', 'libaom')):
        speed = ['-row-mt', '1'] if encoder != 'libvpx' else []
        return ['-crf', of_63, '-b:v', '0', '-cpu-used', '4', *speed]
    if encoder == 'librav1e':
        return ['-qp', str(quality * 5), '-speed', '6']
    if encoder.endswith('_nvenc'):
        return ['-rc', 'vbr', '-cq', str(max(1, quality)), '-b:v', '0']
    if encoder.endswith(('_qsv', '_vaapi')):
        return ['-global_quality', str(max(1, quality))]
    if encoder.endswith('_videotoolbox'):
        return ['-q:v', str(100 - round(quality * 99 / 51))]
    if has_fixed_quality(encoder):
        return []
    return ['-q:v', str(max(1, round(quality / 6)))]  # the quantizer of MPEG-4, MPEG-2 and JPEG


def parse_options(text: str) -> list[str]:
    """Split the options for the encoder that a user wrote.

    Args:
        text: Such as `-preset slow -tune film`.

    Raises:
        UserError: They are no pairs of a name and a value, or set what this tool sets itself.

    Example:
        >>> parse_options('-preset slow -x265-params "aq-mode=3:psy-rd=1"')
        ['-preset', 'slow', '-x265-params', 'aq-mode=3:psy-rd=1']
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UserError(f'--encoder-options {text}: {error}') from error
    for name in words[::2]:
        if not re.fullmatch(r'-[a-zA-Z][\w:.-]*', name) or len(words) % 2:
            raise UserError(
                f'--encoder-options {text}: expected names and values, such as "-preset slow -tune film"'
            )
        if name[1:].partition(':')[0] in _OWN_OPTIONS:
            raise UserError(
                f'--encoder-options {text}: {name} is set by this tool; give options of the encoder only'
            )
    return words


def has_decoder(name: str) -> bool:
    """Return whether the installed ffmpeg has a decoder of a name."""
    return f' {name} ' in _ask('-decoders')


def _ask(*words: str) -> str:
    """Return what ffmpeg prints about itself."""
    command = ['ffmpeg', '-hide_banner', '-nostdin', *words]
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
    return done.stdout.decode('utf-8', 'replace')
