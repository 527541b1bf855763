"""The protocols against golden values, closed forms and an SSIM of our own."""

from __future__ import annotations

import json
import math

import cv2
import numpy as np
import pytest
from attentive_gan.evaluation import PROTOCOLS
from scipy.signal import convolve2d

NAMES = ('qian', 'bt601', 'rgb')


def read(path):
    return np.ascontiguousarray(cv2.imread(str(path))[..., ::-1])


def noisy_pair(height=33, width=42, seed=0):
    """Return a smooth coloured image and a noisy copy of it, (height, width, 3) uint8."""
    random = np.random.default_rng(seed)
    small = random.integers(20, 236, (6, 6, 3)).astype(np.uint8)
    clean = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    noise = random.normal(0, 18, clean.shape) * [1.0, 0.5, 1.5]
    return np.clip(clean + noise, 0, 255).round().astype(np.uint8), clean


def scores(restored, clean):
    return {
        f'{name}_{score}': getattr(PROTOCOLS[name], score)(restored, clean)
        for name in NAMES
        for score in ('psnr', 'ssim')
    }


def test_pattern_pair_has_its_golden_scores(golden):
    folder = golden / 'metrics'
    expected = json.loads((folder / 'expected.json').read_text())['pattern']
    found = scores(read(folder / 'restored.png'), read(folder / 'clean.png'))
    assert found == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize('number', range(4))
def test_real_pairs_have_their_golden_scores(golden, shared, number):
    expected = json.loads((golden / 'metrics' / 'expected.json').read_text())
    folder = shared / 'data' / 'raindrop_train_pairs'
    rainy, clean = folder / f'data/{number}_rain.png', folder / f'gt/{number}_clean.png'
    wanted = expected[f'raindrop_train_{number}_rain_vs_clean']
    assert scores(read(rainy), read(clean)) == pytest.approx(wanted, abs=1e-4)


