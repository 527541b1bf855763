"""Animated GIF, PNG and WebP files keep their frames, times, repetitions and transparency."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from attentive_gan import restore
from attentive_gan.errors import UserError
from attentive_gan.image_io import (
    WRITERS,
    ImageFile,
    encode_image_file,
    is_animation,
    read_animation,
    read_header,
    read_image_file,
)
from attentive_gan.image_io.animation_frames import shown_frames
from attentive_gan.image_io.animation_writing import palette_image
from attentive_gan.image_io.extras import Extras
from attentive_gan.image_io.gif_blocks import read_gif
from attentive_gan.image_io.png_chunks import list_chunks, png_chunk
from attentive_gan.inference import ImageRestorer
from attentive_gan.restoration import BatchOptions, OutputOptions
from PIL import Image, ImageSequence
from support.lively_networks import BUILDERS, lively

RNG = np.random.default_rng(5)
DURATIONS = [100, 200, 40, 1000, 70]
KINDS = ['gif', 'png', 'webp']


def sample_frames(alpha: bool) -> list[np.ndarray]:
    """Return frames of few colours, two of them equal; what is transparent moves."""
    found = []
    for number in range(5):
        image = RNG.integers(0, 4, (20, 30, 4), np.uint8) * 60
        image[..., 3] = np.where(np.arange(30) > 3 + 2 * number, 255, 0) if alpha else 255
        image[image[..., 3] == 0] = 0
        found.append(image)
    found[3] = found[2].copy()
    return found


def write(
    path: Path, frames: list[np.ndarray], plays: int = 3, metadata: dict | None = None
) -> Path:
    """Write an animation by the project's writer, whose files other tests read by Pillow."""
    kind = {'gif': 'GIF', 'webp': 'WEBP'}.get(path.suffix[1:], 'PNG')
    alpha = any(frame[..., 3].min() < np.iinfo(frame.dtype).max for frame in frames)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open('wb') as stream:
        file = ImageFile(frames[0][..., :3], **(metadata or {}))
        writer = WRITERS[kind](stream, file, len(frames), plays)
        for frame, duration in zip(frames, DURATIONS, strict=False):
            opacity = frame[..., 3] if alpha else None
            writer.write((np.ascontiguousarray(frame[..., :3]), opacity), Fraction(duration, 1000))
        writer.close()
    return path


def seen(path: Path) -> tuple[list[np.ndarray], list[float], int | None]:
    """Return frames, times in milliseconds and the loop as Pillow sees them."""
    with Image.open(path) as image:
        frames, times = [], []
        for frame in ImageSequence.Iterator(image):
            frame.load()
            frames.append(np.asarray(frame.convert('RGBA')))
            times.append(frame.info['duration'])
        return frames, times, image.info.get('loop')


def same(one: np.ndarray, other: np.ndarray) -> bool:
    """Return whether two images look the same: colours behind nothing do not count."""
    visible = one[..., 3:] > 0
    return np.array_equal(one * visible, other * visible)


@pytest.mark.parametrize('suffix', KINDS)
@pytest.mark.parametrize('alpha', [False, True])
@pytest.mark.parametrize('plays', [0, 1, 3])
def test_restored_animations_are_what_they_were(
    tmp_path: Path, identity: ImageRestorer, suffix: str, alpha: bool, plays: int
) -> None:
    source = write(tmp_path / 'in' / f'a.{suffix}', expected := sample_frames(alpha), plays)
    report = restore(source, tmp_path / 'out', restorer=identity)
    assert not report.of('failed')
    frames, times, loop = seen(tmp_path / 'out' / f'a.{suffix}')
    assert times == pytest.approx(DURATIONS)
    stated = {0: 0, 1: None, 3: 2} if suffix == 'gif' else {0: 0, 1: 1, 3: 3}
    assert loop == stated[plays]
    assert all(same(*pair) for pair in zip(frames, expected, strict=True))


