"""Description of weights from the config of their training."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Literal, cast

from mmengine.config import Config

from attentive_gan.errors import UserError
from attentive_gan.utils.config_data_sets import data_sets

from .description import WeightsDescription, check_network


def describe(config: Config, source: str) -> WeightsDescription:
    """Return the description of weights from their config.

    Args:
        config: Config of their training.
        source: Its file, whose stem becomes the name.

    Raises:
        UserError: The config has no generator, one that a description may not build, no colour
            order, or a network that takes other values than 0 to 1.
    """
    generator = (config.get('model') or {}).get('generator')
    if generator is None:
        raise UserError(f'{source}: the model of this config has no generator to describe')
    check_value_range(config, source)
    plain = json.loads(json.dumps(generator))
    check_network(plain, source)
    trained_on = ', '.join(
        ' '.join(str(dataset[key]) for key in ('type', 'data_root') if key in dataset)
        for dataset in data_sets(config, 'train')
    )
    return WeightsDescription(
        Path(source).stem, str(config.model.type), plain, channel_order(config, source),
        hashlib.sha256(config.pretty_text.encode()).hexdigest(), trained_on or 'unknown',
    )  # fmt: skip


def channel_order(config: Config, path: str) -> Literal['rgb', 'bgr']:
    """Return the colour order in which the test pipeline loads images.

    Args:
        config: Config of a training.
        path: Its file, for messages.

    Raises:
        UserError: No transform of the pipeline has a `channel_order`.
    """
    for dataset in data_sets(config, 'test'):
        for step in dataset.get('pipeline') or []:
            if 'channel_order' in step:
                return cast(Literal['rgb', 'bgr'], step['channel_order'])
    raise UserError(
        f'{path}: its test pipeline has no transform with channel_order, so red and blue might be '
        'swapped; add LoadRainyCleanPair'
    )


def check_value_range(config: Config, path: str) -> None:
    """Raise if a network does not take images with values 0 to 1.

    Args:
        config: Config of a training.
        path: Its file, for messages.

    Raises:
        UserError: The data preprocessor normalizes images otherwise.
    """
    preprocessor = config.model.get('data_preprocessor') or {}
    mean, std = preprocessor.get('mean', [0] * 3), preprocessor.get('std', [255] * 3)
    if [mean and list(mean), std and list(std)] != [[0] * 3, [255] * 3]:
        raise UserError(
            f'{path}: its network takes images with mean {mean} and std {std}; expected values 0 to 1, '
            'model.data_preprocessor with mean=[0, 0, 0] and std=[255, 255, 255]'
        )
