"""Put the weights of a U-Net into an attentive generator that has such a U-Net, to train on from there."""

from __future__ import annotations

import argparse
from pathlib import Path

from attentive_gan_cli import run


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


def main() -> None:
    """Convert: new channels of the first layer, which show the attention map, start at zero."""
    args = parse_args()
    import attentive_gan  # noqa: F401  (registers all names)
    import torch
    from attentive_gan.engine.configuration import load_config
    from attentive_gan.errors import UserError
    from attentive_gan.host import read_checkpoint, write_checkpoint
    from mmagic.registry import MODELS

    torch.manual_seed(args.seed)
    model = load_config(args.config).model
    generator = MODELS.build(model.generator)
    own = generator.state_dict()
    stored = read_checkpoint(args.unet)
    for name, value in stored.get('state_dict', stored).items():
        target = own.get(f'autoencoder.{name}')
        if target is None or target.ndim != value.ndim or target.shape[0] != value.shape[0]:
            raise UserError(f'{args.unet}: {name} has no place in the generator of {args.config}')
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