@pytest.mark.parametrize('suffix', KINDS)
def test_files_of_another_program_are_read_as_it_shows_them(tmp_path: Path, suffix: str) -> None:
    """Pillow writes changed parts of frames only, blended and disposed of in its own ways."""
    frames = sample_frames(alpha=True)
    frames[1][5:9] = frames[0][5:9]
    images = [Image.fromarray(frame) for frame in frames]
    options = {
        'gif': {'disposal': 2}, 'png': {}, 'webp': {'lossless': True, 'exact': True}
    }[suffix]  # fmt: skip
    path = tmp_path / f'a.{suffix}'
    images[0].save(
        path, save_all=True, append_images=images[1:], duration=DURATIONS, loop=2, **options
    )
    animation = read_animation(path)
    assert animation.plays == (3 if suffix == 'gif' else 2)
    assert sum(animation.durations) == Fraction(sum(DURATIONS), 1000)
    shown = [
        np.dstack([colours, alpha]) for colours, alpha in animation.frames() if alpha is not None
    ]
    distinct = [frames[0], frames[1], frames[2], frames[4]]  # Pillow merges equal frames
    assert all(same(*pair) for pair in zip(shown, distinct, strict=True))


@pytest.mark.parametrize('suffix', KINDS)
def test_metadata_are_kept_or_named(tmp_path: Path, identity: ImageRestorer, suffix: str) -> None:
    exif = Image.Exif()
    exif[271] = 'cam'
    metadata = {
        'icc_profile': b'profile' * 20,
        'exif': exif.tobytes(),
        'extras': Extras(xmp=b'<x:xmpmeta/>', comment=b'note ' * 100),
    }
    source = write(tmp_path / f'a.{suffix}', sample_frames(alpha=False), metadata=metadata)
    (outcome,) = restore(source, tmp_path / 'out', restorer=identity).outcomes
    with Image.open(tmp_path / 'out' / f'a.{suffix}') as image:
        if suffix == 'gif':
            assert image.info['comment'] == b'note ' * 100
            assert outcome.details['notes'][0].startswith('GIF stores 256 colours')
        else:
            assert image.info['icc_profile'] == b'profile' * 20
            assert image.getexif()[271] == 'cam'
            assert b'xmpmeta' in (image.info.get('xmp') or image.info['XML:com.adobe.xmp'].encode())


def test_other_formats_by_choice(tmp_path: Path, identity: ImageRestorer) -> None:
    source = write(tmp_path / 'a.gif', expected := sample_frames(alpha=True), plays=2)
    for kind in ('png', 'webp'):
        options = BatchOptions(OutputOptions(format=kind))
        assert not restore(source, tmp_path / kind, options, restorer=identity).of('failed')
        frames, times, loop = seen(tmp_path / kind / f'a.{kind}')
        assert times == pytest.approx(DURATIONS)
        assert loop == 2
        assert all(same(*pair) for pair in zip(frames, expected, strict=True))
    options = BatchOptions(OutputOptions(format='jpg'))
    (failed,) = restore(source, tmp_path / 'jpg', options, restorer=identity).of('failed')
    assert 'an animation is not written as .jpg' in failed.reason


def test_still_files_are_images(tmp_path: Path, identity: ImageRestorer) -> None:
    image = Image.fromarray(sample_frames(alpha=True)[0])
    for name in ('a.gif', 'b.png', 'c.webp'):
        image.save(tmp_path / 'in.tmp', format={'a': 'GIF', 'b': 'PNG', 'c': 'WEBP'}[name[0]])
        (tmp_path / 'in').mkdir(exist_ok=True)
        (tmp_path / 'in.tmp').rename(tmp_path / 'in' / name)
        assert not is_animation(tmp_path / 'in' / name)
    report = restore(tmp_path / 'in', tmp_path / 'out', restorer=identity)
    assert not report.of('failed')
    assert sorted(p.name for p in (tmp_path / 'out').iterdir()) == ['a.png', 'b.png', 'c.webp']
    assert same(np.asarray(Image.open(tmp_path / 'out' / 'a.png')), np.asarray(image))
    notes = {Path(o.input).name: o.details.get('notes') for o in report.outcomes}
    assert notes['a.gif'] == ['read as GIF, written as PNG']


