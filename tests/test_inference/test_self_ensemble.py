"""The mean over flips and turns, against the mean of single runs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from attentive_gan.errors import UserError
from attentive_gan.inference import ImageRestorer
from torch import nn


class Ramp(nn.Module):
    """Darkens an image to the right; a pointwise network if `slope` is 0."""

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(0.5))
        self.slope = slope

    def forward(self, image):
        ramp = torch.linspace(0, self.slope, image.shape[-1])
        return image * (self.weight + ramp)


def restorer(slope: float, **options) -> ImageRestorer:
    return ImageRestorer(network=Ramp(slope), device='cpu', precision='float32', **options)


@pytest.mark.parametrize('kind', [np.uint8, np.uint16])
def test_it_is_the_mean_of_eight_runs(kind):
    random = np.random.default_rng(1)
    image = random.integers(0, np.iinfo(kind).max + 1, (34, 48, 3)).astype(kind)
    plain = restorer(0.4)
    back = []
    for mirrored in (False, True):
        for turns in range(4):
            turned = np.rot90(np.fliplr(image) if mirrored else image, turns)
            result = plain.restore(np.ascontiguousarray(turned)).image
            result = np.rot90(result, 4 - turns)
            back.append(np.fliplr(result) if mirrored else result)
    assert not np.array_equal(back[0], back[2])
    expected = np.rint(np.mean(np.stack(back).astype(float), axis=0))
    parts = []
    found = restorer(0.4, self_ensemble=True).restore(image, progress=parts.append)
    assert found.image.dtype == kind
    np.testing.assert_array_equal(found.image, expected)
    assert parts == sorted(parts)
    assert parts[-1] == 1


def test_a_network_that_turns_with_the_image_gives_the_same():
    image = np.random.default_rng(2).integers(0, 256, (33, 20, 3), dtype=np.uint8)
    one, eight = (
        restorer(0, self_ensemble=chosen).restore(image).image for chosen in (False, True)
    )
    np.testing.assert_array_equal(one, eight)


def test_the_attention_map_is_turned_back_too():
    chosen = ImageRestorer(device='cpu', self_ensemble=True, precision='float32')
    if not chosen.gives_attention:
        pytest.skip('the default network has no attention map')
    image = np.random.default_rng(3).integers(0, 256, (32, 48, 3), dtype=np.uint8)
    found = chosen.restore(image, attention=True)
    assert found.attention.shape == (32, 48)
    with pytest.raises(UserError, match='omit --self-ensemble'):
        chosen.restore(image, held=found.attention)
