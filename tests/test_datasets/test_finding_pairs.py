"""Pairs are matched by number in natural order; every fault of a data set is one clear line."""

from __future__ import annotations

import numpy as np
import pytest
from attentive_gan.datasets.raindrop_dataset import (
    ConcatenatedPairDataset,
    PairFolderDataset,
    RaindropDataset,
)
from attentive_gan.datasets.transforms import LoadRainyCleanPair
from attentive_gan.errors import UserError
from attentive_gan.image_io import write_image
from PIL import Image
from support.pairs import pair_of


def message(root, kind=RaindropDataset, **options) -> str:
    """Return the one line with which a data set refuses a folder."""
    with pytest.raises(UserError) as caught:
        kind(data_root=str(root), **options)
    assert '\n' not in str(caught.value)
    return str(caught.value)


def test_natural_order_and_matching_whatever_the_order_of_creation(raindrop_set):
    root = raindrop_set((10, 2, 0, 11, 1, 20), suffixes=('.png', '.jpg', '.PNG'))
    dataset = RaindropDataset(data_root=str(root), pipeline=[LoadRainyCleanPair()])
    assert dataset.names == ['0', '1', '2', '10', '11', '20']
    assert len(dataset) == 6
    for sample in dataset:
        number = int(sample['name'])
        assert abs(int(sample['gt'][0, 0, 0]) - 10 * number) < 8  # JPEG is not exact
        assert f'{number}_rain' in sample['img_path']
        assert f'{number}_clean' in sample['gt_path']


def test_png_and_jpeg_in_one_pair(raindrop_set):
    root = raindrop_set((0,))
    (root / 'gt' / '0_clean.png').unlink()
    write_image(root / 'gt' / '0_clean.JPEG', pair_of(0)[1])
    assert len(RaindropDataset(data_root=str(root))) == 1


def test_other_files_are_no_part_of_a_data_set(raindrop_set):
    root = raindrop_set((0, 1))
    for name in ('Thumbs.db', '.DS_Store', '._0_rain.png', 'readme.txt'):
        (root / 'data' / name).write_bytes(b'x')
    (root / 'data' / 'old.png').mkdir()
    assert len(RaindropDataset(data_root=str(root))) == 2


def test_indices_and_metainfo(raindrop_set):
    root = str(raindrop_set((0, 1, 2, 3)))
    assert RaindropDataset(data_root=root, indices=2).names == ['0', '1']
    dataset = RaindropDataset(data_root=root, indices=[3, 1], metainfo={'camera': 'x'})
    assert dataset.names == ['3', '1']
    assert dataset.metainfo['dataset_name'] == 'train'
    assert dataset.metainfo['camera'] == 'x'


def test_missing_and_empty(tmp_path, raindrop_set):
    assert 'does not exist. Put the data set there (data/N_rain' in message(tmp_path / 'nowhere')
    (tmp_path / 'data').mkdir()
    assert 'has no folder gt' in message(tmp_path)
    (tmp_path / 'gt').mkdir()
    assert 'holds no images' in message(tmp_path)


def test_folder_of_splits_gets_a_hint(raindrop_set):
    root = raindrop_set((0,))
    assert f'did you mean {root}?' in message(root.parent)


@pytest.mark.fault('C3')
def test_missing_partners(raindrop_set):
    root = raindrop_set(range(6))
    for number in range(5):
        (root / 'gt' / f'{number}_clean.png').unlink()
    text = message(root)
    assert (
        'without a partner in gt/: data/0_rain.png, data/1_rain.png, data/2_rain.png and 2' in text
    )
    assert 'Add the missing partners' in text
    (root / 'data' / '5_rain.png').unlink()
    for number in range(5):
        (root / 'data' / f'{number}_rain.png').unlink()
    assert 'without a partner in data/: gt/5_clean.png' in message(root)


