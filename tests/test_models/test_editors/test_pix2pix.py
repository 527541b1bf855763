"""Pix2Pix: what an iteration learns from, and that restoring is deterministic."""

from __future__ import annotations

from copy import deepcopy

import attentive_gan.models.losses  # noqa: F401  (registers)
import pytest
import torch
from attentive_gan.models.editors import RestorationPix2Pix
from attentive_gan.models.networks.baselines.pix2pix import Pix2PixDiscriminator, Pix2PixGenerator
from mmagic.registry import MODELS
from mmagic.structures import DataSample
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch.nn import functional as F
from torch.testing import assert_close

SMALL = {'num_down': 5, 'base_channels': 2}


def editor(seed=0):
    torch.manual_seed(seed)
    made = RestorationPix2Pix(
        generator=dict(type='Pix2PixGenerator', **SMALL),
        discriminator=dict(type='Pix2PixDiscriminator', base_channels=2),
        pixel_loss=dict(type='L1Loss', loss_weight=200.0),
        gan_loss=dict(type='AdversarialLoss', loss_weight=1.0),
        data_preprocessor=dict(type='mmagic.DataPreprocessor', mean=[0, 0, 0], std=[255, 255, 255]),
    )
    made.init_weights()
    return made


def optimizers(made, rate=1e-3):
    return OptimWrapperDict(
        **{
            name: OptimWrapper(torch.optim.SGD(getattr(made, name).parameters(), rate))
            for name in ('generator', 'discriminator')
        }
    )


def batch(size=(32, 40), seed=1):
    random = torch.Generator().manual_seed(seed)
    rainy, clean = (
        [torch.randint(0, 256, (3, *size), dtype=torch.uint8, generator=random) for _ in range(2)]
        for _ in range(2)
    )
    information = dict(img_channel_order='BGR', img_color_type='color')
    information |= dict(gt_channel_order='BGR', gt_color_type='color')
    return {
        'inputs': rainy,
        'data_samples': [DataSample(gt_img=one, metainfo=information) for one in clean],
    }


def test_start_values_are_the_papers():
    weights = Pix2PixDiscriminator()
    weights.init_weights()
    convolution = weights.patches.model[2].conv.weight
    assert convolution.std().item() == pytest.approx(0.02, rel=0.05)
    norm = weights.patches.model[2].norm
    assert norm.weight.mean().item() == pytest.approx(1, abs=0.01)
    assert not norm.bias.any()


def test_the_generator_is_mmagics_between_other_ranges():
    torch.manual_seed(0)
    network, rainy = Pix2PixGenerator(**SMALL).eval(), torch.rand(1, 3, 64, 32)
    with torch.no_grad():
        assert_close(network(rainy), network.unet(2 * rainy - 1) / 2 + 0.5)
        assert 0 <= network(rainy).min() <= network(rainy).max() <= 1


def test_odd_sizes_repeat_the_border():
    torch.manual_seed(0)
    network, rainy = Pix2PixGenerator(**SMALL).eval(), torch.rand(1, 3, 33, 47)
    with torch.no_grad():
        padded = F.pad(rainy, (0, 17, 0, 31), mode='replicate')
        assert_close(network(rainy), network(padded)[..., :33, :47])


def test_an_iteration_updates_each_network_with_its_own_losses():
    made = editor()
    rainy, clean = (torch.rand(2, 3, 32, 32) for _ in range(2))
    data = {'inputs': rainy, 'data_samples': DataSample(gt_img=clean)}
    made.data_preprocessor.forward = lambda given, training: given
    made.generator.eval()  # no dropout, so that it can be computed again
    before = deepcopy(made)
    log = made.train_step(data, optimizers(made))

    restored = before.generator(rainy)
    judge = before.discriminator
    lies, truth = judge(rainy, restored.detach()), judge(rainy, clean)
    loss = (F.softplus(lies).mean() + F.softplus(-truth).mean()) / 2
    loss.backward()
    assert_close(log['loss_d_adversarial'], loss.detach())
    for old, new in zip(judge.parameters(), made.discriminator.parameters(), strict=True):
        assert_close(new, old - 1e-3 * old.grad, atol=1e-7, rtol=1e-5)

    # The generator meets the discriminator that has just learnt, and leaves it alone.
    with torch.no_grad():
        for old, new in zip(judge.parameters(), made.discriminator.parameters(), strict=True):
            old.copy_(new)
    pixel = 200 * (restored - clean).abs().mean()
    adversarial = F.softplus(-judge(rainy, restored)).mean()
    assert_close(log['loss_pixel'], pixel.detach())
    assert_close(log['loss_g_adversarial'], adversarial.detach())
    (pixel + adversarial).backward()
    for old, new in zip(before.generator.parameters(), made.generator.parameters(), strict=True):
        assert_close(new, old - 1e-3 * old.grad, atol=1e-6, rtol=1e-4)


def test_every_parameter_learns():
    made = editor()
    before = deepcopy(made.state_dict())
    made.train_step(batch((64, 64)), optimizers(made, 1e-2))
    unchanged = [
        name for name, _ in made.named_parameters() if made.state_dict()[name].equal(before[name])
    ]
    assert not unchanged


def test_restoring_is_deterministic_and_can_be_scored():
    made = editor()
    made.train_step(batch(), optimizers(made))
    made.eval()
    results = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        for step in (made.val_step, made.test_step):
            results.append([sample.output.pred_img for sample in step(batch())])
    assert results[0][0].shape == (3, 32, 40)
    assert results[0][0].min() >= 0
    assert results[0][0].max() <= 255
    assert all(
        torch.equal(a, b) for other in results for a, b in zip(other, results[0], strict=True)
    )
    assert not made.generator.training


def test_a_image_is_restored_alike_alone_and_in_a_batch():
    made = editor()
    made.train_step(batch(), optimizers(made))
    made.eval()
    rainy = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        assert_close(made.generator(rainy)[:1], made.generator(rainy[:1]), atol=1e-6, rtol=0)


def test_parameter_counts_are_those_of_the_original():
    # junyanz/pytorch-CycleGAN-and-pix2pix issue 1152 prints 54.408 and 2.765 M. These fit images of one
    # channel, which save so many weights of the first and the last convolution:
    fewer = {'Generator': 64 * 16 * 2 + 2 * 64 * 16 * 2 + 2, 'Discriminator': 64 * 16 * 4}
    for kind, millions in (('Generator', 54.408), ('Discriminator', 2.765)):
        with torch.device('meta'):
            network = MODELS.build(dict(type=f'Pix2Pix{kind}'))
        count = sum(p.numel() for p in network.parameters()) - fewer[kind]
        assert round(count / 1e6, 3) == millions
