"""Converts the authors' published weights.

Source: rui1996/DeRaindrop, `models/generator.py` and `models/discriminator.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from attentive_gan.errors import UserError
from attentive_gan.models.networks.attentive_generator import AttentiveGenerator

from .pickle_file import read_published_file

#: The authors' file, by Git's name of its content.
PUBLISHED_BLOBS = {'94e77b352b84390f0de800e6071d0fd6eb5f0a6f': 'weights/gen.pkl'}

#: Layers of our generator by their published names, in published order. Four gates are one convolution.
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

#: Layers of our attentive discriminator by their published names, in published order.
DISCRIMINATOR_LAYERS = {
    **{f'conv{k}.0': f'conv{k}' for k in range(1, 7)},
    'conv_mask.0': 'to_map',
    **{name: name.removesuffix('.0') for name in ('conv7.0', 'conv8.0')},
    'fc.0': 'fc1',
    'fc.1': 'fc2',
}

#: Order in which `ConvLSTM` stacks the published gates i, f, g, o: i, o, g, f.
_GATE_ORDER = (0, 3, 2, 1)

#: Our layers whose input or output is an image.
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
    """Convert a published state dict to one for our network.

    Args:
        published: Tensors by their published names.
        layers: Names of our layers by published names; four gates belong to one layer of ours.
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
    parts: dict[str, list[Tensor]] = {}
    for name in names:
        layer, _, kind = name.rpartition('.')
        parts.setdefault(f'{layers[layer]}.{kind}', []).append(published[name])
    ours = {}
    for name, expected in network.state_dict().items():
        ours[name] = _joined(parts[name], name)
        if ours[name].shape != expected.shape:
            raise UserError(
                f'tensor {name} (our name) has shape {tuple(ours[name].shape)}, expected '
                f'{tuple(expected.shape)}: these weights belong to another network'
            )
    return ours


def _joined(parts: list[Tensor], name: str) -> Tensor:
    """Copy a tensor, or stack the tensors of the four gates."""
    shapes = {tuple(part.shape) for part in parts}
    if len(shapes) > 1:
        kind = name.rpartition('.')[2]
        raise UserError(f'the {kind} tensors of the four gates differ in shape: {sorted(shapes)}')
    return torch.cat([parts[k] for k in _GATE_ORDER]) if len(parts) > 1 else parts[0].clone()


def _some(names: list[str]) -> str:
    shown = ', '.join(names[:4]) or 'none'
    return f'{shown} and {len(names) - 4} more' if len(names) > 4 else shown


def read_generator_file(
    path: Path, allow_unknown: bool = False
) -> tuple[Mapping[str, Tensor], str]:
    """Read the authors' `gen.pkl`; see `read_published_file`."""
    return read_published_file(
        path,
        PUBLISHED_BLOBS,
        'gen.pkl, weights/gen.pkl of https://github.com/rui1996/DeRaindrop,',
        allow_unknown,
    )


def convert_generator(published: Mapping[str, Tensor], channel_order: str) -> dict[str, Tensor]:
    """Convert the published generator's state dict to one for `AttentiveGenerator`.

    Args:
        published: Tensors by their published names; BGR.
        channel_order: `rgb` or `bgr`, colour order of the converted network.

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
    """Convert a generator from BGR to RGB, or back.

    An exact permutation of input channels 0 to 2 of the layers whose input is the image (channel 3 is the
    attention map) and of the output channels of the layers whose output is one.

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
