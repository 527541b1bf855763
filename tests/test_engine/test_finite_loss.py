"""Values that are not numbers are found late, but named as if at once, and never saved or scored."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from attentive_gan.engine.hooks.check_invalid_loss_hook import CheckInvalidLossHook, batch_names
from attentive_gan.errors import UserError
from mmagic.structures import DataSample
from mmengine.hooks import LoggerHook
from support.host_reads import counted_reads

GOOD, BAD = torch.tensor(1.0), torch.tensor(float('nan'))


def started(interval=None, logging=10) -> CheckInvalidLossHook:
    hook = CheckInvalidLossHook(interval)
    hook.before_train(SimpleNamespace(hooks=[LoggerHook(interval=logging)]))
    return hook


def batch(name):
    return {'names': [f'{name}_a', f'{name}_b']}


def test_the_first_bad_iteration_is_named_though_later_ones_are_good():
    hook = started()
    for index in range(9):
        value = BAD if index == 4 else GOOD
        hook.after_train_iter(None, index, batch(index), {'loss_a': GOOD, 'loss_b': value})
    with pytest.raises(UserError, match=r'^loss_b became .* in iteration 5 on 4_a, 4_b; lower'):
        hook.after_train_iter(None, 9, batch(9), {'loss_a': BAD})


@pytest.mark.parametrize('stage', ['before_save', 'before_val', 'after_train'])
def test_nothing_is_saved_or_scored_after_a_bad_iteration(stage):
    hook = started()
    hook.after_train_iter(None, 0, batch(0), {'loss': torch.tensor(float('inf'))})
    with pytest.raises(UserError, match='loss became infinite'):
        getattr(hook, stage)(None)


@pytest.mark.parametrize(('interval', 'expected'), [(None, 2), (5, 4), (20, 1)])
def test_values_are_read_as_often_as_asked(interval, expected):
    hook = started(interval)
    with counted_reads() as reads:
        for index in range(20):
            hook.after_train_iter(None, index, batch(index), {'loss': GOOD, 'other': GOOD})
    assert reads == ['tolist'] * expected


def test_numbers_and_losses_with_a_gradient_are_taken():
    hook = started(interval=1)
    weight = torch.tensor(1.0, requires_grad=True)
    hook.after_train_iter(None, 0, None, {'loss': weight * 2, 'number': 3})
    with pytest.raises(UserError, match=r'number became .* on an unnamed batch'):
        hook.after_train_iter(None, 1, None, {'loss': weight * 2, 'number': float('nan')})


def test_names_of_batches():
    samples = [DataSample(metainfo={'img_path': 'a.png'}), DataSample()]
    assert batch_names({'data_samples': samples}) == ['a.png', '?']
    assert batch_names({'inputs': GOOD, 'names': ('x', 'y')}) == ['x', 'y']
    assert batch_names(None) == batch_names({'inputs': GOOD}) == []


def test_an_interval_of_nothing_is_refused():
    with pytest.raises(ValueError, match='above 0'):
        CheckInvalidLossHook(interval=0)
