"""PNG files whose chunks stand in unusual places or state more than the file has."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from attentive_gan.errors import UserError
from attentive_gan.image_io import (
    encode_image_file,
    is_animation,
    read_header,
    read_image,
    read_image_file,
    verify_complete,
)
from attentive_gan.image_io.png_chunks import PNG_SIGNATURE, png_chunk
from PIL import Image

PIXELS = np.random.default_rng(0).integers(0, 65536, (9, 14, 3)).astype(np.uint16)


def png(path: Path, bits: int) -> bytes:
    """Write a PNG file and return its bytes."""
    stored = PIXELS if bits == 16 else (PIXELS >> 8).astype(np.uint8)
    assert cv2.imwrite(str(path), stored[..., ::-1])
    return path.read_bytes()


def orientation(value: int) -> bytes:
    """Return an eXIf chunk."""
    exif = Image.Exif()
    exif[274] = value
    return png_chunk(b'eXIf', exif.tobytes().removeprefix(b'Exif\0\0'))


@pytest.mark.parametrize('bits', [8, 16])
@pytest.mark.parametrize('behind', [False, True])
def test_orientation_is_found_wherever_it_stands(tmp_path, bits, behind):
    path = tmp_path / 'a.png'
    content = png(path, bits)
    place = len(content) - 12 if behind else 33
    path.write_bytes(content[:place] + orientation(6) + content[place:])
    expected = np.rot90(PIXELS if bits == 16 else PIXELS >> 8, -1)
    file, header = read_image_file(path), verify_complete(path)
    np.testing.assert_array_equal(file.pixels, expected)
    assert (header.height, header.width, header.bits) == (*expected.shape[:2], bits)
    assert read_image(path).shape == expected.shape
    exif = Image.Exif()
    exif.load(file.exif)
    assert exif[274] == 1


@pytest.mark.fault('C5')
@pytest.mark.parametrize('bits', [8, 16])
@pytest.mark.parametrize('claim', [0x7FFFFFF0, 0xFFFFFFFF, 10_000_000])
def test_claims_of_more_bytes_than_the_file_has_reserve_nothing(tmp_path, bits, claim):
    path = tmp_path / 'claim.png'
    content = bytearray(png(path, bits))
    struct.pack_into('>I', content, content.index(b'IDAT') - 4, claim)
    path.write_bytes(content)
    tracemalloc.start()
    for reader in (read_header, read_image, read_image_file):
        with pytest.raises(UserError, match=r'claim\.png is truncated or damaged \(a chunk states'):
            reader(path)
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()


def test_tags_that_cannot_be_stored_do_not_cost_the_image(tmp_path):
    path = tmp_path / 'long8.jpg'
    tags = struct.pack('<H', 2) + struct.pack('<HHI4s', 0x010F, 2, 4, b'cam\0')
    tags += struct.pack('<HHII', 0x9993, 16, 1, 38) + bytes(4) + struct.pack('<Q', 2**40)
    exif = b'Exif\0\0II*\0' + struct.pack('<I', 8) + tags
    Image.new('RGB', (64, 48)).save(path, exif=exif)
    file = read_image_file(path)
    kept = Image.Exif()
    kept.load(file.exif)
    assert dict(kept) == {0x010F: 'cam'}


@pytest.mark.parametrize(
    ('bits', 'kind'), [(1, 0), (2, 0), (4, 0), (8, 0), (16, 0), (8, 2), (16, 2)]
)
def test_one_transparent_colour(bits, kind):
    """A file of any depth whose colour of one pixel is transparent, written by hand."""
    rng, count = np.random.default_rng(bits), 3 if kind else 1
    stored = rng.integers(0, 2**bits, (9, 14, count))
    digits = (stored.reshape(9, -1, 1) >> np.arange(bits - 1, -1, -1)) & 1
    rows = np.packbits(digits.reshape(9, -1).astype(np.uint8), axis=1)
    lines = b''.join(b'\0' + row.tobytes() for row in rows)
    clear = stored[4, 5]
    content = PNG_SIGNATURE + b''.join(
        png_chunk(*chunk)
        for chunk in (
            (b'IHDR', struct.pack('>IIBBBBB', 14, 9, bits, kind, 0, 0, 0)),
            (b'tRNS', struct.pack(f'>{count}H', *clear)),
            (b'IDAT', zlib.compress(lines)),
            (b'IEND', b''),
        )
    )
    file = read_image_file('a.png', content=content)
    full = 65535 if bits == 16 else 255
    expected = np.where((stored == clear).all(2), 0, full)
    np.testing.assert_array_equal(file.alpha, expected)
    colours = np.broadcast_to(stored * (full // (2**bits - 1)), (9, 14, 3))
    np.testing.assert_array_equal(file.pixels, colours)
    again = read_image_file('b.png', content=encode_image_file('b.png', file))
    np.testing.assert_array_equal(again.alpha, expected)


@pytest.mark.parametrize('behind', [False, True])
def test_animation_chunks_that_mean_nothing(tmp_path, behind):
    """No frames, or stated behind the pixels, where they are to be ignored (section 11.3.4)."""
    content = png(path := tmp_path / 'a.png', 8)
    place = len(content) - 12 if behind else 33
    chunk = png_chunk(b'acTL', struct.pack('>II', 2 if behind else 0, 0))
    path.write_bytes(content[:place] + chunk + content[place:])
    assert not is_animation(path)
    np.testing.assert_array_equal(read_image_file(path).pixels, PIXELS >> 8)
