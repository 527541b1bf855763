"""Options of `AttentiveGAN` for trainings by time: shares, structure, batches of one tensor, compiling."""

from __future__ import annotations

import functools

import pytest
import torch
from attentive_gan.checkpoints.fitting import load_weights
from attentive_gan.config.inference_model import load_inference_model
from attentive_gan.errors import UserError
from attentive_gan.models.editors import AttentiveGAN
from attentive_gan.models.losses import SSIMLoss
from attentive_gan.utils.checkpoint_io import write_checkpoint
from mmagic.registry import MODELS
from mmagic.structures import DataSample
from mmengine.logging import MessageHub
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.registry import init_default_scope
from support.runs import REPOSITORY

PARTS = dict(
    type='AttentiveGAN',
    generator=dict(type='AttentiveGenerator', width=0.125, num_steps=2, blocks=1),
    discriminator=dict(type='AttentiveDiscriminator', width=0.125),
    pixel_loss=dict(type='MultiScaleLoss'),
    attention_loss=dict(type='AttentionLoss'),
    gan_loss=dict(type='AdversarialLoss'),
    map_loss=dict(type='AttentionMapLoss'),
    data_preprocessor=dict(type='PairPreprocessor', mean=[0, 0, 0], std=[255, 255, 255]),
)
ALONE = dict(discriminator=None, gan_loss=None, map_loss=None)


@pytest.fixture(autouse=True)
def hub():
    init_default_scope('mmagic')
    hub = MessageHub.get_current_instance()
    for name in ('iter', 'progress'):
        hub.runtime_info.pop(name, None)
    yield hub
    hub.runtime_info.pop('iter', None)
    hub.runtime_info.pop('progress', None)


def build(**changes) -> AttentiveGAN:
    torch.manual_seed(0)
    return MODELS.build({**PARTS, **changes})


def pairs(count=2, size=32):
    """Return a batch as a `PooledDataLoader` gives it."""
    generator = torch.Generator().manual_seed(1)
    made = torch.randint(0, 256, (count, size, size, 7), generator=generator, dtype=torch.uint8)
    made[..., 6] = (made[..., 6] > 128) * 255
    return {'pairs': made}


def optimizers(model):
    networks = {'generator': model.generator}
    if model.discriminator is not None:
        networks['discriminator'] = model.discriminator
    return OptimWrapperDict(
        **{
            name: OptimWrapper(torch.optim.SGD(network.parameters(), lr=0.1))
            for name, network in networks.items()
        }
    )


@pytest.mark.parametrize('progress', [None, 0.0, 0.749, 0.75, 0.799, 0.8, 1.0])
def test_parts_begin_after_a_share_of_the_training(hub, progress):
    """Whatever the iteration: it is unknown how many there will be."""
    model = build(train_cfg=dict(gen_init_steps=0.75, disc_init_steps=0.05))
    hub.update_info('iter', 50)
    if progress is not None:
        hub.update_info('progress', progress)
    log = model.train_step(pairs(), optimizers(model))
    assert ('loss_d_adversarial' in log) == (progress is not None and progress >= 0.75)
    assert ('loss_g_adversarial' in log) == (progress is not None and progress >= 0.8)


def test_whole_numbers_are_iterations(hub):
    model = build(train_cfg=dict(gen_init_steps=1, disc_init_steps=1))
    hub.update_info('progress', 1.0)
    assert 'loss_d_adversarial' not in model.train_step(pairs(), optimizers(model))


@pytest.mark.parametrize('iteration', [50, 51])
def test_the_interval_holds_for_shares_too(hub, iteration):
    model = build(train_cfg=dict(gen_init_steps=0.5, gen_steps=2))
    hub.update_info('progress', 0.9)
    hub.update_info('iter', iteration)
    log = model.train_step(pairs(), optimizers(model))
    assert ('loss_d_adversarial' in log) == (iteration % 2 == 0)
    assert 'loss_g_adversarial' in log


def test_structural_similarity_is_added():
    model = build(**ALONE, structure_loss=dict(type='SSIMLoss', loss_weight=0.2, window='uniform'))
    batch = model.data_preprocessor(pairs(), True)
    with torch.no_grad():
        restored = model.generator(batch['inputs'])
    expected = 0.2 * SSIMLoss(window='uniform')(restored, batch['data_samples'].gt_img)
    log = model.train_step(pairs(), optimizers(model))
    assert log['loss_structure'].item() == pytest.approx(expected.item(), rel=1e-5)
    parts = ('loss_multi_scale', 'loss_attention', 'loss_structure')
    assert log['generator_loss'].item() == pytest.approx(sum(log[name].item() for name in parts))


