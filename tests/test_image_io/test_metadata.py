"""Metadata are kept where the format of the result can hold them, and named where not."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from attentive_gan import restore
from attentive_gan.image_io import lost_in, read_image_file, write_image_file
from attentive_gan.image_io.extras import photoshop_segment
from attentive_gan.image_io.png_chunks import png_chunk
from attentive_gan.inference import ImageRestorer
from attentive_gan.restoration import BatchOptions, OutputOptions
from PIL import ExifTags, Image
from support.lively_networks import BUILDERS, lively

XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" '
    b'xmp:Rating="5" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
)
IPTC = b'\x1c\x02\x19\x00\x04rain'  # Keywords (IIM, record 2, data set 25)


def photo(folder: Path) -> Path:
    """Write a JPEG photo with everything."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = 'cam'
    exif[ExifTags.Base.Orientation] = 6
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = '2024:01:02 03:04:05'
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = 'N'
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (48.0, 6.0, 0.5)
    path = folder / 'photo.jpg'
    Image.new('RGB', (64, 48), (80, 120, 160)).save(
        path, exif=exif, xmp=XMP, comment=b'note', extra=photoshop_segment(IPTC), dpi=(300, 300)
    )
    return path


def seen(path: Path) -> dict[str, object]:
    """Return the metadata of a file as Pillow and tifffile see them."""
    with Image.open(path) as image:
        image.load()
        exif, info = image.getexif(), image.info
        tags = getattr(image, 'tag_v2', {})
        resources = info.get('photoshop', {})
        return {
            'EXIF': (
                exif.get(ExifTags.Base.Make),
                exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal),
                exif.get_ifd(ExifTags.IFD.GPSInfo).get(ExifTags.GPS.GPSLatitude),
            ),
            'orientation': exif.get(ExifTags.Base.Orientation, 1),
            'XMP': info.get('xmp'),
            'IPTC': resources.get(0x0404) or tags.get(33723),
            'comment': info.get('comment') or info.get('Comment'),
        }  # fmt: skip


@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.webp', '.tif', '.bmp'])
@pytest.mark.parametrize('deep', [False, True])
def test_what_a_photo_says_is_kept_or_named(tmp_path: Path, suffix: str, deep: bool) -> None:
    if deep and suffix not in ('.png', '.tif'):
        pytest.skip('8 bits only')
    file = read_image_file(photo(tmp_path))
    if deep:
        file = type(file)(**{**vars(file), 'pixels': file.pixels.astype(np.uint16) * 257})
    name = {'.jpg': 'JPEG', '.tif': 'TIFF'}.get(suffix, suffix[1:].upper())
    lost = lost_in(file, name)
    written = write_image_file(tmp_path / f'out{suffix}', file)
    with tifffile.TiffFile(written) if deep and suffix == '.tif' else Image.open(written):
        pass  # the file is sound for another reader
    found = seen(written)
    assert found['orientation'] == 1
    if 'EXIF' not in lost:
        assert found['EXIF'] == ('cam', '2024:01:02 03:04:05', (48.0, 6.0, 0.5))
    kept = {'XMP': XMP.replace(b'"6"', b'"1"'), 'IPTC': IPTC, 'comment': b'note'}
    for key, value in kept.items():
        text = found[key].encode() if isinstance(found[key], str) else found[key]
        if key in lost:
            assert not text
        else:
            assert text == value, key
    expected = {
        'JPEG': [], 'TIFF': ['comment'], 'PNG': ['IPTC'], 'WEBP': ['IPTC', 'comment', 'resolution'],
        'BMP': ['EXIF', 'XMP', 'IPTC', 'comment'],
    }  # fmt: skip
    assert lost == expected[name]
    again = read_image_file(written)
    np.testing.assert_array_equal(again.extras.xmp or b'', b'' if 'XMP' in lost else kept['XMP'])


def test_a_deep_tiff_keeps_date_and_place(tmp_path: Path) -> None:
    """Twice read and written: the directories of EXIF data of 16-bit TIFF files are ours to write."""
    file = read_image_file(photo(tmp_path))
    file = type(file)(**{**vars(file), 'pixels': file.pixels.astype(np.uint16) * 257})
    for name in ('one.tif', 'two.tif'):
        file = read_image_file(write_image_file(tmp_path / name, file))
        assert file.bits == 16
        assert seen(tmp_path / name)['EXIF'] == ('cam', '2024:01:02 03:04:05', (48.0, 6.0, 0.5))
    assert file.extras.iptc == IPTC


@pytest.mark.parametrize('bits', [8, 16])
def test_png_keeps_how_its_colours_are_meant(tmp_path: Path, bits: int) -> None:
    chunks = {
        b'gAMA': struct.pack('>I', 100_000), b'cHRM': bytes(32), b'cICP': bytes([9, 16, 0, 1]),
        b'tEXt': b'Author\0somebody', b'zTXt': b'Raw profile type exif\0\0',
        b'iTXt': b'Title\0\0\0\0\0Regen',
    }  # fmt: skip
    plain = read_image_file(photo(tmp_path)).pixels.astype(f'u{bits // 8}')
    path = write_image_file(tmp_path / 'plain.png', type(read_image_file(photo(tmp_path)))(plain))
    content = path.read_bytes()
    extra = b''.join(png_chunk(kind, data) for kind, data in chunks.items())
    path.write_bytes(content[:33] + extra + content[33:])
    file = read_image_file(path)
    written = write_image_file(tmp_path / 'out.png', file).read_bytes()
    for kind, data in chunks.items():
        assert (png_chunk(kind, data) in written) == (kind != b'zTXt'), kind
    assert lost_in(file, 'TIFF') == ['colour chunks', 'texts']


def test_the_second_image_of_a_phone_photo_is_named(tmp_path: Path) -> None:
    photos = [Image.new('RGB', (64, 48), colour) for colour in ('red', 'blue')]
    path = tmp_path / 'a.jpg'
    photos[0].save(path, format='MPO', save_all=True, append_images=photos[1:])
    file = read_image_file(path)
    assert file.format == 'JPEG'
    assert file.pixels[0, 0, 0] > 200
    assert 'depth or gain map' in lost_in(file, 'JPEG')[0]


def test_what_is_lost_is_in_the_report(tmp_path: Path) -> None:
    restorer = ImageRestorer(network=lively(BUILDERS['unet']()))
    options = BatchOptions(OutputOptions(format='webp'))
    report = restore(photo(tmp_path), tmp_path / 'out', options, restorer=restorer)
    (outcome,) = report.outcomes
    assert outcome.details['notes'] == ['not kept: IPTC, comment, resolution']
