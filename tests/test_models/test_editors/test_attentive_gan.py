"""The training step does what the paper does, and nothing leaks between the two networks."""

from __future__ import annotations

import pytest
import tiny_networks  # noqa: F401  (registers TinyGenerator, TinyDiscriminator)
import torch
from attentive_gan.errors import UserError
from attentive_gan.models.editors import AttentiveGAN
from mmagic.registry import MODELS
from mmagic.structures import DataSample
from mmengine.logging import MessageHub
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.registry import init_default_scope

PARTS = dict(
    type='AttentiveGAN',
    generator=dict(type='TinyGenerator', dropout=0.0),
    discriminator=dict(type='TinyDiscriminator'),
    pixel_loss=dict(type='MultiScaleLoss'),
    attention_loss=dict(type='AttentionLoss'),
    gan_loss=dict(type='AdversarialLoss'),
    map_loss=dict(type='AttentionMapLoss'),
    data_preprocessor=dict(type='DataPreprocessor', mean=[0, 0, 0], std=[255, 255, 255]),
)


@pytest.fixture(autouse=True)
def _no_runner():
    """Iterations are counted by the runner; without one they are 0."""
    init_default_scope('mmagic')
    MessageHub.get_current_instance().runtime_info.pop('iter', None)


def build(**changes) -> AttentiveGAN:
    torch.manual_seed(0)
    return MODELS.build({**PARTS, **changes})


def batch(count=2, size=16):
    """Return a batch as the data loader gives it: images uint8, masks 0 or 255."""
    generator = torch.Generator().manual_seed(1)

    def image(channels=3):
        return torch.randint(0, 256, (channels, size, size), generator=generator, dtype=torch.uint8)

    samples = []
    for _ in range(count):
        sample = DataSample()
        sample.set_data({'gt_img': image().float(), 'mask': (image(1) > 128).byte() * 255})
        samples.append(sample)
    return {'inputs': [image().float() for _ in range(count)], 'data_samples': samples}


def optimizers(model, **options):
    networks = {'generator': model.generator}
    if model.discriminator is not None:
        networks['discriminator'] = model.discriminator
    return OptimWrapperDict(
        **{
            name: OptimWrapper(torch.optim.SGD(network.parameters(), lr=0.1), **options)
            for name, network in networks.items()
        }
    )


def weights(network):
    return [value.detach().clone() for value in network.parameters()]


def same(first, second):
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_both_networks_learn_and_all_losses_are_logged():
    model = build()
    before = weights(model.generator), weights(model.discriminator)
    log = model.train_step(batch(), optimizers(model))
    assert not same(before[0], weights(model.generator))
    assert not same(before[1], weights(model.discriminator))
    assert set(log) == {
        'loss_d_adversarial', 'loss_d_map', 'discriminator_loss', 'loss_multi_scale',
        'loss_attention', 'loss_g_adversarial', 'generator_loss',
    }  # fmt: skip
    assert log['generator_loss'].item() == pytest.approx(
        sum(log[key].item() for key in ('loss_multi_scale', 'loss_attention', 'loss_g_adversarial'))
    )
    assert not any(value.requires_grad for value in log.values())


class Spy:
    """Stands for an optimizer wrapper; looks at gradients instead of updating."""

    def __init__(self, model):
        self.model = model

    def optim_context(self, _module):
        import contextlib

        return contextlib.nullcontext()

    def update_params(self, loss):
        loss.backward()
        self.gradients = {
            name: any(p.grad is not None for p in network.parameters())
            for name, network in (
                ('generator', self.model.generator),
                ('discriminator', self.model.discriminator),
            )
        }
        self.model.zero_grad(set_to_none=True)


def test_no_gradient_leaks_between_the_networks():
    model = build()
    spies = {'generator': Spy(model), 'discriminator': Spy(model)}
    model.train_step(batch(), spies)
    assert spies['discriminator'].gradients == {'generator': False, 'discriminator': True}
    assert spies['generator'].gradients == {'generator': True, 'discriminator': False}


@pytest.mark.parametrize('iteration', [0, 1, 2, 3, 4])
def test_stages(iteration):
    model = build(train_cfg=dict(gen_init_steps=1, disc_init_steps=2, gen_steps=2))
    MessageHub.get_current_instance().update_info('iter', iteration)
    log = model.train_step(batch(), optimizers(model))
    assert ('loss_d_adversarial' in log) == (iteration in (1, 3))
    assert ('loss_g_adversarial' in log) == (iteration >= 3)


def test_the_map_is_taught_attention_or_mask():
    """The map loss is that of the paper's target, and of the mask on request."""
    for target in ('attention', 'mask'):
        model = build(map_target=target)
        data = batch()
        prepared = model.data_preprocessor(batch(), True)
        with torch.no_grad():
            output = model.generator(prepared['inputs'], side_outputs=True)
            fake = model.discriminator(output.restored).attention_map
            real = model.discriminator(prepared['data_samples'].gt_img).attention_map
        mask = prepared['data_samples'].mask.float() / 255
        wanted = output.attention_maps[-1] if target == 'attention' else mask
        expected = 0.05 * (((fake - wanted) ** 2).mean() + (real**2).mean())
        log = model.train_step(data, optimizers(model))
        assert log['loss_d_map'].item() == pytest.approx(expected.item(), rel=1e-5)


