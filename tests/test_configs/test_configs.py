"""Every config is complete: it builds, and one iteration of it runs at a small size."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
import yaml
from attentive_gan.config import reading as configuration
from attentive_gan.config.budget import set_iterations
from support.runs import REPOSITORY, write_pairs

CONFIGS = sorted(
    path for path in (REPOSITORY / 'configs').rglob('*.py') if '_base_' not in path.parts
)
#: Short names of configs in a method's folder.
SHORT_NAMES = [path for path in CONFIGS if path.parent.name == 'configs']
#: Configs on other data sets, which tests/test_datasets/test_published_layouts.py trains.
OTHER_DATA = [
    path
    for path in CONFIGS
    if path.stem.endswith(('-clarity', '_rainds', '-rain1k', '_allweather', '_input-target'))
]
#: Parameters of generator and discriminator (spec of the ablations; the published counts).
PARAMETERS = {
    'attgan_a_1xb8-100k_raindrop': (6_074_953, 0),
    'attgan_a-d_1xb8-100k_raindrop': (6_074_953, 7_734_545),
    'attgan_a-ad_1xb8-100k_raindrop': (6_074_953, 7_737_746),
    'attgan_aa_1xb8-100k_raindrop': (6_244_362, 0),
    'attgan_aa-d_1xb8-100k_raindrop': (6_244_362, 7_734_545),
    'attgan_aa-ad_1xb8-100k_raindrop': (6_244_362, 7_737_746),
}
#: Widths at which one iteration of a large baseline takes a moment.
NARROW = {
    'restormer_1xb8-100k_raindrop': dict(
        dim=8, num_blocks=[1, 1, 1, 1], num_refinement_blocks=1, heads=[1, 1, 1, 1]
    ),
    'nafnet_1xb8-100k_raindrop': dict(mid_channels=4, enc_blk_nums=[1, 1, 1, 1]),
    'swinir_1xb8-100k_raindrop': dict(embed_dim=12, depths=[2, 2], num_heads=[2, 2]),
    'pix2pix_1xb8-100k_raindrop': dict(base_channels=4, num_down=5),
    'durn_1xb8-100k_raindrop': dict(channels=8),
    'eigen2013_1xb8-100k_raindrop': dict(channels=16),
}


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    return write_pairs(tmp_path_factory.mktemp('data') / 'pairs', count=4)


@pytest.fixture(scope='module')
def vgg_weights(tmp_path_factory):
    """A file in the place of torchvision's: first two blocks of VGG16, random."""
    path = tmp_path_factory.mktemp('vgg') / 'vgg16.pth'
    shapes = {0: (64, 3), 2: (64, 64), 5: (128, 64), 7: (128, 128)}
    state = {}
    for position, (width, channels) in shapes.items():
        state[f'features.{position}.weight'] = torch.randn(width, channels, 3, 3) * 0.05
        state[f'features.{position}.bias'] = torch.zeros(width)
    torch.save(state, path)
    return path


def parts(dataset):
    """Return the data sets that a data set joins, or the only one."""
    return dataset.get('datasets', [dataset])


def small_crop(step):
    """Return 32 x 32, or more where a random scale follows the crop."""
    if step.type == 'RenderRaindrops':
        return (48, 48)
    return (64, 64) if step.get('keys') == ['gt'] else (32, 32)


def use_files(dataset, data: Path):
    """Let a data set read the pairs of this test, if it reads files."""
    if 'data_root' in dataset:
        dataset.data_root = str(data)
    if dataset.type == 'PairFolderDataset':
        dataset.update(rainy='data', rainy_template='{}_rain')
        dataset.update(clean='gt', clean_template='{}_clean')


def shrink_steps(dataset):
    """Make the crops of a data set small."""
    for step in dataset.pipeline:
        if 'crop_size' in step:
            step.crop_size = small_crop(step)
        if step.type == 'ResizeToCover':
            step.size = (48, 64)
        if step.type == 'RenderPairs':
            step.count = 2


