"""What makes a config small enough for a minute of training on a CPU."""

from __future__ import annotations

from mmengine.config import Config

#: Factor on the channels of the published networks.
_WIDTH = 0.125

#: Fields of a training from a pool of images.
_POOL = (
    'train_dataloader.batch_size=2',
    'train_dataloader.crop_size=64',
    'train_dataloader.stages=[]',
    'train_dataloader.pool_size=24',
    'train_dataloader.start_size=8',
    'train_dataloader.dataset.size=(128,192)',
)

#: Fields of a validation on drawn scenes.
_SCENES = ('val_dataloader.dataset.size=(128,192)', 'val_dataloader.dataset.length=2')


def narrow_options(config: Config) -> list[str]:
    """Return changes of a config as after `--cfg-options`, as far as it has what they change.

    Args:
        config: Config of a training.
    """
    options = []
    for part, network in (
        ('generator', 'AttentiveGenerator'), ('discriminator', 'AttentiveDiscriminator'),
    ):  # fmt: skip
        if (config.model.get(part) or {}).get('type') == network:
            options.append(f'model.{part}.width={_WIDTH}')
    if config.train_dataloader.get('type') == 'PooledDataLoader':
        options += _POOL
    if config.val_dataloader.dataset.type == 'DrawnSceneDataset':
        options += _SCENES
    return options
