"""Pix2Pix's training step for pairs of rainy and clean images.

MMagic's own `Pix2Pix` inherits from an image translation base class that takes data sets, optimizers and
results by domain names, so nearly every method would have to be overridden. This editor uses MMagic's
networks with the data, preprocessor and results of the other editors here.

Source: Isola et al., CVPR 2017; defects of the original: open-mmlab/mmagic issue 2109.
"""

from __future__ import annotations

from typing import Any

from mmagic.registry import MODELS
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import Tensor

from .adversarial_editor import AdversarialEditor


@MODELS.register_module()
class RestorationPix2Pix(AdversarialEditor):
    """Trains a generator with a pixel loss and a discriminator conditioned on the rainy image.

    Predictions are deterministic. MMagic's editor switches to training mode for inference, so that
    dropout and batch statistics change the image.

    Args:
        generator: Config of the network (N, 3, H, W) -> (N, 3, H, W) in [0, 1].
        discriminator: Config of the network (rainy, image) -> logits of patches (N, 1, H', W').
        pixel_loss: Config of the loss on predictions and clean images in [0, 1].
        gan_loss: Config of the loss on the discriminator's logits.
        options: `train_cfg`, `test_cfg`, `init_cfg` and `data_preprocessor` of MMagic's `BaseEditModel`;
            the preprocessor must return images in [0, 1].
    """

    def __init__(
        self,
        generator: dict[str, Any],
        discriminator: dict[str, Any],
        pixel_loss: dict[str, Any],
        gan_loss: dict[str, Any],
        **options: Any,
    ) -> None:
        super().__init__(generator, pixel_loss, **options)
        self.discriminator = MODELS.build(discriminator)
        self.gan_loss = MODELS.build(gan_loss)

    def train_step(
        self, data: dict[str, Any], optim_wrapper: OptimWrapperDict
    ) -> dict[str, Tensor]:
        """Run one iteration: discriminator step, then generator step.

        Args:
            data: Batch of the data loader: `inputs`, and `data_samples` with `gt_img`.
            optim_wrapper: Optimizers by network, `generator` and `discriminator`.

        Returns:
            Loss terms by name, for the log.
        """
        data = self.data_preprocessor(data, True)
        rainy, clean = data['inputs'], data['data_samples'].gt_img
        optimizer = optim_wrapper['generator']
        with optimizer.optim_context(self.generator):
            pred = self.generator(rainy)
        log = self.d_step_with_optim(rainy, pred, clean, optim_wrapper['discriminator'])
        return log | self.g_step_with_optim(rainy, pred, clean, optimizer)

    def d_step_with_optim(
        self, rainy: Tensor, pred: Tensor, clean: Tensor, optimizer: OptimWrapper
    ) -> dict[str, Tensor]:
        """Discriminator step on detached predictions; its loss is halved (section 3.3 of the paper)."""
        self.discriminator.requires_grad_(True)
        with optimizer.optim_context(self.discriminator):
            # Two passes: batch normalisation must not mix predictions and clean images.
            fake_logits = self.discriminator(rainy, pred.detach())
            real_logits = self.discriminator(rainy, clean)
            loss = self.gan_loss.discriminator_loss(real_logits, fake_logits) / 2
        return self.step_optimizer({'loss_d_adversarial': loss}, optimizer, 'discriminator')

    def g_step_with_optim(
        self, rainy: Tensor, pred: Tensor, clean: Tensor, optimizer: OptimWrapper
    ) -> dict[str, Tensor]:
        """Generator step; the discriminator's weights are not updated."""
        discriminator = self.frozen_discriminator()
        with optimizer.optim_context(self.generator):
            losses = {
                'loss_pixel': self.pixel_loss(pred, clean),
                'loss_g_adversarial': self.gan_loss.generator_loss(discriminator(rainy, pred)),
            }
        return self.step_optimizer(losses, optimizer, 'generator')
