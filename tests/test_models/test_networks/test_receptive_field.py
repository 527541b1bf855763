"""The declared receptive field is the one that gradients show."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from attentive_gan.inference.streaming_ops import Reach
from attentive_gan.models.networks.attentive_generator import AttentiveGenerator
from support.receptive_field import reach_of, receptive_field
from torch import nn


def test_of_four_steps_is_the_measured_one():
    assert receptive_field(AttentiveGenerator()) == Reach(208, 202)


def test_grows_by_thirteen_pixels_per_step():
    fields = [receptive_field(AttentiveGenerator(num_steps=n)) for n in (1, 2, 3)]
    fields.insert(0, receptive_field(AttentiveGenerator(attention=False)))
    assert {b.before - a.before for a, b in pairwise(fields)} == {13}
    assert {b.after - a.after for a, b in pairwise(fields)} == {13}


@pytest.mark.parametrize('axis', [2, 3])
def test_is_what_gradients_show(generator, axis):
    generator.num_steps = 1
    # Positive weights let no path cancel and no ReLU close.
    generator.double().requires_grad_(False)
    for parameter in generator.parameters():
        parameter.copy_(parameter.abs() / 16)
    declared = receptive_field(generator)
    length, centre = 368, 180
    shape = (1, 3, length, 4) if axis == 2 else (1, 3, 4, length)
    seen = Reach(0, 0)
    for place in range(centre, centre + 4):
        rainy = torch.full(shape, 0.5, dtype=torch.float64, requires_grad=True)
        generator(rainy).select(axis, place).sum().backward()
        touched = rainy.grad.movedim(axis, 0).flatten(1).abs().sum(1).nonzero().flatten()
        before, after = place - int(touched[0]), int(touched[-1]) - place
        seen = Reach(max(seen.before, before), max(seen.after, after))
    assert seen == declared


def test_refuses_layers_that_it_does_not_know():
    with pytest.raises(TypeError, match='Linear'):
        reach_of([nn.Linear(2, 2)], 1)