# A grey shift of d changes rounded full-range luma by d and limited-range luma by 219 d / 255.
@pytest.mark.parametrize('shift', [1, 7, 40])
def test_psnr_of_a_grey_shift_is_closed_form(shift):
    clean = np.repeat(noisy_pair()[0][..., :1] // 2 + 50, 3, axis=2)
    found = scores(clean + np.uint8(shift), clean)
    full = 20 * math.log10(255 / shift)
    assert found['rgb_psnr'] == pytest.approx(full, abs=1e-9)
    assert found['qian_psnr'] == pytest.approx(full, abs=1e-9)
    assert found['bt601_psnr'] == pytest.approx(full + 20 * math.log10(255 / 219), abs=1e-9)


def test_bt601_psnr_of_a_colour_shift_is_closed_form():
    clean = np.clip(noisy_pair()[0], 40, 200)
    shift = np.array([9, -4, 30])
    found = scores((clean + shift).astype(np.uint8), clean)
    luma = (65.481 * 9 - 128.553 * 4 + 24.966 * 30) / 255
    assert found['bt601_psnr'] == pytest.approx(20 * math.log10(255 / luma), abs=1e-9)
    assert found['rgb_psnr'] == pytest.approx(
        10 * math.log10(255**2 / ((81 + 16 + 900) / 3)), abs=1e-9
    )


def test_grey_noise_scores_one_decibel_and_a_third_more_under_bt601():
    restored, clean = (np.repeat(image[..., :1], 3, axis=2) for image in noisy_pair())
    found = scores(restored, clean)
    assert found['bt601_psnr'] - found['qian_psnr'] == pytest.approx(1.3219, abs=1e-4)
    assert found['rgb_psnr'] == pytest.approx(found['qian_psnr'], abs=1e-9)


def rounded_luma(image):
    """OpenCV's fixed-point luma (imgproc, color_yuv): weights times 2^14, rounded."""
    return ((image.astype(int) @ np.array([4899, 9617, 1868]) + 2**13) >> 14).astype(float)


def limited_luma(image):
    return 16 + image @ np.array([65.481, 128.553, 24.966]) / 255


def own_ssim(first, second, window, sample_size=None):
    """SSIM of Wang et al. 2004, equation 13, over all windows that lie inside of the image."""
    mean_1, mean_2, square_1, square_2, product = (
        convolve2d(plane, window, mode='valid')
        for plane in (first, second, first * first, second * second, first * second)
    )
    unbiased = sample_size / (sample_size - 1) if sample_size else 1
    variance_1 = unbiased * (square_1 - mean_1**2)
    variance_2 = unbiased * (square_2 - mean_2**2)
    covariance = unbiased * (product - mean_1 * mean_2)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    ssim = (2 * mean_1 * mean_2 + c1) * (2 * covariance + c2)
    return (ssim / ((mean_1**2 + mean_2**2 + c1) * (variance_1 + variance_2 + c2))).mean()


def gaussian_window():
    line = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    return np.outer(line, line) / line.sum() ** 2


@pytest.mark.parametrize('seed', range(3))
def test_ssim_equals_an_own_one(seed):
    # The size is no multiple of 4, so that the crop is part of what is compared.
    restored, clean = noisy_pair(seed=seed)
    first, second = (image[:32, :40].astype(float) for image in (restored, clean))
    found = scores(restored, clean)
    uniform, gaussian = np.full((7, 7), 1 / 49), gaussian_window()
    assert found['qian_ssim'] == pytest.approx(
        own_ssim(rounded_luma(first), rounded_luma(second), uniform, 49), abs=1e-6
    )
    assert found['bt601_ssim'] == pytest.approx(
        own_ssim(limited_luma(first), limited_luma(second), gaussian), abs=1e-6
    )
    channels = [own_ssim(first[..., c], second[..., c], gaussian) for c in range(3)]
    assert found['rgb_ssim'] == pytest.approx(np.mean(channels), abs=1e-6)


def test_full_range_luma_is_the_rounded_weighted_sum():
    restored, _ = noisy_pair(64, 64)
    luma = PROTOCOLS['qian'].planes(restored)
    assert luma.dtype == np.uint8
    assert np.array_equal(luma, rounded_luma(restored))
    exact = restored @ np.array([0.299, 0.587, 0.114])
    assert np.abs(luma - exact).max() < 0.51


@pytest.mark.parametrize('name', NAMES)
def test_rows_and_columns_beyond_a_multiple_of_four_do_not_count(name):
    restored, clean = noisy_pair(35, 43)
    protocol = PROTOCOLS[name]
    expected = protocol.psnr(restored[:32, :40], clean[:32, :40])
    similarity = protocol.ssim(restored[:32, :40], clean[:32, :40])
    restored[32:], restored[:, 40:] = 0, 255
    assert protocol.psnr(restored, clean) == expected
    assert protocol.ssim(restored, clean) == similarity
    restored[31, 39] = 255 - clean[31, 39]
    assert protocol.psnr(restored, clean) < expected


@pytest.mark.parametrize('name', NAMES)
def test_equal_images_are_perfect(name):
    image, _ = noisy_pair()
    assert PROTOCOLS[name].psnr(image, image.copy()) == math.inf
    assert PROTOCOLS[name].ssim(image, image.copy()) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize('name', NAMES)
def test_order_of_the_images_does_not_matter_and_inputs_stay(name):
    restored, clean = noisy_pair()
    copies = restored.copy(), clean.copy()
    protocol = PROTOCOLS[name]
    assert protocol.psnr(restored, clean) == protocol.psnr(clean, restored)
    assert protocol.ssim(restored, clean) == pytest.approx(
        protocol.ssim(clean, restored), abs=1e-12
    )
    assert np.array_equal(restored, copies[0])
    assert np.array_equal(clean, copies[1])
    assert protocol.psnr(restored[..., ::-1][..., ::-1], clean) == protocol.psnr(restored, clean)


@pytest.mark.parametrize('name', NAMES)
@pytest.mark.parametrize('score', ['psnr', 'ssim'])
def test_images_that_cannot_be_compared_are_refused(name, score):
    compare = getattr(PROTOCOLS[name], score)
    image, _ = noisy_pair()
    with pytest.raises(ValueError, match='restored image is 42x33, the clean one 40x33'):
        compare(image, image[:, :40])
    with pytest.raises(ValueError, match=r'clean image must be \(H, W, 3\) uint8.*float64'):
        compare(image, image / 255)
    with pytest.raises(ValueError, match='restored image must be'):
        compare(image[..., 0], image)
    with pytest.raises(ValueError, match='restored image must be'):
        compare(image[..., [0, 1, 2, 2]], image)
    with pytest.raises(ValueError, match='42x11 is too small to score'):
        compare(image[:11], image[:11])
    assert math.isinf(PROTOCOLS[name].psnr(image[:12, :12], image[:12, :12]))
