"""The attentive generator: equal to the published one, at any size, in every way to run it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from attentive_gan.models.networks.attentive_generator import AttentiveGenerator, AttentiveOutput
from attentive_gan.models.networks.padding import pad_to_multiple
from published_graph import golden_image
from torch.testing import assert_close


def near(ours, expected, tolerance=1e-5):
    assert_close(ours, expected, rtol=0, atol=tolerance)


def parameters(network):
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize('size', ['64x96', '100x76'])
@pytest.mark.parametrize('grad', [False, True])
def test_equals_the_golden_outputs(generator, golden, size, grad):
    stored = np.load(golden / 'generator.npz')
    expected = {
        key: torch.from_numpy(stored[f'{size}_{key}'])
        for key in ('input', 'attention', 'frame_quarter', 'frame_half', 'output')
    }
    near(golden_image(*map(int, size.split('x'))), expected['input'], 0)
    with torch.set_grad_enabled(grad):
        output = generator(expected['input'], side_outputs=True)
    near(torch.stack(output.attention_maps), expected['attention'])
    near(output.quarter, expected['frame_quarter'])
    near(output.half, expected['frame_half'])
    near(output.restored, expected['output'])


@pytest.mark.parametrize(
    ('steps', 'batch', 'height', 'width'),
    [(1, 1, 4, 4), (2, 3, 12, 40), (3, 2, 72, 8), (5, 1, 36, 20)],
)
def test_equals_the_plain_graph(
    generator, published_generator, random_image, monkeypatch, steps, batch, height, width
):
    monkeypatch.setattr(published_generator, 'num_steps', steps)
    generator.num_steps = steps
    rainy = random_image(height, width, batch)
    maps, quarter, half, restored = published_generator(rainy)
    output = generator(rainy, side_outputs=True)
    assert len(output.attention_maps) == steps
    for ours, expected in zip(output.attention_maps, maps, strict=True):
        near(ours, expected, 2e-5)
    for ours, expected in ((output.quarter, quarter), (output.half, half)):
        near(ours, expected, 2e-5)
    near(output.restored, restored, 2e-5)


def test_has_the_published_number_of_parameters():
    assert parameters(AttentiveGenerator()) == 6_244_362
    assert parameters(AttentiveGenerator(num_steps=2)) == 6_244_362
    assert parameters(AttentiveGenerator(attention=False)) == 6_074_953


def test_without_attention_there_are_no_maps_and_no_recurrent_modules(random_image):
    network = AttentiveGenerator(attention=False)
    output = network(random_image(16, 20), side_outputs=True)
    assert output.attention_maps == ()
    assert output.restored.shape == (1, 3, 16, 20)
    assert network.autoencoder.conv1.in_channels == 3
    assert not [name for name, _ in network.named_parameters() if 'lstm' in name]


@pytest.mark.parametrize(('height', 'width'), [(1, 1), (1, 7), (2, 3), (3, 4), (5, 9), (30, 47)])
@torch.no_grad()
def test_takes_any_size(generator, random_image, height, width):
    rainy = random_image(height, width, batch=2)
    output = generator(rainy, side_outputs=True)
    assert output.restored.shape == rainy.shape
    assert {m.shape for m in output.attention_maps} == {(2, 1, height, width)}
    assert output.half.shape == (2, 3, -(-height // 2), -(-width // 2))
    assert output.quarter.shape == (2, 3, -(-height // 4), -(-width // 4))
    padded = pad_to_multiple(rainy, 4)
    assert torch.equal(output.restored, generator(padded)[..., :height, :width])


def test_pads_by_reflection_and_repeats_where_that_is_impossible():
    row = torch.arange(5.0).reshape(1, 1, 1, 5)
    assert pad_to_multiple(row, 4)[0, 0, 0].tolist() == [0, 1, 2, 3, 4, 3, 2, 1]
    assert pad_to_multiple(row, 4).shape == (1, 1, 4, 8)
    assert pad_to_multiple(row.mT, 4)[0, 0, :, 3].tolist() == [0, 1, 2, 3, 4, 3, 2, 1]
    whole = torch.rand(1, 3, 8, 4)
    assert pad_to_multiple(whole, 4) is whole


def test_side_outputs_change_nothing(generator, random_image):
    rainy = random_image(24, 16)
    with torch.no_grad():
        alone = generator(rainy)
        asked = generator(rainy, side_outputs=True)
    assert isinstance(alone, torch.Tensor)
    assert isinstance(asked, AttentiveOutput)
    assert torch.equal(alone, asked.restored)
    with_grad = generator(rainy, side_outputs=True)
    near(with_grad.restored, asked.restored)
    near(torch.stack(with_grad.attention_maps), torch.stack(asked.attention_maps))


def test_gradients_equal_those_of_the_plain_graph(generator, published_generator, random_image):
    rainy, weight = random_image(16, 12, 2), random_image(16, 12, 2, seed=1)
    ours, expected = rainy.clone().requires_grad_(), rainy.clone().requires_grad_()
    output = generator(ours, side_outputs=True)
    maps, quarter, half, restored = published_generator(expected)
    for maps_, small, middle, full in (
        (output.attention_maps, output.quarter, output.half, output.restored),
        (maps, quarter, half, restored),
    ):
        loss = (full * weight).sum() + (small**2).sum() + middle.sum() + sum(m.sum() for m in maps_)
        loss.backward()
    scale = float(expected.grad.abs().max())
    assert scale > 0
    near(ours.grad / scale, expected.grad / scale)
    assert all(p.grad is not None for p in generator.parameters())


def test_starts_from_the_chosen_attention(published_generator, random_image):
    from attentive_gan.models.converters.attentive_gan import convert_generator

    state = convert_generator(published_generator.state_dict(), 'bgr')
    outputs = []
    for start in (0.5, 0.0):
        network = AttentiveGenerator(num_steps=1, initial_attention=start)
        network.load_state_dict(state)
        with torch.no_grad():
            outputs.append(network(random_image(8, 8)))
    assert not torch.allclose(*outputs)


def test_refuses_no_steps():
    with pytest.raises(ValueError, match='num_steps is 0'):
        AttentiveGenerator(num_steps=0)


def test_mixed_precision_stays_close_and_keeps_the_cell_state_in_float32(generator, random_image):
    rainy = random_image(32, 24)
    cells = []
    generator.attention.lstm.register_forward_hook(lambda *call: cells.append(call[2][1].dtype))
    with torch.no_grad():
        exact = generator(rainy)
        with torch.autocast('cpu', torch.bfloat16):
            rough = generator(rainy)
    assert set(cells) == {torch.float32}
    assert rough.dtype == torch.bfloat16
    assert float((rough.float() - exact).abs().mean()) < 0.02 * float(exact.abs().mean())
    with torch.autocast('cpu', torch.bfloat16):
        trained = generator(rainy, side_outputs=True)
    near(trained.restored.float(), rough.float(), 0.05 * float(exact.abs().max()))
    trained.restored.float().mean().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in generator.parameters())


def test_compiles_without_graph_breaks(generator, random_image):
    rainy = random_image(8, 12)
    torch.compiler.reset()
    compiled = torch.compile(generator, backend='eager', fullgraph=True)
    with torch.no_grad():
        near(compiled(rainy), generator(rainy))
    near(compiled(rainy, side_outputs=True).half, generator(rainy, side_outputs=True).half)


def test_exports(generator, random_image):
    if not hasattr(torch, 'export'):
        pytest.skip('torch.export came with torch 2.1')
    rainy = random_image(8, 12)
    with torch.no_grad():
        program = torch.export.export(generator, (rainy,))
        near(program.module()(rainy), generator(rainy))


def test_attention_can_be_bounded() -> None:
    """With the option every step's map is the sigmoid of what it would be; later steps see it."""
    torch.manual_seed(0)
    plain = AttentiveGenerator(num_steps=1)
    bounded = AttentiveGenerator(num_steps=1, attention_activation='sigmoid')
    bounded.load_state_dict(plain.state_dict())
    image = torch.rand(1, 3, 12, 16)
    with torch.no_grad():
        raw, squashed = (
            net(image, side_outputs=True).attention_maps[0] for net in (plain, bounded)
        )
    assert torch.allclose(torch.sigmoid(raw), squashed)
    with pytest.raises(ValueError, match='attention_activation'):
        AttentiveGenerator(attention_activation='tanh')