@pytest.mark.fault('C3')
def test_duplicates(raindrop_set):
    root = raindrop_set((0, 7))
    write_image(root / 'data' / '7_rain.jpg', pair_of(7)[0])
    assert 'two files for one image: data/7_rain' in message(root)
    (root / 'data' / '7_rain.jpg').rename(root / 'data' / '007_rain.png')
    assert 'two files for one image' in message(root)


def test_unexpected_names(raindrop_set):
    root = raindrop_set((0,))
    (root / 'gt' / '0_clean.png').rename(root / 'gt' / '0_rain.png')
    text = message(root)
    assert 'unexpected names: gt/0_rain.png. Rename these files to N_clean.png' in text
    assert '1 other faults' in text


@pytest.mark.fault('C3')
def test_unequal_sizes(raindrop_set):
    root = raindrop_set((0, 1))
    write_image(root / 'gt' / '1_clean.png', pair_of(1, (24, 35))[1])
    assert 'differ in size: data/1_rain.png is 36x24, gt/1_clean.png is 35x24' in message(root)


@pytest.mark.fault('C1')
@pytest.mark.parametrize('folder', ['data/1_rain', 'gt/1_clean'])
@pytest.mark.parametrize('suffix', ['.png', '.jpg'])
@pytest.mark.parametrize(
    ('share', 'words'), [(0.8, 'truncated or damaged'), (0, 'is empty'), (None, 'is not an image')]
)
def test_images_that_cannot_be_used(raindrop_set, folder, suffix, share, words):
    root = raindrop_set((0, 1), suffixes=(suffix,))
    file = root / f'{folder}{suffix}'
    content = file.read_bytes()
    file.write_bytes(b'text' if share is None else content[: int(len(content) * share)])
    text = message(root)
    assert str(file) in text
    assert words in text


def test_orientation_counts_in_the_comparison_of_sizes(raindrop_set):
    root = raindrop_set((0,))
    turned = Image.fromarray(np.rot90(pair_of(0)[1]))
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(root / 'gt' / '0_clean.png', exif=exif)
    dataset = RaindropDataset(data_root=str(root), pipeline=[LoadRainyCleanPair()])
    np.testing.assert_array_equal(dataset[0]['gt'], pair_of(0)[1])


def test_pair_folders_with_templates(tmp_path):
    rainy, clean = pair_of(3)
    for name in ('b10', 'b9', 'a'):
        write_image(tmp_path / 'all' / f'rain-{name}.png', rainy)
        write_image(tmp_path / 'all' / f'norain-{name}.png', clean)
    options = {
        'rainy': 'all',
        'clean': 'all',
        'rainy_template': 'rain-{}',
        'clean_template': 'norain-{}',
    }
    for file in (tmp_path / 'all').glob('norain*'):
        write_image(tmp_path / 'clean' / file.name, clean)
        file.unlink()
    options['clean'] = 'clean'
    dataset = PairFolderDataset(data_root=str(tmp_path), pipeline=[LoadRainyCleanPair()], **options)
    assert dataset.names == ['a', 'b9', 'b10']
    np.testing.assert_array_equal(dataset[1]['img'], rainy)
    assert 'must contain {} once' in message(tmp_path, PairFolderDataset, rainy_template='rain')
    assert 'no folder rainy and no folder clean' in message(tmp_path / 'all', PairFolderDataset)


@pytest.mark.parametrize('side', ['left', 'right'])
def test_concatenated_pairs(tmp_path, side):
    rainy, clean = pair_of(2)
    halves = (rainy, clean) if side == 'left' else (clean, rainy)
    write_image(tmp_path / '1.png', np.concatenate(halves, axis=1))
    options = {'data_root': str(tmp_path), 'rainy_side': side}
    dataset = ConcatenatedPairDataset(pipeline=[LoadRainyCleanPair()], **options)
    np.testing.assert_array_equal(dataset[0]['img'], rainy)
    np.testing.assert_array_equal(dataset[0]['gt'], clean)
    write_image(tmp_path / '2.png', rainy[:, :35])
    assert 'an odd width cannot be halved' in message(kind=ConcatenatedPairDataset, root=tmp_path)
    assert "must be 'left' or 'right'" in message(
        tmp_path, ConcatenatedPairDataset, rainy_side='top'
    )


