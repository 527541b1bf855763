"""What a restorer asks of a network, as functions from tensors to tensors that can be recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from torch import Tensor, nn

from attentive_gan.models.networks.attentive_generator import AttentiveGenerator

from .onnx_network import OnnxNetwork

#: `restore`: image -> restored. `both`: image -> restored, attention. `attend`: image -> attention.
#: `hold`: image, attention -> restored.
Task = Literal['restore', 'both', 'attend', 'hold']


def gives_attention(network: nn.Module) -> bool:
    """Return whether a network draws an attention map."""
    if isinstance(network, OnnxNetwork):
        return network.gives_attention
    return isinstance(network, AttentiveGenerator) and network.attention is not None


def view(network: nn.Module, task: Task) -> Callable[..., tuple[Tensor, ...]]:
    """Return a function (1, C, H, W), values 0 to 1 -> tuple of the same size.

    Args:
        network: A network in evaluation mode.
        task: What is asked; all but `restore` need a network that gives attention.
    """
    if isinstance(network, OnnxNetwork):
        return lambda *maps: network(maps[0], task)
    if task == 'restore':
        return lambda rainy: (network(rainy),)
    if not isinstance(network, AttentiveGenerator):
        raise ValueError(f'{type(network).__name__} draws no attention map')
    if task == 'attend':
        return lambda rainy: (network.attend(rainy),)
    if task == 'hold':
        return lambda rainy, attention: (network.restore_with(rainy, attention),)

    def both(rainy: Tensor) -> tuple[Tensor, ...]:
        output = network(rainy, side_outputs=True)
        return output.restored, output.attention_maps[-1]

    return both


def input_channels(task: Task) -> tuple[int, ...]:
    """Return the channels of each input."""
    return (3, 1) if task == 'hold' else (3,)


def output_channels(task: Task) -> tuple[int, ...]:
    """Return the channels of each result."""
    return {'restore': (3,), 'both': (3, 1), 'attend': (1,), 'hold': (3,)}[task]
