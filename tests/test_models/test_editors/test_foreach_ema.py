"""The moving average against MMEngine's, and what it costs."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from attentive_gan.models.editors.ema import ForeachEMA
from mmengine.model import ExponentialMovingAverage
from support.host_reads import counted_reads
from torch import nn


def network() -> nn.Module:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.PReLU(), nn.Conv2d(4, 2, 1))
    return model.to(memory_format=torch.channels_last)


def disturb(model: nn.Module) -> None:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter))
        model[1].running_mean.add_(torch.randn(4))
        model[1].num_batches_tracked.add_(1)


@pytest.mark.parametrize('options', [{}, {'interval': 3}, {'update_buffers': True}])
def test_it_is_the_average_of_mmengine(options):
    model = network()
    ours = ForeachEMA(deepcopy(model), momentum=0.1, **options)
    theirs = ExponentialMovingAverage(deepcopy(model), momentum=0.1, **options)
    for _ in range(8):
        disturb(model)
        ours.update_parameters(model)
        theirs.update_parameters(model)
    mine, other = ours.state_dict(), theirs.state_dict()
    assert list(mine) == list(other)
    assert mine['steps'] == other['steps'] == 8
    for name, value in mine.items():
        torch.testing.assert_close(value, other[name], rtol=1e-6, atol=1e-6)


def test_checkpoints_of_either_go_on_in_the_other():
    model = network()
    first, second = ForeachEMA(model, momentum=0.3), ForeachEMA(model, momentum=0.3)
    theirs = ExponentialMovingAverage(model, momentum=0.3)
    for _ in range(2):
        disturb(model)
        first.update_parameters(model)
    second.load_state_dict(first.state_dict())
    theirs.load_state_dict(first.state_dict())
    disturb(model)
    for average in (first, second, theirs):
        average.update_parameters(model)
    for average in (second, theirs):
        for name, value in first.state_dict().items():
            torch.testing.assert_close(value, average.state_dict()[name], rtol=1e-6, atol=1e-6)


def test_the_start_is_forgotten_sooner_with_a_warm_up():
    """After n updates, the start has the weight prod (1 + k) / (10 + k), in closed form."""
    model = nn.Linear(1, 1, bias=False)
    average = ForeachEMA(model, momentum=0.001, warmup=True)
    with torch.no_grad():
        model.weight.fill_(1.0)
        average.update_parameters(model)
        model.weight.fill_(0.0)
    expected = 1.0
    for count in range(1, 6):
        average.update_parameters(model)
        expected *= (1 + count) / (10 + count)
        assert average.module.weight.item() == pytest.approx(expected, rel=1e-6)
    assert average.share_of_new(100_000) == 0.001


def test_no_value_is_read_and_the_memory_format_stays():
    model = network()
    average = ForeachEMA(model, momentum=0.1)
    with counted_reads() as reads:
        for _ in range(3):
            average.update_parameters(model)
    assert reads == []
    assert average.module[0].weight.is_contiguous(memory_format=torch.channels_last)
