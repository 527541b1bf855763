"""Scores through MMagic's own data loader, preprocessor, model and evaluator."""

from __future__ import annotations

import logging
import math
import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import attentive_gan.registration  # noqa: F401 -- for processes that import this file
import cv2
import numpy as np
import pytest
import torch
from attentive_gan.errors import UserError
from attentive_gan.evaluation import PROTOCOLS
from attentive_gan.evaluation.raindrop_scores import RaindropScores, mean_scores, saved_image
from mmagic.registry import DATASETS, EVALUATORS, MODELS
from mmengine.dataset import DefaultSampler, pseudo_collate
from mmengine.logging import MMLogger
from mmengine.registry import DefaultScope
from support.runs import write_pairs
from torch import nn
from torch.utils.data import DataLoader

SCORES = [f'{name}_{score}' for name in PROTOCOLS for score in ('psnr', 'ssim')]


@MODELS.register_module()
class AffineRestorer(nn.Module):
    """A generator that changes no structure: scale * rainy + offset, in [0, 1]."""

    def __init__(self, scale=1.0, offset=0.0):
        super().__init__()
        self.scale, self.offset = scale, offset

    def forward(self, rainy):
        return rainy * self.scale + self.offset


def evaluate(root, order='rgb', scale=1.0, offset=0.0, transforms=(), batch_size=1, **options):
    """Validate like MMagic's MultiValLoop does; return the metric and what it reported."""
    load = {'type': 'LoadRainyCleanPair', 'channel_order': order}
    pipeline = [load, *transforms, {'type': 'PackInputs'}]
    dataset = {'type': 'RaindropDataset', 'data_root': str(root), 'pipeline': pipeline}
    model = {
        'type': 'BaseEditModel',
        'generator': {'type': 'AffineRestorer', 'scale': scale, 'offset': offset},
        'pixel_loss': {'type': 'L1Loss'},
        'data_preprocessor': {'type': 'DataPreprocessor', 'mean': [0] * 3, 'std': [255] * 3},
    }
    options = {'protocols': tuple(PROTOCOLS), 'prefix': 'test', **options}
    evaluator = {'type': 'Evaluator', 'metrics': [{'type': 'RaindropScores', **options}]}
    with DefaultScope.overwrite_default_scope('mmagic'):
        dataset, model = DATASETS.build(dataset), MODELS.build(model).eval()
        evaluator = EVALUATORS.build(evaluator)
    sampler = DefaultSampler(dataset, shuffle=False, seed=0)
    loader = DataLoader(dataset, batch_size, sampler=sampler, collate_fn=pseudo_collate)
    evaluator.prepare_metrics(model, loader)
    for metrics, batches in evaluator.prepare_samplers(model, loader):
        for batch in batches:
            with torch.no_grad():
                outputs = model.val_step(batch)
            evaluator.process(outputs, batch, metrics)
    return evaluator.metrics[0], evaluator.evaluate()


def files(root):
    """Return (name, rainy, clean) of all pairs, images in RGB."""
    for number in range(len(list((root / 'gt').iterdir()))):
        paths = root / f'data/{number}_rain.png', root / f'gt/{number}_clean.png'
        rainy, clean = (cv2.imread(str(path))[..., ::-1] for path in paths)
        yield f'{number}_rain', rainy, clean


def expected_records(root, change=lambda image: image):
    """Score the files themselves, restored by a function of 8-bit images."""
    return {
        name: {
            f'{kind}{key}': getattr(PROTOCOLS[key[:-5]], key[-4:])(image, clean)
            for kind, image in (('', change(rainy)), ('input_', rainy))
            for key in SCORES
        }
        for name, rainy, clean in files(root)
    }


def numbers(metric):
    return {
        record['name']: {key: value for key, value in record.items() if key not in ('name', 'path')}
        for record in metric.records
    }


def assert_same(found, expected, tolerance=1e-6):
    assert list(found) == list(expected)
    for name in expected:
        assert found[name] == pytest.approx(expected[name], abs=tolerance)


@contextmanager
def warnings_of_the_log():
    """Collect the warnings of MMEngine's logger, which does not propagate to the root logger."""
    messages = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: messages.append(record.getMessage())
    logger = MMLogger.get_current_instance()
    logger.addHandler(handler)
    try:
        yield messages
    finally:
        logger.removeHandler(handler)


