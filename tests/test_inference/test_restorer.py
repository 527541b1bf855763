"""Images of any size and kind, within a budget, and when memory runs out."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from attentive_gan.errors import UserError
from attentive_gan.inference import ImageRestorer, execution, executors, memory
from attentive_gan.models.networks.baselines.durn import DuRNSP
from attentive_gan.models.networks.unet import RestorationUNet
from hypothesis import given, settings
from hypothesis import strategies as st
from mmagic.registry import MODELS
from support.mmagic_networks import MMAGIC
from support.runs import environment
from torch import nn

MEBIBYTE = 2**20


def image(height: int, width: int, bits: int = 8) -> np.ndarray:
    """Return a random image."""
    kind = np.uint8 if bits == 8 else np.uint16
    return np.random.default_rng(1).integers(0, 2**bits, (height, width, 3)).astype(kind)


def by_hand(network: nn.Module, pixels: np.ndarray) -> np.ndarray:
    """Restore without any of this package's inference."""
    white = np.iinfo(pixels.dtype).max
    tensor = torch.from_numpy(pixels.astype(np.float32) / white).permute(2, 0, 1)[None]
    with torch.no_grad():
        result = network(tensor)[0].permute(1, 2, 0).clamp(0, 1).numpy()
    return np.rint(result * white).astype(pixels.dtype)


@pytest.mark.parametrize('name', ['attentive', 'unet', 'prenet'])
@pytest.mark.parametrize('tile', [None, 24])
def test_results_are_those_of_the_network(
    networks: dict[str, nn.Module], name: str, tile: int | None
) -> None:
    pixels = image(37, 51)
    exact = ImageRestorer(network=networks[name], tile=tile, precision='float32')
    restored = exact.restore(pixels).image
    difference = np.abs(restored.astype(int) - by_hand(networks[name], pixels))
    assert difference.max() <= 1  # a value halfway between two levels may fall to either
    assert (difference > 0).mean() < 0.001


@settings(max_examples=15, deadline=None)
@given(
    st.integers(1, 70), st.integers(1, 70), st.sampled_from([8, 16]), st.sampled_from([None, 20])
)
def test_a_network_that_changes_nothing_changes_nothing(
    height: int, width: int, bits: int, tile: int | None
) -> None:
    identity = ImageRestorer(
        network=RestorationUNet(channels=(8, 8), blocks=1, shuffle=2), tile=tile
    )
    pixels = image(height, width, bits)
    assert np.array_equal(identity.restore(pixels).image, pixels)


