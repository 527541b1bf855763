"""A trained model for inference, built from its config and weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from mmagic.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import nn

from attentive_gan.checkpoints.config_description import channel_order, check_value_range
from attentive_gan.checkpoints.fitting import load_weights
from attentive_gan.engine.runner.config_errors import config_field
from attentive_gan.errors import UserError
from attentive_gan.utils.checkpoint_io import read_state_dict
from attentive_gan.utils.digests import digest

from .reading import load_config


@dataclass(frozen=True)
class InferenceModel:
    """A model in evaluation mode."""

    model: nn.Module
    """MMagic's editor, with `test_step`."""
    config: Config
    """Its config."""
    channel_order: Literal['rgb', 'bgr']
    """Colour order of the network: the one in which its test pipeline loads images."""
    weights_sha256: str
    """SHA-256 of the weights file, hexadecimal."""
    name: str
    """Stem of the config file."""

    @property
    def network(self) -> nn.Module | None:
        """The image-to-image network (averaged if there is an average), or None."""
        averaged = getattr(self.model, 'generator_ema', None)
        return averaged.module if averaged is not None else getattr(self.model, 'generator', None)


def load_inference_model(
    config: str, checkpoint: str, device: str, options: Mapping[str, Any] | None = None
) -> InferenceModel:
    """Build a model and load its weights.

    Args:
        config: Config file.
        checkpoint: Weights (.pth or .safetensors); all must fit.
        device: Device of the model, such as 'cpu' or 'cuda:0'.
        options: Changes to the config, as after `--cfg-options`.

    Raises:
        UserError: A file is missing or does not fit, the config has no colour order, or the network takes
            other values than 0 to 1.
    """
    loaded = load_config(config, options)
    if not Path(checkpoint).is_file():
        raise UserError(f'weights not found: {checkpoint}')
    order = channel_order(loaded, config)
    check_value_range(loaded, config)
    # A network without weights of its own would otherwise differ from call to call.
    torch.manual_seed(0)
    scope = DefaultScope.overwrite_default_scope(loaded.get('default_scope', 'mmagic'))
    with scope, config_field('model'):
        model = MODELS.build(without_training_parts(loaded.model))
    absent = getattr(model, 'training_only', ())
    load_weights(model, read_state_dict(checkpoint), checkpoint, absent)
    model.to(torch.device(device)).eval()
    if torch.device(device).type == 'cuda':
        model.to(memory_format=torch.channels_last)  # the layout that cuDNN's matrix units take
    return InferenceModel(model, loaded, order, digest(Path(checkpoint)), Path(config).stem)


def without_training_parts(model: Mapping[str, Any]) -> dict[str, Any]:
    """Remove the perceptual loss, whose VGG weights may be missing.

    Args:
        model: Config of a model.
    """
    return {**model, **({'perceptual_loss': None} if 'perceptual_loss' in model else {})}
