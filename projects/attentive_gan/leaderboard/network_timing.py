"""Measuring networks side by side, for `tools/benchmark.py`."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten

from attentive_gan.inference import ImageRestorer
from attentive_gan.inference.activation_memory import peak_activations
from attentive_gan.inference.precision import use_tf32
from attentive_gan.models.networks.complexity import count_macs
from attentive_gan.utils.timing import matrix_rate, time_interleaved


@dataclass(frozen=True)
class Setting:
    """How networks are run.

    Attributes:
        device: Where.
        dtype: Type that autocast computes in; float32 runs without autocast.
        batch: Images per pass.
        repeat: Timed runs of each network at each size.
        train_step: Whether to time forward and backward, instead of forward without autograd.
        tf32: Whether CUDA rounds float32 operands to TF32, in networks and in the matrix product that
            they are compared with.
        restoring: Whether networks that the inference engine can run in parts are timed by
            `ImageRestorer.restore`, from pixels to pixels, instead of by their forward pass; for a batch
            of 1, without autocast.
    """

    device: torch.device
    dtype: torch.dtype = torch.float32
    batch: int = 1
    repeat: int = 5
    train_step: bool = False
    tf32: bool = False
    restoring: bool = False


@dataclass(frozen=True)
class Row:
    """Figures of one network at one size.

    Attributes:
        network: Its name.
        width: Width of the images in pixels.
        height: Their height in pixels.
        gmacs: Billions of multiply-accumulates of a forward pass over the batch.
        milliseconds: Median time of a pass over the batch.
        fastest_milliseconds: Shortest time.
        slowest_milliseconds: Longest time.
        images_per_second: Images per second, from the median.
        peak_gib: Peak of live activations in GiB (see `cost.peak_activations`); None for a training
            step on a CPU, where they cannot be followed.
        share_of_matrix_rate: Multiply-accumulates per second, as a share of those of a large matrix
            product in the same run; a training step counts as three forward passes.
        speed_up: Median time of the last network in the row's size, divided by this one's.
    """

    network: str
    width: int
    height: int
    gmacs: float
    milliseconds: float
    fastest_milliseconds: float
    slowest_milliseconds: float
    images_per_second: float
    peak_gib: float | None
    share_of_matrix_rate: float
    speed_up: float


def measure(
    networks: Mapping[str, nn.Module],
    sizes: Sequence[tuple[int, int]],
    setting: Setting,
    compiled: bool = False,
) -> Iterator[Row]:
    """Measure networks at each size, in turn, so that a busy machine is unfair to none.

    Args:
        networks: Networks on the setting's device, by name; ratios refer to the last one.
        sizes: (width, height) of the images, in pixels.
        setting: How to run them.
        compiled: Whether to compile the first network with `torch.compile`.

    Yields:
        One row per size and network.
    """
    for width, height in sizes:
        with use_tf32(setting.tf32):
            rows = list(_measure_size(networks, width, height, setting, compiled))
        yield from rows


def _measure_size(
    networks: Mapping[str, nn.Module], width: int, height: int, setting: Setting, compiled: bool
) -> Iterator[Row]:
    """Measure networks at one size."""
    if compiled:
        # Else the second size would be compiled for any size, which is slower.
        torch._dynamo.reset()
    image = torch.rand(setting.batch, 3, height, width, device=setting.device)
    rate = matrix_rate(setting.device, setting.dtype)
    works = {
        name: _work(_maybe_compiled(x, compiled and not k), image, setting)
        for k, (name, x) in enumerate(networks.items())
    }
    timings = time_interleaved(works, setting.repeat, setting.device)
    reference = list(timings.values())[-1].median
    for name, network in networks.items():
        timing = timings[name]
        macs = count_macs(network, height, width, setting.batch)
        done = macs * (3 if setting.train_step else 1) / timing.median
        yield Row(
            network=name,
            width=width,
            height=height,
            gmacs=macs / 1e9,
            milliseconds=1e3 * timing.median,
            fastest_milliseconds=1e3 * timing.fastest,
            slowest_milliseconds=1e3 * timing.slowest,
            images_per_second=setting.batch / timing.median,
            peak_gib=_peak_gib(
                _work(network, image, setting) if compiled else works[name], setting
            ),
            share_of_matrix_rate=done / rate,
            speed_up=reference / timing.median,
        )


def describe_machine(setting: Setting) -> dict[str, Any]:
    """Say what the figures were measured on: versions, processor, threads, matrix-product rate."""
    on_cuda = setting.device.type == 'cuda'
    with use_tf32(setting.tf32):
        rate = matrix_rate(setting.device, setting.dtype)
    return {
        'torch': torch.__version__,
        'python': platform.python_version(),
        'processor': _processor(),
        'cores': os.cpu_count(),
        'threads': torch.get_num_threads(),
        'device': torch.cuda.get_device_name(setting.device) if on_cuda else 'cpu',
        'dtype': str(setting.dtype).removeprefix('torch.'),
        'tf32': setting.tf32 if on_cuda else None,
        'matrix_product_gmacs_per_second': rate / 1e9,
    }


def _work(network: Callable[..., Any], image: Tensor, setting: Setting) -> Callable[[], object]:
    if setting.restoring and isinstance(network, nn.Module) and hasattr(network, 'size_multiple'):
        restorer = ImageRestorer(network=network, device=str(setting.device), precision='float32')
        pixels = (255 * image[0]).byte().permute(1, 2, 0).cpu().numpy()
        return partial(restorer.restore, pixels)
    mixed = setting.dtype != torch.float32
    kind = setting.device.type

    def once() -> None:
        context = torch.autocast(kind, setting.dtype) if mixed else nullcontext()
        with torch.set_grad_enabled(setting.train_step), context:
            output = network(image)
        if setting.train_step:
            sum(x.float().mean() for x in tree_flatten(output)[0]).backward()

    return once


def _maybe_compiled(network: nn.Module, compiled: bool) -> Callable[..., Any]:
    return torch.compile(network, dynamic=False) if compiled else network


def _peak_gib(work: Callable[[], object], setting: Setting) -> float | None:
    if setting.train_step and setting.device.type != 'cuda':
        return None
    return peak_activations(work, setting.device) / 2**30


def _processor() -> str:
    table = Path('/proc/cpuinfo')
    lines = table.read_text().splitlines() if table.is_file() else []
    names = [line.partition(':')[2].strip() for line in lines if line.startswith('model name')]
    return names[0] if names else platform.processor()
