"""Networks run by PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import torch
from torch import Tensor, nn

from attentive_gan.models.networks.attentive_generator import AttentiveGenerator

from .backend import INPUT_CHANNELS, Backend, Task
from .executors import Function
from .precision import in_precision
from .rematerialization import rematerialize
from .row_stream import run_graph
from .streaming_graph import Recording, record, share_weights_copy


def gives_attention(network: nn.Module) -> bool:
    """Return whether a network predicts an attention map."""
    return isinstance(network, AttentiveGenerator) and network.attention is not None


def task_function(network: nn.Module, task: Task) -> Callable[..., tuple[Tensor, ...]]:
    """Return a function from inputs (N, C, H, W), values 0 to 1, to a tuple of outputs of the same size.

    Args:
        network: A network in evaluation mode.
        task: What to compute; all but `restore` need a network with attention.
    """
    if task == 'restore':
        return lambda rainy: (network(rainy),)
    if not isinstance(network, AttentiveGenerator):
        raise ValueError(f'{type(network).__name__} predicts no attention map')
    if task == 'attend':
        return lambda rainy: (network.attend(rainy),)
    if task == 'hold':
        return lambda rainy, attention: (network.restore_with(rainy, attention),)

    def both(rainy: Tensor) -> tuple[Tensor, ...]:
        output = network(rainy, side_outputs=True)
        return output.restored, output.attention_maps[-1]

    return both


@dataclass(frozen=True, eq=False)
class TorchBackend(Backend):
    """Runs a PyTorch network, on a CPU by its recorded layers where there are any."""

    network: nn.Module
    """Maps images (N, 3, H, W), values 0 to 1, to images of the same size; in evaluation mode."""
    _recordings: dict[tuple[Task, torch.dtype], Recording] = field(default_factory=dict, init=False)

    @property
    def gives_attention(self) -> bool:
        """Whether the network predicts an attention map."""
        return gives_attention(self.network)

    def can_compute_in(self, dtype: torch.dtype) -> bool:
        """Whether the network supports a type of numbers, by its own word where it gives one."""
        name = {torch.bfloat16: 'has_bfloat16', torch.float16: 'has_float16'}.get(dtype, '')
        return bool(getattr(self.network, name, True)) if name else True

    @property
    def max_batch(self) -> int:
        """Largest batch of small images that is faster than one image at a time."""
        return 16 if self.device.type == 'cuda' else 1

    def function(self, task: Task, dtype: torch.dtype) -> Function:
        """Return a function from inputs (N, C, H, W) to a tuple of outputs of the same size."""
        graph = self.recording(task, dtype).graph
        if graph is not None and self.device.type == 'cpu':
            # Layers work in place where possible, with activations tuned for CPUs.
            return partial(run_graph, graph)
        return in_precision(task_function(self.network, task), dtype, self.device)

    def recording(self, task: Task, dtype: torch.dtype) -> Recording:
        """Return layers, receptive field and memory of the network for a task."""
        if (task, dtype) not in self._recordings:
            function = task_function(share_weights_copy(self.network), task)
            recording = record(
                in_precision(function, dtype, self.device),
                INPUT_CHANNELS[task],
                self.size_multiple,
                self.like,
            )
            if recording.graph is not None:
                recording = replace(recording, graph=rematerialize(recording.graph))
            self._recordings[task, dtype] = recording
        return self._recordings[task, dtype]

    def release(self) -> None:
        """Do nothing: plans count what PyTorch keeps as free."""
