"""Choice of the video encoder: bits, chroma, transparency and colour metadata of the source are kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from attentive_gan.errors import UserError

from .backend import VideoInfo
from .encoders import (
    containers,
    encoders,
    find_encoders,
    has_fixed_quality,
    parse_options,
    pixel_formats,
)
from .encoding import Encoding, TrialError, WrongContainerError, try_encoding
from .pixel_formats import best_format, bits, chroma, has_alpha, is_deep

#: Smallest side for x265, of which version 3.5 writes past its memory below 48 rows.
_X265_SIDE = 64
#: Transfers of high dynamic range, with their names.
_HDR = {'smpte2084': 'HDR (PQ)', 'arib-std-b67': 'HDR (HLG)'}
#: Codecs whose segments are .mp4 files; of others they are .mov files.
_IN_MP4 = {'h264', 'hevc', 'av1', 'vp9', 'mpeg4', 'mpeg2video', 'mjpeg'}
#: Codecs that not every player shows in other subsamplings than 4:2:0, with their names.
_PLAYED = {'h264': 'H.264', 'hevc': 'H.265', 'av1': 'AV1', 'vp9': 'VP9'}


def choose_encoding(
    info: VideoInfo, suffix: str, codec: str = '', encoder_options: str = ''
) -> Encoding:
    """Return the best encoding that the installed ffmpeg has, found by encoding one black frame.

    Args:
        info: The source.
        suffix: File name suffix of the output, in lower case.
        codec: A name of `CODECS`, or an encoder of ffmpeg; empty chooses by source and output.
        encoder_options: Options of the encoder, as on a command line.

    Raises:
        UserError: There is none.
    """
    options = parse_options(encoder_options)
    wanted, note = (codec, '') if codec else _default_codec(info, suffix)
    found = _chosen(info, suffix, find_encoders(wanted)) if wanted else _usual(info)
    errors: list[TrialError] = []
    for usual in found:
        encoding = _with_options(usual, options, info)
        try:
            if encoding.codec == 'libx265' and min(info.width, info.height) < _X265_SIDE:
                raise TrialError(f'x265 needs sides of at least {_X265_SIDE} pixels')
            try_encoding(encoding, info, suffix)
        except TrialError as error:
            errors.append(error)
            continue
        notes = [note, *encoding.notes, *_losses(encoding, info, suffix, codec)]
        return replace(encoding, notes=tuple(dict.fromkeys(filter(None, notes))))
    raise UserError(_failure(info, suffix, wanted, encoder_options, errors))


def _failure(
    info: VideoInfo, suffix: str, codec: str, options: str, errors: Sequence[TrialError]
) -> str:
    """Return the message that no encoder works."""
    if isinstance(errors[-1], WrongContainerError) and codec:
        return (
            f'--codec {codec}: {suffix} files cannot hold it; name the output '
            f'{" or ".join(containers(codec))}'
        )
    # Of the usual encoders the last one is H.264 in 4:2:0; of a chosen codec the first is the best.
    error = errors[0] if codec else errors[-1]
    size = f'the installed ffmpeg cannot encode {info.width}x{info.height}'
    if options:
        return f'{size} with --encoder-options "{options}": {error}'
    if codec:
        by = ', '.join(find_encoders(codec))
        return f'--codec {codec}: {size} by {by}: {error}. Choose another codec or encoder.'
    return f'{size} by libx264 ({error}); install an ffmpeg with it, or choose another --codec'


def _default_codec(info: VideoInfo, suffix: str) -> tuple[str, str]:
    """Return the codec where it is not H.264 or H.265, and a message about lost transparency."""
    if suffix == '.webm':
        return 'vp9', ''
    if not info.alpha:
        return '', ''
    codec = {'.mov': 'prores', '.mkv': 'ffv1'}.get(suffix, '')
    if suffix == '.mkv' and not info.deep and _digits(info) == '420':
        codec = 'vp9'
    if not codec:
        return '', _lost_by(suffix)
    try:
        find_encoders(codec)
    except UserError:
        return '', f'transparency is lost: the installed ffmpeg has no encoder for {codec}'
    return codec, ''


def _lost_by(suffix: str) -> str:
    return f'transparency is lost, as {suffix} files cannot hold it: name the result .mov, .webm or .mkv'


def _digits(info: VideoInfo) -> str:
    return chroma(info.pixel_format, bool(info.width % 2 or info.height % 2))


def _chosen(info: VideoInfo, suffix: str, names: Sequence[str]) -> Iterator[Encoding]:
    """Yield how encoders that were asked for lose least."""
    odd = bool(info.width % 2 or info.height % 2)
    for name in names:
        codec = encoders()[name]
        # VP8 and VP9 have their transparency beside the packets, which only Matroska stores.
        beside = codec in ('vp8', 'vp9')
        alpha = info.alpha and not (beside and suffix not in ('.mkv', '.webm'))
        formats = _alpha_formats(name) if alpha and beside else pixel_formats(name)
        pixels = best_format(formats, info.pixel_format, alpha, odd, has_fixed_quality(name))
        if name.endswith('_vaapi'):
            pixels = 'p010le' if info.deep else 'nv12'
        alpha = alpha and has_alpha(pixels)
        segments = '.mkv' if alpha and beside else '.mp4' if codec in _IN_MP4 else '.mov'
        deep = info.deep and is_deep(pixels)
        encoding = Encoding(name, pixels, deep, _options_of(name, codec, info), (), alpha, segments)
        yield encoding
        if segments == '.mov':
            yield replace(encoding, segments='.mkv')


def _alpha_formats(name: str) -> tuple[str, ...]:
    return tuple(filter(has_alpha, pixel_formats(name))) or pixel_formats(name)


def _options_of(name: str, codec: str, info: VideoInfo) -> tuple[str, ...]:
    """Return the options of an encoder beside its quality.

    No B-frames (-bf 0): their delay differs in a last segment of few frames, and the joined file would
    declare a wrong duration.
    """
    if name == 'libx264':
        return '-preset', 'medium', '-bf', '0'
    if name == 'libx265':
        parameters = ':'.join(['bframes=0', 'log-level=error', *_hdr_parameters(info)])
        return '-preset', 'medium', '-x265-params', parameters, '-tag:v', 'hvc1'
    if name == 'libsvtav1':
        return '-preset', '6'
    return ('-bf', '0', '-tag:v', 'hvc1') if codec == 'hevc' else ('-bf', '0')


def _with_options(encoding: Encoding, words: Sequence[str], info: VideoInfo) -> Encoding:
    """Add the user's options, which win; those of x265 are joined with the ones that HDR needs."""
    options, pixels = list(encoding.options), encoding.pixel_format
    for name, value in zip(words[::2], words[1::2], strict=True):
        if name == '-pix_fmt':
            pixels = value
        elif name == '-x265-params' and name in options:
            place = options.index(name) + 1
            options[place] = f'{value}:{options[place]}'
        else:
            options += [name, value]
    return replace(
        encoding, options=tuple(options), pixel_format=pixels,
        deep=info.deep and is_deep(pixels), alpha=encoding.alpha and has_alpha(pixels),
    )  # fmt: skip