@pytest.mark.shared
def test_real_data_sets_are_found(shared):
    data = shared / 'data'
    assert RaindropDataset(data_root=str(data / 'raindrop_train_pairs')).names == [
        '0',
        '1',
        '2',
        '3',
    ]
    streaks = PairFolderDataset(data_root=str(data / 'rain100h'), rainy='input', clean='target')
    assert len(streaks) == 12


def test_both_kinds_may_lie_in_one_folder(tmp_path):
    for number in (1, 2, 10):
        rainy, clean = pair_of(number)
        write_image(tmp_path / f'rain-{number}.png', rainy)
        write_image(tmp_path / f'norain-{number}.png', clean)
    options = dict(rainy='.', clean='.', rainy_template='rain-{}', clean_template='norain-{}')
    dataset = PairFolderDataset(data_root=str(tmp_path), **options)
    assert dataset.names == ['1', '2', '10']
    assert dataset.get_data_info(2)['gt_path'].endswith('norain-10.png')
    text = message(tmp_path, PairFolderDataset, **{**options, 'rainy_template': '{}'})
    assert 'tell them apart' in text
    (tmp_path / 'norain-2.png').unlink()
    assert 'rain-2.png' in message(tmp_path, PairFolderDataset, **options)


@pytest.mark.parametrize(
    ('rainy', 'clean', 'suggested'),
    [
        (['0_rain', '10_rain'], ['0_clean', '10_clean'], ('{}_rain', '{}_clean')),
        (['rain-001', 'rain-010'], ['norain-001', 'norain-010'], ('rain-{}', 'norain-{}')),
        (['x2_a', 'x2_b'], ['a', 'b'], ('x2_{}', '{}')),
        (['1_rain', '2_rain'], ['1', '3'], None),
    ],
)
def test_templates_are_suggested_where_no_name_matches(tmp_path, rainy, clean, suggested):
    for folder, names in (('input', rainy), ('target', clean)):
        for number, name in enumerate(names):
            write_image(tmp_path / folder / f'{name}.png', pair_of(number)[folder == 'target'])
    options = dict(rainy='input', clean='target')
    text = message(tmp_path, PairFolderDataset, **options)
    assert ('Did you mean' in text) == bool(suggested)
    if suggested:
        assert f'rainy_template={suggested[0]!r} and clean_template={suggested[1]!r}' in text
        templates = dict(rainy_template=suggested[0], clean_template=suggested[1])
        dataset = PairFolderDataset(data_root=str(tmp_path), **options, **templates)
        assert len(dataset) == 2


def test_a_clean_image_may_have_several_rainy_ones(tmp_path):
    for scene in (901, 17):
        rainy, clean = pair_of(scene % 20)
        write_image(tmp_path / 'ground_truth' / f'{scene}.png', clean)
        for version in (1, 2, 14):
            write_image(tmp_path / 'rainy_image' / f'{scene}_{version}.png', rainy)
    options = dict(rainy='rainy_image', clean='ground_truth', rainy_template='{}_{n}')
    dataset = PairFolderDataset(data_root=str(tmp_path), **options)
    assert dataset.names == ['17_1', '17_2', '17_14', '901_1', '901_2', '901_14']
    assert dataset.get_data_info(5)['img_path'].endswith('901_14.png')
    assert dataset.get_data_info(5)['gt_path'].endswith('901.png')
    write_image(tmp_path / 'rainy_image' / '5_1.png', rainy)
    assert '5_1.png' in message(tmp_path, PairFolderDataset, **options)
    text = message(tmp_path, PairFolderDataset, **{**options, 'clean_template': '{}_{n}'})
    assert 'must not contain {n}' in text
