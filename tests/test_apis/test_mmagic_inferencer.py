"""MMagic's own inferencers restore by the configs here: colours, weights, no training parts."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from attentive_gan.apis import mmagic_inferencer
from attentive_gan.checkpoints.publishing import save_weights
from attentive_gan.checkpoints.shipped import SHIPPED
from attentive_gan.config.reading import load_config
from attentive_gan.errors import UserError
from attentive_gan.inference import ImageRestorer
from attentive_gan.models.networks.attentive_generator import AttentiveGenerator
from attentive_gan.utils.checkpoint_io import write_checkpoint
from mmagic.apis import MMagicInferencer
from mmagic.apis import inferencers as mmagic_inferencers
from mmagic.apis.inferencers import Inferencers
from mmengine.config import Config
from support.lively_networks import lively
from support.runs import REPOSITORY

SMALL = str(REPOSITORY / 'configs' / 'attgan_small.py')
SHIPPED_SMALL = str(SHIPPED['attgan_small'].path)
BGR = str(REPOSITORY / 'configs' / 'attentive_gan' / 'attgan_authors_1xb2-387k_raindrop.py')


@pytest.fixture
def rainy(tmp_path):
    """Write a colourful image of odd size; return its file and pixels."""
    noise = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    pixels = cv2.resize(noise, (61, 45))
    cv2.imwrite(str(tmp_path / 'rainy.png'), pixels[..., ::-1])
    return tmp_path / 'rainy.png', pixels


@pytest.fixture(scope='module')
def bgr_weights(tmp_path_factory):
    """Weights of the generator as a training stores them, without discriminator."""
    state = lively(AttentiveGenerator()).state_dict()
    path = tmp_path_factory.mktemp('weights') / 'iter_1.pth'
    write_checkpoint({'state_dict': {f'generator.{k}': v for k, v in state.items()}}, path)
    return str(path)


def restored_by(infer, image, folder):
    """Return the file that an inferencer writes, RGB, after a look at what it returns."""
    out = folder / 'new' / 'restored.png'
    _, pixels = infer(img=str(image), result_out_dir=str(out))
    written = cv2.imread(str(out))
    np.testing.assert_array_equal(pixels, written)  # BGR, as MMagic has it
    return written[..., ::-1]


@pytest.mark.parametrize('order', ['rgb', 'bgr'])
def test_inferencers_equal_the_restorer(order, rainy, bgr_weights, tmp_path):
    config, weights = {
        'rgb': (SMALL, SHIPPED_SMALL),
        'bgr': (BGR, bgr_weights),
    }[order]
    file, pixels = rainy
    expected = (
        ImageRestorer(config, weights, device='cpu', precision='float32').restore(pixels).image
    )
    by_task = Inferencers(task='Image Restoration', config=config, ckpt=weights, device='cpu')
    by_model = MMagicInferencer(model_config=config, model_ckpt=weights, device='cpu').infer
    for infer in (by_task, by_model):
        found = restored_by(infer, file, tmp_path)
        assert found.shape == pixels.shape
        assert np.abs(found.astype(int) - expected.astype(int)).max() <= 1
    swapped = (
        ImageRestorer(config, weights, device='cpu', precision='float32')
        .restore(pixels[..., ::-1].copy())
        .image
    )
    assert np.abs(swapped[..., ::-1].astype(int) - expected.astype(int)).max() > 10


def test_weights_that_do_not_fit_are_refused(rainy, tmp_path):
    """MMagic alone would restore by random weights."""
    weights = tmp_path / 'other.safetensors'
    save_weights(lively(AttentiveGenerator(num_steps=1)).state_dict(), weights, None)
    with pytest.raises(UserError, match='do not fit'):
        Inferencers(task='Image Restoration', config=SMALL, ckpt=str(weights), device='cpu')


def test_weights_that_are_not_named_are_missed():
    with pytest.raises(UserError, match='name the weights'):
        Inferencers(task='Image Restoration', config=SMALL, device='cpu')


def test_an_own_pipeline_is_kept():
    config = load_config(SMALL)
    config.inference_pipeline = [dict(type='LoadImageFromFile', key='img'), dict(type='PackInputs')]
    inferencer = Inferencers(
        task='Image Restoration', config=config, ckpt=SHIPPED_SMALL, device='cpu'
    ).inferencer
    assert len(inferencer.model.cfg.inference_pipeline) == 2
    assert 'channel_order' not in inferencer.model.cfg.inference_pipeline[0]


def test_configs_of_others_are_left_to_mmagic(monkeypatch):
    called = []
    base = mmagic_inferencers.base_mmagic_inferencer.BaseMMagicInferencer
    monkeypatch.setattr(base, '_init_model', lambda self, *others: called.append(others))
    config = Config(dict(model=dict(type='BaseEditModel')))
    Inferencers(task='Image Restoration', config=config, ckpt=None, device='cpu')
    assert called
    with pytest.raises(ValueError, match='Unknown inferencer task'):
        Inferencers(config=config, ckpt=None)


def test_applying_twice_changes_nothing():
    before = Inferencers.__init__
    mmagic_inferencer.apply()
    assert Inferencers.__init__ is before
