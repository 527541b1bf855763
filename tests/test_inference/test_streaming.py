"""An image restored in parts equals the image restored at once."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from attentive_gan.inference import Recording, record
from attentive_gan.inference.backend import INPUT_CHANNELS, OUTPUT_CHANNELS, Task
from attentive_gan.inference.executors import Job, empty_outputs, run_streamed, run_tiled
from attentive_gan.inference.memory import ColumnPlan, row_bytes
from attentive_gan.inference.rematerialization import rematerialize
from attentive_gan.inference.row_stream import steps
from attentive_gan.inference.torch_backend import task_function
from attentive_gan.models.networks.baselines.durn import DuRNSP
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.lively_networks import BUILDERS
from support.receptive_field import receptive_field
from torch import nn

#: Largest difference, relative to the largest value of the whole image's result.
TOLERANCE = 1e-5

NAMES = sorted(BUILDERS)
_RECORDINGS: dict[tuple[str, Task], Recording] = {}


def recording(networks: dict[str, nn.Module], name: str, task: Task = 'restore') -> Recording:
    """Record a network once."""
    if (name, task) not in _RECORDINGS:
        network = networks[name]
        function = task_function(network, task)
        _RECORDINGS[name, task] = record(function, INPUT_CHANNELS[task], network.size_multiple)
    return _RECORDINGS[name, task]


def job_for(network: nn.Module, task: Task, height: int, width: int, seed: int = 0) -> Job:
    """Return a random image (and map) as floating-point numbers, so that nothing is rounded."""
    random = np.random.default_rng(seed)
    inputs = [random.random((height, width, c), np.float32) for c in INPUT_CHANNELS[task]]
    outputs = empty_outputs(inputs[0], OUTPUT_CHANNELS[task])
    multiple, mode = network.size_multiple, network.padding_mode
    return Job(inputs, outputs, multiple, mode, torch.zeros(()))


def whole(network: nn.Module, task: Task, job: Job) -> list[NDArray]:
    """Run the network as it is, with its own padding, on the whole image."""
    tensors = [torch.from_numpy(pixels).permute(2, 0, 1)[None] for pixels in job.inputs]
    with torch.no_grad():
        results = task_function(network, task)(*tensors)
    return [result[0].permute(1, 2, 0).numpy() for result in results]


def difference(results: list[NDArray], expected: list[NDArray]) -> float:
    """Return the largest difference, relative to the largest value."""
    pairs = zip(results, expected, strict=True)
    return max(float(np.abs(r - e).max() / np.abs(e).max()) for r, e in pairs)


sizes = st.integers(1, 90)


@pytest.mark.parametrize('name', NAMES)
@settings(max_examples=6, deadline=None)
@given(sizes, sizes, st.integers(1, 60), st.integers(1, 40))
def test_streamed_equals_whole(
    networks: dict[str, nn.Module], name: str, height: int, width: int, columns: int, rows: int
) -> None:
    network = networks[name]
    graph = recording(networks, name).graph
    assert graph is not None
    job = job_for(network, 'restore', height, width)
    run_streamed(job, graph, ColumnPlan(columns, rows))
    assert difference(list(job.outputs), whole(network, 'restore', job)) < TOLERANCE


@pytest.mark.parametrize('name', NAMES)
@settings(max_examples=4, deadline=None)
@given(sizes, sizes, st.integers(12, 60))  # smaller ones make thousands of tiles
@example(7, 5, 1)
def test_tiled_with_the_derived_halo_equals_whole(
    networks: dict[str, nn.Module], name: str, height: int, width: int, size: int
) -> None:
    network = networks[name]
    graph = recording(networks, name).graph
    assert graph is not None
    job = job_for(network, 'restore', height, width)
    run_tiled(job, task_function(network, 'restore'), size, tuple(graph.reach()))
    assert difference(list(job.outputs), whole(network, 'restore', job)) < TOLERANCE


@pytest.mark.parametrize('task', ['both', 'attend', 'hold'])
def test_attention_is_streamed_too(networks: dict[str, nn.Module], task: Task) -> None:
    network, graph = networks['attentive'], recording(networks, 'attentive', task).graph
    assert graph is not None
    job = job_for(network, task, 61, 83)
    run_streamed(job, graph, ColumnPlan(24, 8))
    assert difference(list(job.outputs), whole(network, task, job)) < TOLERANCE


def test_a_smaller_halo_is_not_exact(networks: dict[str, nn.Module]) -> None:
    """The weights of these tests carry values as far as the network looks, else they prove nothing."""
    network, graph = networks['unet'], recording(networks, 'unet').graph
    assert graph is not None
    before, after = graph.reach()
    job = job_for(network, 'restore', 256, 16)
    run_tiled(job, task_function(network, 'restore'), 64, (before // 2, after // 2))
    assert difference(list(job.outputs), whole(network, 'restore', job)) > TOLERANCE


@pytest.mark.parametrize('name', ['attentive', 'autoencoder', 'attentive_unet'])
def test_the_derived_reach_is_that_of_the_declared_layers(
    networks: dict[str, nn.Module], name: str
) -> None:
    graph = recording(networks, name).graph
    assert graph is not None
    assert graph.reach(0) == graph.reach(1) == receptive_field(networks[name])


@pytest.mark.parametrize(('name', 'side'), [('unet', 160), ('prenet', 96), ('eigen', 64)])
def test_the_derived_reach_is_where_gradients_end(
    networks: dict[str, nn.Module], name: str, side: int
) -> None:
    network, graph = networks[name], recording(networks, name).graph
    assert graph is not None
    reach = graph.reach(0)
    first = last = 0
    for row in range(side // 2, side // 2 + network.size_multiple):
        image = torch.rand(1, 3, side, 32, dtype=torch.float64, requires_grad=True)
        network.double()(image)[0, :, row].sum().backward()
        seen = image.grad.abs().sum((0, 1, 3)).nonzero()
        first, last = max(first, row - int(seen.min())), max(last, int(seen.max()) - row)
    network.float()
    assert (first, last) == tuple(reach)


def test_no_row_is_computed_twice(networks: dict[str, nn.Module]) -> None:
    graph = recording(networks, 'unet').graph
    assert graph is not None
    done = [0] * len(graph.layers)
    for step in steps(graph, 96, 8):
        for position, rows in enumerate(step.computed):
            assert rows.first == done[position]
            done[position] = rows.last
    assert all(d <= h for d, h in zip(done, graph.heights(96), strict=True))


def test_rows_in_memory_do_not_grow_with_the_image(networks: dict[str, nn.Module]) -> None:
    graph = recording(networks, 'attentive').graph
    assert graph is not None
    assert row_bytes(graph, 1024, 100, 32) == row_bytes(graph, 8192, 100, 32)


def test_wide_layers_that_are_read_late_are_computed_again(networks: dict[str, nn.Module]) -> None:
    network, graph = networks['attentive'], recording(networks, 'attentive').graph
    assert graph is not None
    lean = rematerialize(graph)
    assert row_bytes(lean, 1024, 100, 32) < 0.75 * row_bytes(graph, 1024, 100, 32)
    assert lean.reach() == graph.reach()
    job = job_for(network, 'restore', 70, 50)
    run_streamed(job, lean, ColumnPlan(50, 8))
    assert difference(list(job.outputs), whole(network, 'restore', job)) < TOLERANCE


def test_a_mean_over_the_image_has_no_graph() -> None:
    recorded = record(task_function(DuRNSP().eval(), 'restore'), (3,), 4)
    assert recorded.graph is None
    assert 'mean' in recorded.obstacle


class _Cropping(nn.Module):
    """Mirrors the image: local in no sense, made of operations that could be mistaken."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Flip."""
        return x.flip(2)


class _Positions(nn.Module):
    """Adds a constant for each pixel, which fits one size only."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Add the number of the row."""
        return x + torch.arange(x.shape[2], dtype=x.dtype)[:, None]


@pytest.mark.parametrize('network', [_Cropping(), _Positions()])
def test_what_is_not_understood_has_no_graph(network: nn.Module) -> None:
    recorded = record(task_function(network, 'restore'), (3,), 1)
    assert recorded.graph is None
    assert recorded.obstacle
