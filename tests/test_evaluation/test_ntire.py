"""The score of the NTIRE challenges, and its name where a part of it is missing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from attentive_gan.errors import UserError
from attentive_gan.evaluation import PROTOCOLS, raindrop_scores
from attentive_gan.evaluation.ntire import ntire_scores
from attentive_gan.evaluation.raindrop_scores import RaindropScores

RANDOM = np.random.default_rng(0)
CLEAN = RANDOM.integers(0, 256, (24, 32, 3), dtype=np.uint8)
RESTORED = np.clip(CLEAN + RANDOM.normal(0, 9, CLEAN.shape), 0, 255).astype(np.uint8)


def sample():
    def tensor(image):
        return torch.from_numpy(image[..., ::-1].copy()).permute(2, 0, 1)

    return {
        'img_path': 'a.png', 'gt_img': tensor(CLEAN), 'input': tensor(CLEAN[::-1]),
        'output': {'pred_img': tensor(RESTORED)},
        'img_channel_order': 'rgb', 'gt_channel_order': 'rgb',
    }  # fmt: skip


def scored(monkeypatch, lpips):
    monkeypatch.setattr(raindrop_scores, 'find_lpips', lambda: (lpips, 'no LPIPS: no weights'))
    metric = RaindropScores(protocols=('qian', 'ntire'), prefix='x')
    metric.process([], [sample()])
    return metric, metric.compute_metrics(metric.results)


def test_the_score_is_the_sum_of_the_challenges(monkeypatch):
    metric, means = scored(monkeypatch, lambda pred, gt: 0.25)
    luma = PROTOCOLS['bt601']
    psnr, ssim = luma.psnr(RESTORED, CLEAN), luma.ssim(RESTORED, CLEAN)
    assert means['ntire_score'] == pytest.approx(psnr + 10 * ssim - 5 * 0.25)
    assert (means['ntire_lpips'], means['ntire_psnr']) == (0.25, psnr)
    assert not [key for key in means if 'without' in key]
    assert {'qian_psnr', 'input_ntire_score'} <= set(means)
    assert 'LPIPS' in metric.descriptions()['ntire']


def test_without_lpips_the_sum_has_another_name(monkeypatch):
    _, means = scored(monkeypatch, None)
    luma = PROTOCOLS['bt601']
    expected = luma.psnr(RESTORED, CLEAN) + 10 * luma.ssim(RESTORED, CLEAN)
    assert means['ntire_score_without_lpips'] == pytest.approx(expected)
    assert not {'ntire_score', 'ntire_lpips', 'input_ntire_score'} & set(means)


def test_the_published_best_is_a_possible_sum():
    """35.24 won in 2026; with 10 PSNR, as two summaries print, it would lie above 100."""
    scores = ntire_scores(RESTORED, CLEAN, lambda pred, gt: 0.1)
    assert 20 < scores['ntire_score'] < 45


def test_unknown_protocols_are_refused_with_all_names():
    with pytest.raises(UserError, match=r'qian, bt601, rgb, ntire'):
        RaindropScores(protocols=('ntire25',))
