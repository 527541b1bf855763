"""Memory of activations, and how large images keep it small on a CPU."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from attentive_gan.inference import ImageRestorer, execution, record
from attentive_gan.inference.activation_memory import LiveMemory
from attentive_gan.inference.row_stream import RowStream, run_graph
from attentive_gan.inference.torch_backend import task_function
from attentive_gan.models.networks.attentive_generator import AttentiveGenerator
from support.lively_networks import lively
from torch import nn
from torch.testing import assert_close


@torch.no_grad()
def test_live_memory_counts_what_is_held():
    with LiveMemory() as memory:
        held = torch.zeros(1000)
        view = held[:10]
        passing = held + 1
        del held
        assert memory.live == 8000
        del passing
        view.add_(1)
        assert memory.live == 4000
    assert memory.peak == 8000


@torch.no_grad()
def test_live_memory_counts_the_copies_of_an_inverse_fourier_transform():
    values = torch.fft.rfft2(torch.ones(8, 8))
    with LiveMemory() as memory:
        torch.fft.irfft2(values)
    assert memory.peak >= 2 * values.nbytes


@pytest.mark.parametrize('batch', [1, 2])
@pytest.mark.parametrize('height', [52, 64])
@pytest.mark.parametrize('attention', [True, False])
@torch.no_grad()
def test_parts_equal_the_whole(batch: int, height: int, attention: bool):
    generator = lively(AttentiveGenerator(attention=attention))
    function = task_function(generator, 'both' if attention else 'restore')
    graph = record(function, (3,), generator.size_multiple).graph
    assert graph is not None
    rainy = torch.rand(batch, 3, height, 20, generator=torch.Generator().manual_seed(0))
    expected = function(rainy)
    assert_close(tuple(run_graph(graph, rainy)), expected, rtol=0, atol=1e-5)
    parts = RowStream(graph, height, 4).run([lambda first, last: rainy[:, :, first:last]])
    stacked = [torch.cat(rows, 2) for rows in zip(*(part for _, part in parts), strict=True)]
    assert_close(tuple(stacked), expected, rtol=0, atol=1e-5)


@torch.no_grad()
def test_peak_activations_at_720x480():
    generator = lively(
        AttentiveGenerator(num_steps=2)
    )  # from the second step on, all states are alive
    restorer = ImageRestorer(network=generator, device='cpu', precision='float32')
    image = np.zeros((480, 720, 3), np.uint8)
    restorer.reach  # noqa: B018  (records the network)
    with LiveMemory() as memory:
        restorer.restore(image)
    # Measured: 0.082 GiB. Less than 70 % of it is not counted right, more than 130 % is a regression.
    assert 0.057 * 2**30 < memory.peak < 0.106 * 2**30
    assert memory.live == 0


@pytest.mark.parametrize(
    ('size', 'expected'), [((64, 64), 'run_whole'), ((480, 720), 'run_streamed')]
)
def test_large_layers_are_computed_row_by_row_on_a_cpu(
    size: tuple[int, int], expected: str, monkeypatch: pytest.MonkeyPatch
):
    ways: list[str] = []
    for way in ('run_whole', 'run_streamed'):
        monkeypatch.setattr(execution, way, lambda *_, way=way: ways.append(way))
    network: nn.Module = AttentiveGenerator(num_steps=1)
    ImageRestorer(network=network, device='cpu').restore(np.zeros((*size, 3), np.uint8))
    assert ways == [expected]
