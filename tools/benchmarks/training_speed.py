"""A training step on random crops, to be timed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from mmagic.registry import MODELS, OPTIM_WRAPPERS
from mmagic.structures import DataSample
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.registry import DefaultScope
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from .card_plan import Precision, TrainingStep

#: Config of the optimizer wrapper of each precision.
_WRAPPERS: dict[Precision, dict[str, Any]] = {
    'fp32': dict(type='OptimWrapper'),
    'tf32': dict(type='OptimWrapper'),
    'bf16': dict(type='Bfloat16OptimWrapper'),
    'fp16': dict(type='AmpOptimWrapper', dtype='float16'),
}


def training_step(
    model: Mapping[str, Any], entry: TrainingStep, device: torch.device
) -> Callable[[], Any]:
    """Build the editor and return one iteration of it on random crops, without loading or preparing data.

    The perceptual loss is left out: its weights may not be at hand.

    Args:
        model: Config of the editor, as `configs/_base_/models/attgan.py` has it.
        entry: What to run; `compiled` compiles the networks at the first call.
        device: Where to train.
    """
    config = {**model, 'perceptual_loss': None, 'ema': None, 'compile_generator': False}
    if not entry.joint:
        config |= dict(discriminator=None, gan_loss=None, map_loss=None)
    with DefaultScope.overwrite_default_scope('mmagic'):
        editor = MODELS.build(config)
    editor = editor.to(device, memory_format=torch.channels_last).train()
    networks = {'generator': editor.generator}
    if entry.joint:
        networks['discriminator'] = editor.discriminator
    if entry.compiled:
        for network in networks.values():
            network.compile(dynamic=False)
    optimizers = OptimWrapperDict(
        **{name: _optimizer(network, entry) for name, network in networks.items()}
    )
    batch = editor.data_preprocessor(random_batch(entry.batch, entry.crop, device), True)
    editor.data_preprocessor = _AlreadyPrepared()
    return lambda: editor.train_step(batch, optimizers)


def _optimizer(network: nn.Module, entry: TrainingStep) -> OptimWrapper:
    adam = torch.optim.Adam(network.parameters(), lr=1e-4)
    return OPTIM_WRAPPERS.build({**_WRAPPERS[entry.precision], 'optimizer': adam})


class _AlreadyPrepared(nn.Module):
    """Stands for the data preprocessor where the batch has been through it."""

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        return data


def random_batch(count: int, side: int, device: torch.device) -> dict[str, Any]:
    """Draw a batch as the data preprocessor takes it, stacked and on the device.

    Args:
        count: Crops N.
        side: Height and width of a crop.
        device: Where the tensors are.

    Returns:
        `inputs` (N, 3, H, W) and a list of N samples with `gt_img` and `mask`, values 0 to 255.
    """

    def draw(channels: int) -> Tensor:
        shape = (count, channels, side, side)
        return torch.randint(0, 256, shape, device=device, dtype=torch.uint8)

    rainy, clean, mask = draw(3).float(), draw(3).float(), draw(1) // 128 * 255
    samples = []
    for k in range(count):
        sample = DataSample()
        sample.set_data({'gt_img': clean[k], 'mask': mask[k]})
        samples.append(sample)
    return {'inputs': rainy, 'data_samples': samples}


def count_flops(work: Callable[[], Any]) -> int:
    """Floating-point operations of the convolutions and matrix products in a call, backward included.

    Args:
        work: What to run once; not compiled.
    """
    with FlopCounterMode(display=False) as counter:
        work()
    return int(counter.get_total_flops())
