"""What type of numbers is chosen, and that 16 bits change little and show nowhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from attentive_gan.errors import UserError
from attentive_gan.inference import ImageRestorer, precision, record
from attentive_gan.inference.loading import adopt_network
from attentive_gan.inference.memory import row_bytes
from attentive_gan.inference.precision import choose_precision, in_precision, strict_float32
from attentive_gan.inference.torch_backend import task_function
from attentive_gan.models.networks.attentive_generator import AttentiveGenerator
from attentive_gan.models.networks.unet import RestorationUNet
from drawn_scenes.scenes import draw_scene
from raindrop_renderer.sampling import add_raindrops
from support.lively_networks import lively
from torch import Tensor, nn

CPU, CUDA = torch.device('cpu'), torch.device('cuda')


@pytest.fixture
def units(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that sets what CPU and GPU are good at."""

    def have(cpu: bool = True, capability: tuple[int, int] = (9, 0)) -> None:
        monkeypatch.setattr(precision, 'cpu_has_bfloat16_units', lambda: cpu)
        monkeypatch.setattr(torch.cuda, 'get_device_capability', lambda device: capability)

    return have


@pytest.mark.parametrize(
    ('device', 'cpu', 'capability', 'expected'),
    [
        (CPU, True, (9, 0), torch.bfloat16),
        (CPU, False, (9, 0), torch.float32),
        (CUDA, False, (9, 0), torch.bfloat16),
        (CUDA, False, (8, 0), torch.bfloat16),
        (CUDA, True, (7, 5), torch.float16),
        (CUDA, True, (6, 1), torch.float32),
        (torch.device('mps'), True, (9, 0), torch.float32),
    ],
)
def test_auto_takes_what_the_device_is_good_at(
    units, device: torch.device, cpu: bool, capability: tuple[int, int], expected: torch.dtype
) -> None:
    units(cpu, capability)
    assert choose_precision('auto', device) == expected
    assert choose_precision('float32', device) == torch.float32


@pytest.mark.parametrize(
    ('name', 'device', 'capability', 'reason'),
    [
        ('bfloat16', CPU, (9, 0), 'avx512_bf16'),
        ('float16', CPU, (9, 0), 'for GPUs'),
        ('bfloat16', CUDA, (7, 5), r'compute capability 7\.5, .* come with 8\.0'),
        ('float16', CUDA, (6, 1), r'compute capability 6\.1'),
        ('float64', CPU, (9, 0), 'choose auto, float32, bfloat16, float16'),
    ],
)
def test_what_a_device_is_not_good_at_is_refused(
    units, name: str, device: torch.device, capability: tuple[int, int], reason: str
) -> None:
    units(False, capability)
    with pytest.raises(UserError, match=f'--precision {name}: .*{reason}'):
        choose_precision(name, device)


