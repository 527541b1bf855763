"""Every TIFF layout gives the right pixels or is refused by name; header and both readers agree."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from attentive_gan.errors import UserError
from attentive_gan.image_io import read_header, read_image, read_image_file, write_image_file
from PIL import Image, ImageCms

HEIGHT, WIDTH = 37, 50
RNG = np.random.default_rng(7)
COLOURS = {'minisblack': 1, 'miniswhite': 1, 'rgb': 3, 'separated': 4}


def turned(stored: np.ndarray, orientation: int) -> np.ndarray:
    """Turn stored pixels upright by transposing and flipping, one case each (TIFF 6.0, tag 274)."""
    cases = {
        1: lambda a: a, 2: np.fliplr, 3: lambda a: np.rot90(a, 2), 4: np.flipud,
        5: lambda a: a.swapaxes(0, 1), 6: lambda a: np.rot90(a, -1),
        7: lambda a: np.rot90(a.swapaxes(0, 1), 2), 8: lambda a: np.rot90(a, 1),
    }  # fmt: skip
    return cases[orientation](stored)


def meant(values: np.ndarray, kind: str, opacity: np.ndarray | None) -> np.ndarray:
    """Return RGB, 0 to 1, of stored colours, 0 to 1."""
    colours = values if opacity is None else values / opacity[..., None]
    if kind == 'miniswhite':
        colours = 1 - colours
    if kind == 'separated':
        colours = (1 - colours[..., :3]) * (1 - colours[..., 3:])
    return np.broadcast_to(colours.clip(0, 1), (*colours.shape[:2], 3))


def layouts(number: int) -> list[dict]:
    """Draw layouts at random, every choice about equally often."""
    rng = np.random.default_rng(11)
    choices = {
        'bits': [8, 16], 'kind': list(COLOURS), 'planes': ['contig', 'separate'],
        'extra': [None, 'UNASSALPHA', 'ASSOCALPHA', 'UNSPECIFIED'],
        'compression': [None, 'zlib', 'predictor'], 'tile': [None, (16, 32)], 'big': [False, True],
        'order': ['<', '>'], 'orientation': list(range(1, 9)), 'preview': [False, True],
    }  # fmt: skip
    return [{k: v[rng.integers(len(v))] for k, v in choices.items()} for _ in range(number)]


@pytest.mark.parametrize('layout', layouts(150))
def test_generated_layouts_give_the_pixels_that_were_meant(layout):
    bits, kind, planes, extra, compression, tile, big, order, orientation, preview = layout.values()
    top, count = 2**bits - 1, COLOURS[kind] + (extra is not None)
    stored = RNG.integers(0, top + 1, (HEIGHT, WIDTH, count)).astype(f'u{bits // 8}')
    if extra == 'ASSOCALPHA':
        stored[..., -1] = np.maximum(stored[..., -1], top // 3)
        multiplied = stored[..., :-1].astype(np.uint64) * stored[..., -1:] // top
        stored[..., :-1] = multiplied
    data = np.moveaxis(stored, 2, 0) if planes == 'separate' and count > 1 else stored
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream, bigtiff=big, byteorder=order) as writer:
        writer.write(
            np.ascontiguousarray(data if count > 1 else data[..., 0]), photometric=kind,
            planarconfig=planes if count > 1 else None, extrasamples=[extra] if extra else None,
            compression='zlib' if compression else None, predictor=compression == 'predictor',
            tile=tile, rowsperstrip=None if tile else 10, metadata=None,
            extratags=[(274, 'H', 1, orientation, True)],
        )  # fmt: skip
        if preview:
            writer.write(np.zeros((4, 5), np.uint8), subfiletype=1, metadata=None)
    file = read_image_file('a.tif', content=stream.getvalue())
    values, opaque = stored / top, extra in ('UNASSALPHA', 'ASSOCALPHA')
    opacity = values[..., -1] if opaque else None
    colours = meant(values[..., : COLOURS[kind]], kind, opacity if extra == 'ASSOCALPHA' else None)
    np.testing.assert_allclose(file.pixels / top, turned(colours, orientation), atol=3 / top)
    assert file.bits == bits
    assert (file.alpha is not None) == opaque
    if opacity is not None:
        np.testing.assert_array_equal(file.alpha, turned(stored[..., -1], orientation))


@pytest.mark.fault('C4')
@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('bits', [8, 16])
@pytest.mark.parametrize('compression', ['tiff_lzw', 'packbits', 'tiff_adobe_deflate', None])
def test_header_and_readers_agree_on_orientation(tmp_path, orientation, bits, compression):
    grey = RNG.integers(0, 2**bits, (9, 14)).astype(f'u{bits // 8}')
    path = tmp_path / 'a.tif'
    Image.fromarray(grey).save(path, compression=compression, tiffinfo={274: orientation})
    header, expected = read_header(path), turned(grey, orientation)
    assert (header.height, header.width, header.bits) == (*expected.shape, bits)
    np.testing.assert_array_equal(read_image_file(path).pixels[..., 1], expected)
    np.testing.assert_array_equal(
        read_image(path)[..., 1], np.rint(expected / (257 if bits == 16 else 1))
    )
    written = write_image_file(tmp_path / 'b.tif', read_image_file(path))
    assert read_header(written).height == expected.shape[0]


@pytest.mark.parametrize('predictor', [1, 2])
@pytest.mark.parametrize('bits', [8, 16])
def test_lzw_colours(tmp_path, predictor, bits):
    pixels = RNG.integers(0, 2**bits, (20, 30, 3)).astype(f'u{bits // 8}')
    path = tmp_path / 'a.tif'
    options = [cv2.IMWRITE_TIFF_COMPRESSION, 5, cv2.IMWRITE_TIFF_PREDICTOR, predictor]
    assert cv2.imwrite(str(path), pixels[..., ::-1], [*options, cv2.IMWRITE_TIFF_ROWSPERSTRIP, 7])
    np.testing.assert_array_equal(read_image_file(path).pixels, pixels)


@pytest.mark.parametrize('mode', ['1', 'P', 'YCbCr', 'CMYK', 'RGBA', 'LA'])
def test_other_kinds_are_as_pillow_has_them(tmp_path, mode):
    image = Image.fromarray(RNG.integers(0, 256, (20, 30, 3), np.uint8))
    image.convert(mode).save(tmp_path / 'a.tif')
    expected = np.asarray(Image.open(tmp_path / 'a.tif').convert('RGB')).astype(int)
    found = read_image_file(tmp_path / 'a.tif').pixels
    assert np.abs(found - expected).max() <= 1


def test_a_preview_before_the_image_is_not_taken_for_it():
    stream = io.BytesIO()
    pixels = RNG.integers(0, 65536, (20, 30, 3)).astype(np.uint16)
    with tifffile.TiffWriter(stream) as writer:
        writer.write(np.zeros((4, 5), np.uint8), subfiletype=1, metadata=None)
        writer.write(pixels, photometric='rgb', metadata=None)
    content = stream.getvalue()
    np.testing.assert_array_equal(read_image_file('a.tif', content=content).pixels, pixels)
    stream = io.BytesIO()
    tifffile.imwrite(stream, np.zeros((4, 5), np.uint8), subfiletype=1, metadata=None)
    with pytest.raises(UserError, match=r'raw\.tif holds a preview only'):
        read_image_file('raw.tif', content=stream.getvalue())


@pytest.mark.parametrize('kind', ['f2', 'f4', 'i2', 'u4'])
def test_other_numbers_are_refused_by_header_and_reader(tmp_path, kind):
    path = tmp_path / 'a.tif'
    tifffile.imwrite(path, np.zeros((4, 5, 3), kind), photometric='rgb')
    for reader in (read_header, read_image):
        with pytest.raises(UserError, match=r'a\.tif stores .*not 8 or 16 bits'):
            reader(path)


def test_a_directory_without_size_is_refused(tmp_path):
    path = tmp_path / 'a.tif'
    Image.new('RGB', (32, 24)).save(path)
    content = bytearray(path.read_bytes())
    first = struct.unpack_from('<I', content, 4)[0]
    link = first + 2 + 12 * struct.unpack_from('<H', content, first)[0]
    struct.pack_into('<I', content, link, len(content))
    content += struct.pack('<H', 1) + struct.pack('<HHII', 259, 3, 1, 1) + struct.pack('<I', 0)
    path.write_bytes(content)
    for reader in (read_header, read_image, read_image_file):
        with pytest.raises(UserError, match=r'a\.tif'):
            reader(path)


def packed(stored: np.ndarray, bits: int, options: dict) -> bytes:
    """Write samples (H, W, C) of any number of bits: packed rows, high bit first (TIFF 6.0, section 3)."""
    height, width, count = stored.shape
    digits = (stored.reshape(height, -1, 1) >> np.arange(bits - 1, -1, -1)) & 1
    rows = np.packbits(digits.reshape(height, -1).astype(np.uint8), axis=1)
    tags = {
        256: width, 257: height, 258: bits, 259: 1, 277: count, 278: height, 279: rows.size, **options,
    }  # fmt: skip
    entries, extra = [], b''
    after = 8 + rows.size + rows.size % 2 + 2 + 12 * (len(tags) + 1) + 4
    for tag, value in sorted({273: 8, **tags}.items()):
        values = value if isinstance(value, tuple) else (value,)
        if len(values) <= 1:
            entries.append(struct.pack('<HHII', tag, 4, 1, values[0]))
        else:
            entries.append(struct.pack('<HHII', tag, 3, len(values), after + len(extra)))
            extra += struct.pack(f'<{len(values)}H', *values)
    content = struct.pack('<2sHI', b'II', 42, 8 + rows.size + rows.size % 2)
    content += rows.tobytes() + bytes(rows.size % 2)
    return content + struct.pack('<H', len(entries)) + b''.join(entries) + bytes(4) + extra


@pytest.mark.parametrize('bits', range(1, 16))
@pytest.mark.parametrize('kind', ['minisblack', 'miniswhite', 'rgb', 'separated', 'alpha'])
def test_any_number_of_bits(bits, kind):
    top, count = 2**bits - 1, {'rgb': 3, 'separated': 4, 'alpha': 2}.get(kind, 1)
    stored = RNG.integers(0, top + 1, (HEIGHT, WIDTH, count))
    photometric = {'minisblack': 1, 'miniswhite': 0, 'rgb': 2, 'separated': 5, 'alpha': 1}[kind]
    options = {262: photometric} | ({338: (2,)} if kind == 'alpha' else {})
    file = read_image_file('a.tif', content=packed(stored, bits, options))
    full = 255 if bits <= 8 else 65535
    assert np.iinfo(file.pixels.dtype).max == full
    colours = stored[..., :1] if kind == 'alpha' else stored
    expected = meant(colours / top, 'minisblack' if kind == 'alpha' else kind, None)
    np.testing.assert_allclose(file.pixels / full, expected, atol=1.6 / full)
    if kind == 'alpha':
        np.testing.assert_allclose(file.alpha / full, stored[..., 1] / top, atol=0.51 / full)


@pytest.mark.parametrize('bits', [1, 2, 3, 4, 7, 8, 10])
@pytest.mark.parametrize('entries', ['8 bits', 'high byte', '16 bits'])
def test_palettes_of_any_depth(bits, entries):
    stored = RNG.integers(0, 2**bits, (HEIGHT, WIDTH, 1))
    palette = RNG.integers(0, 256, (2**bits, 3)) * {'high byte': 256}.get(entries, 257)
    if entries == '16 bits':
        palette = RNG.integers(0, 65536, palette.shape)
    options = {262: 3, 320: tuple(palette.T.ravel().tolist())}
    file = read_image_file('a.tif', content=packed(stored, bits, options))
    shift = 0 if entries == '16 bits' else 8
    np.testing.assert_array_equal(file.pixels, palette[stored[..., 0]] >> shift)
    assert file.bits == (16 if entries == '16 bits' else 8)


@pytest.mark.parametrize('bits', [1, 4, 8, 12])
def test_bits_in_reverse_order(bits):
    stored = RNG.integers(0, 2**bits, (HEIGHT, WIDTH, 1))
    content = packed(stored, bits, {262: 1, 266: 2})
    end = struct.unpack_from('<I', content, 4)[0]
    reverse = bytes(int(f'{byte:08b}'[::-1], 2) for byte in range(256))
    content = content[:8] + content[8:end].translate(reverse) + content[end:]
    full = 255 if bits <= 8 else 65535
    found = read_image_file('a.tif', content=content).pixels[..., :1]
    np.testing.assert_allclose(found / full, stored / (2**bits - 1), atol=0.51 / full)


@pytest.mark.parametrize('bits', [8, 16])
@pytest.mark.parametrize('compression', ['lzma', 'zstd'])
def test_newer_compressions(bits, compression):
    pixels = RNG.integers(0, 2**bits, (20, 30, 3)).astype(f'u{bits // 8}')
    image = Image.fromarray(pixels if bits == 8 else pixels[..., 0])
    stream = io.BytesIO()
    try:
        image.save(stream, 'TIFF', compression=compression)
    except (OSError, ValueError, KeyError) as error:
        pytest.skip(f'Pillow does not write it: {error}')
    found = read_image_file('a.tif', content=stream.getvalue()).pixels
    np.testing.assert_array_equal(found, pixels if bits == 8 else pixels[..., [0, 0, 0]])


@pytest.mark.parametrize('bits', [8, 16])
def test_lab_gives_the_colours_it_was_made_of(bits):
    """LittleCMS makes CIELAB of 8 bits, whose steps of a* and b* are a few levels of sRGB."""
    colours = Image.fromarray(RNG.integers(30, 220, (40, 50, 3)).astype(np.uint8))
    profiles = ImageCms.createProfile('sRGB'), ImageCms.createProfile('LAB')
    lab = np.asarray(ImageCms.profileToProfile(colours, *profiles, outputMode='LAB'))
    if bits == 16:
        lab = np.dstack([lab[..., 0].astype(np.uint16) * 257, lab[..., 1:].astype(np.uint16) * 256])
    stream = io.BytesIO()
    tifffile.imwrite(stream, lab, photometric='cielab', metadata=None)
    file = read_image_file('a.tif', content=stream.getvalue())
    difference = np.abs(file.pixels * (255 / (2**bits - 1)) - np.asarray(colours))
    assert difference.max() < 8
    assert difference.mean() < 1


def test_compressions_that_no_library_here_has_are_named():
    content = packed(RNG.integers(0, 256, (HEIGHT, WIDTH, 3)), 8, {259: 50001, 262: 2})
    with pytest.raises(UserError, match=r'a\.tif has an unusual TIFF layout.*compression 50001'):
        read_image_file('a.tif', content=content)


@pytest.mark.parametrize('seed', range(6))
def test_damaged_files_give_one_line(seed):
    """Bytes of directories and strips are overwritten: an image or a `UserError`, nothing else."""
    rng = np.random.default_rng(seed)
    stream = io.BytesIO()
    image = rng.integers(0, 65536, (20, 30, 4)).astype(np.uint16)
    options = {'planarconfig': 'separate'} if seed % 2 else {}
    data = np.moveaxis(image, 2, 0) if seed % 2 else image
    tifffile.imwrite(
        stream, np.ascontiguousarray(data), photometric='rgb', metadata=None, bigtiff=seed > 3,
        compression='zlib' if seed % 3 else None, rowsperstrip=7, **options,
    )  # fmt: skip
    whole, messages = stream.getvalue(), []
    for _ in range(150):
        broken = bytearray(whole)
        for at in rng.integers(0, min(len(whole), 400), rng.integers(1, 4)):
            broken[at] = rng.integers(0, 256)
        try:
            read_image_file('a.tif', content=bytes(broken))
        except UserError as error:
            messages.append(str(error))
    assert messages
    assert not any('\n' in message for message in messages)


def test_cut_strips_are_refused(tmp_path):
    path = Path(tmp_path / 'a.tif')
    tifffile.imwrite(path, RNG.integers(0, 9, (20, 30, 3)).astype(np.uint16), photometric='rgb')
    with tifffile.TiffFile(path, mode='r+b') as file:
        file.pages[0].tags[279].overwrite(100)
    with pytest.raises(UserError, match=r'a\.tif is truncated'):
        read_image_file(path)
