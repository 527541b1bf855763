"""After memory ran out, nothing of the failed pass is left when smaller parts are tried."""

from __future__ import annotations

import weakref
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from attentive_gan.inference import ImageRestorer, cuda_memory, execution, memory
from torch import nn

GIB = 2**30


def image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3)).astype(np.uint8)


class Scarce:
    """Takes the place of a way to run: holds a tensor and fails, as long as the parts are too large."""

    def __init__(self, plain, too_large, size) -> None:
        self.plain, self.too_large, self.size = plain, too_large, size
        self.held: list[weakref.ref] = []
        self.alive: list[bool] = []
        self.sizes: list[int] = []

    def __call__(self, *arguments):
        self.alive.append(any(ref() is not None for ref in self.held))
        self.sizes.append(self.size(*arguments))
        activations = torch.zeros(1000)
        self.held.append(weakref.ref(activations))
        if self.sizes[-1] > self.too_large:
            raise torch.cuda.OutOfMemoryError('CUDA out of memory. Tried to allocate 2.00 GiB')
        return self.plain(*arguments)


@pytest.fixture
def scarce(monkeypatch: pytest.MonkeyPatch):
    """Make one way to run fail above a size."""

    def patch(way: str, too_large: int, size) -> Scarce:
        made = Scarce(getattr(execution, way), too_large, size)
        monkeypatch.setattr(execution, way, made)
        return made

    return patch


def test_a_pass_at_once_is_freed_before_strips(networks: dict[str, nn.Module], scarce) -> None:
    made = ImageRestorer(network=networks['unet'], precision='float32')
    expected = made.restore(image(40, 64)).image
    whole = scarce('run_whole', 0, lambda jobs, function: 1)
    streamed = scarce('run_streamed', 24, lambda job, graph, plan: plan.width)
    streamed.held = whole.held
    assert np.array_equal(made.restore(image(40, 64)).image, expected)
    assert streamed.sizes == [64, 32, 16]
    assert not any(streamed.alive)


def test_tiles_are_freed_before_smaller_ones(networks: dict[str, nn.Module], scarce) -> None:
    notes: list[str] = []
    made = ImageRestorer(network=networks['unet'], tile=64, halo=80, notify=notes.append)
    expected = made.restore(image(40, 64)).image
    tiled = scarce('run_tiled', 16, lambda job, function, side, *halo: side)
    assert np.array_equal(made.restore(image(40, 64)).image, expected)
    assert tiled.sizes == [64, 32, 16]
    assert not any(tiled.alive)
    assert 'tiles of 16 pixels' in notes[-1]
    made.restore(image(40, 64))
    assert tiled.sizes[3:] == [16]


def test_images_together_are_freed_before_each_alone(
    networks: dict[str, nn.Module], scarce
) -> None:
    made = ImageRestorer(network=networks['unet'])
    images = [image(40, 64) // n for n in (1, 2, 3)]
    expected = [made.restore(image).image for image in images]
    whole = scarce('run_whole', 1, lambda jobs, function: len(jobs))
    begun = made.begin(images)
    assert whole.sizes == [3, 1, 1, 1]
    assert not any(whole.alive[:2])
    for one, result in zip(begun, expected, strict=True):
        assert np.array_equal(one.result().image, result)


def test_the_smallest_parts_do_not_fit(networks: dict[str, nn.Module], scarce) -> None:
    made = ImageRestorer(network=networks['unet'])
    scarce('run_whole', 0, lambda jobs, function: 1)
    streamed = scarce('run_streamed', 0, lambda job, graph, plan: plan.width)
    with pytest.raises(MemoryError, match=r'smallest part .*CUDA out of memory'):
        made.restore(image(40, 64))
    assert streamed.sizes[-1] == networks['unet'].size_multiple
    assert not any(streamed.alive)


def test_a_gpu_is_emptied_after_the_values_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []
    held: list[weakref.ref] = []

    def work() -> None:
        values = torch.zeros(10)
        held.append(weakref.ref(values))
        raise torch.cuda.OutOfMemoryError('CUDA out of memory')

    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'empty_cache', lambda: seen.append(held[0]() is None))
    assert 'CUDA out of memory' in execution.lack_of_memory(work, torch.device('cuda', 1))
    assert seen == [True]


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU of 16 GiB with 2 GiB free, and 10 GiB that torch keeps, of which tensors take 1."""
    properties = SimpleNamespace(total_memory=16 * GIB)
    for name, value in (
        ('is_available', True), ('get_device_properties', properties),
        ('mem_get_info', (2 * GIB, 16 * GIB)), ('memory_reserved', 10 * GIB),
        ('memory_allocated', 1 * GIB), ('device_count', 2),
    ):  # fmt: skip
        monkeypatch.setattr(torch.cuda, name, lambda *_, value=value: value)


@pytest.mark.usefixtures('card')
def test_memory_that_torch_keeps_is_free() -> None:
    device = torch.device('cuda', 1)
    assert cuda_memory.free_memory(device) == 11 * GIB
    budget = memory.default_budget(device)
    assert budget == 16 * GIB
    planned = memory.working_memory(device, budget, 0, 0)
    assert planned == int(11 * GIB * memory.GPU_SHARE)


@pytest.mark.usefixtures('card')
@pytest.mark.parametrize(('wanted', 'released'), [(8 * GIB, 0), (9 * GIB, 1)])
def test_other_memory_is_freed_only_if_it_lacks(wanted: int, released: int) -> None:
    calls: list[int] = []
    memory.working_memory(
        torch.device('cuda'), 16 * GIB, 0, wanted, lambda: calls.append(1)
    )  # fmt: skip
    assert len(calls) == released


class Driver:
    """The CUDA driver of a machine with two cards of 24 GiB."""

    @staticmethod
    def cuInit(flags: int) -> int:  # noqa: N802
        return 0

    @staticmethod
    def cuDeviceGetCount(count) -> int:  # noqa: N802
        count._obj.value = 2
        return 0

    @staticmethod
    def cuDeviceGet(handle, ordinal: int) -> int:  # noqa: N802
        handle._obj.value = 7 + ordinal
        return 0 if ordinal < 2 else 101

    @staticmethod
    def cuDeviceTotalMem_v2(size, handle) -> int:  # noqa: N802
        size._obj.value = 24 * GIB if handle.value == 8 else 1
        return 0


def test_a_torch_without_cuda_asks_the_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 0)
    monkeypatch.setattr(cuda_memory.ctypes, 'CDLL', lambda name: Driver)
    second = torch.device('cuda', 1)
    assert cuda_memory.device_count() == 2
    assert memory.default_budget(second) == 24 * GIB
    assert memory.working_memory(second, 24 * GIB, 0, 0) == int(24 * GIB * memory.GPU_SHARE)
    with pytest.raises(RuntimeError, match='cuda:2'):
        cuda_memory.total_memory(torch.device('cuda', 2))


def test_no_driver_is_no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 0)
    monkeypatch.setattr(cuda_memory.ctypes, 'CDLL', absent)
    assert cuda_memory.device_count() == 0
