"""The first convolutional network for drops and dirt on a window.

Source: Eigen, Krishnan & Fergus, "Restoring an Image Taken through a Window Covered with Dirt or Rain",
ICCV 2013. No code, weights or data of theirs were at hand to compare with.
"""

from __future__ import annotations

import torch
from mmagic.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from attentive_gan.errors import UserError
from attentive_gan.models.networks.padding import PaddingMode


@MODELS.register_module()
class EigenNet(nn.Module):
    """Maps patches of 16 x 16 to restored patches of 8 x 8 and takes the mean where these overlap.

    Three layers: 512 features of 16 x 16 pixels, 512 features of these, and a linear map to an 8 x 8
    patch, all but the last followed by a hyperbolic tangent. Run as convolutions, the last is a sum
    over the 64 patches that cover a pixel, of which their mean is the result, in training too.

    Kernel sizes, channels and the tangent are the paper's. Its range of the input, start values, learning
    rate and treatment of the border are not known here: the image enters as it is, 0 to 1, with PyTorch's
    start values, and its border is repeated outwards, so that the result has its size.

    Args:
        channels: Features of the first and the second layer.

    Raises:
        UserError: `channels` is below 1.
    """

    #: Images of any size are taken as they are.
    size_multiple = 1
    padding_mode: PaddingMode = 'replicate'
    #: Sides of the input and output patches.
    INPUT_PATCH, OUTPUT_PATCH = 16, 8

    def __init__(self, channels: int = 512) -> None:
        super().__init__()
        if channels < 1:
            raise UserError(f'EigenNet needs channels of 1 or more; got {channels}.')
        self.conv1 = nn.Conv2d(3, channels, self.INPUT_PATCH)
        self.conv2 = nn.Conv2d(channels, channels, 1)
        self.conv3 = nn.Conv2d(channels, 3, self.OUTPUT_PATCH)

    def forward(self, rainy: Tensor) -> Tensor:
        """Restore images of any size.

        Args:
            rainy: (N, 3, H, W), values 0 to 1.

        Returns:
            Restored images (N, 3, H, W), not clipped.
        """
        # A pixel's output patches extend up to 7 pixels from it, and their input patches 4 more.
        border = (self.INPUT_PATCH - self.OUTPUT_PATCH) // 2 + self.OUTPUT_PATCH - 1
        padded = F.pad(rainy, (border,) * 4, mode='replicate')
        features = torch.tanh(self.conv2(torch.tanh(self.conv1(padded))))
        patches: Tensor = self.conv3(features)
        return patches / self.OUTPUT_PATCH**2
