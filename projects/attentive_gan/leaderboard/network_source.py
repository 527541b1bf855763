"""Predictions of a network, computed as `tools/restore.py` does."""

from __future__ import annotations

import hashlib
from typing import Any

import psutil

from attentive_gan.compat.versions import installed_version
from attentive_gan.config.reading import load_config
from attentive_gan.datasets.pairing import Pair
from attentive_gan.evaluation.provenance import package_versions
from attentive_gan.image_io.comparison import attention_image
from attentive_gan.inference import ImageRestorer
from attentive_gan.inference.torch_backend import TorchBackend

from .data import BenchmarkData
from .sources import Prediction, PredictionSource


class NetworkSource(PredictionSource):
    """A network with its weights; computes in float32.

    Args:
        data: Data set.
        config: Config file; None for weights that describe their network, or that spandrel recognises.
        checkpoint: Weights (.pth or .safetensors); they must fit exactly.
        device: Device of the network, such as 'cpu' or 'cuda:0'.

    Raises:
        UserError: A file is missing or does not fit, the config does not name its colour order, or the
            network takes other values than 0 to 1.
    """

    def __init__(
        self, data: BenchmarkData, config: str | None, checkpoint: str, device: str
    ) -> None:
        self.data = data
        if config is not None:
            self.config_text = load_config(config).pretty_text
        # On a CPU all memory is available: an image is computed whole, as in a test.
        memory = psutil.virtual_memory().total if device == 'cpu' else None
        self.restorer = ImageRestorer(
            config, checkpoint, device=device, precision='float32', memory=memory
        )
        loaded = self.restorer.loaded
        assert isinstance(loaded, TorchBackend)  # noqa: S101 -- the default backend
        self.network = loaded.network

    def identity(self) -> dict[str, Any]:
        """Return hashes of config and weights, versions, and the type of the device."""
        text = self.config_text
        built_from: dict[str, Any] = (
            {'kind': 'weights', 'network': type(self.network).__name__}
            if text is None
            else {'kind': 'config', 'config_sha256': hashlib.sha256(text.encode()).hexdigest()}
        )
        return {
            **built_from,
            'weights_sha256': self.restorer.loaded.weights_sha256,
            'versions': package_versions() | self._foreign(),
            'device': self.restorer.device.type,
        }

    def _foreign(self) -> dict[str, str]:
        """Return the version of the library that built a network of another project."""
        found = installed_version('spandrel') if hasattr(self.network, 'architecture') else None
        return {} if found is None else {'spandrel': str(found)}

    def notes(self) -> list[str]:
        """Return the name of a network of another project."""
        name = getattr(self.network, 'architecture', '')
        return [f'the weights were recognised as {name}, by spandrel'] if name else []

    def predict(self, pair: Pair) -> Prediction:
        """Return the restored image, and the last attention map where the network gives one."""
        rainy, _ = self.data.read(pair)
        restored = self.restorer.restore(rainy, attention=self.restorer.gives_attention)
        if restored.attention is None:
            return Prediction(restored.image)
        return Prediction(restored.image, attention_image(restored.attention))
