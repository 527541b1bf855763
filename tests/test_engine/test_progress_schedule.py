"""Rates by progress: closed forms, any loop, resuming, and what does not go together."""

from __future__ import annotations

import math

import pytest
import torch
from attentive_gan.engine.schedulers.progress_schedule import ProgressLR, fitting_schedule
from mmengine.logging import MessageHub
from mmengine.optim import CosineAnnealingLR, OptimWrapper
from torch import nn


def optimizer(*rates: float) -> OptimWrapper:
    groups = [{'params': [nn.Parameter(torch.zeros(1))], 'lr': rate} for rate in rates]
    return OptimWrapper(torch.optim.SGD(groups, lr=1.0))


@pytest.mark.parametrize(
    ('options', 'progress', 'factor'),
    [
        ({}, 0.0, 1.0),
        ({}, 0.5, 0.5),
        ({}, 1.0, 0.0),
        ({}, 1.3, 0.0),
        ({'final': 0.2}, 0.25, 0.2 + 0.8 * (1 + math.cos(math.pi / 4)) / 2),
        ({'shape': 'linear', 'final': 0.2}, 0.25, 0.8),
        ({'shape': 'exponential', 'final': 0.01}, 0.5, 0.1),
        ({'shape': 'constant', 'warmup': 0.1, 'warmup_start': 0.2}, 0.0, 0.2),
        ({'shape': 'constant', 'warmup': 0.1, 'warmup_start': 0.2}, 0.05, 0.6),
        ({'shape': 'constant', 'warmup': 0.1}, 0.1, 1.0),
        ({'shape': 'linear', 'warmup': 0.2}, 0.6, 0.5),
        ({'shape': 'linear', 'begin': 0.5, 'warmup': 0.1}, 0.3, 0.01),
        ({'shape': 'linear', 'begin': 0.5, 'end': 0.9}, 0.7, 0.5),
        ({'shape': 'linear', 'begin': 0.5, 'end': 0.9}, 0.95, 0.0),
        ({'shape': 'step', 'milestones': (0.3, 0.6), 'gamma': 0.2}, 0.29, 1.0),
        ({'shape': 'step', 'milestones': (0.3, 0.6), 'gamma': 0.2}, 0.3, 0.2),
        ({'shape': 'step', 'milestones': (0.3, 0.6), 'gamma': 0.2}, 0.9, 0.04),
    ],
)
def test_factors(options, progress, factor):
    wrapper = optimizer(0.5, 2.0)
    schedule = ProgressLR(wrapper, **options)
    schedule.set_progress(progress)
    rates = [group['lr'] for group in wrapper.optimizer.param_groups]
    assert rates == pytest.approx([0.5 * factor, 2.0 * factor], abs=1e-12)


def test_it_follows_the_cosine_of_mmengine():
    ours, theirs = optimizer(0.5), optimizer(0.5)
    schedule = ProgressLR(ours, final=0.1)
    cosine = CosineAnnealingLR(theirs, T_max=40, end=40, eta_min=0.05, by_epoch=False)
    for iteration in range(40):
        schedule.set_progress(iteration / 40)
        assert ours.param_groups[0]['lr'] == pytest.approx(theirs.param_groups[0]['lr'])
        cosine.step()


def test_the_hook_of_mmengine_steps_it(request):
    hub = MessageHub.get_instance(request.node.name)
    wrapper = optimizer(1.0)
    schedule = ProgressLR(wrapper, shape='linear')
    with pytest.raises(ValueError, match='TimedTrainLoop'):
        schedule.step()
    hub.update_info('progress', 0.25)
    schedule.step()
    assert wrapper.param_groups[0]['lr'] == 0.75


def test_base_rates_come_from_the_checkpoint():
    first, second = ProgressLR(optimizer(1.0)), ProgressLR(optimizer(3.0))
    first.set_progress(0.7)
    second.load_state_dict(first.state_dict())
    second.set_progress(0.0)
    assert second.optimizer.param_groups[0]['lr'] == 1.0


@pytest.mark.parametrize(
    'options',
    [
        {'shape': 'sine'},
        {'begin': 0.5, 'end': 0.5},
        {'end': 1.5},
        {'warmup': 0.5, 'end': 0.4},
        {'warmup': 0.1, 'warmup_start': 0.0},
        {'final': -0.1},
        {'shape': 'exponential'},
        {'milestones': (0.5,)},
        {'shape': 'step'},
    ],
)
def test_what_means_nothing_is_refused(options):
    with pytest.raises(ValueError, match='ProgressLR'):
        ProgressLR(optimizer(1.0), **options)


def test_configs_are_completed_for_their_training():
    cosine = dict(type='CosineAnnealingLR', by_epoch=False)
    ours = dict(type='ProgressLR')
    assert fitting_schedule(dict(a=[cosine], b=ours), 7) == dict(
        a=[dict(cosine, end=7)], b=dict(ours, end=1.0)
    )
    warmup = dict(type='LinearLR', by_epoch=False, end=5)
    assert fitting_schedule([warmup], None) == [warmup]
    with pytest.raises(ValueError, match='CosineAnnealingLR depends on the number of iterations'):
        fitting_schedule(cosine, None)
    with pytest.raises(ValueError, match='only schedule'):
        fitting_schedule([warmup, ours], 7)
