"""Restoring on CUDA: whole, in parts, after memory ran out, in 16 bits, together and from files.

ATTENTIVE_GAN_TEST_DEVICE=cpu runs the tests that need no card on a CPU, to look for mistakes in the tests.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from attentive_gan.apis.restore import restore
from attentive_gan.errors import UserError
from attentive_gan.export import export
from attentive_gan.inference import ImageRestorer, cuda_memory
from attentive_gan.inference.precision import choose_precision, in_precision
from attentive_gan.inference.torch_backend import task_function
from attentive_gan.models.networks.attentive_generator import AttentiveGenerator
from attentive_gan.models.networks.baselines.pix2pix import Pix2PixGenerator
from attentive_gan.models.networks.unet import RestorationUNet
from drawn_scenes.scenes import draw_scene
from PIL import Image
from raindrop_renderer.sampling import add_raindrops
from support.described_networks import write_described
from support.lively_networks import lively
from torch import Tensor, nn

NAME = os.environ.get('ATTENTIVE_GAN_TEST_DEVICE', 'cuda')
ON_CUDA = NAME.startswith('cuda')
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(ON_CUDA and not torch.cuda.is_available(), reason='no CUDA device'),
]
needs_card = pytest.mark.skipif(not ON_CUDA, reason='needs a CUDA device')
DEVICE = torch.device('cuda:0' if NAME == 'cuda' else NAME)
#: Types of 16 bits that are tried, with the largest and the mean difference in levels of 0 to 255.
HALVES = {'bfloat16': (10, 0.6), 'float16': (3, 0.15)}


@cache
def network(name: str) -> nn.Module:
    """Return a network whose results depend on all that it sees and are mostly from 0 to 1, on a CPU."""
    if name == 'attentive':
        published = lively(AttentiveGenerator(num_steps=2))
        published.autoencoder.output.bias.data.add_(0.55)
        return published
    if name == 'small':
        gated = lively(
            AttentiveGenerator(
                2, attention_activation='sigmoid', width=0.25, blocks=2, shuffle=2, residual=True,
                gated=True,
            )
        )  # fmt: skip
        gated.autoencoder.output.weight.data.mul_(0.02)
        return gated
    unet = lively(RestorationUNet(channels=(32, 48, 64), blocks=1, shuffle=2))
    unet.tail.weight.data.mul_(0.15)
    return unet


NETWORKS = ['attentive', 'small', 'unet']


def restorer(name: str, precision: str = 'float32', device: str = NAME, **options) -> ImageRestorer:
    return ImageRestorer(
        network=copy.deepcopy(network(name)), device=device, precision=precision, **options
    )


@cache
def rainy(height: int = 240, width: int = 320, seed: int = 1) -> np.ndarray:
    return add_raindrops(draw_scene(seed, (height, width)), seed).rainy


@cache
def on_cpu(name: str, height: int = 240, width: int = 320) -> np.ndarray:
    return restorer(name, device='cpu').restore(rainy(height, width)).image


def apart(one: np.ndarray, other: np.ndarray) -> tuple[int, float]:
    """Return the largest and the mean difference in levels."""
    difference = np.abs(one.astype(int) - other)
    return int(difference.max()), float(difference.mean())


@pytest.fixture(scope='module', autouse=True)
def memory_is_left_as_it_was() -> Iterator[None]:
    yield
    if ON_CUDA:
        torch.cuda.set_per_process_memory_fraction(1.0)
        torch.cuda.empty_cache()


@pytest.mark.parametrize('name', NETWORKS)
def test_whole_as_on_a_cpu(name: str) -> None:
    most, mean = apart(restorer(name).restore(rainy()).image, on_cpu(name))
    assert most <= 1
    assert mean < 0.01


@pytest.mark.parametrize('name', NETWORKS)
@pytest.mark.parametrize('way', ['rows', 'strips', 'tiles'])
def test_parts_as_at_once(name: str, way: str) -> None:
    made = restorer(name)
    reach = made.reach
    assert reach is not None
    made.tile = {'rows': 319, 'strips': 96, 'tiles': 128}[way]
    made.halo = max(reach) if way == 'tiles' else None
    most, mean = apart(made.restore(rainy()).image, on_cpu(name))
    assert most <= 1
    assert mean < 0.01


@pytest.mark.parametrize('name', NETWORKS)
def test_odd_sizes_attention_and_deep_images(name: str) -> None:
    odd = rainy()[:61, :83]
    made, expected = restorer(name), restorer(name, device='cpu')
    assert apart(made.restore(odd).image, expected.restore(odd).image)[0] <= 1
    deep = odd.astype(np.uint16) * 257
    made.precision = 'auto'
    made.dtype = torch.bfloat16
    assert apart(made.restore(deep).image, expected.restore(deep).image)[0] <= 30
    if made.gives_attention:
        made.dtype, odd = torch.float32, rainy()[:64, :80]
        both, plain = made.restore(odd, attention=True), expected.restore(odd, attention=True)
        np.testing.assert_allclose(both.attention, plain.attention, atol=1e-3)
        held = made.restore(odd, held=plain.attention).image
        assert apart(held, plain.image)[0] <= 1
        np.testing.assert_allclose(made.attend(odd), plain.attention, atol=1e-3)


@pytest.mark.parametrize('name', NETWORKS)
@pytest.mark.parametrize('precision', sorted(HALVES))
def test_16_bits_are_near_and_parts_do_not_show(name: str, precision: str) -> None:
    try:
        made = restorer(name, precision)
    except UserError as error:
        pytest.skip(str(error))
    whole = made.restore(rainy()).image
    most, mean = apart(whole, on_cpu(name))
    print(f'{name} {precision}: {most} levels apart at most, {mean:.3f} on average')
    assert most <= HALVES[precision][0]
    assert mean <= HALVES[precision][1]
    made.tile = 96
    parts = made.restore(rainy()).image.astype(int) - whole
    # No more at the borders of strips than elsewhere.
    columns = np.abs(parts).mean((0, 2))
    print(f'    parts: {np.abs(parts).max()} at most, {columns.mean():.3f} on average')
    assert columns.max() <= max(6 * columns.mean(), 0.5)


def test_batch_normalisation_in_parts() -> None:
    """cuDNN's has another name in the record."""
    network = lively(Pix2PixGenerator(num_down=5, base_channels=4))
    made = ImageRestorer(network=network, device=NAME, precision='float32')
    assert made.reach is not None
    whole = made.restore(rainy()).image
    made.tile = 64
    assert apart(made.restore(rainy()).image, whole)[0] <= 1


