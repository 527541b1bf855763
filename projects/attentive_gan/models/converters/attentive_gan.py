"""The published weights' names and layout, and how they become ours.

Source: rui1996/DeRaindrop, `models/generator.py` and `models/discriminator.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from attentive_gan.errors import UserError
from attentive_gan.models.networks.attentive_generator import AttentiveGenerator

#: Published layers of the generator, in their order, and ours. Four gates become one convolution.
GENERATOR_LAYERS = {
    'det_conv0.0': 'attention.head',
    **{
        f'det_conv{k + 1}.{place}': f'attention.blocks.{k}.{name}'
        for k in range(5)
        for place, name in ((0, 'first'), (2, 'second'))
    },
    **{f'conv_{gate}.0': 'attention.lstm.gates' for gate in 'ifgo'},
    'det_conv_mask.0': 'attention.to_map',
    **{f'conv{k}.0': f'autoencoder.conv{k}' for k in range(1, 7)},
    **{f'diconv{k}.0': f'autoencoder.diconv{k}' for k in range(1, 5)},
    **{
        f'{name}.0': f'autoencoder.{name}'
        for name in ('conv7', 'conv8', 'deconv1', 'conv9', 'deconv2', 'conv10')
    },
    **{f'{name}.0': f'autoencoder.{name}' for name in ('outframe1', 'outframe2', 'output')},
}

#: Published layers of the attentive discriminator, in their order, and ours.
DISCRIMINATOR_LAYERS = {
    **{f'conv{k}.0': f'conv{k}' for k in range(1, 7)},
    'conv_mask.0': 'to_map',
    **{name: name.removesuffix('.0') for name in ('conv7.0', 'conv8.0')},
    'fc.0': 'fc1',
    'fc.1': 'fc2',
}

#: Gates in the order in which `ConvLSTM` stacks their output channels.
_GATE_ORDER = ('conv_i.0', 'conv_o.0', 'conv_g.0', 'conv_f.0')

#: Our layers that look at an image, and those that draw one.
_IMAGE_INPUTS = ('attention.head', 'autoencoder.conv1')
_IMAGE_OUTPUTS = ('autoencoder.output', 'autoencoder.outframe1', 'autoencoder.outframe2')


def published_names(layers: Mapping[str, str]) -> list[str]:
    """List the tensors of a published state dict in their order, weight then bias of each layer.

    Args:
        layers: `GENERATOR_LAYERS` or `DISCRIMINATOR_LAYERS`.
    """
    return [f'{layer}.{kind}' for layer in layers for kind in ('weight', 'bias')]


def from_published(
    published: Mapping[str, Tensor], layers: Mapping[str, str], network: torch.nn.Module
) -> dict[str, Tensor]:
    """Turn a published state dict into one for our network.

    Args:
        published: Tensors by their published names.
        layers: `GENERATOR_LAYERS` or `DISCRIMINATOR_LAYERS`.
        network: Our network, for names and shapes; it is not changed.

    Returns:
        A complete state dict for `network`, in the published colour order.

    Raises:
        UserError: Names or shapes are not exactly those of the published network.
    """
    names = published_names(layers)
    missing = [name for name in names if name not in published]
    unexpected = [name for name in published if name not in names]
    if missing or unexpected:
        raise UserError(
            f'these are not the published weights: {len(names)} tensors are expected and '
            f'{len(published)} were found; missing: {_some(missing)}; '
            f'unexpected: {_some(unexpected)}'
        )
    ours: dict[str, Tensor] = {}
    for kind in ('weight', 'bias'):
        for layer, our_layer in layers.items():
            if layer not in _GATE_ORDER:
                ours[f'{our_layer}.{kind}'] = published[f'{layer}.{kind}'].clone()
            elif layer == _GATE_ORDER[0]:
                gates = [published[f'{gate}.{kind}'] for gate in _GATE_ORDER]
                ours[f'{our_layer}.{kind}'] = _stack(gates, kind)
    _check_shapes(ours, network)
    return ours


def convert_generator(published: Mapping[str, Tensor], channel_order: str) -> dict[str, Tensor]:
    """Turn the published generator's state dict into one for `AttentiveGenerator`.

    Args:
        published: Tensors by their published names; these weights work in BGR.
        channel_order: `rgb` or `bgr`, the colour order that the result works in.

    Returns:
        A complete state dict for `AttentiveGenerator()`.

    Raises:
        UserError: Names or shapes are not exactly those of the published network.
        ValueError: `channel_order` is neither `rgb` nor `bgr`.
    """
    if channel_order not in ('rgb', 'bgr'):
        raise ValueError(f'channel_order is {channel_order!r}, expected rgb or bgr')
    with torch.device('meta'):
        network = AttentiveGenerator()
    state = from_published(published, GENERATOR_LAYERS, network)
    return reverse_colours(state) if channel_order == 'rgb' else state


def reverse_colours(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Turn a generator that works in BGR into the same one working in RGB, or back.

    An exact permutation of input channels 0 to 2 of the layers that see the image (channel 3 is
    the attention map) and of the output channels of the layers that draw one.

    Args:
        state: State dict of `AttentiveGenerator`.

    Returns:
        The permuted state dict; tensors that do not change are shared.
    """
    changed = dict(state)
    for layer in _IMAGE_INPUTS:
        weight = state.get(f'{layer}.weight')
        if weight is not None:
            changed[f'{layer}.weight'] = torch.cat((weight[:, :3].flip(1), weight[:, 3:]), 1)
    for layer in _IMAGE_OUTPUTS:
        for kind in ('weight', 'bias'):
            changed[f'{layer}.{kind}'] = state[f'{layer}.{kind}'].flip(0)
    return changed


def _stack(gates: list[Tensor], kind: str) -> Tensor:
    shapes = {tuple(gate.shape) for gate in gates}
    if len(shapes) > 1:
        raise UserError(f'the {kind} tensors of the four gates differ in shape: {sorted(shapes)}')
    return torch.cat(gates)


def _check_shapes(state: Mapping[str, Tensor], network: torch.nn.Module) -> None:
    for name, expected in network.state_dict().items():
        found = state[name].shape
        if found != expected.shape:
            raise UserError(
                f'tensor {name} (our name) has shape {tuple(found)}, expected '
                f'{tuple(expected.shape)}: these weights belong to another network'
            )


def _some(names: list[str]) -> str:
    shown = ', '.join(names[:4]) or 'none'
    return f'{shown} and {len(names) - 4} more' if len(names) > 4 else shown
