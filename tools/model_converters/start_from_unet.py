"""Put the weights of a U-Net into an attentive generator that has such a U-Net, to train on from there."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from attentive_gan.cli.common import run


def parse_args() -> argparse.Namespace:
    """Read the command line; nothing heavy is imported before."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('unet', type=Path, help='weights of a RestorationUNet (.safetensors)')
    parser.add_argument(
        'out', type=Path, help='.pth file to write, for --cfg-options load_from=OUT'
    )
    parser.add_argument('--config', required=True, help='config whose generator has such a U-Net')
    parser.add_argument('--seed', type=int, default=0, help='seed of the other weights (default 0)')
    return parser.parse_args()


def fits(name: str, shape: Sequence[int], place: Sequence[int]) -> bool:
    """Tell whether a weight has its place; the first layer may have more inputs, for the attention map."""
    if name == 'head.weight' and len(shape) == len(place):
        return shape[1] <= place[1] and [*shape[:1], *shape[2:]] == [*place[:1], *place[2:]]
    return list(shape) == list(place)


def main() -> None:
    """Convert: new channels of the first layer, which show the attention map, start at zero."""
    args = parse_args()
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
    places = {name.removeprefix('autoencoder.'): value for name, value in own.items()
              if name.startswith('autoencoder.')}  # fmt: skip
    stored = read_checkpoint(args.unet)
    stored = stored.get('state_dict', stored)
    lacking = sorted(places.keys() - stored.keys())
    if lacking:
        raise UserError(
            f'{args.unet}: it has no {lacking[0]}, which the U-Net of {args.config} has; '
            'model.generator.unet must have the channels and blocks of these weights'
        )
    for name, value in stored.items():
        target = places.get(name)
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
    run(main)
