"""Multiply-accumulates of the networks."""

from __future__ import annotations

from attentive_gan.models.networks.complexity import count_macs


def test_macs_are_the_published_ones_without_the_skipped_work(generator, published_generator):
    pixels = 64 * 96
    assert count_macs(published_generator, 64, 96) == 1_167_344 * pixels
    # The first step needs neither the forget gate nor the hidden state's half of the other gates;
    # images of half and quarter size are not requested.
    skipped = 9 * 32 * 32 + 9 * 32 * 4 * 32 + 864 + 432
    assert count_macs(generator, 64, 96) == (1_167_344 - skipped) * pixels
