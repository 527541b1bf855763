"""MMagic's networks of Pix2Pix, made usable for restoring images of any size.

Source: Isola, Zhu, Zhou & Efros, "Image-to-Image Translation with Conditional Adversarial Networks", CVPR
2017; MMagic 1.2.0, `UnetGenerator` and `PatchDiscriminator`.
"""

from __future__ import annotations

import torch
from mmagic.registry import MODELS
from torch import Tensor, nn

from attentive_gan import compat
from attentive_gan.models.networks.padding import PaddingMode, pad_to_multiple

#: Standard deviation of the start values (Isola et al., section 6.2).
START_DEVIATION = 0.02


def _set_start_values(network: nn.Module) -> None:
    """Draw the start values of the paper; MMagic's own function for it stops with an error."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d)):
            mean = 1.0 if isinstance(module, nn.BatchNorm2d) else 0.0
            nn.init.normal_(module.weight, mean, START_DEVIATION)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


@MODELS.register_module()
class Pix2PixGenerator(nn.Module):
    """U-Net with batch normalisation down to 1/2^num_down of the size, working in [-1, 1] inside.

    In training, dropout is the paper's noise. In test mode the network is a function of the image: no
    dropout, and normalisation by the statistics of the training.

    Args:
        num_down: How often the size is halved; sides are padded to a multiple of 2^num_down by
            repeating the border.
        base_channels: Channels at the first level.
        use_dropout: Whether there is dropout in the levels with most channels.
    """

    padding_mode: PaddingMode = 'replicate'

    def __init__(
        self, num_down: int = 8, base_channels: int = 64, use_dropout: bool = True
    ) -> None:
        super().__init__()
        self.size_multiple = 2**num_down
        compat.prepare()  # MODELS.build imports MMagic
        self.unet = MODELS.build(
            dict(
                type='UnetGenerator',
                _scope_='mmagic',  # its layers have names that only this registry knows
                in_channels=3,
                out_channels=3,
                num_down=num_down,
                base_channels=base_channels,
                use_dropout=use_dropout,
            )
        )

    def init_weights(self) -> None:
        """Set the start values."""
        _set_start_values(self)

    def forward(self, rainy: Tensor) -> Tensor:
        """Restore images of any size.

        Args:
            rainy: (N, 3, H, W), values 0 to 1.

        Returns:
            Restored images (N, 3, H, W), values 0 to 1.
        """
        height, width = rainy.shape[2:]
        padded = pad_to_multiple(rainy, self.size_multiple, self.padding_mode)
        restored: Tensor = self.unet(2 * padded - 1)
        return (restored[..., :height, :width] + 1) / 2


@MODELS.register_module()
class Pix2PixDiscriminator(nn.Module):
    """Classifies each 70 x 70 patch of an image, given the rainy image, as clean or restored.

    Args:
        base_channels: Channels of the first layer.
    """

    def __init__(self, base_channels: int = 64) -> None:
        super().__init__()
        compat.prepare()
        self.patches = MODELS.build(
            dict(
                type='PatchDiscriminator',
                _scope_='mmagic',
                in_channels=6,
                base_channels=base_channels,
            )
        )

    def init_weights(self) -> None:
        """Set the start values."""
        _set_start_values(self)

    def forward(self, rainy: Tensor, image: Tensor) -> Tensor:
        """Return logits, (N, 1, h, w), one per patch.

        Args:
            rainy: (N, 3, H, W), values 0 to 1; sides of 32 or more.
            image: Clean or restored images of the same shape, values 0 to 1.
        """
        logits: Tensor = self.patches(2 * torch.cat((rainy, image), 1) - 1)
        return logits
