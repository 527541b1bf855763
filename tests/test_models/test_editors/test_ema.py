"""A moving average of the weights by MMEngine's hook: what is tested, saved and resumed."""

from __future__ import annotations

import pytest
import torch
from attentive_gan.checkpoints.publishing import publish_generator
from attentive_gan.config import reading as configuration
from mmengine.config import Config

SCENES = dict(type='DrawnSceneDataset', size=(32, 48))
PIPELINE = [
    dict(type='LoadCleanImage', channel_order='rgb'),
    dict(type='RenderRaindrops', lighting='day'),
    dict(type='PackInputs'),
]


KEYS = ('qian_psnr', 'input_qian_psnr')


def runner_for(work_dir, iterations=4, **changes):
    """Build a tiny training with an average that lags far behind."""
    base = str(configuration.__file__).rsplit('/projects/', 1)[0] + '/configs/_base_'
    config = Config.fromfile(f'{base}/default_runtime.py')
    loader = dict(num_workers=0, persistent_workers=False)
    config.merge_from_dict(
        dict(
            work_dir=str(work_dir),
            launcher='none',
            experiment_name=f'{work_dir.parent.name}_{work_dir.name}_{iterations}_{len(changes)}',
            model=dict(
                type='BaseEditModel',
                generator=dict(type='RestorationUNet', channels=(4, 6), blocks=1, shuffle=2),
                pixel_loss=dict(type='CharbonnierLoss'),
                data_preprocessor=dict(type='DataPreprocessor', mean=[0] * 3, std=[255] * 3),
            ),
            optim_wrapper=dict(optimizer=dict(type='Adam', lr=0.01)),
            train_dataloader=dict(
                batch_size=2,
                sampler=dict(type='SeededSampler'),
                dataset=dict(SCENES, length=6, seed=1, pipeline=PIPELINE),
                **loader,
            ),
            train_cfg=dict(type='ResumableTrainLoop', max_iters=iterations, val_interval=2),
            val_dataloader=dict(
                batch_size=1,
                sampler=dict(type='DefaultSampler', shuffle=False),
                dataset=dict(SCENES, length=2, seed=0, pipeline=PIPELINE),
                **loader,
            ),
            val_cfg=dict(type='MultiValLoop'),
            val_evaluator=dict(type='Evaluator', metrics=[dict(type='RaindropScores')]),
            default_hooks=dict(checkpoint=dict(interval=2, save_best=None)),
            visualizer=dict(vis_backends=[dict(type='LocalVisBackend')]),
        )
    )
    config.test_dataloader, config.test_cfg = config.val_dataloader, dict(type='MultiTestLoop')
    config.test_evaluator = config.val_evaluator
    config.custom_hooks = [dict(type='EMAHook', ema_type='ExponentialMovingAverage', momentum=0.3)]
    config.update(changes)
    return configuration.build_runner(config)


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """Train four iterations without a stop."""
    work_dir = tmp_path_factory.mktemp('ema') / 'whole'
    runner_for(work_dir).train()
    return work_dir


def state(path):
    return torch.load(path, weights_only=False)


def test_the_checkpoint_holds_the_average_and_the_weights(trained):
    saved = state(trained / 'iter_4.pth')
    average, last = saved['state_dict'], saved['ema_state_dict']
    assert not torch.equal(average['generator.tail.weight'], last['module.generator.tail.weight'])


def test_resuming_goes_on_exactly(trained, tmp_path):
    resumed = tmp_path / 'resumed'
    runner_for(resumed, load_from=str(trained / 'iter_2.pth'), resume=True).train()
    whole, again = state(trained / 'iter_4.pth'), state(resumed / 'iter_4.pth')
    for part in ('state_dict', 'ema_state_dict'):
        assert set(whole[part]) == set(again[part])
        assert all(torch.equal(whole[part][key], again[part][key]) for key in whole[part])


@pytest.mark.parametrize('kind', ['checkpoint', 'bare generator'])
def test_what_is_tested_is_what_was_saved(trained, tmp_path, kind):
    path = trained / 'iter_4.pth'
    if kind == 'bare generator':
        path = tmp_path / 'weights.safetensors'
        publish_generator(trained / 'iter_4.pth', path)
    scores = []
    for name, hooks in (('with', [dict(type='EMAHook')]), ('without', [])):
        runner = runner_for(tmp_path / name, load_from=str(path), custom_hooks=hooks)
        runner.test()
        found = (runner.message_hub.get_scalar(f'test/{key}') for key in KEYS)
        scores.append([value.current() for value in found])
    assert scores[0] == scores[1]
    restored, rainy = scores[0]
    assert restored != rainy
