"""LPIPS, if torchmetrics and the weights are installed; nothing is downloaded."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch

from attentive_gan.utils.types import ImageArray

#: File name of torchvision's AlexNet weights in torch's cache, the backbone of LPIPS.
BACKBONE = 'alexnet-owt-7be5be79.pth'


class Lpips:
    """Learned perceptual distance (Zhang et al. 2018) with AlexNet; lower is better.

    Args:
        device: Device of the network.
    """

    description = 'LPIPS (AlexNet, version 0.1) by torchmetrics, on RGB in [-1, 1]'

    def __init__(self, device: str = 'cpu') -> None:
        from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity

        self.device = torch.device(device)
        metric = LearnedPerceptualImagePatchSimilarity('alex', normalize=True)
        self.metric = metric.to(self.device).eval()

    @torch.no_grad()
    def __call__(self, pred: ImageArray, gt: ImageArray) -> float:
        """Return the distance of two images, RGB (H, W, 3) uint8; 0 for equal ones."""
        first, second = (
            torch.from_numpy(image.copy()).permute(2, 0, 1)[None].to(self.device).float() / 255
            for image in (pred, gt)
        )
        value = float(self.metric(first, second))
        self.metric.reset()
        return value


def find_lpips(device: str = 'cpu') -> tuple[Lpips | None, str]:
    """Return the distance and its description, or None and what is missing.

    Args:
        device: Device of the network.
    """
    if importlib.util.find_spec('torchmetrics') is None:
        return None, 'no LPIPS: torchmetrics is not installed'
    weights = Path(torch.hub.get_dir()) / 'checkpoints' / BACKBONE
    if not weights.is_file():
        return None, f'no LPIPS: there is no {weights} (torchvision, AlexNet)'
    return Lpips(device), Lpips.description
