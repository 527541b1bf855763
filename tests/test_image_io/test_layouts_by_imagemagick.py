"""Files that ImageMagick writes, in layouts drawn at random, have the pixels that it reads in them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from attentive_gan.errors import UserError
from attentive_gan.image_io import read_header, read_image_file
from PIL import Image
from support.imagemagick import convert, imagemagick, pixels_of

pytestmark = pytest.mark.skipif(imagemagick() is None, reason='ImageMagick is not installed')

CHOICES = {
    'type': ['Bilevel', 'Grayscale', 'GrayscaleAlpha', 'Palette', 'PaletteAlpha', 'TrueColor',
             'TrueColorAlpha', 'ColorSeparation'],
    'depth': ['1', '2', '4', '8', '10', '12', '14', '16'],
    'compress': ['None', 'LZW', 'Zip', 'RLE', 'LZMA', 'Zstd', 'Group4', 'JPEG'],
    'endian': ['LSB', 'MSB'], 'interlace': ['None', 'Plane'], 'define': [
        'tiff:rows-per-strip=5', 'tiff:alpha=associated', 'tiff:tile-geometry=16x16',
        'tiff:fill-order=lsb', 'quantum:polarity=min-is-white', 'tiff:predictor=2',
    ],
    'orient': ['top-left', 'right-top', 'bottom-right', 'left-bottom', 'right-bottom'],
}  # fmt: skip


def layouts(number: int) -> list[dict[str, str]]:
    """Draw layouts at random, without those that ImageMagick 6 itself reads wrong."""
    rng, found = np.random.default_rng(3), []
    while len(found) < number:
        layout = {key: str(rng.choice(values)) for key, values in CHOICES.items()}
        alpha, jpeg = 'Alpha' in layout['type'], layout['compress'] == 'JPEG'
        if jpeg:  # which it turns twice
            layout |= {'orient': 'top-left', 'define': 'tiff:rows-per-strip=16'}
        if layout['depth'] in ('10', '12', '14') and 'polarity' in layout['define']:
            layout['define'] = (
                'tiff:fill-order=lsb'  # it states white-is-zero and stores black as 0
            )
        # Opacity of JPEG gives it wrong colours, and that of one bit is read beyond its row.
        if not alpha or not (jpeg or layout['depth'] == '1'):
            found.append(layout)
    return found


def compare(path: Path) -> bool:
    """Compare a file with what ImageMagick reads in it; return whether it was not refused."""
    try:
        file, header = read_image_file(path), read_header(path)
    except UserError:
        return False
    expected, top = pixels_of(path), np.iinfo(file.pixels.dtype).max
    assert file.pixels.shape[:2] == expected.shape[:2] == (header.height, header.width)
    alpha = np.full(expected.shape[:2], 1.0) if file.alpha is None else file.alpha / top
    np.testing.assert_allclose(alpha, expected[..., 3] / 65535, atol=0.005)
    difference = np.abs(file.pixels / top - expected[..., :3] / 65535) * (alpha > 0.1)[..., None]
    assert difference.max() < 0.02
    return True


@pytest.mark.parametrize('layout', layouts(40), ids=lambda layout: '-'.join(layout.values()))
def test_tiff(tmp_path: Path, layout: dict[str, str]) -> None:
    y, x = np.mgrid[:23, :37]
    image = np.dstack([x * 6, y * 10, (x + y) * 4, np.where(x > y, 255, 100)]).astype(np.uint8)
    Image.fromarray(image).save(tmp_path / 'a.png')
    words = [word for key, value in layout.items() for word in (f'-{key}', value)]
    if 'Alpha' not in layout['type']:
        words = ['-alpha', 'off', *words]
    try:
        convert(tmp_path / 'a.png', *words, tmp_path / 'a.tif')
    except subprocess.CalledProcessError as error:
        pytest.skip(f'ImageMagick does not write it: {error.stderr[-80:]!r}')
    assert compare(tmp_path / 'a.tif') or layout['compress'] == 'JPEG'


@pytest.mark.parametrize(
    'kind', ['Grayscale', 'GrayscaleAlpha', 'Palette', 'PaletteAlpha', 'TrueColorAlpha']
)
@pytest.mark.parametrize('depth', ['1', '2', '4', '8', '16'])
def test_png(tmp_path: Path, kind: str, depth: str) -> None:
    source = ['-size', '37x23', 'gradient:red-rgba(0,0,255,0.5)', '-seed', '3', '-attenuate', '0.5']
    convert(*source, '+noise', 'Uniform', '-type', kind, '-depth', depth, tmp_path / 'a.png')
    assert compare(tmp_path / 'a.png')