class _RedOnly(nn.Module):
    """Keeps the first channel."""

    size_multiple = 1
    padding_mode = 'replicate'

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the first channel, and zeros."""
        return torch.cat((x[:, :1], torch.zeros_like(x[:, 1:])), 1)


@pytest.mark.parametrize(('order', 'kept'), [('rgb', 0), ('bgr', 2)])
@pytest.mark.parametrize('tile', [None, 8])
def test_the_network_sees_its_own_colour_order(order: str, kept: int, tile: int | None) -> None:
    from dataclasses import replace

    made = ImageRestorer(network=_RedOnly(), tile=tile)
    made.loaded = replace(made.loaded, channel_order=order)
    pixels = image(9, 20)
    restored = made.restore(pixels).image
    assert np.array_equal(restored[..., kept], pixels[..., kept])
    assert not np.delete(restored, kept, axis=2).any()


def test_the_budget_decides_how_it_runs(
    networks: dict[str, nn.Module], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = ImageRestorer(network=networks['attentive'], precision='float32')
    pixels = image(64, 96)
    whole = made.restore(pixels).image
    monkeypatch.setattr(execution, 'working_memory', lambda *_: 3 * MEBIBYTE)
    plans = []
    plain = executors.run_streamed
    monkeypatch.setattr(execution, 'run_streamed', lambda *a: plans.append(a[2]) or plain(*a))
    parts = made.restore(pixels).image
    assert plans
    assert plans[0].width < 96
    assert np.abs(parts.astype(int) - whole).max() <= 1


def test_half_the_columns_after_memory_ran_out(
    networks: dict[str, nn.Module], monkeypatch: pytest.MonkeyPatch
) -> None:
    notes: list[str] = []
    made = ImageRestorer(network=networks['attentive'], tile=64, notify=notes.append)
    expected = made.restore(image(40, 64)).image
    widths = []
    plain = executors.run_streamed

    def scarce(job: object, graph: object, plan: executors.ColumnPlan) -> None:
        widths.append(plan.width)
        if plan.width > 16:
            raise torch.cuda.OutOfMemoryError('CUDA out of memory. Tried to allocate 2.00 GiB')
        plain(job, graph, plan)

    monkeypatch.setattr(execution, 'run_streamed', scarce)
    assert np.array_equal(made.restore(image(40, 64)).image, expected)
    assert widths == [64, 32, 16]
    assert 'parts of 16 columns' in notes[-1]
    made.restore(image(40, 64))
    assert widths[3:] == [16]  # what did not fit is not tried again


def test_after_the_whole_did_not_fit(
    networks: dict[str, nn.Module], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = ImageRestorer(network=networks['unet'])
    expected = made.restore(image(40, 64)).image

    def scarce(*_: object) -> None:
        raise RuntimeError(
            "DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"
        )

    monkeypatch.setattr(execution, 'run_whole', scarce)
    assert np.array_equal(made.restore(image(40, 64)).image, expected)


def test_other_errors_are_not_taken_for_a_lack_of_memory(
    networks: dict[str, nn.Module], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError('shapes do not fit')

    monkeypatch.setattr(execution, 'run_whole', broken)
    with pytest.raises(RuntimeError, match='shapes'):
        ImageRestorer(network=networks['unet']).restore(image(40, 64))


@pytest.mark.parametrize('value', [float('nan'), float('inf'), -float('inf')])
def test_values_that_are_not_finite_are_no_image(value: float) -> None:
    class Broken(nn.Module):
        def forward(self, rainy: torch.Tensor) -> torch.Tensor:
            restored = rainy.clone()
            restored[..., 5, 7] = value
            return restored

    with pytest.raises(UserError, match='not finite'):
        ImageRestorer(network=Broken()).restore(image(40, 64))


def test_large_values_are_white() -> None:
    """Their sum is infinite, they are not."""

    class Large(nn.Module):
        def forward(self, rainy: torch.Tensor) -> torch.Tensor:
            return rainy * 0 + 3e38

    assert (ImageRestorer(network=Large()).restore(image(40, 64)).image == 255).all()


def test_a_budget_by_default_lets_large_programs_restore(
    networks: dict[str, nn.Module], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as a training that shows images; a budget that was chosen holds all the same."""
    assert ImageRestorer(network=networks['unet']).memory >= 2 * 2**30
    monkeypatch.setattr(memory, 'DEFAULT_BUDGET', 2**20)
    pixels = image(40, 64)
    made = ImageRestorer(network=networks['unet'])
    assert made.restore(pixels).image.shape == pixels.shape
    made.memory = memory.DEFAULT_BUDGET
    with pytest.raises(UserError, match='raise --memory to at least'):
        made.restore(pixels)


def test_a_network_that_sees_all_needs_memory_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    network = DuRNSP().eval()
    pixels = image(40, 64)
    assert ImageRestorer(network=network).restore(pixels).image.shape == (40, 64, 3)
    monkeypatch.setattr(execution, 'working_memory', lambda *_: MEBIBYTE)
    with pytest.raises(UserError, match=r'as a whole .*mean.*--tile and --halo'):
        ImageRestorer(network=network).restore(pixels)
    tiled = ImageRestorer(network=network, tile=32, halo=8).restore(pixels).image
    assert tiled.shape == (40, 64, 3)


@pytest.mark.parametrize('name', MMAGIC)
def test_mmagics_networks_restore_any_size_at_once_or_in_tiles(name: str) -> None:
    torch.manual_seed(0)
    network = MODELS.build({'type': name, **MMAGIC[name]}).eval()
    notes: list[str] = []
    made = ImageRestorer(network=network, precision='float32', notify=notes.append)
    for height, width in ((37, 51), (40, 64)):  # the second time with what recording left behind
        pixels = image(height, width)
        restored = made.restore(pixels).image
        assert np.abs(restored.astype(int) - by_hand(network, pixels)).max() <= 1
    assert made.restore(image(1, 3)).image.shape == (1, 3, 3)
    made.tile = 32
    assert made.restore(image(80, 96)).image.shape == (80, 96, 3)
    assert ['as a whole' in note for note in notes] == [True]


