"""Raindrop Clarity and RainDS as they are published: found, checked, trained on and tested."""

from __future__ import annotations

from pathlib import Path

import pytest
from attentive_gan.config import reading as configuration
from attentive_gan.datasets import PairFolderDataset, RainDSDataset
from attentive_gan.errors import UserError
from support.published_layouts import save, write_raindrop_clarity, write_rainds


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


def test_images_beside_folders_make_no_scenes(day):
    save(day / 'Drop' / 'x.png', 1)
    save(day / 'Clear' / 'x.png', 2)
    assert clarity(day).names == ['x']


@pytest.mark.parametrize('rain', ['raindrop', 'rainstreak', 'rainstreak_raindrop'])
@pytest.mark.parametrize(
    ('split', 'names'),
    [
        ('RainDS_real/train_set', ['2', '3', '218']),
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


CONFIGS = {
    'raindrop_clarity': (write_raindrop_clarity, 12, 12),
    'rainds': (write_rainds, 3, 3),
}


@pytest.mark.parametrize('name', CONFIGS)
def test_one_iteration_and_a_test_with_data_root_alone(repository, tmp_path, name):
    write, train, test = CONFIGS[name]
    data = write(tmp_path / 'elsewhere')
    base = repository / 'configs' / '_base_'
    path = tmp_path / f'{name}_small.py'
    path.write_text(f"""
_base_ = [{str(base / 'default_runtime.py')!r}, {str(base / 'datasets' / f'{name}.py')!r}]
model = dict(
    type='BaseEditModel', generator=dict(type='RestorationUNet', channels=[4, 6], blocks=1, shuffle=2),
    pixel_loss=dict(type='L1Loss'),
    data_preprocessor=dict(type='PairPreprocessor', mean=[0, 0, 0], std=[255, 255, 255]))
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-3))
train_cfg = dict(type='ResumableTrainLoop', max_iters=1, val_interval=1)
val_cfg = dict(type='MultiValLoop')
test_cfg = dict(type='MultiTestLoop')
default_hooks = dict(checkpoint=dict(save_best=None), sample_grid=None, save_images=None)
visualizer = dict(vis_backends=[dict(type='LocalVisBackend')])
work_dir = {str(tmp_path / 'work')!r}
experiment_name = {name!r}
""")
    config = configuration.load_config(str(path), {'data_root': str(data)})
    for loader in (config.train_dataloader, config.val_dataloader, config.test_dataloader):
        loader.update(num_workers=0, persistent_workers=False)
        for dataset in loader.dataset.get('datasets', [loader.dataset]):
            for step in dataset.pipeline:
                if 'crop_size' in step:
                    step.crop_size = (32, 32)
    config.train_dataloader.batch_size = 2
    runner = configuration.build_runner(config)
    runner.train()
    assert len(runner.train_dataloader.dataset) == train
    assert len(runner.val_dataloader.dataset) == test
    scores = runner.val_evaluator.metrics[0].records
    assert len(scores) == test
    assert len({score['path'] for score in scores}) == test
