"""Distance of VGG16 features between restored and clean images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from mmagic.registry import MODELS
from torch import Tensor, nn

from attentive_gan.errors import UserError
from attentive_gan.utils.checkpoint_io import read_checkpoint

#: Position of each ReLU in `torchvision.models.vgg16().features`.
VGG16_LAYERS = {
    'relu1_1': 1, 'relu1_2': 3, 'relu2_1': 6, 'relu2_2': 8, 'relu3_1': 11, 'relu3_2': 13,
    'relu3_3': 15, 'relu4_1': 18, 'relu4_2': 20, 'relu4_3': 22, 'relu5_1': 25, 'relu5_2': 27,
    'relu5_3': 29,
}  # fmt: skip
#: Position and width of each 3x3 convolution there; a ReLU follows each.
VGG16_CONVOLUTIONS = {
    0: 64, 2: 64, 5: 128, 7: 128, 10: 256, 12: 256, 14: 256, 17: 512, 19: 512, 21: 512, 24: 512,
    26: 512, 28: 512,
}  # fmt: skip
#: Positions of the 2x2 maximum poolings.
VGG16_POOLINGS = (4, 9, 16, 23)
#: Name of torchvision's weights file, in torch hub's folder after a download.
VGG16_FILE = 'vgg16-397923af.pth'
#: Mean and standard deviation of ImageNet in RGB, that the weights were trained with (torchvision).
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def find_weights(weights_path: str | None) -> Path:
    """Return the file with VGG16's weights; nothing is downloaded.

    Args:
        weights_path: The config's choice, or None for torch hub's folder.

    Raises:
        UserError: The file is not there.
    """
    cached = Path(torch.hub.get_dir()) / 'checkpoints' / VGG16_FILE
    path = Path(weights_path).expanduser() if weights_path else cached
    if path.is_file():
        return path
    raise UserError(
        f'the perceptual loss needs the VGG16 weights {VGG16_FILE} of torchvision, not found at '
        f'{path}; '
        'fetch them on a connected machine with: python -c "import torchvision; '
        "torchvision.models.vgg16(weights='DEFAULT')\", then copy the file to "
        f'{cached} or set model.perceptual_loss.weights_path; or train without: '
        '--cfg-options model.perceptual_loss=None'
    )


def read_convolutions(path: Path, last_layer: int) -> dict[int, tuple[Tensor, Tensor]]:
    """Read weight and bias of VGG16's convolutions by position in `features`.

    Args:
        path: File with torchvision's state dict, or any with its `features.*` weights.
        last_layer: Position of the last layer that is needed.

    Raises:
        UserError: The file does not hold these weights.
    """
    content = read_checkpoint(path)
    state = content.get('state_dict', content)
    convolutions = {}
    channels = 3
    for position, width in VGG16_CONVOLUTIONS.items():
        if position > last_layer:
            break
        weight, bias = (state.get(f'features.{position}.{kind}') for kind in ('weight', 'bias'))
        shapes = [None if value is None else tuple(value.shape) for value in (weight, bias)]
        if shapes != [(width, channels, 3, 3), (width,)]:
            raise UserError(
                f'{path} does not hold the VGG16 weights of torchvision (features.{position}); '
                f'fetch {VGG16_FILE} again'
            )
        convolutions[position] = (weight, bias)
        channels = width
    return convolutions


@MODELS.register_module()
class VGGPerceptualLoss(nn.Module):
    """Weighted sum of mean squared errors between VGG16 features.

    VGG16's weights are no part of checkpoints: they never change.

    Source: Qian et al., section 3.2; layers and weights of the authors' code
    (flyywh/AttGAN_DeRaindrop, train.py), which feeds raw images. With ImageNet normalisation,
    squared differences of the first layer grow by about 1 / 0.226^2 = 19.6, hence the default
    weight 0.05.

    Args:
        layers: Names of the layers to compare, keys of `VGG16_LAYERS`.
        layer_weights: Weight of each layer.
        normalize: Normalise images as VGG16 was trained; False feeds them raw, as the authors
            did.
        channel_order: Colour order of the images.
        weights_path: File with torchvision's weights; None looks into torch hub's folder.
        loss_weight: Weight of the whole loss.

    Raises:
        UserError: The weights are not there, or an option is unknown.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        layers: Sequence[str] = ('relu1_1', 'relu1_2', 'relu2_1', 'relu2_2'),
        layer_weights: Sequence[float] = (1.0, 0.6, 0.4, 0.2),
        normalize: bool = True,
        channel_order: Literal['rgb', 'bgr'] = 'rgb',
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
        self.weights = {
            VGG16_LAYERS[name]: weight for name, weight in zip(layers, layer_weights, strict=True)
        }
        self.normalize = normalize
        self.loss_weight = loss_weight
        convolutions = read_convolutions(find_weights(weights_path), max(self.weights))
        # Not parameters, and not persistent: no optimizer, wrapper or checkpoint concerns them.
        for position, (weight, bias) in convolutions.items():
            self.register_buffer(f'weight_{position}', weight.float(), persistent=False)
            self.register_buffer(f'bias_{position}', bias.float(), persistent=False)
        for name, values in (('mean', IMAGENET_MEAN), ('std', IMAGENET_STD)):
            statistic = torch.tensor(values).view(1, 3, 1, 1)
            self.register_buffer(name, statistic, persistent=False)
        # VGG16 expects RGB; the authors fed BGR as it was.
        self.reverse = normalize and channel_order == 'bgr'

    def forward(self, restored: Tensor, clean: Tensor) -> Tensor:
        """Compute the loss; features in the precision of autocast, differences in float32.

        Args:
            restored: Restored images (N, 3, H, W), about [0, 1].
            clean: Clean images (N, 3, H, W) in [0, 1].
        """
        with torch.no_grad():
            targets = self._features(clean)
        outputs = self._features(restored)
        terms = [
            weight * F.mse_loss(outputs[layer].float(), targets[layer].float())
            for layer, weight in self.weights.items()
        ]
        return self.loss_weight * sum(terms[1:], terms[0])

    def _features(self, image: Tensor) -> dict[int, Tensor]:
        """Return the features (N, C, H', W') of the compared layers."""
        x = image.to(self.mean.dtype)  # not in half precision until the first convolution
        x = x.flip(1) if self.reverse else x
        x = (x - self.mean) / self.std if self.normalize else x
        found: dict[int, Tensor] = {}
        for position in range(max(self.weights) + 1):
            if position in VGG16_CONVOLUTIONS:
                weight = getattr(self, f'weight_{position}')
                x = F.conv2d(x, weight, getattr(self, f'bias_{position}'), padding=1)
            else:
                x = F.max_pool2d(x, 2) if position in VGG16_POOLINGS else F.relu(x)
            if position in self.weights:
                found[position] = x
        return found
