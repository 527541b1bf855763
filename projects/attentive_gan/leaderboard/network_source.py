"""Restores images by a config and its weights, as `tools/test.py` does."""

from __future__ import annotations

import hashlib
from typing import Any, cast

import torch
from mmagic.registry import TRANSFORMS
from mmengine.config import Config
from mmengine.dataset import Compose

from attentive_gan.config.inference_model import load_inference_model
from attentive_gan.datasets.pairing import Pair
from attentive_gan.engine.runner.config_errors import config_field
from attentive_gan.errors import UserError
from attentive_gan.evaluation import saved_image
from attentive_gan.evaluation.provenance import package_versions
from attentive_gan.image_io.comparison import attention_image

from .data import BenchmarkData
from .prediction_source import Image, PredictionSource

#: Steps of a test pipeline that make the pair; files of the leaderboard's data set take their place.
_PAIR_MAKERS = ('Load', 'Render', 'ResizeToCover', 'RaindropMask')


class NetworkSource(PredictionSource):
    """A network, built from a config, with its weights.

    Steps of the config's test pipeline after the loading of the pair are kept.

    Args:
        data: Data set.
        config: Config file.
        checkpoint: Weights (.pth or .safetensors); every one must have its place.
        device: Where the network runs, such as 'cpu' or 'cuda:0'.

    Attributes:
        network: The part that turns images into images, whose cost is measured; None without one.

    Raises:
        UserError: A file is missing or does not fit, or the config does not say its colour order.
    """

    def __init__(self, data: BenchmarkData, config: str, checkpoint: str, device: str) -> None:
        self.data = data
        self.device = torch.device(device)
        loaded = load_inference_model(config, checkpoint, device)
        self.config, self.model = loaded.config, cast(Any, loaded.model)
        self.weights_sha256 = loaded.weights_sha256
        self.network = loaded.network
        steps = _test_steps(loaded.config, loaded.channel_order)
        with config_field('test_dataloader.dataset.pipeline'):
            self.pipeline = Compose([TRANSFORMS.build(step) for step in steps])

    def identity(self) -> dict[str, Any]:
        """Return config, weights, versions and device."""
        text = self.config.pretty_text
        return {
            'kind': 'config',
            'config_sha256': hashlib.sha256(text.encode()).hexdigest(),
            'weights_sha256': self.weights_sha256,
            'versions': package_versions(),
            'device': self.device.type,
        }

    @torch.no_grad()
    def restore(self, pair: Pair) -> tuple[Image, Image | None]:
        """Return the restored image, and the last attention map where the model gives any."""
        item = self.pipeline(self.data.info(pair))
        batch = {'inputs': [item['inputs']], 'data_samples': [item['data_samples']]}
        output = self.model.test_step(batch)[0].output
        try:
            image = saved_image(output.pred_img)
        except ValueError as error:
            raise UserError(f'the restored image {pair.name}: {error}') from error
        if image.shape[:2] != self.data.sizes[pair.name]:
            height, width = self.data.sizes[pair.name]
            raise UserError(
                f'the restored image {pair.name} is {image.shape[1]}x{image.shape[0]} instead '
                f'of {width}x{height}'
            )
        maps = output.get('attention')
        if maps is None:
            return image, None
        return image, attention_image(maps[-1].float().cpu().numpy() / 255)


def _test_steps(config: Config, channel_order: str) -> list[dict[str, Any]]:
    """Return the config's test pipeline with files of any data set as its beginning."""
    steps = [dict(step) for step in config.test_dataloader.dataset.pipeline]
    kept = [step for step in steps if not str(step['type']).startswith(_PAIR_MAKERS)]
    return [dict(type='LoadRainyCleanPair', channel_order=channel_order), *kept]
