"""Gradients against closed forms and finite differences; values in half precision."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from attentive_gan.models.losses import (
    AdversarialLoss,
    AttentionLoss,
    AttentionMapLoss,
    MultiScaleLoss,
    SSIMLoss,
    VGGPerceptualLoss,
)


def random(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def gradients(loss, *inputs):
    """Return the gradients of a loss with respect to its inputs."""
    leaves = [item.clone().requires_grad_() for item in inputs]
    return torch.autograd.grad(loss(*leaves), leaves)


def test_gradient_of_the_attention_loss():
    mask, maps = random(2, 1, 4, 6, seed=9), [random(2, 1, 4, 6, seed=k) for k in range(3)]
    found = gradients(lambda *m: AttentionLoss(theta=0.5, loss_weight=3)(m, mask), *maps)
    for weight, attention, gradient in zip((0.25, 0.5, 1.0), maps, found, strict=True):
        assert torch.allclose(gradient, 3 * weight * 2 * (attention - mask) / mask.numel())


def test_gradient_of_the_multi_scale_loss():
    clean = random(1, 3, 8, 12)
    outputs = [random(1, 3, 8 // f, 12 // f, seed=f) for f in (4, 2, 1)]
    found = gradients(lambda *o: MultiScaleLoss()(o, clean), *outputs)
    for weight, factor, output, gradient in zip(
        (0.6, 0.8, 1.0), (4, 2, 1), outputs, found, strict=True
    ):
        blocks = clean.reshape(1, 3, 8 // factor, factor, 12 // factor, factor).mean((3, 5))
        expected = weight * 2 * (output - blocks) / output.numel()
        assert torch.allclose(gradient, expected, atol=1e-7)


def test_gradient_of_the_map_loss():
    restored, real, target = (random(2, 1, 3, 3, seed=k) for k in range(3))
    found = gradients(lambda a, b: AttentionMapLoss()(a, b, target), restored, real)
    assert torch.allclose(found[0], 0.05 * 2 * (restored - target) / 18)
    assert torch.allclose(found[1], 0.05 * 2 * real / 18)


@pytest.mark.parametrize('saturating', [False, True])
def test_gradients_of_the_adversarial_loss(saturating):
    real, restored = torch.tensor([[1.5], [-0.3]]), torch.tensor([[0.2], [-2.0]])
    loss = AdversarialLoss(loss_weight=0.5, saturating=saturating)
    found = gradients(loss.discriminator_loss, real, restored)
    assert torch.allclose(found[0], -(1 - real.sigmoid()) / 2)
    assert torch.allclose(found[1], restored.sigmoid() / 2)
    (found,) = gradients(loss.generator_loss, restored)
    probability = restored.sigmoid()
    slope = probability if saturating else 1 - probability
    assert torch.allclose(found, -0.5 * slope / 2)


def test_gradient_of_the_ssim_loss_is_scikit_images_slope():
    from skimage.metrics import structural_similarity

    a, b = random(1, 1, 16, 18), random(1, 1, 16, 18, seed=1)
    (found,) = gradients(lambda x: SSIMLoss()(x, b), a)

    def value(image):
        return 1 - structural_similarity(
            image, b[0, 0].double().numpy(), data_range=1.0, gaussian_weights=True, sigma=1.5,
            use_sample_covariance=False,
        )  # fmt: skip

    base, step = a[0, 0].double().numpy(), 1e-4
    for place in [(0, 0), (7, 8), (15, 3), (4, 17)]:
        nudge = np.zeros_like(base)
        nudge[place] = step
        slope = (value(base + nudge) - value(base - nudge)) / (2 * step)
        assert found[0, 0][place].item() == pytest.approx(slope, rel=1e-3, abs=1e-7)


def test_gradient_of_the_perceptual_loss_is_torchvisions(vgg):
    network, path = vgg
    restored, clean = random(1, 3, 16, 16), random(1, 3, 16, 16, seed=1)
    loss = VGGPerceptualLoss(
        ('relu1_2',), (1.0,), normalize=False, weights_path=path, loss_weight=2
    )
    (found,) = gradients(lambda x: loss(x, clean), restored)
    features = copy.deepcopy(network[:4])
    for layer in features:
        layer.inplace = False
    (expected,) = gradients(lambda x: 2 * ((features(x) - features(clean)) ** 2).mean(), restored)
    assert torch.allclose(found, expected, rtol=1e-4, atol=1e-6)


def all_losses(path):
    """Return each loss as a function of an image (1, 3, 16, 16), and its allowed relative error."""
    clean = random(1, 3, 16, 16, seed=1)
    vgg_loss = VGGPerceptualLoss(weights_path=path)

    def scales(x):
        return MultiScaleLoss()([x[..., ::4, ::4], x[..., ::2, ::2], x], clean)

    return {
        'attention': (lambda x: AttentionLoss()([x[:, :1]], clean[:, :1]), 1e-6),
        'scales': (scales, 1e-6),
        'map': (lambda x: AttentionMapLoss()(x[:, :1], x[:, 1:2], clean[:, :1]), 1e-6),
        'generator': (lambda x: AdversarialLoss().generator_loss(x[:, 0, 0]), 1e-6),
        'discriminator': (lambda x: AdversarialLoss().discriminator_loss(x[0, 0], x[0, 1]), 1e-6),
        'ssim': (lambda x: SSIMLoss()(x, clean), 1e-6),
        'yuv': (lambda x: SSIMLoss(window='uniform', chroma_weight=0.6)(x, clean), 1e-6),
        # Its features may be in bfloat16, whose relative step is 2^-8.
        'vgg': (lambda x: vgg_loss(x, clean), 0.1),
    }


@pytest.mark.parametrize(
    'name', ['attention', 'scales', 'map', 'generator', 'discriminator', 'ssim', 'yuv', 'vgg']
)
def test_autocast_changes_no_loss(vgg, name):
    loss, tolerance = all_losses(vgg[1])[name]
    image = random(1, 3, 16, 16)
    expected = loss(image)
    with torch.autocast('cpu', torch.bfloat16):
        found = loss(image)
        half = loss(image.bfloat16())
    assert found.dtype == half.dtype == torch.float32
    assert found.item() == pytest.approx(expected.item(), rel=tolerance)
    rounded = loss(image.bfloat16().float()).item()
    assert half.item() == pytest.approx(rounded, rel=tolerance)


def test_perceptual_loss_moves_with_its_model(vgg):
    model = torch.nn.Sequential(VGGPerceptualLoss(weights_path=vgg[1]))
    a, b = random(1, 3, 16, 16), random(1, 3, 16, 16, seed=1)
    expected = model[0](a, b).item()
    model.double()
    assert model[0](a.double(), b.double()).item() == pytest.approx(expected, rel=1e-5)
    model.float().to(memory_format=torch.channels_last)
    last = [item.contiguous(memory_format=torch.channels_last) for item in (a, b)]
    assert model[0](*last).item() == pytest.approx(expected, rel=1e-4)
    assert copy.deepcopy(model)[0](a, b).item() == pytest.approx(expected, rel=1e-4)
    model.to('meta')
    assert all(buffer.is_meta for buffer in model.buffers())


def test_perceptual_loss_takes_half_precision_images(vgg):
    loss = VGGPerceptualLoss(weights_path=vgg[1], normalize=False)
    half, clean = random(1, 3, 16, 16).bfloat16(), random(1, 3, 16, 16, seed=1)
    assert loss(half, clean).item() == loss(half.float(), clean).item()
