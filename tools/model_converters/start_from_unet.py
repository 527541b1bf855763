"""Initialize an attentive generator that has a U-Net with the weights of a trained U-Net."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from attentive_gan.cli.common import run_tool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add = parser.add_argument
    add('unet', type=Path, help='weights of a RestorationUNet (.safetensors)')
    add('out', type=Path, help='.pth file to write, for --cfg-options load_from=OUT')
    add('--config', required=True, help='config whose generator has such a U-Net')
    add('--seed', type=int, default=0, help='seed of the other weights (default 0)')


def fits(name: str, shape: Sequence[int], target: Sequence[int]) -> bool:
    """Return whether a weight fits; the first layer may have more inputs, for the attention map."""
    if name == 'head.weight' and len(shape) == len(target):
        return shape[1] <= target[1] and [*shape[:1], *shape[2:]] == [*target[:1], *target[2:]]
    return list(shape) == list(target)


def run(args: argparse.Namespace) -> None:
    """Convert; channels of the first layer that read the attention map start at zero."""
    import attentive_gan.registration  # noqa: F401
    import torch
    from attentive_gan.config.reading import load_config
    from attentive_gan.errors import UserError
    from attentive_gan.utils.checkpoint_io import read_checkpoint, write_checkpoint
    from mmagic.registry import MODELS

    torch.manual_seed(args.seed)
    model = load_config(args.config).model
    if model.get('generator', {}).get('unet') is None:
        raise UserError(
            f'{args.config}: its generator has no U-Net; choose a config with model.generator.unet'
        )
    own = MODELS.build(model.generator).state_dict()
    prefix = 'autoencoder.'
    targets = {name.removeprefix(prefix): own[name] for name in own if name.startswith(prefix)}
    stored = read_checkpoint(args.unet)
    stored = stored.get('state_dict', stored)
    lacking = sorted(targets.keys() - stored.keys())
    if lacking:
        raise UserError(
            f'{args.unet}: it has no {lacking[0]}, which the U-Net of {args.config} has; '
            'model.generator.unet must have the channels and blocks of these weights'
        )
    for name, value in stored.items():
        target = targets.get(name)
        if target is None or not fits(name, value.shape, target.shape):
            raise UserError(
                f'{args.unet}: {name} {tuple(value.shape)} has no place in the U-Net of {args.config}; '
                'model.generator.unet and shuffle must be those of these weights'
            )
        target.zero_()
        target[tuple(slice(size) for size in value.shape)] = value.float()
    state = {f'generator.{name}': value for name, value in own.items()}
    if model.get('ema') is not None:
        state |= {f'generator_ema.module.{name}': value.clone() for name, value in own.items()}
        state['generator_ema.steps'] = torch.tensor(0)
    write_checkpoint({'state_dict': state}, args.out)
    print(f'{args.out}: start of {args.config} from {args.unet}')


if __name__ == '__main__':
    run_tool(sys.modules[__name__])