def test_batches_of_one_tensor_train_as_those_of_mmagic():
    """The same images once as `pairs`, once as lists with a `DataSample` each."""
    whole, single = build(), build()
    batch = pairs()
    images = batch['pairs'].permute(0, 3, 1, 2).contiguous()
    samples = []
    for image in images:
        samples.append(DataSample())
        samples[-1].set_data({'gt_img': image[3:6], 'mask': image[6:]})
    parts = {'inputs': [image[:3] for image in images], 'data_samples': samples}
    logs = [m.train_step(b, optimizers(m)) for m, b in ((whole, batch), (single, parts))]
    assert set(logs[0]) == set(logs[1])
    for name, value in logs[0].items():
        assert value.item() == pytest.approx(logs[1][name].item(), rel=1e-4), name
    before = build().state_dict()
    moved = 0
    for (name, a), b in zip(whole.state_dict().items(), single.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)
        moved += not torch.equal(a, before[name])
    assert moved > 0.9 * len(before)


@pytest.fixture
def graphs(monkeypatch):
    """Return the graphs that are compiled, as lists of how often each runs."""
    torch._dynamo.reset()
    found = []

    def backend(graph, _inputs):
        runs = [0]
        found.append(runs)

        def run(*arguments):
            runs[0] += 1
            return graph(*arguments)

        return run

    monkeypatch.setattr(torch, 'compile', functools.partial(torch.compile, backend=backend))
    yield found
    torch._dynamo.reset()


def test_one_recurrent_step_is_compiled_and_not_all(graphs):
    generator = dict(PARTS['generator'], num_steps=4)
    plain = build(**ALONE, generator=generator)
    compiled = build(**ALONE, generator=generator, compile_generator=True)
    assert list(plain.state_dict()) == list(compiled.state_dict())
    logs = [model.train_step(pairs(), optimizers(model)) for model in (plain, compiled)]
    # The first step, which has no state yet; the other three; the autoencoder.
    assert graphs == [[1], [3], [1]]
    for name, value in logs[0].items():
        assert value.item() == pytest.approx(logs[1][name].item(), rel=1e-4)
    compiled.train_step(pairs(), optimizers(compiled))
    assert graphs == [[2], [6], [2]]


@pytest.mark.parametrize('average', [None, dict(momentum=0.1)])
def test_nothing_is_compiled_for_validation(graphs, average):
    """Its images have many sizes, and compiling takes as long as a validation."""
    model = build(**ALONE, compile_generator=True, ema=average)
    model.train_step(pairs(), optimizers(model))
    known = [list(runs) for runs in graphs]
    assert known
    model.eval()
    with torch.no_grad():
        for size in ((16, 24), (20, 20)):
            model(torch.rand(1, 3, *size))
            prediction = model.forward_inference(torch.rand(1, 3, *size), DataSample())
            assert prediction.pred_img.shape[-2:] == size
    assert graphs == known
    model.train()
    model.train_step(pairs(), optimizers(model))
    assert len(graphs) == len(known)
    assert graphs != known  # training still runs compiled


def test_the_average_is_what_an_inference_model_restores_by(tmp_path):
    generator = dict(PARTS['generator'], type='AttentiveGenerator')
    config = tmp_path / 'averaged.py'
    config.write_text(
        f'_base_ = ["{REPOSITORY}/configs/attgan_pool.py"]\n'
        f'model = dict(generator=dict(_delete_=True, **{generator}), discriminator=dict(width=0.125))\n'
    )
    model = build(ema=dict(momentum=0.1))
    for parameter in model.generator_ema.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    checkpoint = tmp_path / 'iter_1.pth'
    write_checkpoint({'state_dict': model.state_dict()}, checkpoint)
    loaded = load_inference_model(str(config), str(checkpoint), 'cpu')
    found = loaded.network.state_dict()
    for name, value in model.generator_ema.module.state_dict().items():
        assert torch.equal(found[name], value)
    assert not torch.equal(found['attention.head.weight'], model.generator.attention.head.weight)
    rainy = torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        assert torch.equal(loaded.model(rainy), loaded.network(rainy))


@pytest.mark.parametrize('prefix', ['', 'generator.', 'generator.module.'])
def test_published_weights_are_the_average_too_and_it_starts_anew(prefix):
    source = build().generator
    for parameter in source.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    state = {f'{prefix}{name}': value for name, value in source.state_dict().items()}
    model = build(ema=dict(momentum=0.1))
    model.generator_ema.steps.fill_(7)
    assert load_weights(model, state, 'published', ['discriminator']) == ['discriminator']
    for network in (model.generator, model.generator_ema.module):
        for name, value in network.state_dict().items():
            assert torch.equal(value, source.state_dict()[name])
    assert int(model.generator_ema.steps) == 0
    with pytest.raises(UserError, match='2 missing'):
        load_weights(model, dict(list(state.items())[:-1]), 'cut', ['discriminator'])


def test_cross_entropy_needs_bounded_maps():
    loss = dict(type='AttentionLoss', criterion='bce')
    with pytest.raises(UserError, match=r"attention_activation='sigmoid' or criterion='mse'"):
        build(attention_loss=loss)
    generator = dict(PARTS['generator'], attention_activation='sigmoid')
    build(attention_loss=loss, generator=generator)