def test_unpaired_clean_images_are_those_of_other_scenes():
    seen = {}
    for unpaired in (False, True):
        model = build(unpaired_real=unpaired)
        model.discriminator.register_forward_pre_hook(
            lambda _m, inputs, key=unpaired: seen.setdefault(key, inputs[0].detach().clone())
        )
        model.train_step(batch(3), optimizers(model))
    assert torch.equal(seen[True][3:], seen[False][3:].roll(1, 0))
    assert torch.equal(seen[True][:3], seen[False][:3])


def test_gradient_accumulation_equals_one_large_batch():
    """Without dropout, two halves with accumulation give the update of the whole batch."""
    large = build(discriminator=None, gan_loss=None, map_loss=None)
    halves = build(discriminator=None, gan_loss=None, map_loss=None)
    data = batch(4)
    whole = {key: list(value) for key, value in data.items()}
    large.train_step(whole, optimizers(large))
    accumulating = optimizers(halves, accumulative_counts=2)
    accumulating['generator'].initialize_count_status(halves, 0, 2)
    parts = batch(4)
    for part in (slice(0, 2), slice(2, 4)):
        halves.train_step({key: value[part] for key, value in parts.items()}, accumulating)
    for a, b in zip(weights(large.generator), weights(halves.generator), strict=True):
        assert torch.allclose(a, b, atol=1e-6)


def test_clipping_bounds_the_update():
    model = build(discriminator=None, gan_loss=None, map_loss=None)
    before = weights(model.generator)
    model.train_step(batch(), optimizers(model, clip_grad=dict(max_norm=1e-3)))
    moved = sum(((a - b) ** 2).sum() for a, b in zip(before, weights(model.generator), strict=True))
    assert 0 < moved.sqrt() <= 0.1 * 1e-3 * 1.001


def test_moving_average_restores_and_trains_apart():
    model = build(ema=dict(momentum=0.25))
    start = weights(model.generator)
    model.train_step(batch(), optimizers(model))  # the first update copies the weights
    first = weights(model.generator)
    model.train_step(batch(), optimizers(model))
    second = weights(model.generator)
    averaged = weights(model.generator_ema.module)
    assert not same(start, first)
    for a, b, mean in zip(first, second, averaged, strict=True):
        assert torch.allclose(mean, 0.75 * a + 0.25 * b, atol=1e-6)
    image = torch.rand(1, 3, 8, 8)
    model.eval()
    assert torch.equal(model(image), model.generator_ema.module(image))
    assert not torch.equal(model(image), model.generator(image))


def test_compiling_keeps_the_names_of_weights():
    plain, compiled = build(), build(compile_generator=True)
    assert list(plain.state_dict()) == list(compiled.state_dict())


def test_predictions_have_the_right_range_order_and_size():
    model = build().eval()
    data = batch(1, size=18)
    data['data_samples'][0].set_metainfo(dict(img_channel_order='rgb', gt_channel_order='rgb'))
    rainy = data['inputs'][0].clone()
    sample = model.test_step(data)[0]
    assert torch.equal(sample.input, rainy.flip(0))  # handed out in BGR
    assert sample.output.pred_img.shape == (3, 18, 18)
    assert sample.output.attention.shape == (2, 18, 18)
    for image in (sample.output.pred_img, sample.output.attention):
        assert image.min() >= 0
        assert image.max() <= 255


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(gan_loss=None), 'must be given together'),
        (dict(discriminator=None, gan_loss=None), 'map_loss needs'),
        (dict(map_target='other'), "'attention' or 'mask'"),
        (
            dict(discriminator=None, gan_loss=None, map_loss=None, unpaired_real=True),
            'unpaired_real',
        ),
    ],
)
def test_parts_that_do_not_belong_together(changes, message):
    with pytest.raises(UserError, match=message):
        build(**changes)


def test_missing_mask_is_named():
    model = build()
    data = batch()
    for sample in data['data_samples']:
        del sample.mask
    with pytest.raises(UserError, match='RaindropMask'):
        model.train_step(data, optimizers(model))


class AutocastWrapper(OptimWrapper):
    """As MMEngine's AmpOptimWrapper does on a GPU: the forward pass in bfloat16."""

    def optim_context(self, _module):
        return torch.autocast('cpu', torch.bfloat16)


@pytest.mark.parametrize('real_networks', [False, True])
def test_bfloat16_keeps_weights_and_losses_in_float32(real_networks):
    networks = {}
    if real_networks:
        networks = dict(
            generator=dict(type='AttentiveGenerator'),
            discriminator=dict(type='AttentiveDiscriminator'),
        )
    logs = {}
    for name, wrapper in (('full', OptimWrapper), ('half', AutocastWrapper)):
        model = build(**networks)
        wrappers = OptimWrapperDict(
            generator=wrapper(torch.optim.SGD(model.generator.parameters(), lr=1e-3)),
            discriminator=wrapper(torch.optim.SGD(model.discriminator.parameters(), lr=1e-3)),
        )
        logs[name] = model.train_step(batch(2, 16), wrappers)
        assert all(value.dtype == torch.float32 for value in model.parameters())
    for name, value in logs['half'].items():
        assert value.dtype == torch.float32
        assert value.item() == pytest.approx(logs['full'][name].item(), rel=0.05, abs=0.01)