@pytest.mark.parametrize(
    ('flags', 'expected'),
    [('fpu avx512f avx512_bf16', True), ('fpu amx_bf16', True), ('fpu avx512f', False)],
)
def test_a_torch_that_does_not_tell(
    flags: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The flags of the CPU do."""
    monkeypatch.delattr(torch.cpu, '_is_avx512_bf16_supported', raising=False)
    text = f'processor : 0\nflags\t\t: {flags}\n'
    monkeypatch.setattr(Path, 'read_text', lambda self, encoding: text)
    monkeypatch.setattr(torch.backends.mkldnn, 'is_available', lambda: True)
    assert precision.cpu_has_bfloat16_units() is expected
    monkeypatch.setattr(torch.backends.mkldnn, 'is_available', lambda: False)
    assert precision.cpu_has_bfloat16_units() is False


def test_no_flags_no_units(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(self: Path, encoding: str) -> str:
        raise FileNotFoundError

    monkeypatch.delattr(torch.cpu, '_is_avx512_bf16_supported', raising=False)
    monkeypatch.setattr(Path, 'read_text', absent)
    assert precision.cpu_has_bfloat16_units() is False


class Types(nn.Module):
    """Notes the type in which its convolution computes."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 3, 1)
        self.seen: set[torch.dtype] = set()

    def forward(self, rainy: Tensor) -> Tensor:
        change = self.convolution(rainy)
        self.seen.add(change.dtype)
        return rainy + 0 * change


@pytest.mark.parametrize(
    ('chosen', 'bits', 'expected'),
    [
        ('auto', 8, torch.bfloat16),
        ('auto', 16, torch.float32),
        ('bfloat16', 16, torch.bfloat16),
        ('float32', 8, torch.float32),
    ],
)
def test_deep_images_are_restored_in_float32(
    units, chosen: precision.Precision, bits: int, expected: torch.dtype
) -> None:
    units()
    network = Types()
    made = ImageRestorer(network=network, device='cpu', precision=chosen)
    pixels = np.arange(2**bits - 300, 2**bits).astype(f'uint{bits}').reshape(10, 10, 3)
    restored = made.restore(pixels).image
    assert network.seen == {expected}
    # The image is added in float32, so that even bfloat16 leaves all 16 bits as they were.
    np.testing.assert_array_equal(restored, pixels)


def test_a_program_that_casts_itself_changes_nothing(units) -> None:
    units()
    network = Types()
    made = ImageRestorer(network=network, device='cpu', precision='float32')
    with torch.autocast('cpu', dtype=torch.bfloat16):
        made.restore(np.zeros((20, 24, 3), np.uint8))
    assert network.seen == {torch.float32}


def test_float32_is_not_rounded_on_a_gpu() -> None:
    before = torch.backends.cudnn.allow_tf32
    for allowed in (True, False):
        torch.backends.cudnn.allow_tf32 = allowed
        with strict_float32(torch.float32, CUDA):
            assert not torch.backends.cudnn.allow_tf32
        for dtype, device in ((torch.bfloat16, CUDA), (torch.float32, CPU)):
            with strict_float32(dtype, device):
                assert torch.backends.cudnn.allow_tf32 is allowed
        assert torch.backends.cudnn.allow_tf32 is allowed
    torch.backends.cudnn.allow_tf32 = before


def scene(height: int, width: int) -> np.ndarray:
    return add_raindrops(draw_scene(1, (height, width)), 1).rainy


def test_the_weights_that_ship_hardly_change(units) -> None:
    units()
    rainy = scene(240, 320)
    whole, half = (
        ImageRestorer(device='cpu', precision=p).restore(rainy).image.astype(int)
        for p in ('float32', 'bfloat16')
    )
    difference = np.abs(whole - half)
    assert 0 < difference.max() <= 4
    assert difference.mean() < 0.25
    assert np.abs((half - whole).mean((0, 1))).max() < 0.1  # no colour cast in any channel


@pytest.mark.parametrize('way', ['strips', 'rows', 'tiles'])
def test_parts_do_not_show_in_16_bits(units, way: str) -> None:
    units()
    rainy = scene(200, 320)
    notes: list[str] = []
    made = ImageRestorer(device='cpu', precision='bfloat16', notify=notes.append)
    whole = made.restore(rainy).image.astype(int)
    reach = made.reach
    assert reach is not None
    made.tile = {'strips': 80, 'rows': 320, 'tiles': 96}[way]
    made.halo = max(reach) if way == 'tiles' else None
    difference = np.abs(made.restore(rainy).image - whole)
    assert not notes
    assert difference.max() <= 2
    assert difference.mean() < 0.02


@pytest.mark.parametrize('build', [RestorationUNet, lambda: AttentiveGenerator(num_steps=2)])
def test_plans_know_the_type(build: Callable[[], nn.Module]) -> None:
    loaded = adopt_network(lively(build()), CPU)
    whole, half = (loaded.recording('restore', t) for t in (torch.float32, torch.bfloat16))
    assert whole.graph is not None
    assert half.graph is not None
    sizes = [row_bytes(recording.graph, 512, 1000, 64) for recording in (whole, half)]
    assert 0.45 < sizes[1] / sizes[0] < 0.85
    assert 0.45 < half.bytes_per_pixel / whole.bytes_per_pixel < 0.85
    assert half.graph.reach() == whole.graph.reach()
    layers = [layer for layer in half.graph.layers if 'conv' in layer.name]
    assert {layer.itemsize for layer in layers} == {2}


class Gated(nn.Module):
    """Adds a gated change to the image: the sum must be float32, or dry parts lose levels."""

    size_multiple, padding_mode = 1, 'replicate'

    def __init__(self) -> None:
        super().__init__()
        self.change, self.gate = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 1, 3, padding=1)

    def forward(self, rainy: Tensor) -> Tensor:
        return rainy + torch.sigmoid(self.gate(rainy)) * self.change(rainy)


@pytest.mark.parametrize('tile', [None, 16])
def test_a_gate_that_is_shut_leaves_every_level(units, tile: int | None) -> None:
    units()
    network = Gated()
    nn.init.constant_(network.gate.bias, -200)
    pixels = np.arange(256).astype(np.uint8).repeat(12).reshape(32, 32, 3)
    made = ImageRestorer(network=network, device='cpu', precision='bfloat16', tile=tile)
    np.testing.assert_array_equal(made.restore(pixels).image, pixels)
    graph = record(
        in_precision(task_function(network, 'restore'), torch.bfloat16, CPU), (3,), 1
    ).graph
    assert graph is not None
    assert [graph.layers[output].itemsize for output in graph.outputs] == [4]
