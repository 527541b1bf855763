"""HEIC and AVIF photos are read right, and written in a format that holds them."""

from __future__ import annotations

import importlib.util
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from attentive_gan import restore
from attentive_gan.errors import UserError
from attentive_gan.image_io import (
    lost_in,
    read_header,
    read_image,
    read_image_file,
    verify_complete,
    write_image_file,
)
from attentive_gan.image_io.heif import avif_bits
from attentive_gan.inference import ImageRestorer
from attentive_gan.models.networks.unet import RestorationUNet
from PIL import ExifTags, Image, features
from support.bmp_files import bmp

HEIC = Path(__file__).parents[1] / 'golden' / 'heic'
needs_heic = pytest.mark.skipif(
    importlib.util.find_spec('pi_heif') is None, reason='pi-heif is not installed'
)
needs_avif = pytest.mark.skipif(
    'avif' not in features.modules or not features.check('avif'), reason='Pillow without AVIF'
)
has_deep_avif = 'AVIF' in cv2.getBuildInformation() and hasattr(cv2, 'IMWRITE_AVIF_DEPTH')


def scene(bits: int) -> np.ndarray:
    """Return the image that was encoded, RGB (48, 64, 3)."""
    top = 2**bits - 1
    y, x = np.mgrid[:48, :64]
    blue = np.where((x < 32) ^ (y < 24), top // 4, top * 3 // 4)
    return np.dstack([x * top // 63, y * top // 47, blue]).astype(f'u{bits // 8}')


def identity() -> ImageRestorer:
    """Return a restorer that changes nothing."""
    return ImageRestorer(network=RestorationUNet(channels=[8], blocks=1, shuffle=1))


@needs_heic
@pytest.mark.parametrize(
    ('name', 'bits', 'grey'),
    [('turned', 8, False), ('deep', 16, False), ('deep_grey', 16, True), ('alpha', 8, False)],
)
def test_heic_is_read_upright_in_full_range(tmp_path, name, bits, grey):
    path = HEIC / f'{name}.heic'
    file, header = read_image_file(path), read_header(path)
    expected = scene(bits)[..., :1] if grey else scene(bits)
    assert file.pixels.dtype == expected.dtype
    assert (header.format, header.height, header.width, header.bits) == ('HEIC', 48, 64, bits)
    difference = np.abs(file.pixels.astype(float) - expected) / np.iinfo(expected.dtype).max
    assert difference.max() < 0.04
    assert difference.mean() < 0.01
    assert file.grey == grey
    if name == 'alpha':
        assert np.abs(file.alpha[:, :18].astype(int) - 64).max() <= 2
        assert file.alpha[:, 22:].min() >= 253
    else:
        assert file.alpha is None
        assert np.abs(read_image(path).astype(float) / 255 - expected / 2.0**bits).max() < 0.05
        assert verify_complete(path) == header


@needs_heic
def test_metadata_of_heic_reach_the_result(tmp_path):
    file = read_image_file(HEIC / 'turned.heic')
    seen = Image.open(write_image_file(tmp_path / 'a.jpg', file))
    assert seen.getexif()[ExifTags.Base.Make] == 'cam'
    assert seen.getexif()[ExifTags.Base.Orientation] == 1


@needs_heic
@needs_avif
def test_results_have_a_format_that_holds_them(tmp_path):
    (tmp_path / 'in').mkdir()
    for name in ('turned', 'deep', 'alpha'):
        (tmp_path / 'in' / f'{name}.HEIC').write_bytes((HEIC / f'{name}.heic').read_bytes())
    # A phone that stores both, and a photo as it is shared.
    Image.fromarray(scene(8)).save(tmp_path / 'in' / 'turned.jpg')
    (tmp_path / 'in' / 'shared.jpg').write_bytes((HEIC / 'turned.heic').read_bytes())
    Image.fromarray(scene(8)).save(tmp_path / 'in' / 'web.avif', quality=90)
    # And a BMP with opacity, which is not written as BMP.
    fields = [np.full((9, 13), 7)] * 4
    (tmp_path / 'in' / 'fields.bmp').write_bytes(bmp(fields, [0xF00, 0xF0, 0xF, 0xF000], 16))
    report = restore(tmp_path / 'in', tmp_path / 'out', restorer=identity())
    assert not report.of('failed')
    names = sorted(path.name for path in (tmp_path / 'out').iterdir())
    assert names == [
        'alpha.png', 'deep.png', 'fields.png', 'shared.jpg', 'turned.jpg', 'turned_heic.jpg', 'web.jpg'
    ]  # fmt: skip
    deep = cv2.imread(str(tmp_path / 'out' / 'deep.png'), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(deep[..., ::-1], read_image_file(HEIC / 'deep.heic').pixels)
    notes = {Path(o.input).name: o.details.get('notes') for o in report.outcomes}
    assert notes['deep.HEIC'] == ['read as HEIC, written as PNG']
    assert notes['fields.bmp'] == ['read as BMP, written as PNG']
    assert notes['web.avif'] == ['read as AVIF, written as JPEG']


@needs_heic
@pytest.mark.parametrize('kept', [0.3, 0.9])
def test_cut_photos_are_refused(tmp_path, kept):
    content = (HEIC / 'turned.heic').read_bytes()
    path = tmp_path / 'half.heic'
    path.write_bytes(content[: int(len(content) * kept)])
    for reader in (read_image, verify_complete):
        with pytest.raises(UserError, match=r'half\.heic') as caught:
            reader(path)
        assert '\n' not in str(caught.value)


@pytest.mark.parametrize('brand', [b'heic', b'mif1'])
def test_without_the_package_a_line_names_it(tmp_path, monkeypatch, brand):
    monkeypatch.setattr('importlib.util.find_spec', lambda *_: None)
    path = tmp_path / 'photo.jpg'
    path.write_bytes(struct.pack('>I', 24) + b'ftyp' + brand + bytes(500))
    for read in (read_header, read_image):
        with pytest.raises(UserError, match=r'photo\.jpg is a HEIC.*pip install pi-heif$'):
            read(path)


@needs_avif
@pytest.mark.parametrize('orientation', [1, 3, 6, 8])
def test_avif_is_turned_upright_and_keeps_metadata(tmp_path, orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Orientation] = 'cam', orientation
    turns = {1: 0, 3: 2, 6: 1, 8: 3}[orientation]  # anticlockwise, before it is stored
    stored = Image.fromarray(np.ascontiguousarray(np.rot90(scene(8), turns)))
    path = tmp_path / 'a.avif'
    stored.save(path, quality=95, subsampling='4:4:4', exif=exif)
    file = read_image_file(path)
    assert np.abs(file.pixels.astype(int) - scene(8)).max() < 12
    assert (read_header(path).height, read_header(path).width) == (48, 64)
    kept = Image.Exif()
    kept.load(file.exif)
    assert kept[ExifTags.Base.Make] == 'cam'
    assert kept.get(ExifTags.Base.Orientation, 1) == 1


@needs_avif
def test_avif_keeps_opacity(tmp_path):
    alpha = np.where(np.arange(64) < 20, 64, 255).astype(np.uint8)
    image = np.dstack([scene(8), np.broadcast_to(alpha, (48, 64))])
    Image.fromarray(image).save(tmp_path / 'a.avif', quality=95)
    file = read_image_file(tmp_path / 'a.avif')
    assert np.abs(file.alpha[:, :18].astype(int) - 64).max() <= 2
    assert file.alpha[:, 22:].min() >= 253


@needs_avif
@pytest.mark.skipif(not has_deep_avif, reason='OpenCV without AVIF')
@pytest.mark.parametrize('bits', [10, 12])
def test_deep_avif_is_read_with_all_its_bits(tmp_path, bits):
    path = tmp_path / 'a.avif'
    stored = scene(16) >> (16 - bits)
    options = [cv2.IMWRITE_AVIF_DEPTH, bits, cv2.IMWRITE_AVIF_QUALITY, 95]
    assert cv2.imwrite(str(path), np.ascontiguousarray(stored[..., ::-1]), options)
    content = path.read_bytes()
    assert avif_bits(content) == bits
    file = read_image_file(path)
    assert file.pixels.dtype == np.uint16
    assert file.pixels.shape == (48, 64, 3)
    # Blue has sharp edges and subsampled chroma: a mean.
    assert np.abs(file.pixels.astype(float) - scene(16)).mean() < 1500
    assert len(np.unique(file.pixels[..., 1])) > 40
    # BT.2020 and PQ (ITU-T H.273), as phones mark HDR photos.
    place = content.index(b'colrnclx') + 8
    path.write_bytes(content[:place] + struct.pack('>HH', 9, 16) + content[place + 4 :])
    file = read_image_file(path)
    assert file.extras.png_chunks == ((b'cICP', bytes([9, 16, 0, 1])),)
    assert lost_in(file, 'TIFF') == ['colour chunks']
