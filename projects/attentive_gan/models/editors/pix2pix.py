"""Pix2Pix's training step for pairs of rainy and clean images.

MMagic's own `Pix2Pix` cannot be mended by a few overridden methods: its base class wants data sets,
optimizers and results by the names of image domains, so that nearly every method would be replaced. This
editor takes MMagic's networks, and the data, preprocessor and results of every other restorer here.

Source: Isola et al., CVPR 2017; faults of the original: open-mmlab/mmagic issue 2109.
"""

from __future__ import annotations

from typing import Any, cast

from mmagic.registry import MODELS
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import Tensor, nn

from attentive_gan.compat.mmagic import BaseEditModel


@MODELS.register_module()
class RestorationPix2Pix(BaseEditModel):
    """Trains a generator on a pixel loss and against a discriminator that sees the rainy image too.

    Results are deterministic: MMagic's editor switches to training mode to restore, so that dropout and
    the batch decide about the image.

    Args:
        generator: Network (N, 3, H, W) -> (N, 3, H, W) in [0, 1].
        discriminator: Network (rainy, image) -> logits of patches.
        pixel_loss: Loss on restored and clean images in [0, 1].
        adversarial_loss: Loss on the discriminator's logits.
        train_cfg: Not used; accepted as every MMagic editor does.
        test_cfg: Not used.
        init_cfg: Initialisation as in MMEngine's `BaseModule`.
        data_preprocessor: MMagic's preprocessor; images must come out in [0, 1].
    """

    #: Children that only training needs; a checkpoint for testing may lack them.
    training_only = ('discriminator',)

    def __init__(
        self,
        generator: dict[str, Any],
        discriminator: dict[str, Any],
        pixel_loss: dict[str, Any],
        adversarial_loss: dict[str, Any],
        train_cfg: dict[str, Any] | None = None,
        test_cfg: dict[str, Any] | None = None,
        init_cfg: dict[str, Any] | None = None,
        data_preprocessor: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(generator, pixel_loss, train_cfg, test_cfg, init_cfg, data_preprocessor)
        self.discriminator = MODELS.build(discriminator)
        self.adversarial_loss = MODELS.build(adversarial_loss)

    def train_step(
        self, data: dict[str, Any], optim_wrapper: OptimWrapperDict
    ) -> dict[str, Tensor]:
        """Run one iteration: the discriminator's update, then the generator's.

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
            restored = self.generator(rainy)
        log = self._update_discriminator(rainy, restored, clean, optim_wrapper['discriminator'])
        return log | self._update_generator(rainy, restored, clean, optimizer)

    def _update_discriminator(
        self, rainy: Tensor, restored: Tensor, clean: Tensor, optimizer: OptimWrapper
    ) -> dict[str, Tensor]:
        """Teach the discriminator, at half the speed of its objective (section 3.3 of the paper)."""
        self.discriminator.requires_grad_(True)
        with optimizer.optim_context(self.discriminator):
            # Two passes: batch normalisation must not mix restored and clean images.
            restored_logits = self.discriminator(rainy, restored.detach())
            real_logits = self.discriminator(rainy, clean)
            loss = self.adversarial_loss.discriminator_loss(real_logits, restored_logits) / 2
        return self._learn({'loss_d_adversarial': loss}, optimizer, 'discriminator')

    def _update_generator(
        self, rainy: Tensor, restored: Tensor, clean: Tensor, optimizer: OptimWrapper
    ) -> dict[str, Tensor]:
        """Teach the generator; the discriminator stays as it is."""
        # Without the wrapper: it would wait for gradients that are not computed.
        judge = self.discriminator
        judge = cast(nn.Module, judge.module) if is_model_wrapper(judge) else judge
        judge.requires_grad_(False)
        with optimizer.optim_context(self.generator):
            losses = {
                'loss_pixel': self.pixel_loss(restored, clean),
                'loss_g_adversarial': self.adversarial_loss.generator_loss(judge(rainy, restored)),
            }
        return self._learn(losses, optimizer, 'generator')

    def _learn(
        self, losses: dict[str, Tensor], optimizer: OptimWrapper, name: str
    ) -> dict[str, Tensor]:
        """Update one network with the sum of its losses; return them for the log."""
        total, log = self.parse_losses(losses)
        optimizer.update_params(total)
        log[f'{name}_loss'] = log.pop('loss')
        return {key: value.detach() for key, value in log.items()}
