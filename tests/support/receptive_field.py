"""Receptive field of the attentive generator, derived from its layers by hand: an oracle for tests."""

from __future__ import annotations

from collections.abc import Sequence

from attentive_gan.inference.streaming_ops import Reach
from attentive_gan.models.networks.attentive_generator import AttentiveGenerator
from attentive_gan.models.networks.unet import RestorationUNet
from attentive_gan.models.networks.upsampling import SmoothUpsampling
from torch import nn


def receptive_field(generator: AttentiveGenerator) -> Reach:
    """Return how far a restored pixel depends on the rainy image, in pixels, for `num_steps` steps."""
    steps: list[nn.Module] = []
    if generator.attention is not None:
        network = generator.attention
        blocks = [conv for block in network.blocks for conv in block.children()]
        steps = [network.head, *blocks, network.lstm.gates, network.to_map] * generator.num_steps
    chain = _autoencoder_layers(generator.autoencoder)
    before, after = reach_of([*steps, *chain], generator.size_multiple // generator.shuffle)
    # A position of the inner grid stands for `shuffle` pixels; its first may depend on its last.
    more = generator.shuffle - 1
    return Reach(before * generator.shuffle + more, after * generator.shuffle + more)


def reach_of(layers: Sequence[nn.Module], size_multiple: int) -> Reach:
    """Follow rows of the output back through a chain of layers, exactly.

    A skip connection that reaches no farther than the layers it skips needs no mention.

    Args:
        layers: Square convolutions and upsampling layers, first to last; as a whole they keep the size.
        size_multiple: Product of the strides: rows that far apart depend alike.

    Returns:
        The farthest dependency of any row, away from the borders of the image.
    """
    reach = Reach(0, 0)
    for row in range(size_multiple):
        first = last = row
        for layer in reversed(layers):
            first, last = _rows_needed(layer, first, last)
        reach = Reach(max(reach.before, row - first), max(reach.after, last - row))
    return reach


def _rows_needed(layer: nn.Module, first: int, last: int) -> tuple[int, int]:
    if isinstance(layer, SmoothUpsampling):
        first -= 1  # the mean extends one row up
    if isinstance(layer, nn.ConvTranspose2d):
        padding, stride, kernel = int(layer.padding[0]), layer.stride[0], layer.kernel_size[0]
        return -((kernel - 1 - padding - first) // stride), (last + padding) // stride
    if isinstance(layer, nn.Conv2d):
        padding, stride = int(layer.padding[0]), layer.stride[0]
        extent = layer.dilation[0] * (layer.kernel_size[0] - 1)
        return first * stride - padding, last * stride - padding + extent
    raise TypeError(f'{type(layer).__name__} is no layer whose reach is known')


def _autoencoder_layers(network: nn.Module) -> list[nn.Module]:
    """Return the longest chain of layers from input to output."""
    if not isinstance(network, RestorationUNet):
        names = (
            *('conv1', 'conv2', 'conv3', 'conv4', 'conv5', 'conv6'),
            *('diconv1', 'diconv2', 'diconv3', 'diconv4', 'conv7', 'conv8'),
            *('deconv1', 'conv9', 'deconv2', 'conv10', 'output'),
        )
        return [getattr(network, name) for name in names]
    chain: list[nn.Module] = [network.head]
    for level, blocks in enumerate(network.encoder):
        chain += _convolutions(blocks)
        chain += [network.down[level]] if level < len(network.down) else []
    for level in reversed(range(len(network.up))):
        chain += [network.up[level], *_convolutions(network.decoder[level])]
    return [*chain, network.tail]


def _convolutions(module: nn.Module) -> list[nn.Module]:
    return [layer for layer in module.modules() if isinstance(layer, nn.Conv2d)]