@needs_card
def test_onnx_runtime_on_the_card(tmp_path: Path) -> None:
    runtime = pytest.importorskip('onnxruntime')
    pytest.importorskip('onnx')
    if 'CUDAExecutionProvider' not in runtime.get_available_providers():
        pytest.skip('this ONNX Runtime has no CUDA')
    weights, path = write_described(tmp_path, 'unet', 'rgb'), tmp_path / 'unet.onnx'
    export(None, str(weights), path, 'onnx')
    made, expected = (
        ImageRestorer(weights=str(path), backend='onnxruntime', device=device)
        for device in ('auto', 'cpu')
    )
    assert made.device.type == 'cuda'
    for _ in range(2):
        assert apart(made.restore(rainy()).image, expected.restore(rainy()).image)[0] <= 1
        made.loaded.release()


@needs_card
def test_auto_is_what_the_card_is_good_at() -> None:
    major, _ = torch.cuda.get_device_capability(DEVICE)
    expected = torch.bfloat16 if major >= 8 else torch.float16 if major == 7 else torch.float32
    assert choose_precision('auto', DEVICE) == expected
    assert restorer('unet', 'auto').dtype == expected


@needs_card
@pytest.mark.parametrize('precision', ['float32', 'auto'])
def test_convolutions_are_channels_last_and_of_the_type(precision: str) -> None:
    made = restorer('attentive', precision)
    seen: list[Tensor] = []
    for module in made.loaded.network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(lambda module, inputs, result: seen.append(result))
    made.restore(rainy())
    assert {values.dtype for values in seen} == {made.dtype}
    wide = [values for values in seen if values.shape[1] > 3]
    assert all(values.is_contiguous(memory_format=torch.channels_last) for values in wide)


@needs_card
def test_float16_that_overflows_falls_back_to_float32() -> None:
    class Overflowing(nn.Module):
        size_multiple, padding_mode = 1, 'replicate'

        def __init__(self) -> None:
            super().__init__()
            self.up, self.down = nn.Conv2d(3, 3, 1, bias=False), nn.Conv2d(3, 3, 1, bias=False)
            eye = torch.eye(3)[:, :, None, None]
            self.up.weight.data.copy_(1e5 * eye)
            self.down.weight.data.copy_(1e-5 * eye)

        def forward(self, images: Tensor) -> Tensor:
            return self.down(self.up(images))

    notes: list[str] = []
    made = ImageRestorer(
        network=Overflowing(), device=NAME, precision='float16', notify=notes.append
    )  # fmt: skip
    images = [rainy(), rainy(seed=2), rainy() // 4]
    for one, image in zip(made.begin(images), images, strict=True):
        assert apart(one.result().image, image)[0] <= 1
    assert len(notes) == 1
    assert 'float32' in notes[0]


@needs_card
@pytest.mark.parametrize('precision', ['float32', 'bfloat16'])
def test_memory_that_runs_out(precision: str) -> None:
    """The plan is made for memory that is then not there."""
    height, width = 720, 960
    notes: list[str] = []
    made = restorer('attentive', precision, notify=notes.append)
    whole = made.restore(rainy(height, width)).image
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(DEVICE)
    before = torch.cuda.memory_allocated(DEVICE)
    made.restore(rainy(height, width))
    peak = torch.cuda.max_memory_allocated(DEVICE) - before
    torch.cuda.empty_cache()
    total = cuda_memory.total_memory(DEVICE)
    allowed = torch.cuda.memory_reserved(DEVICE) + 0.45 * peak
    try:
        torch.cuda.set_per_process_memory_fraction(allowed / total, DEVICE)
        parts = made.restore(rainy(height, width)).image
        reserved = torch.cuda.memory_reserved(DEVICE)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, DEVICE)
    assert notes
    assert all('memory ran out; going on in parts' in note for note in notes)
    assert reserved <= allowed
    most, mean = apart(parts, whole)
    assert most <= (1 if precision == 'float32' else HALVES['bfloat16'][0])
    assert mean < (0.01 if precision == 'float32' else 0.5)


