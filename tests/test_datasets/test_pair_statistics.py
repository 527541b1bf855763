"""The statistics of a pair: closed forms, and four real pairs whose figures are known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from attentive_gan.datasets.pair_statistics import RaindropStatistics, raindrop_statistics, spread
from attentive_gan.errors import UserError
from attentive_gan.image_io import read_image

#: PSNR, median and 10th percentile of the detail ratio, brighter share, and share of pixels with any
#: channel differing by more than 30, of the training pairs that are in the reference folder.
REAL = {
    0: (20.47, 0.77, 0.37, 0.87, 0.200),
    1: (16.41, 0.59, 0.26, 0.97, 0.356),
    2: (18.65, 0.57, 0.37, 0.90, 0.272),
    3: (14.71, 0.63, 0.43, 0.98, 0.413),
}


def noisy(seed=0, size=(60, 80), level=110, strength=40):
    random = np.random.default_rng(seed)
    return (level + random.integers(-strength, strength + 1, (*size, 3))).astype(np.uint8)


@pytest.mark.shared
@pytest.mark.parametrize('number', REAL)
def test_real_pairs_have_their_published_figures(shared, number):
    folder = shared / 'data' / 'raindrop_train_pairs'
    files = (folder / 'data' / f'{number}_rain', folder / 'gt' / f'{number}_clean')
    rainy, clean = (read_image(next(f.parent.glob(f'{f.name}.*'))) for f in files)
    found = raindrop_statistics(rainy, clean, rule='any')
    psnr, median, low, brighter, coverage = REAL[number]
    assert found.psnr == pytest.approx(psnr, abs=0.006)
    assert found.detail_ratio == pytest.approx(median, abs=0.006)
    assert found.detail_ratio_p10 == pytest.approx(low, abs=0.006)
    assert found.brighter_share == pytest.approx(brighter, abs=0.006)
    assert found.mask_coverage == pytest.approx(coverage, abs=0.0006)


def test_equal_images():
    clean = noisy()
    assert raindrop_statistics(clean, clean) == RaindropStatistics(None, 0.0, 1.0, 1.0, None)


@pytest.mark.parametrize(('change', 'brighter'), [(40, 1.0), (-40, 0.0)])
def test_a_patch_of_another_brightness(change, brighter):
    clean = np.full((50, 80, 3), 128, np.uint8)
    rainy = clean.copy()
    rainy[10:30, 20:60] += np.uint8(change % 256)
    found = raindrop_statistics(rainy, clean)
    share = 20 * 40 / (50 * 80)
    assert found.mask_coverage == share
    assert found.psnr == pytest.approx(10 * np.log10(255**2 / (share * 40**2)))
    assert found.brighter_share == brighter
    assert found.detail_ratio is None  # nothing to compare with


def test_share_of_brighter_pixels_leaves_noise_out():
    clean = np.full((40, 40, 3), 100, np.uint8)
    rainy = clean.copy()
    rainy[5:11, 5:11] = 200  # 36 brighter
    rainy[20:26, 20:23] = 10  # 18 darker
    rainy[35, ::2] = 10  # single pixels, which the opening removes
    assert raindrop_statistics(rainy, clean).brighter_share == pytest.approx(36 / 54)


def test_half_the_contrast_is_half_the_detail():
    clean = noisy(strength=60) // 2 * 2
    rainy = (64 + clean.astype(int) // 2).astype(np.uint8)
    found = raindrop_statistics(rainy, clean)
    assert found.detail_ratio == pytest.approx(0.5, abs=0.01)
    blurred = cv2.GaussianBlur(clean, (0, 0), 3)
    assert raindrop_statistics(blurred, clean).detail_ratio < 0.2


def test_rules_and_thresholds_decide_the_coverage():
    clean = np.zeros((10, 10, 3), np.uint8)
    rainy = clean.copy()
    rainy[:4, :, 0] = 60
    cover = {r: raindrop_statistics(rainy, clean, rule=r).mask_coverage for r in ('any', 'mean')}
    assert cover == {'any': 0.4, 'mean': 0.0}
    assert raindrop_statistics(rainy, clean, threshold=10).mask_coverage == 0.4
    with pytest.raises(UserError, match='one size'):
        raindrop_statistics(rainy[:5], clean)
    with pytest.raises(UserError, match='threshold'):
        raindrop_statistics(rainy, clean, threshold=300)


def test_spread_over_images():
    ones = [RaindropStatistics(float(n), n / 100, None, None, 0.5) for n in range(11)]
    ones.append(RaindropStatistics(None, 0.05, None, None, None))
    found = spread(ones)
    assert found['psnr'] == pytest.approx({'p10': 1, 'p50': 5, 'p90': 9, 'mean': 5})
    assert found['detail_ratio'] == dict.fromkeys(('p10', 'p50', 'p90', 'mean'))
    assert found['brighter_share']['p50'] == 0.5
    with pytest.raises(UserError, match='at least one'):
        spread([])
