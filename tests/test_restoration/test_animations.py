"""Animated GIF, PNG and WebP files keep their frames, times, repetitions and transparency."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from attentive_gan import restore
from attentive_gan.errors import UserError
from attentive_gan.image_io import (
    WRITERS,
    ImageFile,
    is_animation,
    read_animation,
    read_header,
    read_image_file,
)
from attentive_gan.image_io.animation_writing import palette_image
from attentive_gan.image_io.extras import Extras
from attentive_gan.inference import ImageRestorer
from attentive_gan.restoration import BatchOptions, OutputOptions
from PIL import Image, ImageSequence
from support.lively_networks import BUILDERS, lively

RNG = np.random.default_rng(5)
DURATIONS = [100, 200, 40, 1000, 70]
KINDS = ['gif', 'png', 'webp']


def pictures(alpha: bool) -> list[np.ndarray]:
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
    alpha = any(frame[..., 3].min() < 255 for frame in frames)
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
    """Return whether two pictures look the same: colours behind nothing do not count."""
    visible = one[..., 3:] > 0
    return np.array_equal(one * visible, other * visible)


@pytest.mark.parametrize('suffix', KINDS)
@pytest.mark.parametrize('alpha', [False, True])
@pytest.mark.parametrize('plays', [0, 1, 3])
def test_restored_animations_are_what_they_were(
    tmp_path: Path, identity: ImageRestorer, suffix: str, alpha: bool, plays: int
) -> None:
    source = write(tmp_path / 'in' / f'a.{suffix}', expected := pictures(alpha), plays)
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
    frames = pictures(alpha=True)
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
    source = write(tmp_path / f'a.{suffix}', pictures(alpha=False), metadata=metadata)
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
    source = write(tmp_path / 'a.gif', expected := pictures(alpha=True), plays=2)
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
    image = Image.fromarray(pictures(alpha=True)[0])
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
    frames = [np.roll(pictures(alpha=False)[0], 2 * k, axis=1) for k in range(4)]
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


@pytest.mark.parametrize('suffix', KINDS)
def test_damaged_animations_are_named(tmp_path: Path, identity: ImageRestorer, suffix: str) -> None:
    whole = write(tmp_path / f'a.{suffix}', pictures(alpha=False)).read_bytes()
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
    source = write(tmp_path / 'a.gif', pictures(alpha=False))
    options = BatchOptions(max_pixels=100)
    (outcome,) = restore(source, tmp_path / 'out', options, restorer=identity).outcomes
    assert 'too large (30x20)' in outcome.reason
    with pytest.raises(UserError, match='holds 5 images'):
        read_header(source)
    assert read_animation(source).size == (20, 30)
    assert io.BytesIO(source.read_bytes()).read(6) == b'GIF89a'
