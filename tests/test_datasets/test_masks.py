"""The mask is exact at its threshold, dilated by a plus, and as measured on real pairs."""

from __future__ import annotations

import numpy as np
import pytest
from attentive_gan.datasets.masks import raindrop_mask
from attentive_gan.datasets.pair_reading import read_pair
from attentive_gan.errors import UserError

RULES = ('mean', 'any', 'luma')


def grey(value: int) -> np.ndarray:
    return np.full((5, 7, 3), value, np.uint8)


@pytest.mark.parametrize('rule', RULES)
@pytest.mark.parametrize('dark', [0, 100, 200])
def test_threshold_is_strict(rule, dark):
    assert not raindrop_mask(grey(dark + 30), grey(dark), 30, rule, 1).any()
    assert (raindrop_mask(grey(dark + 31), grey(dark), 30, rule, 1) == 255).all()
    assert (raindrop_mask(grey(dark), grey(dark + 31), 30, rule, 1) == 255).all()


@pytest.mark.parametrize('rule', RULES)
def test_rules_equal_their_plain_formulas(rule):
    random = np.random.default_rng(1)
    rainy, clean = random.integers(0, 256, (2, 40, 50, 3), np.uint8)
    difference = rainy.astype(float) - clean
    value = {
        'mean': np.abs(difference).mean(axis=2),
        'any': np.abs(difference).max(axis=2),
        'luma': np.abs(difference @ [0.299, 0.587, 0.114]),
    }[rule]
    for threshold in (0, 30, 90):
        expected = np.where(value > threshold + 1e-9, 255, 0)
        np.testing.assert_array_equal(raindrop_mask(rainy, clean, threshold, rule, 1), expected)


def test_dilation_is_plus_shaped():
    rainy, clean = grey(0), grey(0)
    rainy[2, 3] = 255
    mask = raindrop_mask(rainy, clean) > 0
    expected = np.zeros((5, 7), bool)
    expected[2, 2:5] = True
    expected[1:4, 3] = True
    np.testing.assert_array_equal(mask, expected)
    rainy[2, 3], rainy[0, 0] = 0, 255
    assert (raindrop_mask(rainy, clean) > 0).sum() == 3  # nothing wraps around at the border


def test_mask_is_symmetric_and_binary():
    random = np.random.default_rng(2)
    rainy, clean = random.integers(0, 256, (2, 20, 30, 3), np.uint8)
    for rule in RULES:
        mask = raindrop_mask(rainy, clean, rule=rule)
        assert mask.dtype == np.uint8
        assert set(np.unique(mask)) <= {0, 255}
        np.testing.assert_array_equal(mask, raindrop_mask(clean, rainy, rule=rule))


@pytest.mark.parametrize(
    'wrong',
    [{'threshold': 256}, {'threshold': -1}, {'rule': 'max'}, {'dilation': 2}, {'dilation': 0}],
)
def test_wrong_options_are_named(wrong):
    with pytest.raises(UserError, match=str(next(iter(wrong.values())))):
        raindrop_mask(grey(0), grey(0), **wrong)


def test_images_of_two_sizes_are_refused():
    with pytest.raises(UserError, match='one size'):
        raindrop_mask(grey(0), grey(0)[:4])


#: Share in per cent on the real pairs 0 to 3, from an independent measurement of the same files:
#: 'any' without dilation; 'luma' there on luma rounded to 8 bits, hence the wider tolerance.
MEASURED = {'any': ((20.0, 35.6, 27.2, 41.3), 0.06), 'luma': ((14.0, 25.6, 20.6, 33.6), 0.5)}


@pytest.mark.shared
@pytest.mark.parametrize('rule', MEASURED)
def test_real_pairs_have_the_measured_coverage(shared, rule):
    root = shared / 'data' / 'raindrop_train_pairs'
    shares, tolerance = MEASURED[rule]
    for number, share in enumerate(shares):
        files = {
            'img_path': root / f'data/{number}_rain.png',
            'gt_path': root / f'gt/{number}_clean.png',
        }
        mask = raindrop_mask(*read_pair(files), rule=rule, dilation=1)
        assert 100 * np.mean(mask > 0) == pytest.approx(share, abs=tolerance)