def test_other_frames_are_used_where_the_network_has_attention(tmp_path: Path) -> None:
    restorer = ImageRestorer(network=lively(BUILDERS['attentive']()))
    frames = [np.roll(sample_frames(alpha=False)[0], 2 * k, axis=1) for k in range(4)]
    source = write(tmp_path / 'a.png', frames)
    report = restore(source, tmp_path / 'out', restorer=restorer)
    assert not report.of('failed'), report.outcomes
    assert len(seen(tmp_path / 'out' / 'a.png')[0]) == 4


def test_many_colours_are_close(tmp_path: Path) -> None:
    y, x = np.mgrid[:64, :64].astype(np.uint8)
    colours = np.dstack([x * 4, y * 4, (x + y) * 2])
    alpha = np.where(x < 10, 0, 255).astype(np.uint8)
    image, transparent = palette_image(colours, alpha)
    shown = np.asarray(image.convert('RGB')).astype(int)
    assert (np.asarray(image)[:, :10] == transparent).all()
    assert np.abs(shown - colours)[:, 10:].mean() < 8


OVER = [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]


@pytest.mark.skipif(not shutil.which('ffmpeg'), reason='ffmpeg is not installed')
def test_parts_of_png_frames_are_composed_as_by_ffmpeg(tmp_path: Path) -> None:
    """Frames of any opacity at any place, with all disposals, and a default image that is no frame."""
    kind = np.dtype(np.uint8)  # ffmpeg composes no frames of 16 bits
    content = encode_image_file('a.png', random_file(20, 30, kind))
    content = content[:33] + png_chunk(b'acTL', struct.pack('>II', len(OVER), 0)) + content[33:-12]
    sequence = 0
    for number, (dispose, blend) in enumerate(OVER):
        size = (20, 30) if not number else (RNG.integers(1, 20), RNG.integers(1, 30))
        top, left = (
            RNG.integers(0, whole - part + 1) for whole, part in zip((20, 30), size, strict=True)
        )
        control = (sequence, size[1], size[0], left, top, 1, 10 + number, dispose, blend)
        content += png_chunk(b'fcTL', struct.pack('>IIIIIHHBB', *map(int, control)))
        part = encode_image_file('b.png', random_file(*size, kind))
        for chunk in list_chunks(io.BytesIO(part), ''):
            if chunk.kind == b'IDAT':
                sequence += 1
                data = part[chunk.start + 8 : chunk.end - 4]
                content += png_chunk(b'fdAT', struct.pack('>I', sequence) + data)
        sequence += 1
    path = tmp_path / 'a.png'
    path.write_bytes(content + png_chunk(b'IEND', b''))
    done = subprocess.run(
        ['ffmpeg', '-v', 'error', '-f', 'apng', '-i', path, '-f', 'rawvideo', '-pix_fmt', 'rgba',
         '-fps_mode', 'passthrough', '-'],
        capture_output=True, check=True,
    )  # fmt: skip
    by_ffmpeg = np.frombuffer(done.stdout, kind).reshape(-1, 20, 30, 4)
    animation = read_animation(path)
    assert animation.durations == tuple(Fraction(1, 10 + k) for k in range(len(OVER)))
    for (colours, alpha), expected in zip(animation.frames(), by_ffmpeg, strict=True):
        assert alpha is not None
        opacity = expected[..., 3:] / 255
        assert np.abs(alpha.astype(int) - expected[..., 3]).max() <= 2
        # ffmpeg rounds colours to whole numbers after each blending.
        assert (np.abs(colours.astype(int) - expected[..., :3]) * opacity).max() <= 4


def random_file(height: int, width: int, kind: np.dtype) -> ImageFile:
    """Return an image with random opacity."""
    pixels = RNG.integers(0, np.iinfo(kind).max + 1, (height, width, 4)).astype(kind)
    return ImageFile(pixels[..., :3], pixels[..., 3])


