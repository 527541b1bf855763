"""Writing of images and of contact sheets."""

from __future__ import annotations

import numpy as np
import pytest
from attentive_gan.errors import UserError
from attentive_gan.image_io import contact_sheet, read_image, write_image

IMAGE = np.random.default_rng(5).integers(0, 256, (9, 6, 3), np.uint8)


@pytest.mark.parametrize('suffix', ['.png', '.PNG', '.webp', '.bmp', '.tif'])
def test_round_trip_without_loss(tmp_path, suffix):
    path = write_image(tmp_path / 'new' / f'a{suffix}', IMAGE)
    np.testing.assert_array_equal(read_image(path), IMAGE)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_grey_and_strided_arrays(tmp_path):
    path = write_image(tmp_path / 'a.png', IMAGE[::-1, :, 0])
    np.testing.assert_array_equal(read_image(path)[..., 2], IMAGE[::-1, :, 0])


def test_unknown_suffix_and_wrong_arrays(tmp_path):
    with pytest.raises(UserError, match=r'a\.xyz'):
        write_image(tmp_path / 'a.xyz', IMAGE)
    for wrong in (IMAGE.astype(np.float32), IMAGE[..., :2], IMAGE[0, 0]):
        with pytest.raises(ValueError, match='uint8'):
            write_image(tmp_path / 'a.png', wrong)


def test_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = write_image(tmp_path / 'a.png', IMAGE)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('os.fsync', full)
    with pytest.raises(UserError, match='No space left'):
        write_image(path, 255 - IMAGE)
    monkeypatch.undo()
    np.testing.assert_array_equal(read_image(path), IMAGE)
    assert len(list(tmp_path.iterdir())) == 1


def test_contact_sheet_shows_every_image():
    red, green = (np.full((40, 60, 3), ink, np.uint8) for ink in ((255, 0, 0), (0, 255, 0)))
    mask = np.full((40, 60), 253, np.uint8)
    sheet = contact_sheet(
        ('a', 'b', 'c'), [('one', (red, green, mask)), ('two', (green, red, mask))], 40
    )
    for colour in ((255, 0, 0), (0, 255, 0), (253, 253, 253)):
        assert (sheet == colour).all(axis=2).sum() == 2 * 40 * 60
    row = np.flatnonzero((sheet == (255, 0, 0)).all(axis=2).any(axis=1))
    assert sheet[: row[0]].min() < 100  # headings and caption are above the first row


def test_contact_sheet_fits_sizes():
    big, small = np.zeros((100, 50, 3), np.uint8), np.zeros((10, 5, 3), np.uint8)
    sheet = contact_sheet(('a',), [('', (big,)), ('', (small,))], 40)
    assert (sheet == 0).all(axis=2).sum() == 40 * 20 + 40 * 20
    with pytest.raises(ValueError, match='one image per heading'):
        contact_sheet(('a', 'b'), [('', (big,))])