def shrink_pool(config):
    """Draw batches from a pool of a few small images."""
    config.train_dataloader.update(crop_size=32, stages=[], pool_size=4, start_size=2)
    config.train_dataloader.dataset.update(size=(48, 64), length=100)
    if config.val_dataloader.dataset.type == 'DrawnSceneDataset':
        config.val_dataloader.dataset.update(size=(48, 64), length=2)


def shrink_data(config, data: Path):
    """Make data sets small, and have no worker processes."""
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        loader = config[name]
        use_files(loader.dataset, data)
        loader.num_workers = 0
        if 'persistent_workers' in loader:
            loader.persistent_workers = False
        if name != 'test_dataloader':
            shrink_steps(loader.dataset)
    config.train_dataloader.batch_size = 2
    if config.train_dataloader.get('type') == 'PooledDataLoader':
        shrink_pool(config)


def shorten(config):
    """Train for one iteration with all parts active, and validate after it."""
    if config.train_cfg.type == 'TimedTrainLoop':
        set_iterations(config, 1)
    config.train_cfg.max_iters = config.train_cfg.val_interval = 1
    config.default_hooks.checkpoint.update(interval=10, save_best=None, save_last=False)
    config.default_hooks.checkpoint.pop('share', None)
    if config.model.type == 'AttentiveGAN':
        config.model.train_cfg = None


def small(path: Path, data: Path, vgg_weights: Path, work_dir: Path):
    """Read a config and make it small: one iteration of two 32 x 32 crops, all parts active."""
    config = configuration.load_config(str(path))
    shrink_data(config, data)
    shorten(config)
    config.model.generator.update(NARROW.get(path.stem, {}))
    if config.model.get('perceptual_loss') is not None:
        config.model.perceptual_loss.weights_path = str(vgg_weights)
    config.default_hooks.update(score_files=None, save_images=None)
    config.default_hooks.sample_grid.count = 1
    config.visualizer.vis_backends = [dict(type='LocalVisBackend')]
    config.work_dir = str(work_dir)
    config.launcher = 'none'
    config.experiment_name = f'{path.stem}_{work_dir.name}'
    return config


@pytest.mark.parametrize(
    'path', [path for path in CONFIGS if path not in OTHER_DATA], ids=lambda path: path.stem
)
def test_one_iteration_of_every_config(path, data, vgg_weights, tmp_path):
    torch.manual_seed(0)
    runner = configuration.build_runner(small(path, data, vgg_weights, tmp_path))
    before = {name: value.clone() for name, value in runner.model.state_dict().items()}
    runner.train()
    after = runner.model.state_dict()
    changed = {name.split('.')[0] for name in before if not torch.equal(before[name], after[name])}
    parts = ('generator', 'discriminator', 'generator_ema')
    assert changed == {part for part in parts if getattr(runner.model, part, None) is not None}
    assert list(tmp_path.rglob('samples_*.png'))
    if path.stem in PARAMETERS:
        counts = [
            sum(p.numel() for p in net.parameters()) if net is not None else 0
            for net in (runner.model.generator, runner.model.discriminator)
        ]
        assert tuple(counts) == PARAMETERS[path.stem]


def test_baselines_have_the_data_and_the_budget_of_the_main_config():
    main = configuration.load_config(str(REPOSITORY / 'configs' / 'attgan_raindrop.py'))
    shared = ('train_cfg', 'train_dataloader', 'val_dataloader', 'test_dataloader', 'val_evaluator')
    baselines = [
        p
        for p in CONFIGS
        if p.parent.name not in ('configs', 'attentive_gan', 'ablations', 'small_comparison')
        and p.stem.endswith('_raindrop')
    ]
    assert len(baselines) == 10
    for path in baselines:
        config = configuration.load_config(str(path))
        assert {key: config[key] for key in shared} == {key: main[key] for key in shared}
        assert config.param_scheduler == main.param_scheduler


