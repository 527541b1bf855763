"""Distance of VGG16 features between restored and clean images."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path

import torch
import torch.nn.functional as F
from mmagic.registry import MODELS
from mmengine.logging import MMLogger
from torch import Tensor, nn
from torchvision.models import VGG16_Weights, vgg16

from attentive_gan.errors import UserError
from attentive_gan.utils.checkpoint_io import read_state_dict
from attentive_gan.utils.types import ChannelOrder

#: Position of each ReLU in `torchvision.models.vgg16().features`.
VGG16_LAYERS = {
    'relu1_1': 1, 'relu1_2': 3, 'relu2_1': 6, 'relu2_2': 8, 'relu3_1': 11, 'relu3_2': 13,
    'relu3_3': 15, 'relu4_1': 18, 'relu4_2': 20, 'relu4_3': 22, 'relu5_1': 25, 'relu5_2': 27,
    'relu5_3': 29,
}  # fmt: skip
#: Name of torchvision's weights file, in torch hub's folder after a download.
VGG16_FILE = 'vgg16-397923af.pth'
#: Where torchvision's own loader takes it from.
VGG16_URL = VGG16_Weights.IMAGENET1K_V1.url
#: How long the server may be silent.
CONNECTION_SECONDS = 20.0
#: Mean and standard deviation of ImageNet, RGB, with which VGG16 was trained.
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def find_weights(weights_path: str | None) -> Path:
    """Return the file with VGG16's weights, downloaded from torchvision's server if need be.

    Args:
        weights_path: File named in the config; None takes torch hub's folder, and downloads the file into
            it where it is missing.

    Raises:
        UserError: There is no such file, and it could not be downloaded.
    """
    cached = Path(torch.hub.get_dir()) / 'checkpoints' / VGG16_FILE
    path = Path(weights_path).expanduser() if weights_path else cached
    reason = ''
    if not path.is_file() and weights_path is None:
        reason = _download(cached)
    if path.is_file():
        return path
    raise UserError(
        f'the perceptual loss needs the VGG16 weights {VGG16_FILE} of torchvision, not found at '
        f'{path}{reason}; '
        'fetch them on a connected machine with: python -c "import torchvision; '
        "torchvision.models.vgg16(weights='DEFAULT')\", then copy the file to "
        f'{cached} or set model.perceptual_loss.weights_path; or train without: '
        '--cfg-options model.perceptual_loss=None'
    )


def _download(path: Path) -> str:
    """Download torchvision's file to its place; return why that failed, for a message.

    PyTorch's own loader compares the SHA-256 with the file's name before the file gets its place.
    """
    before = socket.getdefaulttimeout()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        MMLogger.get_current_instance().info(f'Downloading {VGG16_URL} (528 MB) to {path}')
        socket.setdefaulttimeout(CONNECTION_SECONDS)
        digest = path.stem.rpartition('-')[2]
        torch.hub.download_url_to_file(VGG16_URL, str(path), hash_prefix=digest, progress=False)
    except (OSError, RuntimeError, HTTPException) as error:
        return f' and not downloaded from {VGG16_URL} ({error})'
    finally:
        socket.setdefaulttimeout(before)
    return ''


def load_features(path: Path, last_layer: int) -> nn.Sequential:
    """Build the first layers of VGG16 with weights that are buffers and not saved.

    No optimizer, distributed wrapper or checkpoint handles them, since they never change.

    Args:
        path: File with torchvision's state dict, or any with its `features.*` weights.
        last_layer: Position of the last layer.

    Raises:
        UserError: The file does not hold these weights.
    """
    with torch.device('meta'):
        features: nn.Sequential = vgg16(weights=None).features[: last_layer + 1]
    state = read_state_dict(path)
    for module_name, module in features.named_modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            key = f'features.{module_name}.{name}'
            if key not in state or state[key].shape != parameter.shape:
                raise UserError(
                    f'{path} does not hold the VGG16 weights of torchvision ({key}); fetch '
                    f'{VGG16_FILE} again'
                )
            delattr(module, name)
            module.register_buffer(name, state[key].float(), persistent=False)
    return features


@MODELS.register_module()
class VGGPerceptualLoss(nn.Module):
    r"""Weighted mean squared errors between VGG16 features.

    .. math:: L = w \sum_l w_l \, \mathrm{MSE}(VGG_l(O), VGG_l(T))

    Source: Qian et al., section 3.2; layers and weights of the authors' code
    (flyywh/AttGAN_DeRaindrop, train.py), which passes raw images. With ImageNet normalisation, squared
    differences of the first layer grow by about 1 / 0.226^2 = 19.6, hence the default weight 0.05.

    Args:
        layers: Names of the compared layers, keys of `VGG16_LAYERS`.
        layer_weights: Weight of each layer.
        normalize: Normalise images as in VGG16's training; False passes them raw, as the authors did.
        channel_order: Colour order of the images; VGG16 gets RGB if they are normalised.
        weights_path: File with torchvision's weights; None takes torch hub's folder, see `find_weights`.
        loss_weight: Weight of the loss.

    Raises:
        UserError: The weights are missing, or an option is unknown.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        layers: Sequence[str] = ('relu1_1', 'relu1_2', 'relu2_1', 'relu2_2'),
        layer_weights: Sequence[float] = (1.0, 0.6, 0.4, 0.2),
        normalize: bool = True,
        channel_order: ChannelOrder = 'rgb',
        weights_path: str | None = None,
        loss_weight: float = 0.05,
    ) -> None:
        super().__init__()
        unknown = [name for name in layers if name not in VGG16_LAYERS]
        if unknown or not layers or len(layers) != len(layer_weights):
            raise UserError(
                f'model.perceptual_loss: layers must be of {", ".join(VGG16_LAYERS)}, with one '
                f'weight each; got {list(layers)} and {list(layer_weights)}'
            )
        if channel_order not in ('rgb', 'bgr'):
            raise UserError(
                f"model.perceptual_loss.channel_order must be 'rgb' or 'bgr'; got {channel_order!r}"
            )
        positions = [VGG16_LAYERS[name] for name in layers]
        self.layer_weights = dict(zip(positions, layer_weights, strict=True))
        self.features = load_features(find_weights(weights_path), max(positions))
        self.reverse = normalize and channel_order == 'bgr'
        self.loss_weight = loss_weight
        statistics = (IMAGENET_MEAN, IMAGENET_STD) if normalize else ((0.0,) * 3, (1.0,) * 3)
        for name, values in zip(('mean', 'std'), statistics, strict=True):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1), persistent=False)

    def forward(self, pred: Tensor, gt: Tensor) -> Tensor:
        """Compute the loss; features in the precision of autocast, differences in float32.

        Args:
            pred: Restored images (N, 3, H, W), about [0, 1].
            gt: Clean images (N, 3, H, W) in [0, 1].

        Returns:
            Scalar, at least 0.
        """
        with torch.no_grad():
            targets = self._extract(gt)
        terms = [
            weight * F.mse_loss(output.float(), target.float())
            for weight, output, target in zip(
                self.layer_weights.values(), self._extract(pred), targets, strict=True
            )
        ]
        return self.loss_weight * sum(terms[1:], terms[0])

    def _extract(self, image: Tensor) -> list[Tensor]:
        """Return the features (N, C, H', W') of the compared layers."""
        x = image.to(self.mean.dtype)  # half precision starts at the first convolution
        x = ((x.flip(1) if self.reverse else x) - self.mean) / self.std
        found = {}
        for position, layer in enumerate(self.features):
            x = layer(x)
            found[position] = x
        return [found[position] for position in self.layer_weights]
