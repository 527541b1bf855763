"""EXIF data are copied byte for byte; broken ones never cost the image."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from attentive_gan.image_io import encode_image_file, lost_in, read_header, read_image_file
from attentive_gan.image_io.exif_directories import (
    EXIF_POINTER,
    GPS_POINTER,
    INTEROP_POINTER,
    Directory,
    Entry,
    exif_bytes,
    parse_exif,
)
from PIL import ExifTags, Image

PIXELS = np.random.default_rng(4).integers(0, 256, (9, 14, 3), np.uint8)
SUFFIXES = ['.jpg', '.png', '.webp', '.tif']


def camera(order: str) -> Directory:
    """Return what a camera writes, with a text in UTF-8 and bytes of its maker."""
    exif = Directory(
        order,
        [
            Entry(33437, 5, struct.pack(f'{order}2I', 28, 10)),
            Entry(36867, 2, b'2024:01:02 03:04:05\0'),
            Entry(37500, 7, bytes(range(251))),
            Entry(40962, 4, struct.pack(f'{order}I', 14)),
            Entry(40963, 4, struct.pack(f'{order}I', 9)),
        ],
        {INTEROP_POINTER: Directory(order, [Entry(1, 2, b'R98\0')])},
    )
    gps = Directory(order, [Entry(1, 2, b'N\0'), Entry(29, 2, b'2024:01:02\0')])
    entries = [
        Entry(271, 2, 'Jörg\0'.encode()),
        Entry(274, 3, struct.pack(f'{order}H', 6)),
        Entry(50000, 12, struct.pack(f'{order}3d', 1, 2, 3)),
    ]
    return Directory(order, entries, {EXIF_POINTER: exif, GPS_POINTER: gps})


def source(suffix: str, exif: bytes) -> bytes:
    """Return an image with EXIF data."""
    stream = io.BytesIO()
    kind = {'.jpg': 'JPEG', '.png': 'PNG', '.webp': 'WEBP'}[suffix]
    options = {'lossless': True} if kind == 'WEBP' else {}
    Image.fromarray(PIXELS).save(stream, kind, exif=exif, **options)
    return stream.getvalue()


@pytest.mark.parametrize('order', ['<', '>'])
@pytest.mark.parametrize('suffix', SUFFIXES)
def test_every_byte_of_every_tag_is_kept(order: str, suffix: str) -> None:
    given = camera(order)
    file = read_image_file('a.jpg', content=source('.jpg', exif_bytes(given)))
    content = encode_image_file(f'b{suffix}', file)
    found = parse_exif(read_image_file(f'b{suffix}', content=content).exif or b'')
    given.entries[1] = Entry(274, 3, struct.pack(f'{order}H', 1))
    sides = given.children[EXIF_POINTER].entries  # the image was turned
    sides[-2:] = [Entry(40962, 4, sides[-1].value), Entry(40963, 4, sides[-2].value)]
    assert found.order == order
    missing = [entry for entry in given.entries if entry not in found.entries]
    assert not missing
    assert found.children == given.children
    with Image.open(io.BytesIO(content)) as image:  # another reader understands it too
        exif = image.getexif()
        assert exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FNumber] == 2.8
        assert exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] == 'N'
        assert image.size == (9, 14)


def test_tags_of_big_tiff_files(tmp_path: Path) -> None:
    tags = [(271, 2, 0, 'a camera', True), (50001, 16, 1, 2**40, True), (50002, 12, 1, 0.5, True)]
    path = tmp_path / 'a.tif'
    tifffile.imwrite(path, PIXELS, bigtiff=True, photometric='rgb', extratags=tags, metadata=None)
    file = read_image_file(path)
    values = {entry.tag: entry.value for entry in parse_exif(file.exif or b'').entries}
    assert values[271] == b'a camera\0'
    assert struct.unpack('<d', values[50002]) == (0.5,)
    assert '0xc351' in lost_in(file, 'TIFF')


@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.webp'])
@pytest.mark.parametrize('order', ['<', '>'])
def test_broken_tags_never_cost_the_image(suffix: str, order: str) -> None:
    rng = np.random.default_rng(len(suffix) + ord(order))
    whole = exif_bytes(camera(order))
    plain = read_image_file(f'a{suffix}', content=source(suffix, b'')).pixels
    for number in range(60):
        broken = bytearray(whole)
        for at in rng.integers(6, len(whole), rng.integers(1, 5)):
            broken[at] = rng.integers(0, 256)
        exif = bytes(broken[: rng.integers(8, len(whole))] if number % 3 == 0 else broken)
        content = source(suffix, exif)
        file = read_image_file(f'a{suffix}', content=content)
        assert sorted(file.pixels.shape) == sorted(plain.shape)
        assert file.pixels.astype(int).sum() == plain.astype(int).sum()
        for kind in SUFFIXES:
            again = read_image_file(f'b{kind}', content=encode_image_file(f'b{kind}', file))
            assert again.pixels.shape == file.pixels.shape


def test_what_is_broken_is_named(tmp_path: Path) -> None:
    exif = bytearray(exif_bytes(camera('<')))
    place = exif.index(struct.pack('<HHI', 271, 2, 6))
    struct.pack_into('<I', exif, place + 8, 2**31)  # its text is said to be far behind the end
    path = tmp_path / 'a.jpg'
    path.write_bytes(source('.jpg', bytes(exif)))
    file = read_image_file(path)
    assert lost_in(file, 'JPEG') == ['Make']
    assert read_header(path).height == 14
    assert {entry.tag for entry in parse_exif(file.exif or b'').entries} == {274, 50000}
