"""Scalars stay on their device until they are logged, and then are what MMEngine would have logged."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from attentive_gan.engine.deferred_scalars import (
    MAX_PENDING,
    DeferredHistory,
    ScalarRows,
    deferred_scalars,
)
from attentive_gan.engine.optimizers.gradient_clipping import defer_clipping
from attentive_gan.engine.runner.checkpoint_contents import pack_message_hub, unpack_message_hub
from mmengine.logging import HistoryBuffer, MessageHub
from mmengine.optim import OptimWrapper, OptimWrapperDict
from support.host_reads import counted_reads
from torch import nn


def new_hub(request, name='a') -> MessageHub:
    return MessageHub.get_instance(f'{request.node.name}_{name}')


def test_rows_come_back_in_order_with_their_tags():
    rows = ScalarRows()
    rows.add('first', {'a': torch.tensor(1.5), 'b': 2})
    rows.add('second', {'a': torch.tensor([2.5], dtype=torch.bfloat16), 'c': torch.tensor(3)})
    assert rows.read() == [
        ('first', {'b': 2.0, 'a': 1.5}),
        ('second', {'a': 2.5, 'c': 3.0}),
    ]
    assert rows.read() == []


def test_a_value_that_is_overwritten_later_stays():
    rows, value = ScalarRows(), torch.tensor(1.0, requires_grad=True)
    rows.add(None, {'a': value})
    with torch.no_grad():
        value.fill_(2.0)
    assert rows.read() == [(None, {'a': 1.0})]


def test_histories_are_those_of_mmengine(request):
    """The same values through MMEngine's hub: means over windows, last, extreme values."""
    ours, theirs = new_hub(request, 'ours'), new_hub(request, 'theirs')
    values = torch.randn(37, generator=torch.Generator().manual_seed(0))
    for index, value in enumerate(values):
        row = {'train/loss': value, **({'train/late': value * 2} if index > 20 else {})}
        deferred_scalars(ours).update(row)
        theirs.update_scalars(row)
        if index in (4, 30):  # a log line in between
            assert (
                ours.get_scalar('train/loss').current() == theirs.get_scalar('train/loss').current()
            )
    for name in ('train/loss', 'train/late'):
        mine, other = ours.get_scalar(name), theirs.get_scalar(name)
        for window in (1, 10, None):
            for method in ('mean', 'min', 'max'):
                assert mine.statistics(method, window) == other.statistics(method, window)
        np.testing.assert_array_equal(mine.data, other.data)


def test_nothing_is_read_before_somebody_looks(request):
    hub = new_hub(request)
    with counted_reads() as reads:
        for _ in range(10):
            deferred_scalars(hub).update(
                {'train/loss': torch.tensor(1.0), 'train/b': torch.tensor(2.0)}
            )
        assert reads == []
        hub.get_scalar('train/loss').mean(5)
        assert len(reads) == 1
        hub.get_scalar('train/b').current()
        assert len(reads) == 1


def test_waiting_values_do_not_grow_without_end(request):
    hub = new_hub(request)
    scalars = deferred_scalars(hub)
    for index in range(MAX_PENDING + 3):
        scalars.update({'train/loss': torch.tensor(float(index))})
    assert len(scalars._rows) == 3
    assert hub.get_scalar('train/loss').data[0].tolist() == list(range(MAX_PENDING + 3))


def test_checkpoints_get_plain_histories_and_training_goes_on_from_them(request):
    hub, resumed = new_hub(request), new_hub(request, 'resumed')
    for value in (1.0, 2.0):
        deferred_scalars(hub).update({'train/loss': torch.tensor(value)})
    assert type(copy.deepcopy(hub.get_scalar('train/loss'))) is HistoryBuffer
    unpack_message_hub(pack_message_hub(hub), resumed)
    deferred_scalars(resumed).update({'train/loss': torch.tensor(3.0)})
    assert isinstance(resumed.get_scalar('train/loss'), DeferredHistory)
    assert resumed.get_scalar('train/loss').data[0].tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize('several', [False, True])
def test_clipping_is_that_of_mmengine_without_reading_the_norm(request, several):
    hub, results = new_hub(request), []
    for deferred in (False, True):
        torch.manual_seed(0)
        model = nn.Linear(3, 2)
        wrapper = OptimWrapper(
            torch.optim.SGD(model.parameters(), lr=1.0), clip_grad=dict(max_norm=0.1)
        )
        wrapper.message_hub = hub
        whole = OptimWrapperDict(generator=wrapper) if several else wrapper
        if deferred:
            defer_clipping(whole, hub)
            defer_clipping(whole, hub)  # resuming builds again
        with counted_reads() as reads:
            wrapper.update_params(model(torch.ones(4, 3)).square().sum())
        assert bool(reads) != deferred
        results.append([parameter.detach() for parameter in model.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))
    norms = hub.get_scalar('train/grad_norm').data[0]
    assert len(norms) == 2
    assert norms[0] == norms[1] > 0.1
