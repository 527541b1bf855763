"""Description of weights from the config of their training."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from mmengine.config import Config

from attentive_gan.checkpoints.description import WeightsDescription, check_network
from attentive_gan.errors import UserError

from .data_folders import data_sets
from .inference_model import channel_order, check_value_range


def describe(config: Config, source: str) -> WeightsDescription:
    """Return the description of weights from their config.

    Args:
        config: Config of their training.
        source: Its file, whose stem becomes the name.

    Raises:
        UserError: The config has no generator, one that a description may not build, no colour
            order, or a network that takes other values than 0 to 1.
    """
    generator = config.model.get('generator')
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