@pytest.fixture(scope='module')
def pairs(tmp_path_factory):
    # With 11 images the order of numbers differs from that of texts; sizes are no multiples of 4.
    return write_pairs(tmp_path_factory.mktemp('scores') / 'pairs', count=11, size=(42, 51))


@pytest.mark.parametrize('order', ['rgb', 'bgr'])
def test_scores_are_those_of_the_files_for_both_colour_orders(pairs, order):
    metric, _ = evaluate(pairs, order)
    assert_same(numbers(metric), expected_records(pairs))


@pytest.mark.parametrize('order', ['rgb', 'bgr'])
def test_a_wrong_colour_order_would_be_seen(pairs, order):
    """Mislabelled data, as a config with a wrong `channel_order` makes it: no score stays right."""

    def mislabel(results):
        wrong = 'bgr' if order == 'rgb' else 'rgb'
        return {**results, 'img_channel_order': wrong, 'gt_channel_order': wrong}

    metric, _ = evaluate(pairs, order, transforms=[mislabel])
    found, expected = numbers(metric), expected_records(pairs)
    for key in ('qian_psnr', 'bt601_psnr'):
        differences = [abs(found[name][key] - expected[name][key]) for name in expected]
        assert np.mean(differences) > 0.1
    for name in expected:
        assert found[name]['rgb_psnr'] == pytest.approx(expected[name]['rgb_psnr'], abs=1e-9)


def test_records_and_keys_are_in_order(pairs):
    metric, means = evaluate(pairs, batch_size=4)
    assert [record['name'] for record in metric.records] == [f'{n}_rain' for n in range(11)]
    assert [Path(record['path']) for record in metric.records] == [
        pairs / f'data/{n}_rain.png' for n in range(11)
    ]
    wanted = [*SCORES, *(f'input_{key}' for key in SCORES)]
    assert [list(record) for record in metric.records] == [['name', 'path', *wanted]] * 11
    assert list(means) == [f'test/{key}' for key in wanted]
    for key in wanted:
        values = [record[key] for record in metric.records]
        assert means[f'test/{key}'] == pytest.approx(sum(values) / 11, abs=1e-12)


def test_only_what_was_asked_for_is_scored(pairs):
    metric, means = evaluate(pairs, protocols=['rgb'], score_input=False, prefix=None)
    assert list(means) == ['rgb_psnr', 'rgb_ssim']
    assert list(metric.records[0]) == ['name', 'path', 'rgb_psnr', 'rgb_ssim']


@pytest.mark.parametrize(
    ('scale', 'offset', 'change'),
    [
        # Beyond black and white: exact in 8 bits, so nothing but the clamp matters.
        (3.0, -1.0, lambda image: np.clip(image.astype(int) * 3 - 255, 0, 255)),
        # Less than half a grey level up or down is gone after rounding, not after cutting off.
        (1.0, 0.4 / 255, lambda image: image),
        (1.0, -0.4 / 255, lambda image: image),
        (1.0, 0.6 / 255, lambda image: np.clip(image.astype(int) + 1, 0, 255)),
    ],
)
@pytest.mark.parametrize('order', ['rgb', 'bgr'])
def test_images_are_scored_as_they_would_be_saved(pairs, order, scale, offset, change):
    metric, _ = evaluate(pairs, order, scale, offset)
    expected = expected_records(pairs, lambda image: change(image).astype(np.uint8))
    assert_same(numbers(metric), expected)


def test_saved_image_turns_bgr_to_rgb():
    tensor = torch.tensor([-3.0, 127.5001, 300.0]).view(3, 1, 1).expand(3, 2, 4)
    image = saved_image(tensor)
    assert image.shape == (2, 4, 3)
    assert image.dtype == np.uint8
    assert image[0, 0].tolist() == [255, 128, 0]
    assert saved_image(tensor.half())[0, 0].tolist() == [255, 128, 0]
    with pytest.raises(ValueError, match='NaN'):
        saved_image(tensor * math.nan)


def test_a_network_that_gives_no_numbers_is_named_not_scored(pairs):
    with pytest.raises(UserError, match=r'0_rain\.png cannot be scored: .*NaN'):
        evaluate(pairs, scale=math.nan)


