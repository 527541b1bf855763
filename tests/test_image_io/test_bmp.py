"""BMP files with bit fields of any width, against files written by hand and Pillow."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from attentive_gan.errors import UserError
from attentive_gan.image_io import read_header, read_image, read_image_file
from PIL import Image
from support.bmp_files import bmp

RNG = np.random.default_rng(2)


CASES = [
    (16, [0xF800, 0x07E0, 0x001F]), (16, [0x7C00, 0x03E0, 0x001F]), (16, [0x30, 0xE, 0x1]),
    (16, [0xF00, 0xF0, 0xF, 0xF000]), (32, [0xFF000000, 0xFF0, 0xFF0000]), (32, [0xFF0000, 0xFF00, 0xFF]),
    (32, [0xFF000000, 0xFF00, 0xFF, 0xFF0000]), (32, [0xFFE00000, 0x1FFC00, 0x3FF]),
]  # fmt: skip


@pytest.mark.parametrize(('depth', 'masks'), CASES)
@pytest.mark.parametrize('down', [False, True])
def test_fields_of_any_width(tmp_path, depth, masks, down):
    tops = [2 ** mask.bit_count() - 1 for mask in masks]
    fields = [RNG.integers(0, top + 1, (9, 13)) for top in tops]
    path = tmp_path / 'a.bmp'
    path.write_bytes(bmp(fields, masks, depth, down))
    file, header = read_image_file(path), read_header(path)
    full = 65535 if max(tops) > 255 else 255
    found = [*np.moveaxis(file.pixels, 2, 0), *([] if file.alpha is None else [file.alpha])]
    for channel, field, top in zip(found, fields, tops, strict=True):
        np.testing.assert_array_equal(channel, np.rint(field * (full / top)))
    assert (header.height, header.width, header.bits) == (9, 13, 16 if full > 255 else 8)
    assert file.dpi == pytest.approx((100, 100), abs=0.01)
    if masks == [0xFF0000, 0xFF00, 0xFF]:  # which Pillow knows too
        np.testing.assert_array_equal(file.pixels, np.asarray(Image.open(path).convert('RGB')))


def test_cut_files_and_unknown_kinds_are_refused(tmp_path):
    content = bmp([RNG.integers(0, 32, (9, 13))] * 3, [0x7C00, 0x03E0, 0x001F], 16)
    path = tmp_path / 'a.bmp'
    path.write_bytes(content[:-5])
    with pytest.raises(UserError, match=r'a\.bmp is truncated'):
        read_image(path)
    path.write_bytes(content[:30] + struct.pack('<I', 5) + content[34:])  # a PNG inside
    with pytest.raises(UserError, match=r'a\.bmp is of a kind that is not read'):
        read_image(path)
