"""Images of every kind become RGB uint8, or are refused by name."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from attentive_gan.errors import UserError
from attentive_gan.image_io import read_header, read_image, verify_complete
from PIL import Image, ImageOps

RNG = np.random.default_rng(3)
COLOUR = RNG.integers(0, 256, (7, 11, 3), np.uint8)
SMOOTH = np.dstack([np.tile(np.arange(0, 256, 8, dtype=np.uint8), (24, 1))] * 3)


def save(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


@pytest.mark.parametrize('suffix', ['.png', '.webp', '.bmp', '.tif'])
def test_lossless_formats_give_the_pixels_back(tmp_path, suffix):
    options = {'lossless': True} if suffix == '.webp' else {}
    path = save(tmp_path / f'a{suffix}', Image.fromarray(COLOUR), **options)
    np.testing.assert_array_equal(read_image(path), COLOUR)
    header = verify_complete(path)
    assert (header.height, header.width, header.bits) == (7, 11, 8)


def test_jpeg_is_close(tmp_path):
    path = save(tmp_path / 'a.jpg', Image.fromarray(SMOOTH), quality=95)
    assert np.abs(read_image(path).astype(int) - SMOOTH).max() <= 4
    assert verify_complete(path).format == 'JPEG'


def test_content_decides_not_the_suffix(tmp_path):
    path = save(tmp_path / 'a.jpg', Image.fromarray(COLOUR), format='PNG')
    np.testing.assert_array_equal(read_image(path), COLOUR)


@pytest.mark.fault('C4')
def test_one_pixel(tmp_path):
    path = save(tmp_path / 'a.png', Image.fromarray(COLOUR[:1, :1]))
    assert read_image(path).shape == (1, 1, 3)


@pytest.mark.fault('C4')
def test_grey_and_bilevel_become_three_equal_channels(tmp_path):
    grey = COLOUR[..., 0]
    for mode, expected in (('L', grey), ('1', np.where(grey > 127, 255, 0))):
        image = Image.fromarray(grey) if mode == 'L' else Image.fromarray(grey > 127)
        image = read_image(save(tmp_path / f'{mode}.png', image))
        for channel in range(3):
            np.testing.assert_array_equal(image[..., channel], expected)


def test_palette(tmp_path):
    image = Image.fromarray(COLOUR).quantize(5)
    expected = np.asarray(image.convert('RGB'))
    np.testing.assert_array_equal(read_image(save(tmp_path / 'a.png', image)), expected)


def test_cmyk_jpeg_keeps_its_colour(tmp_path):
    plain = np.full((16, 16, 3), (200, 90, 30), np.uint8)
    path = save(tmp_path / 'a.jpg', Image.fromarray(plain).convert('CMYK'), quality=95)
    assert np.abs(read_image(path).astype(int) - plain).max() <= 3


@pytest.mark.parametrize('suffix', ['.png', '.tif'])
@pytest.mark.parametrize('channels', [1, 3])
def test_16_bits_are_scaled_not_clipped(tmp_path, suffix, channels):
    deep = RNG.integers(0, 65536, (6, 9, channels), np.uint16)
    deep[0, 0], deep[0, 1], deep[0, 2] = 65535, 128, 129  # 128 / 257 rounds to 0, 129 / 257 to 1
    path = tmp_path / f'a{suffix}'
    cv2.imwrite(str(path), deep[..., ::-1] if channels == 3 else deep[..., 0])
    expected = np.broadcast_to(np.round(deep / 257.0).astype(np.uint8), (6, 9, 3))
    np.testing.assert_array_equal(read_image(path), expected)
    assert read_header(path).bits == 16


def test_32_bits_are_refused(tmp_path):
    path = save(tmp_path / 'a.tif', Image.fromarray(np.zeros((4, 4), np.float32)))
    with pytest.raises(UserError, match=r'a\.tif.*8 or 16 bits'):
        read_image(path)


@pytest.mark.fault('C4')
def test_opaque_alpha_is_dropped_and_transparency_refused(tmp_path):
    opaque = np.dstack([COLOUR, np.full((7, 11), 255, np.uint8)])
    path = save(tmp_path / 'opaque.png', Image.fromarray(opaque))
    np.testing.assert_array_equal(read_image(path), COLOUR)
    opaque[3, 4, 3] = 254
    path = save(tmp_path / 'see_through.png', Image.fromarray(opaque))
    with pytest.raises(UserError, match=r'see_through\.png has transparent pixels'):
        read_image(path)


def test_transparent_palette_is_refused(tmp_path):
    path = save(tmp_path / 'a.png', Image.fromarray(COLOUR).quantize(4), transparency=0)
    with pytest.raises(UserError, match='transparent'):
        read_image(path)


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('suffix', ['.png', '.jpg'])
def test_exif_orientation_is_applied(tmp_path, orientation, suffix):
    image = Image.fromarray(COLOUR)
    image.getexif()[0x0112] = orientation
    path = save(tmp_path / f'a{suffix}', image, exif=image.getexif())
    expected = np.asarray(ImageOps.exif_transpose(Image.open(path)))
    np.testing.assert_array_equal(read_image(path), expected)
    header = read_header(path)
    assert (header.height, header.width) == expected.shape[:2]


def test_16_bit_png_with_exif_orientation(tmp_path):
    deep = Image.fromarray((COLOUR[..., 0].astype(np.uint16)) * 257)
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save(tmp_path / 'a.png', deep, exif=exif)
    np.testing.assert_array_equal(read_image(path)[..., 0], np.rot90(COLOUR[..., 0], -1))


@pytest.mark.fault('C1')
@pytest.mark.parametrize('suffix', ['.png', '.jpg', '.webp', '.bmp', '.tif'])
@pytest.mark.parametrize('kept', [0.3, 0.9])
def test_truncated_images_are_refused_by_both_readers(tmp_path, suffix, kept):
    noise = RNG.integers(0, 256, (64, 64, 3), np.uint8)
    whole = save(tmp_path / f'whole{suffix}', Image.fromarray(noise)).read_bytes()
    path = tmp_path / f'half{suffix}'
    path.write_bytes(whole[: int(len(whole) * kept)])
    for reader in (read_image, verify_complete):
        with pytest.raises(UserError, match=f'half{suffix}') as caught:
            reader(path)
        assert '\n' not in str(caught.value)


def test_bytes_after_the_end_are_no_fault(tmp_path):
    path = save(tmp_path / 'a.jpg', Image.fromarray(SMOOTH))
    path.write_bytes(path.read_bytes() + bytes(5000))
    assert verify_complete(path).width == 32


def test_damaged_png_is_refused(tmp_path):
    path = save(tmp_path / 'a.png', Image.fromarray(COLOUR))
    content = bytearray(path.read_bytes())
    content[60] ^= 255
    path.write_bytes(content)
    with pytest.raises(UserError, match='truncated or damaged'):
        read_image(path)


@pytest.mark.parametrize(
    ('content', 'message'),
    [(b'', 'is empty'), (b'this is no image', 'is not an image'), (None, 'does not exist')],
)
@pytest.mark.parametrize('reader', [read_image, read_header, verify_complete])
def test_what_is_no_image(tmp_path, content, message, reader):
    path = tmp_path / 'text.png'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=rf'text\.png {message}'):
        reader(path)


def test_folder_is_refused(tmp_path):
    with pytest.raises(UserError, match='cannot be read'):
        read_image(tmp_path)


def test_still_gif_is_read_and_animations_are_refused(tmp_path):
    frames = [Image.fromarray(COLOUR), Image.fromarray(255 - COLOUR)]
    np.testing.assert_array_equal(read_image(save(tmp_path / 'a.gif', frames[0])), COLOUR)
    moving = save(tmp_path / 'a.png', frames[0], save_all=True, append_images=frames[1:])
    with pytest.raises(UserError, match='holds 2 images'):
        read_header(moving)


def bomb(path: Path, width: int, height: int) -> Path:
    """Write a PNG that claims to be huge and holds almost nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checked = kind + data
        return struct.pack('>I', len(data)) + checked + struct.pack('>I', zlib.crc32(checked))

    header = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    body = chunk(b'IDAT', zlib.compress(bytes(1000))) + chunk(b'IEND', b'')
    path.write_bytes(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + body)
    return path


@pytest.mark.fault('C5')
@pytest.mark.parametrize('size', [(20_000, 20_000), (100_000, 600), (8_000, 7_000)])
def test_bombs_are_refused_from_their_header(tmp_path, size, monkeypatch):
    path = bomb(tmp_path / 'bomb.png', *size)

    def forbidden(*_: object) -> None:
        raise AssertionError('a pixel was decoded')

    monkeypatch.setattr(Image.Image, 'load', forbidden)
    for reader in (read_image, verify_complete):
        with pytest.raises(UserError, match=r'bomb\.png is too large .*50 million'):
            reader(path)


def test_pixel_limit_is_inclusive_and_can_be_set(tmp_path):
    path = save(tmp_path / 'a.png', Image.fromarray(COLOUR))
    assert read_image(path, max_pixels=77).shape == (7, 11, 3)
    with pytest.raises(UserError, match='11x7'):
        read_image(path, max_pixels=76)


def test_header_decodes_nothing(tmp_path, monkeypatch):
    path = save(tmp_path / 'a.png', Image.fromarray(COLOUR))
    monkeypatch.setattr(Image.Image, 'load', lambda *_: pytest.fail('decoded'))
    assert verify_complete(path).mode == 'RGB'