def test_equal_images_are_named_and_left_out_of_the_mean(pairs, tmp_path):
    root = Path(shutil.copytree(pairs, tmp_path / 'pairs'))
    shutil.copy(root / 'gt' / '4_clean.png', root / 'data' / '4_rain.png')
    with warnings_of_the_log() as messages:
        metric, means = evaluate(root, protocols=('qian',), score_input=False)
    assert metric.records[4]['qian_psnr'] == math.inf
    assert metric.records[4]['qian_ssim'] == pytest.approx(1)
    rest = [record['qian_psnr'] for record in metric.records if record['name'] != '4_rain']
    assert means['test/qian_psnr'] == pytest.approx(np.mean(rest))
    everything = [record['qian_ssim'] for record in metric.records]
    assert means['test/qian_ssim'] == pytest.approx(np.mean(everything))
    assert len(messages) == 1
    assert 'qian_psnr: 1 images equal the clean ones (first: 4_rain)' in messages[0]


def test_mean_of_nothing_but_equal_images_is_infinite():
    record = {'name': 'a', 'path': 'a.png', 'qian_psnr': math.inf, 'qian_ssim': 1.0}
    assert mean_scores([record] * 2) == {'qian_psnr': math.inf, 'qian_ssim': 1.0}


def test_wrong_use_is_reported():
    with pytest.raises(UserError, match="unknown protocol 'y'; there are: qian, bt601, rgb"):
        RaindropScores(protocols=('qian', 'y'))
    with pytest.raises(UserError, match='no image was scored'):
        RaindropScores(prefix='test').compute_metrics([])


@pytest.mark.parametrize('key', ['img', 'gt'])
@pytest.mark.parametrize(
    'recorded',
    [{'{}_channel_order': None}, {'{}_color_type': 'unchanged'}],
    ids=['none', 'unchanged'],
)
def test_a_colour_order_that_mmagic_would_guess_is_refused(pairs, key, recorded):
    def record(results):
        return {**results, **{name.format(key): value for name, value in recorded.items()}}

    with pytest.raises(UserError, match=rf'0_rain\.png cannot be scored: {key}_channel_order'):
        evaluate(pairs, 'rgb', transforms=[record])


def test_unchanged_bgr_is_heeded(pairs):
    def unchanged(results):
        return {**results, 'img_color_type': 'unchanged', 'gt_color_type': 'unchanged'}

    metric, _ = evaluate(pairs, 'bgr', transforms=[unchanged])
    assert_same(numbers(metric), expected_records(pairs))


def test_unequal_sizes_name_the_file():
    sample = {
        'img_path': 'some/7_rain.png',
        'img_channel_order': 'rgb',
        'gt_channel_order': 'rgb',
        'gt_img': torch.zeros(3, 16, 16),
        'input': torch.zeros(3, 16, 16),
        'output': {'pred_img': torch.zeros(3, 16, 20)},
    }
    with pytest.raises(UserError, match=r'some/7_rain\.png cannot be scored: .*20x16.*16x16'):
        RaindropScores(prefix='test').process([], [sample])


def score_in_process(rank, processes, root, folder):
    """Body of one of several processes: validate, and keep what this process saw."""
    os.chdir(folder)
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        'gloo', init_method=f'file://{folder}/meeting', rank=rank, world_size=processes
    )
    for device in ('cpu', 'gpu'):
        metric, means = evaluate(root, batch_size=2, collect_device=device)
        found = {'means': means, 'records': metric.records}
        torch.save(found, Path(folder) / f'{device}_{rank}.pt')
    torch.distributed.destroy_process_group()


def test_two_processes_give_the_records_of_one(pairs, tmp_path):
    root = tmp_path / 'five'
    for number in range(5):
        for folder, kind in (('data', 'rain'), ('gt', 'clean')):
            (root / folder).mkdir(parents=True, exist_ok=True)
            shutil.copy(pairs / folder / f'{number}_{kind}.png', root / folder)
    torch.multiprocessing.spawn(score_in_process, args=(2, str(root), str(tmp_path)), nprocs=2)
    metric, means = evaluate(root)
    assert [record['name'] for record in metric.records] == [f'{n}_rain' for n in range(5)]
    for device in ('cpu', 'gpu'):
        first, second = (torch.load(tmp_path / f'{device}_{rank}.pt') for rank in range(2))
        # Rank 0 scored images 0, 2, 4 and rank 1 images 1, 3 and once more 0.
        assert first['records'] == metric.records
        assert second['records'] == []
        assert first['means'] == second['means'] == means