def test_a_smaller_halo_is_not_exact_and_says_so(networks: dict[str, nn.Module]) -> None:
    pixels = image(40, 64)
    notes: list[str] = []
    made = ImageRestorer(
        network=networks['attentive'], tile=16, precision='float32', notify=notes.append
    )
    exact = made.restore(pixels).image
    assert made.reach is not None
    made.halo = max(made.reach)
    assert np.abs(made.restore(pixels).image.astype(int) - exact).max() <= 1
    assert not notes
    made.halo = 4
    assert np.abs(made.restore(pixels).image.astype(int) - exact).max() > 1
    made.restore(pixels)
    assert ['not exact' in note for note in notes] == [True]


def test_attention(networks: dict[str, nn.Module]) -> None:
    made = ImageRestorer(network=networks['attentive'], precision='float32')
    pixels = image(40, 64)
    both = made.restore(pixels, attention=True)
    alone = made.attend(pixels)
    assert both.attention is not None
    assert both.attention.shape == (40, 64)
    assert np.abs(both.attention - alone).max() < 1e-4 * np.abs(alone).max()
    held = made.restore(pixels, held=alone).image
    assert np.abs(held.astype(int) - both.image).max() <= 1
    with pytest.raises(UserError, match='predicts no attention'):
        ImageRestorer(network=networks['unet']).attend(pixels)


@pytest.mark.parametrize('shape', [(8, 8), (8, 8, 4), (8, 8, 3, 1)])
def test_other_arrays_are_refused(networks: dict[str, nn.Module], shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match='H, W, 3'):
        ImageRestorer(network=networks['unet']).restore(np.zeros(shape, np.uint8))


@pytest.mark.parametrize('given', ['photo.jpg', None, [[1, 2, 3]]])
def test_what_is_no_array_is_named(networks: dict[str, nn.Module], given: object) -> None:
    with pytest.raises(TypeError, match=r'must be an array.*attentive_gan\.image_io\.read_image'):
        ImageRestorer(network=networks['unet']).restore(given)


def test_images_begun_together_are_of_one_size(networks: dict[str, nn.Module]) -> None:
    made = ImageRestorer(network=networks['unet'])
    for others in ([], [image(8, 9), image(9, 8)], [image(8, 8), image(8, 8, 16)]):
        with pytest.raises(ValueError, match='one size and type'):
            made.begin(others)


@pytest.mark.parametrize(
    ('device', 'message'), [('tpu9', 'choose auto'), ('cuda:77', 'CUDA devices')]
)
def test_a_device_that_is_not_there(device: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        ImageRestorer(network=RestorationUNet(channels=(8,)), device=device)


def test_half_precision_is_near(networks: dict[str, nn.Module]) -> None:
    pixels = image(40, 64)
    whole = ImageRestorer(network=RestorationUNet(channels=(8,), shuffle=1), precision='bfloat16')
    assert np.abs(whole.restore(pixels).image.astype(int) - pixels).max() <= 1


_PEAK = """
import sys
import numpy as np
from attentive_gan.inference import ImageRestorer, keep_freed_memory
from attentive_gan.models.networks import AttentiveGenerator
from resident_memory import peak, resident
kind, height, width, budget = sys.argv[1], *map(int, sys.argv[2:])
network = AttentiveGenerator(num_steps=1) if kind == 'attentive' else None
pixels = np.zeros((height, width, 3), np.uint8) + 7
assert keep_freed_memory()
restorer = ImageRestorer(network=network)
restorer.restore(pixels[:64, :64])  # loads what is loaded at first use
start = resident()
restorer.memory = int(start + budget) * 2**20
restorer.restore(pixels)
print(peak() - start)
"""


@pytest.mark.parametrize(
    ('kind', 'height', 'width', 'budget'),
    [('unet', 3000, 2000, 220), ('attentive', 400, 1600, 300)],
)
def test_peak_memory_stays_below_the_budget(
    kind: str, height: int, width: int, budget: int
) -> None:
    """Measured in a process of its own; at once, they would take about 780 and 320 MiB."""
    words = [sys.executable, '-c', _PEAK, kind, *map(str, (height, width, budget))]
    done = subprocess.run(words, capture_output=True, text=True, env=environment(), check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < budget