@needs_card
def test_memory_that_torch_keeps_counts_as_free() -> None:
    torch.cuda.empty_cache()
    before = cuda_memory.free_memory(DEVICE)
    values = torch.empty(2**28, dtype=torch.uint8, device=DEVICE)
    assert cuda_memory.free_memory(DEVICE) <= before - 2**28 + 2**22
    del values
    assert torch.cuda.memory_reserved(DEVICE) >= 2**28
    assert abs(cuda_memory.free_memory(DEVICE) - before) < 2**26
    assert cuda_memory.device_count() == torch.cuda.device_count()


@pytest.mark.parametrize('name', ['attentive', 'unet'])
def test_images_together_are_those_of_each_alone(name: str) -> None:
    made = restorer(name)
    images = [np.ascontiguousarray(rainy()[k : k + 128, k : k + 160]) for k in range(5)]
    if ON_CUDA:
        assert made.together(images[0]) > len(images)
    alone = [made.restore(image).image for image in images]
    begun = made.begin(images, attention=made.gives_attention)
    for one, expected in zip(begun, alone, strict=True):
        assert apart(one.result().image, expected)[0] <= 1


@needs_card
def test_the_program_does_not_wait_for_the_card() -> None:
    """Until somebody asks for the result."""
    made = restorer('attentive')
    images = [np.ascontiguousarray(rainy()[k : k + 200, k : k + 240]) for k in range(6)]
    expected = [made.restore(image).image for image in images]
    torch.cuda.synchronize(DEVICE)
    torch.cuda.set_sync_debug_mode('error')
    try:
        begun = [made.begin([image])[0] for image in images]
    finally:
        torch.cuda.set_sync_debug_mode('default')
    for one, image in zip(begun, expected, strict=True):
        assert apart(one.result().image, image)[0] <= 1


@pytest.mark.parametrize('precision', ['float32', 'auto'])
def test_a_folder_by_several_threads(precision: str, tmp_path: Path) -> None:
    made = restorer('unet', precision)
    sizes = [(96, 128)] * 20 + [(61, 83), (120, 90)] * 3
    for number, (height, width) in enumerate(sizes):
        image = np.ascontiguousarray(rainy()[:height, number : number + width])
        (tmp_path / 'in').mkdir(exist_ok=True)
        Image.fromarray(image).save(tmp_path / 'in' / f'{number:02d}.png')
    (tmp_path / 'in' / 'bad.png').write_bytes(b'not an image')
    report = restore(tmp_path / 'in', tmp_path / 'out', restorer=made)
    assert [outcome.state for outcome in report.outcomes] == ['done'] * len(sizes) + ['failed']
    for number, (height, width) in enumerate(sizes):
        image = np.ascontiguousarray(rainy()[:height, number : number + width])
        found = np.asarray(Image.open(tmp_path / 'out' / f'{number:02d}.png'))
        expected = made.restore(image).image
        assert apart(found, expected)[0] <= (1 if made.dtype == torch.float32 else 8)


@needs_card
def test_recorded_networks_compute_what_the_network_does() -> None:
    """The types in the record are those of autocast on this card."""
    for name, work in (('unet', 'restore'), ('attentive', 'both')):
        made = restorer(name, 'auto')
        graph = made.loaded.recording(work, made.dtype).graph
        assert graph is not None
        assert {layer.itemsize for layer in graph.layers} == {2, 4}
        function: Callable = in_precision(
            task_function(made.loaded.network, work), made.dtype, DEVICE
        )
        pixels = torch.rand(1, 3, 64, 96, device=DEVICE)
        with torch.no_grad():
            sizes = [result.element_size() for result in function(pixels)]
        assert [graph.layers[output].itemsize for output in graph.outputs] == sizes