def _usual(info: VideoInfo) -> Iterator[Encoding]:
    """Yield H.265 or H.264, in which players show the video, the best first."""
    odd = bool(info.width % 2 or info.height % 2)
    kept = dict.fromkeys((_digits(info), '444' if odd else '420'))
    if info.deep:
        for codec in ('libx265', 'libx264', 'libsvtav1'):
            if codec != 'libx265' or min(info.width, info.height) >= _X265_SIDE:
                options = _options_of(codec, '', info)
                for digits in kept:
                    yield Encoding(codec, f'yuv{digits}p10le', True, options)
    for digits in kept:
        yield Encoding('libx264', f'yuv{digits}p', False, _options_of('libx264', '', info))


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


def _losses(encoding: Encoding, info: VideoInfo, suffix: str, codec: str) -> Iterator[str]:
    """Yield messages about how the result differs from the source."""
    pixels = encoding.pixel_format
    if info.alpha and not encoding.alpha:
        if suffix in ('.mp4', '.m4v'):
            yield _lost_by(suffix)
        elif codec:
            yield (
                f'transparency is lost, as {encoding.codec} does not store it: choose --codec prores '
                '(.mov), vp9 (.webm, .mkv) or ffv1 (.mkv)'
            )
    if info.deep:
        yield _depth_note(info, pixels)
    yield _chroma_note(info, encoding)


def _depth_note(info: VideoInfo, pixels: str) -> str:
    transfer = dict(info.colour_tags).get('-color_trc', '')
    kind = _HDR.get(transfer, 'more than 8 bits per colour')
    written, source = bits(pixels), bits(info.pixel_format)
    if written == 8:
        return f'the source has {kind}; the encoder has no 10 bits, so the result has 8'
    if transfer in _HDR:
        return f'{kind}: restored and written in {written} bits'
    if source > written:
        return f'the source has more than {written} bits per colour; the result has {written}'
    return ''


def _chroma_note(info: VideoInfo, encoding: Encoding) -> str:
    wanted, written = _digits(info), chroma(encoding.pixel_format)
    name = _PLAYED.get(encoders().get(encoding.codec, ''), '')
    if written < wanted:
        return f'chroma of {":".join(wanted)} became {":".join(written)}'
    if written == '420' or not name:
        return ''
    odd = info.width % 2 or info.height % 2
    why = 'odd sides: ' if odd else ''
    return f'{why}written as {name} in {":".join(written)}, which some players cannot show'
