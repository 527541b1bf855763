"""Data sets as they are published: found, checked, trained on and tested."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from attentive_gan.config import reading as configuration
from attentive_gan.datasets import (
    PairFolderDataset,
    PairListDataset,
    RaindropClarityDataset,
    RainDSDataset,
)
from attentive_gan.errors import UserError
from PIL import Image
from support.published_layouts import (
    ALLWEATHER,
    save,
    write_allweather,
    write_input_target,
    write_raindrop,
    write_raindrop_clarity,
    write_rainds,
)


def clarity(root, **options):
    return PairFolderDataset(data_root=str(root), rainy='Drop', clean='Clear', **options)


@pytest.fixture
def day(tmp_path):
    return write_raindrop_clarity(tmp_path) / 'DayRainDrop_Train'


def test_scenes_are_matched_by_folder_and_name(day):
    dataset = clarity(day)
    assert dataset.names == [f'{s:05d}_{n:05d}' for s in (1, 2) for n in (1, 2, 3)]
    for name in range(len(dataset)):
        entry = dataset.get_data_info(name)
        rainy, clean = Path(entry['img_path']), Path(entry['gt_path'])
        assert rainy.relative_to(day / 'Drop') == clean.relative_to(day / 'Clear')


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda day: (day / 'Clear/00001/00002.png').unlink(), r'partner in Clear/00001/: 00001/00002'),
        (lambda day: (day / 'Drop/00002/00001.png').unlink(), r'partner in Drop/00002/: 00002/00001'),
        (lambda day: save(day / 'Drop/00009/00001.png', 1), r'partner in Clear/00009/: 00009/00001'),
        (lambda day: save(day / 'Drop/00001/00001.png', 1, (40, 44)), 'partners differ in size'),
        (
            lambda day: [save(day / kind / f'{scene}/{name}.png', 1) for kind in ('Drop', 'Clear')
                         for scene, name in (('a', 'b_c'), ('a_b', 'c'))],
            'two pairs with one name',
        ),
    ],
)  # fmt: skip
def test_faults_of_scenes_are_named(day, change, message):
    change(day)
    with pytest.raises(UserError, match=message):
        clarity(day).full_init()


def test_whole_scenes_are_held_out(tmp_path):
    root = write_raindrop_clarity(tmp_path, scenes=7, images=2) / 'DayRainDrop_Train'
    every = clarity(root).names
    parts = {part: clarity(root, part=part, held_out=1).names for part in ('train', 'held_out')}
    assert sorted(parts['train'] + parts['held_out']) == every
    scenes = {part: {name.split('_')[0] for name in names} for part, names in parts.items()}
    assert not scenes['train'] & scenes['held_out']
    assert (len(scenes['train']), len(parts['held_out'])) == (6, 2)
    # A scene that is added moves no other one but where it takes its place.
    shutil.rmtree(root / 'Drop' / next(iter(scenes['train'])))
    shutil.rmtree(root / 'Clear' / next(iter(scenes['train'])))
    assert clarity(root, part='held_out', held_out=1).names == parts['held_out']
    with pytest.raises(UserError, match='part must be one of'):
        clarity(root, part='val')


def test_of_one_scene_images_are_held_out(tmp_path):
    root = write_raindrop_clarity(tmp_path, scenes=1, images=3) / 'DayRainDrop_Train'
    parts = [clarity(root, part=part, held_out=1).names for part in ('train', 'held_out')]
    assert [len(names) for names in parts] == [2, 1]
    assert sorted([*parts[0], *parts[1]]) == clarity(root).names
    for number in (2, 3):
        for kind in ('Drop', 'Clear'):
            (root / kind / '00001' / f'{number:05d}.png').unlink()
    with pytest.raises(UserError, match='holds one pair'):
        clarity(root, part='train').full_init()


def test_focus_selects_photos(day):
    # Equal pixels count, not equal files.
    Image.open(day / 'Blur/00001/00002.png').save(day / 'Blur/00001/00002.png', compress_level=1)
    named = {
        focus: RaindropClarityDataset(data_root=str(day), focus=focus).names
        for focus in ('all', 'background', 'drops')
    }
    assert named['background'] == ['00001_00002', '00002_00002']
    assert named['drops'] == [name for name in named['all'] if name not in named['background']]
    assert len(named['all']) == 6


def test_focus_needs_what_it_compares(day):
    with pytest.raises(UserError, match='focus must be one of'):
        RaindropClarityDataset(data_root=str(day), focus='blur')
    (day / 'Blur/00001/00003.png').unlink()
    assert len(RaindropClarityDataset(data_root=str(day))) == 6
    with pytest.raises(UserError, match=r'images of Blur are missing: Blur/00001/00003\.png'):
        RaindropClarityDataset(data_root=str(day), focus='drops').full_init()
    shutil.rmtree(day / 'Blur')
    with pytest.raises(UserError, match='has no folder Blur'):
        RaindropClarityDataset(data_root=str(day), focus='drops').full_init()


def test_images_beside_folders_make_no_scenes(day):
    save(day / 'Drop' / 'x.png', 1)
    save(day / 'Clear' / 'x.png', 2)
    assert clarity(day).names == ['x']


@pytest.mark.parametrize('rain', ['raindrop', 'rainstreak', 'rainstreak_raindrop'])
@pytest.mark.parametrize(
    ('split', 'names'),
    [
        ('RainDS_real/train_set', ['2', '3', '218']),
        ('RainDS_real/test_set', ['2', '3', '218']),
        ('RainDS_syn/test', ['0', '1', '2', 'pie-0', 'pie-1', 'pie-2']),
    ],
)
def test_rainds_has_all_kinds_of_rain(tmp_path, split, names, rain):
    dataset = RainDSDataset(data_root=str(write_rainds(tmp_path) / split), rain=rain)
    assert sorted(dataset.names) == sorted(names)
    for number in range(len(dataset)):
        entry = dataset.get_data_info(number)
        rainy, clean = Path(entry['img_path']), Path(entry['gt_path'])
        assert (rainy.parent.name, clean.parent.name) == (rain, 'gt')
        assert rainy.stem.startswith('pie-') == clean.stem.startswith('pie-')
        assert rainy.stem.rpartition('-')[2] == clean.stem.rpartition('-')[2]


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda root: (root / 'gt/norain-1.png').unlink(), r'partner in gt/: raindrop/rd-1\.png'),
        (lambda root: save(root / 'raindrop/rain-1.png', 1), r'unexpected names: raindrop/rain-1'),
        (lambda root: save(root / 'raindrop/1.png', 1), 'two files for one image'),
    ],
)
def test_faults_of_rainds_are_named(tmp_path, change, message):
    root = write_rainds(tmp_path) / 'RainDS_syn' / 'train'
    change(root)
    with pytest.raises(UserError, match=message):
        RainDSDataset(data_root=str(root)).full_init()


def test_unknown_rain_is_refused(tmp_path):
    with pytest.raises(UserError, match='raindrop, rainstreak, rainstreak_raindrop'):
        RainDSDataset(data_root=str(tmp_path), rain='gt')


#: Standard configs with the writer of their data set, and numbers of training and test images.
CONFIGS = {
    'nafnet/nafnet_1xb8-100k_raindrop': (write_raindrop, 3, 2),
    'nafnet/nafnet_1xb8-100k_raindrop-clarity': (write_raindrop_clarity, 6, 6),
    'nafnet/nafnet_1xb8-100k_rainds': (write_rainds, 3, 3),
    'nafnet/nafnet_1xb8-100k_uav-rain1k': (write_input_target, 3, 2),
    'nafnet/nafnet_1xb8-100k_allweather': (write_allweather, 4, 3),
    'nafnet/nafnet_1xb8-100k_input-target': (write_input_target, 3, 2),
    'restormer/restormer_8xb2-100k_raindrop-clarity': (write_raindrop_clarity, 6, 6),
}
#: What makes a config small enough for a test.
SMALL = {
    'nafnet': {
        'model.generator.mid_channels': 4,
        'model.generator.enc_blk_nums': [1, 1, 1, 1],
    },
    'restormer': {
        'model.generator.dim': 8,
        'model.generator.num_blocks': [1, 1, 1, 1],
        'model.generator.num_refinement_blocks': 1,
        'model.generator.heads': [1, 1, 1, 1],
    },
}


def shrink_loaders(config):
    """Load in this process, and crop no more than the small images have."""
    for loader in (config.train_dataloader, config.val_dataloader, config.test_dataloader):
        loader.update(num_workers=0, persistent_workers=False)
        for dataset in loader.dataset.get('datasets', [loader.dataset]):
            for step in dataset.pipeline:
                if 'crop_size' in step:
                    step.crop_size = (32, 32)
    config.train_dataloader.batch_size = 2


@pytest.mark.parametrize('name', CONFIGS)
def test_one_iteration_and_a_test_with_data_root_alone(repository, tmp_path, name):
    write, train, test = CONFIGS[name]
    options = {**SMALL[name.partition('/')[0]], 'data_root': str(write(tmp_path / 'elsewhere'))}
    config = configuration.load_config(str(repository / 'configs' / f'{name}.py'), options)
    shrink_loaders(config)
    config.train_cfg.update(max_iters=1, val_interval=1)
    config.default_hooks.sample_grid.count = 1
    config.visualizer.vis_backends = [dict(type='LocalVisBackend')]
    config.work_dir = str(tmp_path / 'work')
    config.experiment_name = Path(name).name
    runner = configuration.build_runner(config)
    runner.train()
    assert len(runner.train_dataloader.dataset) == train
    assert len(runner.val_dataloader.dataset) == test
    scores = runner.val_evaluator.metrics[0].records
    assert len(scores) == test
    assert len({score['path'] for score in scores}) == test
    assert list((tmp_path / 'work').glob('best_*.pth'))


def test_a_list_may_name_the_folder_above_or_not(tmp_path):
    root = write_allweather(tmp_path) / 'train' / 'allweather'
    shutil.copy(tmp_path / 'train' / 'allweather.txt', root)
    dataset = PairListDataset(data_root=str(root), list_file='allweather.txt')
    assert dataset.names == ['0_rain', '12_rain', 'im_0001_s80_a04', 'beautiful_smile_00003']
    for number, name in enumerate(ALLWEATHER):
        entry = dataset.get_data_info(number)
        assert (Path(entry['img_path']), Path(entry['gt_path'])) == (
            root / 'input' / name,
            root / 'gt' / name,
        )


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda train: (train / 'allweather.txt').unlink(), r'allweather\.txt does not exist'),
        (lambda train: (train / 'allweather.txt').write_bytes(b'\xff\xfe\0'), 'cannot be read as a list'),
        (lambda train: (train / 'allweather.txt').write_text('\n'), 'holds no images'),
        (
            lambda train: (train / 'allweather/input/0_rain.jpg').unlink(),
            r'a listed image is missing: allweather/input/0_rain\.jpg',
        ),
        (
            lambda train: (train / 'allweather/gt/12_rain.jpg').unlink(),
            r'without a partner in gt/: allweather/input/12_rain\.jpg',
        ),
        (
            lambda train: (train / 'allweather.txt').write_text('allweather/gt/0_rain.jpg\n'),
            'without a partner in gt/',
        ),
        (
            lambda train: (train / 'allweather.txt').write_text('allweather/input/0_rain.jpg\n' * 2),
            'two listed images with one name',
        ),
        (
            lambda train: save(train / 'allweather/gt/0_rain.jpg', 1, (40, 44)),
            'partners differ in size',
        ),
    ],
)  # fmt: skip
def test_faults_of_lists_are_named(tmp_path, change, message):
    train = write_allweather(tmp_path) / 'train'
    change(train)
    with pytest.raises(UserError, match=message):
        PairListDataset(data_root=str(train), list_file='allweather.txt').full_init()
