"""Strips give what the whole image gives, and take less memory."""

from __future__ import annotations

import pytest
import torch
from attentive_gan.models.networks import strips
from attentive_gan.models.networks.cost import LiveMemory, count_macs
from attentive_gan.models.networks.strips import Strips
from torch.testing import assert_close


@pytest.fixture
def small_strips(monkeypatch):
    """Strips of four rows, so that small images have many."""
    monkeypatch.setattr(strips, 'STRIP_BYTES', 0)
    monkeypatch.setattr(strips, 'MIN_ROWS', 4)


@pytest.mark.parametrize('batch', [1, 2])
@pytest.mark.parametrize('height', [52, 64])
@torch.no_grad()
def test_strips_equal_the_whole(generator, random_image, monkeypatch, small_strips, batch, height):
    rainy = random_image(height, 20, batch)
    cut = generator(rainy, side_outputs=True)
    run_all = Strips.run_all
    was_enabled = []

    def whole(self, stage, *maps, halo):
        was_enabled.append(self.enabled)
        self.enabled = False
        return run_all(self, stage, *maps, halo=halo)

    monkeypatch.setattr(Strips, 'run_all', whole)
    expected = generator(rainy, side_outputs=True)
    assert was_enabled[0]
    assert_close(cut, expected, rtol=0, atol=1e-5)


@torch.no_grad()
def test_too_small_a_halo_is_seen(generator, random_image, small_strips, monkeypatch):
    rainy = random_image(64, 20)
    expected = generator(rainy)
    run_all = Strips.run_all
    for wrong in range(1, 5):
        monkeypatch.setattr(
            Strips, 'run_all',
            lambda self, stage, *maps, halo, wrong=wrong: run_all(
                self, stage, *maps, halo=0 if halo == wrong else halo
            ),
        )  # fmt: skip
        assert float((generator(rainy) - expected).abs().max()) > 1e-4, wrong


@torch.no_grad()
def test_live_activations_at_720x480_stay_below_the_bar(generator, random_image):
    rainy = random_image(480, 720)
    generator.num_steps = 2  # from the second step on, all states are alive
    with LiveMemory() as memory:
        generator(rainy)
    assert 0.1 * 2**30 < memory.peak < 0.4 * 2**30
    assert memory.live == 0


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


def test_strips_are_for_cpus_without_autograd():
    image = torch.zeros(1, 3, 480, 720)
    assert not Strips(image).enabled
    with torch.no_grad():
        assert Strips(image).enabled
        assert not Strips(image.to('meta')).enabled
        assert not Strips(torch.zeros(1, 3, 64, 64)).enabled


def test_macs_are_the_published_ones_without_the_skipped_work(generator, published_generator):
    pixels = 64 * 96
    assert count_macs(published_generator, 64, 96) == 1_167_344 * pixels
    # The first step needs neither the forget gate nor the hidden state's half of the other gates;
    # images of half and quarter size are not asked for.
    skipped = 9 * 32 * 32 + 9 * 32 * 4 * 32 + 864 + 432
    assert count_macs(generator, 64, 96) == (1_167_344 - skipped) * pixels