def test_ablations_count_the_same_generator_updates():
    lengths = {
        configuration.load_config(str(p)).train_cfg.max_iters
        for p in CONFIGS
        if 'ablations' in p.parts
    }
    assert lengths == {100_000}


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_one_colour_order_from_file_to_loss(path):
    config = configuration.load_config(str(path))
    names = ('train_dataloader', 'val_dataloader', 'test_dataloader')
    orders = {
        part.pipeline[0].channel_order for name in names for part in parts(config[name].dataset)
    }
    loss = config.model.get('perceptual_loss')
    if loss is not None and loss.normalize:
        orders.add(loss.get('channel_order', 'rgb'))
    assert len(orders) == 1


WITH_FILES = [path for path in CONFIGS if 'data_root' in configuration.load_config(str(path))]


@pytest.mark.parametrize('path', WITH_FILES, ids=lambda path: path.stem)
def test_one_option_moves_all_data(path):
    config = configuration.load_config(str(path), {'data_root': '/elsewhere/'})
    names = ('train_dataloader', 'val_dataloader', 'test_dataloader')
    roots = [
        part.get('data_root', '/elsewhere')
        for name in names
        for part in parts(config[name].dataset)
    ]
    assert all(root.split('/')[:2] == ['', 'elsewhere'] for root in roots)
    assert not [root for root in roots if '//' in root or root.endswith('/')]


def metafiles():
    """Return the content of every metafile by its path in the repository."""
    index = yaml.safe_load((REPOSITORY / 'model-index.yml').read_text())
    return {path: yaml.safe_load((REPOSITORY / path).read_text()) for path in index['Import']}


def test_model_index_names_every_config():
    models = [model for file in metafiles().values() for model in file['Models']]
    evaluation_only = {'configs/attentive_gan/attgan_1xb8-100k_raindrop-test-b.py'}
    short = {str(path.relative_to(REPOSITORY)) for path in SHORT_NAMES}
    named = {model['Config'] for model in models} - short
    every = {str(path.relative_to(REPOSITORY)) for path in CONFIGS}
    assert named == every - evaluation_only - short
    assert len({model['Name'] for model in models}) == len(models)


def test_every_method_has_a_folder_with_readme_and_metafile():
    for path, content in metafiles().items():
        folder = (REPOSITORY / path).parent
        assert (folder / 'README.md').is_file()
        collections = {collection['Name'] for collection in content['Collections']}
        assert {collection['README'] for collection in content['Collections']} == {
            f'configs/{folder.name}/README.md'
        }
        for model in content['Models']:
            assert model['In Collection'] in collections
    with_configs = {p.relative_to(REPOSITORY / 'configs').parts[0] for p in CONFIGS}
    assert {Path(path).parent.name for path in metafiles()} == {
        name for name in with_configs if not name.endswith('.py')
    }


def test_shipped_weights_are_in_the_metafiles():
    models = [model for file in metafiles().values() for model in file['Models']]
    weights = {model['Weights']: model for model in models if 'Weights' in model}
    files = (REPOSITORY / 'projects' / 'attentive_gan' / 'weights').glob('*.safetensors')
    assert set(weights) == {str(path.relative_to(REPOSITORY)) for path in files}
    for path, model in weights.items():
        assert model['Config'] == f'configs/{Path(path).stem}.py'
        assert all(set(result['Metrics']) == {'PSNR', 'SSIM'} for result in model['Results'])


@pytest.mark.parametrize('path', SHORT_NAMES, ids=lambda path: path.stem)
def test_short_names_add_nothing(path):
    """A config at the top level is another name of the config in its method's folder."""
    assert re.search(r"^_base_ = '\./\w+/", path.read_text(), re.MULTILINE)
    config = configuration.load_config(str(path))
    (base,) = re.findall(r"^_base_ = '(.+)'", path.read_text(), re.MULTILINE)
    assert config.to_dict() == configuration.load_config(str(path.parent / base)).to_dict()
