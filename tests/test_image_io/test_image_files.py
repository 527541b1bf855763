"""What is read and written again is the same file, as other programs see it."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from attentive_gan.errors import UserError
from attentive_gan.image_io import check_format_holds, read_image_file, write_image_file
from attentive_gan.utils.atomic_io import _MACHINE, remove_stale_temporaries
from PIL import ExifTags, Image, ImageCms

RANDOM = np.random.default_rng(0)
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile('sRGB')).tobytes()


def pixels(*channels: int, bits: int = 8) -> np.ndarray:
    """Return random pixels 13 x 17."""
    kind = np.uint8 if bits == 8 else np.uint16
    return RANDOM.integers(0, 2**bits, (13, 17, *channels)).astype(kind)


def metadata(orientation: int = 1) -> dict:
    """Return what a camera writes."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = 'A camera'
    exif[ExifTags.Base.Orientation] = orientation
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FNumber] = 2.0
    return {'exif': exif, 'icc_profile': ICC, 'dpi': (300, 300)}


def pillow_file(path: Path, *channels: int, **options: object) -> Path:
    """Write random pixels by Pillow."""
    Image.fromarray(pixels(*channels)).save(path, **{**metadata(), **options})
    return path


PLAIN = [
    ('grey.png', (), {}), ('grey_alpha.png', (2,), {}), ('colour.png', (3,), {}), ('alpha.png', (4,), {}),
    ('grey.tif', (), {}), ('colour.tif', (3,), {}), ('alpha.tif', (4,), {}),
    ('colour.webp', (3,), {'lossless': True}), ('alpha.webp', (4,), {'lossless': True, 'exact': True}),
]  # fmt: skip


@pytest.mark.parametrize(('name', 'channels', 'options'), PLAIN)
def test_lossless_files_stay_as_they_are(
    tmp_path: Path, name: str, channels: tuple[int, ...], options: dict
) -> None:
    source = pillow_file(tmp_path / name, *channels, **options)
    image_file = read_image_file(source)
    written = write_image_file(
        tmp_path / 'out' / name, image_file.with_pixels(image_file.pixels.copy())
    )
    before, after = Image.open(source), Image.open(written)
    assert after.mode == before.mode
    assert np.array_equal(np.asarray(after), np.asarray(before))
    assert after.info['icc_profile'] == ICC
    assert after.getexif()[ExifTags.Base.Make] == 'A camera'
    details = [file.getexif().get_ifd(ExifTags.IFD.Exif) for file in (before, after)]
    assert details[0] == details[1]
    assert details[0].get(ExifTags.Base.FNumber) == (None if name.endswith('tif') else 2.0)
    if 'dpi' in before.info:
        assert after.info['dpi'] == pytest.approx(before.info['dpi'], abs=0.02)


@pytest.mark.fault('C4')
@pytest.mark.parametrize('channels', [(), (3,), (4,)])
def test_16_bit_png_stays_as_it_is(tmp_path: Path, channels: tuple[int, ...]) -> None:
    stored = pixels(*channels, bits=16)
    source = tmp_path / 'deep.png'
    assert cv2.imwrite(str(source), stored)
    image_file = read_image_file(source)
    assert image_file.pixels.dtype == np.uint16
    assert image_file.grey == (channels == ())
    written = write_image_file(tmp_path / 'out.png', image_file)
    assert np.array_equal(cv2.imread(str(written), cv2.IMREAD_UNCHANGED), stored)


def test_16_bit_png_keeps_profile_and_metadata(tmp_path: Path) -> None:
    image_file = read_image_file(pillow_file(tmp_path / 'a.png', 3))
    deep = np.full(image_file.pixels.shape, 40_000, np.uint16)
    image_file = type(image_file)(
        deep, None, False, image_file.icc_profile, image_file.exif, image_file.dpi, 'PNG'
    )
    seen = Image.open(write_image_file(tmp_path / 'deep.png', image_file))
    seen.load()
    assert seen.info['icc_profile'] == ICC
    assert seen.info['dpi'] == pytest.approx((300, 300), abs=0.02)
    assert seen.getexif()[ExifTags.Base.Make] == 'A camera'


@pytest.mark.parametrize('channels', [(), (3,), (4,)])
def test_16_bit_tiff_stays_as_it_is(tmp_path: Path, channels: tuple[int, ...]) -> None:
    stored = pixels(*channels, bits=16)
    source = tmp_path / 'deep.tif'
    kind = 'rgb' if channels else 'minisblack'
    extra = ['unassalpha'] if channels == (4,) else None
    tifffile.imwrite(source, stored, photometric=kind, extrasamples=extra, iccprofile=ICC)
    written = write_image_file(tmp_path / 'out.tif', read_image_file(source))
    assert np.array_equal(tifffile.imread(written), stored)
    with tifffile.TiffFile(written) as file:
        assert bytes(file.pages[0].tags[34675].value) == ICC


