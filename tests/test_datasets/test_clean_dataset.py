"""Data sets of clean images: verified folders, parts that do not move, scenes by number."""

from __future__ import annotations

import numpy as np
import pytest
from attentive_gan.datasets.clean_dataset import CleanImageDataset, DrawnSceneDataset
from attentive_gan.datasets.transforms import LoadCleanImage
from attentive_gan.errors import UserError
from attentive_gan.image_io import write_image


def photo(value, size=(20, 30)):
    return np.full((*size, 3), value, np.uint8)


@pytest.fixture
def photos(tmp_path):
    root = tmp_path / 'photos'
    for number, name in enumerate(['10.png', '2.jpg', 'trip/1.bmp', 'trip/deep/1.tif']):
        write_image(root / name, photo(40 * number))
    write_image(root / 'trip' / '.hidden.png', photo(0))
    (root / 'notes.txt').write_text('no image')
    return root


@pytest.mark.parametrize('cache', [False, True])
def test_all_photos_below_the_folder(photos, cache):
    dataset = CleanImageDataset(str(photos), [LoadCleanImage()], cache=cache)
    assert dataset.names == ['2.jpg', '10.png', 'trip/1.bmp', 'trip/deep/1.tif']
    for _ in range(2):
        assert [int(dataset[n]['gt'].mean().round()) for n in range(4)] == [40, 0, 80, 120]
    assert dataset[3]['img_path'] == str(photos / 'trip/deep/1.tif')
    assert dataset[0]['gt'].shape == dataset[0]['ori_gt_shape'] == (20, 30, 3)


def test_grey_and_16_bit_photos_become_colour(tmp_path):
    import cv2

    cv2.imwrite(str(tmp_path / 'grey.png'), np.full((20, 20), 7, np.uint8))
    cv2.imwrite(str(tmp_path / 'deep.png'), np.full((20, 20, 3), 257 * 9, np.uint16))
    dataset = CleanImageDataset(str(tmp_path), [LoadCleanImage()])
    assert [(d['gt'].shape, d['gt'].max()) for d in dataset] == [((20, 20, 3), 9), ((20, 20, 3), 7)]


def test_faults_are_named_at_the_start(photos):
    (photos / 'trip' / '1.bmp').write_bytes(b'')
    file = photos / '10.png'
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(UserError, match=r'cannot be used: .*10\.png.*1\.bmp is empty'):
        CleanImageDataset(str(photos))


def test_missing_and_empty_folders(tmp_path):
    with pytest.raises(UserError, match='none does not exist'):
        CleanImageDataset(str(tmp_path / 'none'))
    (tmp_path / 'readme.txt').touch()
    with pytest.raises(UserError, match='holds no images'):
        CleanImageDataset(str(tmp_path))


def names_of(root, part, **options):
    return set(CleanImageDataset(str(root), part=part, **options).names)


def test_parts_are_disjoint_and_do_not_depend_on_order(tmp_path):
    for number in range(25):
        write_image(tmp_path / f'{number}.png', photo(number, (16, 16)))
    train, held_out = (names_of(tmp_path, part) for part in ('train', 'held_out'))
    assert (len(train), len(held_out)) == (20, 5)
    assert train | held_out == names_of(tmp_path, 'all')
    assert len(names_of(tmp_path, 'held_out', held_out=3)) == 3
    # Photos that come first in the folder do not push the others from part to part.
    for number in range(3):
        write_image(tmp_path / f'0{number}.png', photo(99))
    assert len(names_of(tmp_path, 'held_out') & held_out) >= 4
    for file in sorted(tmp_path.iterdir())[1:]:
        file.unlink()
    with pytest.raises(UserError, match='holds one photo'):
        names_of(tmp_path, 'train')
    with pytest.raises(UserError, match='part must be'):
        names_of(tmp_path, 'test')
    with pytest.raises(UserError, match='held_out must be 1'):
        names_of(tmp_path, 'train', held_out=0)


def scenes(length=4, size=(32, 48), **options):
    return DrawnSceneDataset(length, size, pipeline=[LoadCleanImage()], **options)


def test_a_scene_is_a_function_of_seed_and_number():
    first = [scenes()[n]['gt'] for n in range(4)]
    assert len({one.tobytes() for one in first}) == 4
    assert first[0].shape == (32, 48, 3)
    longer = scenes(9, cache=True)
    for _ in range(2):
        np.testing.assert_array_equal(longer[2]['gt'], first[2])
    assert (scenes(seed=1)[2]['gt'] != first[2]).any()
    assert longer.names[8] == longer[8]['img_path'] == 'scene_8'
    assert longer.metainfo['dataset_name'] == 'drawn_scenes'


@pytest.mark.parametrize(
    'options', [{'length': 0}, {'size': (8, 40)}, {'seed': -1}, {'night_share': 1.5}]
)
def test_wrong_options_are_refused(options):
    with pytest.raises(UserError):
        scenes(**options)


def test_a_share_of_the_scenes_is_at_night():
    def levels(share):
        dataset = scenes(8, (32, 48), night_share=share)
        return np.array([dataset[n]['gt'].mean() for n in range(8)])

    day, night, some = levels(0.0), levels(1.0), levels(0.5)
    assert not (day == night).any()
    assert ((some == day) | (some == night)).all()
    assert 0 < (some == night).sum() < 8
