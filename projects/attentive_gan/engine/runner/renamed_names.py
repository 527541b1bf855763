"""Names of version 0.1.0 in configs, reported with their new names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

from attentive_gan.errors import UserError

#: Fields of `model`.
RENAMED_MODEL_FIELDS = {
    'adversarial_loss': 'gan_loss',
    'discriminator_start': 'train_cfg.gen_init_steps (iterations of the generator alone)',
    'adversarial_start': 'train_cfg.disc_init_steps (iterations after gen_init_steps)',
    'discriminator_interval': 'train_cfg.gen_steps',
}

#: Values of `type`.
RENAMED_TYPES = {
    'CleanPictureDataset': 'CleanImageDataset',
    'CoverSize': 'ResizeToCover',
    'DrawSampler': 'SeededSampler',
    'IterationTimes': 'IterationTimesHook',
    'LoadCleanPicture': 'LoadCleanImage',
    'MeanScoresFile': 'MeanScoresHook',
    'RestoredPictures': 'SaveImagesHook',
    'SampleGrid': 'SampleGridHook',
    'ScoreFiles': 'ScoreFilesHook',
    'StopOnNonFinite': 'CheckInvalidLossHook',
}


def check_names(config: Config, path: str) -> None:
    """Raise if a config uses a name of version 0.1.0.

    Args:
        config: Config to check.
        path: Its file, for messages.

    Raises:
        UserError: A field or a type was renamed; the message has its new name.
    """
    model = config.get('model')
    for name in model if isinstance(model, Mapping) else ():
        if name in RENAMED_MODEL_FIELDS:
            raise UserError(f'{path}: model.{name} is now model.{RENAMED_MODEL_FIELDS[name]}')
    nodes: list[Any] = list(config.values())
    while nodes:
        node = nodes.pop()
        if isinstance(node, Mapping):
            kind = node.get('type')
            if isinstance(kind, str) and kind in RENAMED_TYPES:
                raise UserError(f'{path}: {kind} is now {RENAMED_TYPES[kind]}')
            nodes += node.values()
        elif isinstance(node, (list, tuple)):
            nodes += node