def test_bmp_and_palettes(tmp_path: Path) -> None:
    bitmap = tmp_path / 'a.bmp'
    Image.fromarray(pixels(3)).save(bitmap)
    out = write_image_file(tmp_path / 'b.bmp', read_image_file(bitmap))
    assert np.array_equal(np.asarray(Image.open(out)), np.asarray(Image.open(bitmap)))
    palette = tmp_path / 'palette.png'
    Image.fromarray(pixels(3)).quantize(8).save(palette)
    out = write_image_file(tmp_path / 'p.png', read_image_file(palette))
    shown = np.asarray(Image.open(palette).convert('RGB'))
    assert np.array_equal(np.asarray(Image.open(out)), shown)
    one_bit = tmp_path / 'one.png'
    Image.fromarray(pixels() > 100).save(one_bit)
    image_file = read_image_file(one_bit)
    assert image_file.grey
    assert set(np.unique(image_file.pixels)) == {0, 255}


@pytest.mark.fault('C4')
@pytest.mark.parametrize('orientation', range(1, 9))
def test_images_are_turned_upright_once(tmp_path: Path, orientation: int) -> None:
    source = pillow_file(tmp_path / 'a.jpg', 3, **metadata(orientation))
    from PIL import ImageOps

    upright = ImageOps.exif_transpose(Image.open(source))
    image_file = read_image_file(source)
    assert np.array_equal(image_file.pixels, np.asarray(upright))
    seen = Image.open(write_image_file(tmp_path / 'b.jpg', image_file))
    assert seen.getexif()[ExifTags.Base.Orientation] == 1
    assert seen.size == upright.size


def test_jpeg_keeps_grey_profile_and_full_colour_resolution(tmp_path: Path) -> None:
    grey = read_image_file(pillow_file(tmp_path / 'g.jpg'))
    assert Image.open(write_image_file(tmp_path / 'h.jpg', grey)).mode == 'L'
    colour = read_image_file(pillow_file(tmp_path / 'c.jpg', 3))
    seen = Image.open(write_image_file(tmp_path / 'd.jpg', colour))
    assert seen.info['icc_profile'] == ICC
    assert [layer[1:3] for layer in seen.layer] == [(1, 1)] * 3


@pytest.mark.fault('C4')
def test_cmyk_becomes_rgb_and_loses_its_profile(tmp_path: Path) -> None:
    source = tmp_path / 'c.jpg'
    Image.fromarray(pixels(4), 'CMYK').save(source, icc_profile=b'a profile of inks')
    assert read_image_file(source).icc_profile is None


@pytest.mark.parametrize(
    ('name', 'height', 'width', 'alpha', 'bits'),
    [
        ('a.jpg', 8, 8, True, 8), ('a.bmp', 8, 8, True, 8), ('a.jpg', 8, 8, False, 16),
        ('a.webp', 8, 8, False, 16), ('a.webp', 8, 16384, False, 8), ('a.jpg', 65536, 8, False, 8),
        ('a.gif', 8, 8, False, 8),
    ],
)  # fmt: skip
def test_nothing_is_lost_silently(
    name: str, height: int, width: int, alpha: bool, bits: int
) -> None:
    with pytest.raises(UserError, match=name):
        check_format_holds(name, height, width, alpha, bits)


@pytest.mark.fault('C8')
def test_odd_names(tmp_path: Path) -> None:
    image_file = read_image_file(pillow_file(tmp_path / 'a.png', 3))
    for name in ('two\nlines.png', 'ä' * 125 + '.png', 'x' * 251 + '.png'):
        assert write_image_file(tmp_path / name, image_file).is_file()
    (tmp_path / 'bad\nname.png').write_bytes(b'no image')
    with pytest.raises(UserError, match=r'bad\\nname.png'):
        read_image_file(tmp_path / 'bad\nname.png')


@pytest.mark.parametrize('keep_suffix', [False, True])
def test_a_killed_writer_leaves_the_old_file(keep_suffix: bool, tmp_path: Path) -> None:
    target = tmp_path / 'out.png'
    target.write_bytes(b'old')
    code = (
        'import os, signal, sys\nfrom pathlib import Path\n'
        'from attentive_gan.utils.atomic_io import atomic_write\n'
        f'with atomic_write(Path(sys.argv[1]), {keep_suffix}) as unfinished:\n'
        '    unfinished.write_bytes(b"half")\n    os.kill(os.getpid(), signal.SIGKILL)\n'
    )
    done = subprocess.run([sys.executable, '-c', code, str(target)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert target.read_bytes() == b'old'
    (half,) = set(tmp_path.iterdir()) - {target}
    assert half.suffix == ('.png' if keep_suffix else '.tmp')
    shutil.copy(half, tmp_path / half.name.replace(_MACHINE, 'other'))
    assert remove_stale_temporaries(tmp_path) == 1
    assert not half.exists()
    (other,) = set(tmp_path.iterdir()) - {target}
    other.unlink()  # that of another machine, which may be at work, was left
    assert list(tmp_path.iterdir()) == [target]


def test_other_pixels_must_fit(tmp_path: Path) -> None:
    image_file = read_image_file(pillow_file(tmp_path / 'a.png', 3))
    with pytest.raises(ValueError, match='uint8'):
        image_file.with_pixels(image_file.pixels.astype(np.uint16))