def test_deep_animations_stay_deep(tmp_path: Path, identity: ImageRestorer) -> None:
    frames = [RNG.integers(0, 65536, (20, 30, 4)).astype(np.uint16) for _ in range(3)]
    source = write(tmp_path / 'a.png', frames)
    assert not restore(source, tmp_path / 'out', restorer=identity).of('failed')
    animation = read_animation(tmp_path / 'out' / 'a.png')
    for (colours, alpha), frame in zip(animation.frames(), frames, strict=True):
        np.testing.assert_array_equal(np.dstack([colours, alpha]), frame)
    options = BatchOptions(OutputOptions(format='webp'))
    (failed,) = restore(source, tmp_path / 'webp', options, restorer=identity).of('failed')
    assert 'WEBP cannot store 16 bits' in failed.reason


@pytest.mark.parametrize('disposal', [0, 1, 2, 3])
def test_parts_of_gif_frames(disposal: int) -> None:
    """A second image on a part of the image, and a third on another, by the rules of GIF89a."""
    colours = [np.array(c, np.uint8) for c in ((255, 0, 0), (0, 255, 0), (0, 0, 255))]
    content = b'GIF89a' + struct.pack('<HHBBB', 8, 6, 0, 0, 0)
    places = [(0, 0, 8, 6), (2, 1, 4, 3), (5, 4, 6, 5)]  # the last exceeds the image
    for number, (left, top, width, height) in enumerate(places):
        image, _ = palette_image(np.broadcast_to(colours[number], (height, width, 3)), None)
        stream = io.BytesIO()
        image.save(stream, 'GIF')
        (part,) = read_gif(stream.getvalue()).images
        content += struct.pack('<BBBBHBB', 0x21, 0xF9, 4, disposal << 2 if number else 4, 7, 0, 0)
        flags = 0x80 | ((len(part.table) // 3).bit_length() - 2)
        content += struct.pack('<BHHHHB', 0x2C, left, top, width, height, flags)
        content += part.table + part.data
    expected = np.zeros((6, 8, 4), np.uint8)
    expected[...] = (255, 0, 0, 255)
    path = Path('a.gif')
    shown = [pixels for pixels, _ in shown_frames(content + b';', 'GIF', path, 1000)]
    np.testing.assert_array_equal(shown[0], expected)
    first = expected.copy()
    expected[1:4, 2:6] = (0, 255, 0, 255)
    np.testing.assert_array_equal(shown[1], expected)
    if disposal == 2:
        expected[1:4, 2:6] = 0
    elif disposal == 3:
        expected = first
    expected[4:, 5:] = (0, 0, 255, 255)
    np.testing.assert_array_equal(shown[2], expected)


@pytest.mark.parametrize('suffix', KINDS)
def test_damaged_animations_are_named(tmp_path: Path, identity: ImageRestorer, suffix: str) -> None:
    whole = write(tmp_path / f'a.{suffix}', sample_frames(alpha=False)).read_bytes()
    for number, kept in enumerate((0.5, 0.8)):
        (tmp_path / 'in').mkdir(exist_ok=True)
        (tmp_path / 'in' / f'{number}.{suffix}').write_bytes(whole[: int(len(whole) * kept)])
    report = restore(tmp_path / 'in', tmp_path / 'out', restorer=identity)
    assert len(report.of('failed')) == 2
    for outcome in report.outcomes:
        assert f'.{suffix} ' in outcome.reason
        assert '\n' not in outcome.reason
    with pytest.raises(UserError, match=r'a\.[a-z]+ holds 5 images'):
        read_image_file(tmp_path / f'a.{suffix}')


def test_too_large_frames_are_refused_first(tmp_path: Path, identity: ImageRestorer) -> None:
    source = write(tmp_path / 'a.gif', sample_frames(alpha=False))
    options = BatchOptions(max_pixels=100)
    (outcome,) = restore(source, tmp_path / 'out', options, restorer=identity).outcomes
    assert 'too large (30x20)' in outcome.reason
    with pytest.raises(UserError, match='holds 5 images'):
        read_header(source)
    assert read_animation(source).size == (20, 30)
    assert io.BytesIO(source.read_bytes()).read(6) == b'GIF89a'
