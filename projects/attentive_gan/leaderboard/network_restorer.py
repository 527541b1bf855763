"""Restores pictures by a config and its weights, as `tools/test.py` does."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch
from mmagic.registry import MODELS, TRANSFORMS
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope
from torch import nn

from attentive_gan.datasets.manifest import digest
from attentive_gan.datasets.pairing import Pair
from attentive_gan.engine.comparison import attention_picture
from attentive_gan.engine.configuration import load_config
from attentive_gan.engine.runner import explained
from attentive_gan.engine.score_files import versions
from attentive_gan.engine.weights import load_weights
from attentive_gan.errors import UserError
from attentive_gan.host import read_checkpoint
from attentive_gan.metrics import saved_picture

from .data import BenchmarkData
from .restorers import Picture, Restorer

#: Steps of a test pipeline that make the pair; files of the leaderboard's data set take their place.
_PAIR_MAKERS = ('Load', 'Render', 'CoverSize', 'RaindropMask')


class NetworkRestorer(Restorer):
    """A network, built from a config, with its weights.

    Steps of the config's test pipeline after the loading of the pair are kept.

    Args:
        data: Data set.
        config: Config file.
        checkpoint: Weights (.pth or .safetensors); every one must have its place.
        device: Where the network runs, such as 'cpu' or 'cuda:0'.

    Raises:
        UserError: A file is missing or does not fit, or the config does not say its colour order.
    """

    def __init__(self, data: BenchmarkData, config: str, checkpoint: str, device: str) -> None:
        self.data = data
        self.device = torch.device(device)
        self.config = load_config(config)
        self.weights_sha256 = _digest_of(checkpoint)
        torch.manual_seed(0)
        scope = DefaultScope.overwrite_default_scope(self.config.get('default_scope', 'mmagic'))
        with scope, explained('model'):
            self.model = MODELS.build(_without_vgg(self.config.model))
        read = read_checkpoint(checkpoint)
        absent = getattr(self.model, 'training_only', ())
        load_weights(self.model, read.get('state_dict', read), checkpoint, absent)
        self.model.to(self.device).eval()
        with explained('test_dataloader.dataset.pipeline'):
            self.pipeline = Compose(
                [TRANSFORMS.build(step) for step in _test_steps(self.config, config)]
            )

    @property
    def network(self) -> nn.Module | None:
        """The part that turns pictures into pictures, whose cost is measured."""
        return getattr(self.model, 'generator', None)

    def identity(self) -> dict[str, Any]:
        """Return config, weights, versions and device."""
        text = self.config.pretty_text
        return {
            'kind': 'config',
            'config_sha256': hashlib.sha256(text.encode()).hexdigest(),
            'weights_sha256': self.weights_sha256,
            'versions': versions(),
            'device': self.device.type,
        }

    @torch.no_grad()
    def restore(self, pair: Pair) -> tuple[Picture, Picture | None]:
        """Return the restored picture, and the last attention map where the model gives any."""
        item = self.pipeline(self.data.info(pair))
        batch = {'inputs': [item['inputs']], 'data_samples': [item['data_samples']]}
        output = self.model.test_step(batch)[0].output
        try:
            picture = saved_picture(output.pred_img)
        except ValueError as error:
            raise UserError(f'the restored picture {pair.name}: {error}') from error
        if picture.shape[:2] != self.data.sizes[pair.name]:
            height, width = self.data.sizes[pair.name]
            raise UserError(
                f'the restored picture {pair.name} is {picture.shape[1]}x{picture.shape[0]} instead '
                f'of {width}x{height}'
            )
        maps = output.get('attention')
        return picture, None if maps is None else attention_picture(maps[-1][None] / 255)


def _digest_of(checkpoint: str) -> str:
    if not Path(checkpoint).is_file():
        raise UserError(f'weights not found: {checkpoint}')
    return digest(Path(checkpoint))


def _without_vgg(model: dict[str, Any]) -> dict[str, Any]:
    """Leave out the perceptual loss: it restores nothing, and its VGG weights may not be there."""
    return {**model, **({'perceptual_loss': None} if 'perceptual_loss' in model else {})}


def _test_steps(config: Config, path: str) -> list[dict[str, Any]]:
    """Return the config's test pipeline with files of any data set as its beginning."""
    dataset = (config.get('test_dataloader') or {}).get('dataset') or {}
    steps = [dict(step) for step in dataset.get('pipeline') or []]
    orders = [step['channel_order'] for step in steps if 'channel_order' in step]
    if not orders:
        raise UserError(
            f'{path}: its test pipeline has no step with channel_order, so red and blue might be '
            'exchanged; give it LoadRainyCleanPair'
        )
    kept = [step for step in steps if not str(step['type']).startswith(_PAIR_MAKERS)]
    return [dict(type='LoadRainyCleanPair', channel_order=orders[0]), *kept]
