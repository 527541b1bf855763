"""The Attentive GAN's training step (Qian et al., CVPR 2018, section 3) as an MMagic editor."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, cast

import torch
from mmagic.registry import MODELS
from mmengine.logging import MessageHub
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import Tensor, nn

from attentive_gan.compat.mmagic import DataSample
from attentive_gan.errors import UserError
from attentive_gan.models.networks.attentive_generator import AttentiveOutput

from .adversarial_editor import AdversarialEditor, build_optional, unwrap
from .ema import ForeachEMA

#: Fields of `model.train_cfg` and their defaults.
TRAIN_CFG = {'gen_init_steps': 0, 'disc_init_steps': 0, 'gen_steps': 1}


@MODELS.register_module()
class AttentiveGAN(AdversarialEditor):
    """Trains an attentive generator against an attentive discriminator.

    One iteration runs the generator once, then updates the discriminator on the detached outputs, then
    the generator on all of its losses. Training starts with the generator alone, as in the authors' code
    (flyywh/AttGAN_DeRaindrop, train.py): see `train_cfg`. Any part can be omitted, which gives the
    paper's ablations.

    Args:
        generator: Network (N, 3, H, W) -> (N, 3, H, W) in [0, 1], with side outputs on request.
        pixel_loss: Loss on (quarter, half, full size) predictions and the clean image.
        attention_loss: Loss on attention maps and mask; None for a generator without attention.
        perceptual_loss: Loss on predictions and clean images, or None.
        structure_loss: Another such loss, for example `SSIMLoss`, or None.
        discriminator: Network to train against, or None for the generator alone.
        gan_loss: Loss on the discriminator's logits; required with a discriminator.
        map_loss: Loss on the discriminator's attention map, or None.
        map_target: Target of that map for predictions: the generator's last attention map
            ('attention', the paper) or the mask ('mask', the authors' older lstm.py; required without
            attention).
        unpaired_real: Show the discriminator clean images of other scenes than the predictions (paper:
            "a pool of clean images"): the clean images of the batch, rolled by one.
        ema: Arguments of `ForeachEMA`, an exponential moving average of the generator that is used for
            validation and inference, for example `dict(momentum=0.001)`. None for no average.
        compile_generator: Compile the generator in place with `torch.compile` for training; validation
            and inference run it uncompiled.
        train_cfg: Stages of the training. `gen_init_steps` (default 0): iterations of the generator alone
            at the start. `disc_init_steps` (default 0): iterations after those in which the discriminator
            is updated but does not yet contribute to the generator's loss. A float in (0, 1) is a
            share of the whole training instead. `gen_steps` (default 1): generator updates per
            discriminator update.
        test_cfg: `attention_maps=False` omits attention maps from the results.
        init_cfg: Initialisation as in MMEngine's `BaseModule`.
        data_preprocessor: MMagic's preprocessor; it must return images in [0, 1].

    Raises:
        UserError: Parts that require each other are not given together, or `train_cfg` is invalid.
    """

    def __init__(
        self,
        generator: dict[str, Any],
        pixel_loss: dict[str, Any],
        attention_loss: dict[str, Any] | None = None,
        perceptual_loss: dict[str, Any] | None = None,
        structure_loss: dict[str, Any] | None = None,
        discriminator: dict[str, Any] | None = None,
        gan_loss: dict[str, Any] | None = None,
        map_loss: dict[str, Any] | None = None,
        map_target: Literal['attention', 'mask'] = 'attention',
        unpaired_real: bool = False,
        ema: dict[str, Any] | None = None,
        compile_generator: bool = False,
        train_cfg: dict[str, Any] | None = None,
        test_cfg: dict[str, Any] | None = None,
        init_cfg: dict[str, Any] | None = None,
        data_preprocessor: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(generator, pixel_loss, train_cfg, test_cfg, init_cfg, data_preprocessor)
        self.attention_loss = build_optional(attention_loss)
        self.perceptual_loss = build_optional(perceptual_loss)
        self.structure_loss = build_optional(structure_loss)
        self.discriminator = build_optional(discriminator)
        self.gan_loss = build_optional(gan_loss)
        self.map_loss = build_optional(map_loss)
        self.map_target = map_target
        self.unpaired_real = unpaired_real
        self.stages: dict[str, Any] = {**TRAIN_CFG, **(train_cfg or {})}
        self._check_parts()
        self._check_stages()
        if ema is not None:
            self.generator_ema = ForeachEMA(self.generator, **ema)
        if compile_generator:
            self.generator.compile(dynamic=False)

    def _check_parts(self) -> None:
        """Raise if a part would have no effect or no input."""
        if (self.discriminator is None) != (self.gan_loss is None):
            raise UserError('model.discriminator and model.gan_loss must be given together')
        for name in ('map_loss', 'unpaired_real'):
            if getattr(self, name) and self.discriminator is None:
                raise UserError(f'model.{name} needs model.discriminator')
        if self.map_target not in ('attention', 'mask'):
            raise UserError(
                f"model.map_target must be 'attention' or 'mask', not {self.map_target!r}"
            )
        bounded = getattr(getattr(self.generator, 'attention', None), 'activation', 'sigmoid')
        if getattr(self.attention_loss, 'criterion', None) == 'bce' and bounded is None:
            raise UserError(
                "model.attention_loss.criterion='bce' takes maps in (0, 1); set "
                "model.generator.attention_activation='sigmoid' or criterion='mse'"
            )

    def _check_stages(self) -> None:
        """Raise if `train_cfg` has an unknown field, or counts iterations and shares at once."""
        unknown = sorted(set(self.stages) - set(TRAIN_CFG))
        if unknown:
            raise UserError(
                f'model.train_cfg has no field {unknown[0]!r}; its fields are {", ".join(TRAIN_CFG)}'
            )
        lengths = [self.stages['gen_init_steps'], self.stages['disc_init_steps']]
        if len({is_share(length) for length in lengths if length}) > 1:
            raise UserError(
                'model.train_cfg.gen_init_steps and disc_init_steps must both be iterations, or both '
                f'shares of the training in (0, 1), not {lengths[0]} and {lengths[1]}'
            )

    @property
    def iteration(self) -> int:
        """Number of iterations done so far, as the runner counts them; 0 without a runner."""
        return int(MessageHub.get_current_instance().runtime_info.get('iter', 0))

    def _has_begun(self, *stages: str) -> bool:
        """Return whether the stages before have ended."""
        lengths = [self.stages[stage] for stage in stages]
        if any(is_share(length) for length in lengths):
            progress = MessageHub.get_current_instance().runtime_info.get('progress', 0.0)
            return bool(progress >= sum(lengths))
        return bool(self.iteration >= sum(lengths))

    def train_step(
        self, data: dict[str, Any], optim_wrapper: OptimWrapperDict
    ) -> dict[str, Tensor]:
        """Run one iteration: discriminator step, then generator step.

        Args:
            data: Batch of the data loader: `inputs`, and `data_samples` with `gt_img` and `mask`.
            optim_wrapper: Optimizers by network: `generator` and, if there is one, `discriminator`.

        Returns:
            Loss terms by name, for the log.
        """
        data = self.data_preprocessor(data, True)
        rainy, samples = data['inputs'], data['data_samples']
        clean, mask = samples.gt_img, self._mask(samples)
        with optim_wrapper['generator'].optim_context(self.generator):
            output = self.generator(rainy, side_outputs=True)
        log: dict[str, Tensor] = {}
        if self._is_d_step_due():
            log |= self.d_step_with_optim(output, clean, mask, optim_wrapper['discriminator'])
        log |= self.g_step_with_optim(output, clean, mask, optim_wrapper['generator'])
        if hasattr(self, 'generator_ema'):
            self.generator_ema.update_parameters(unwrap(self.generator))
        return log

    def _mask(self, samples: DataSample) -> Tensor | None:
        """Return the raindrop mask (N, 1, H, W) in {0, 1} if a loss needs it."""
        if self.attention_loss is None and self.map_target != 'mask':
            return None
        if 'mask' not in samples:
            raise UserError(
                'the training images have no mask; add dict(type="RaindropMask") after the loading '
                'transform of train_dataloader.dataset.pipeline'
            )
        return cast(Tensor, samples.mask.float() / 255)

    def _is_d_step_due(self) -> bool:
        """Return whether the discriminator is updated in this iteration."""
        if self.discriminator is None or not self._has_begun('gen_init_steps'):
            return False
        first = self.stages['gen_init_steps']
        offset = 0 if is_share(first) else first
        return bool((self.iteration - offset) % self.stages['gen_steps'] == 0)

    def d_step_with_optim(
        self, output: AttentiveOutput, clean: Tensor, mask: Tensor | None, optimizer: OptimWrapper
    ) -> dict[str, Tensor]:
        """Discriminator step on detached outputs.

        Predictions and clean images go through in one pass, which equals two passes (the network has no
        batch statistics) and is the single forward that distributed wrappers expect.
        """
        real = clean.roll(1, dims=0) if self.unpaired_real else clean
        self.discriminator.requires_grad_(True)
        with optimizer.optim_context(self.discriminator):
            pred = self.discriminator(torch.cat([output.restored.detach(), real]))
        fake_logits, real_logits = pred.logits.float().chunk(2)
        losses = {'loss_d_adversarial': self.gan_loss.discriminator_loss(real_logits, fake_logits)}
        if self.map_loss is not None:
            fake_map, real_map = pred.attention_map.chunk(2)
            target = mask if self.map_target == 'mask' else output.attention_maps[-1].detach()
            losses['loss_d_map'] = self.map_loss(fake_map, real_map, target)
        return self.step_optimizer(losses, optimizer, 'discriminator')

    def g_step_with_optim(
        self, output: AttentiveOutput, clean: Tensor, mask: Tensor | None, optimizer: OptimWrapper
    ) -> dict[str, Tensor]:
        """Generator step; the discriminator's weights are not updated."""
        with optimizer.optim_context(self.generator):
            losses = self.generator_losses(output, clean, mask)
            if self.gan_loss is not None and self._has_begun('gen_init_steps', 'disc_init_steps'):
                pred = self.frozen_discriminator()(output.restored)
                losses['loss_g_adversarial'] = self.gan_loss.generator_loss(pred.logits.float())
        return self.step_optimizer(losses, optimizer, 'generator')

    def generator_losses(
        self, output: AttentiveOutput, clean: Tensor, mask: Tensor | None
    ) -> dict[str, Tensor]:
        """Compute the generator's losses that need no discriminator.

        Args:
            output: The generator's outputs for a batch of rainy images.
            clean: Clean images (N, 3, H, W) in [0, 1].
            mask: Raindrop masks (N, 1, H, W) in {0, 1}.
        """
        outputs = (output.quarter, output.half, output.restored)
        losses = {'loss_multi_scale': self.pixel_loss(outputs, clean)}
        if self.attention_loss is not None:
            losses['loss_attention'] = self.attention_loss(output.attention_maps, mask)
        if self.perceptual_loss is not None:
            losses['loss_perceptual'] = self.perceptual_loss(output.restored, clean)
        if self.structure_loss is not None:
            losses['loss_structure'] = self.structure_loss(output.restored, clean)
        return losses

    def forward_train(
        self, inputs: Tensor, data_samples: DataSample | None = None, **kwargs: Any
    ) -> dict[str, Tensor]:
        """Return the generator's losses without a discriminator (mode `loss`).

        Args:
            inputs: Rainy images (N, 3, H, W) in [0, 1].
            data_samples: Clean images and masks.
            kwargs: Not used.
        """
        output = self.generator(inputs, side_outputs=True)
        samples = cast(DataSample, data_samples)
        return self.generator_losses(output, samples.gt_img, self._mask(samples))

    def _inference_network(self) -> nn.Module:
        """Return the averaged generator if there is one, else the generator."""
        averaged = getattr(self, 'generator_ema', None)
        return cast(nn.Module, averaged.module) if averaged else unwrap(self.generator)

    def forward_tensor(
        self, inputs: Tensor, data_samples: DataSample | None = None, **kwargs: Any
    ) -> Tensor:
        """Predict clean images (mode `tensor`).

        Args:
            inputs: Rainy images (N, 3, H, W) in [0, 1].
            data_samples: Not used.
            kwargs: Not used.

        Returns:
            Predictions (N, 3, H, W), not clamped.
        """
        with uncompiled():
            return cast(Tensor, self._inference_network()(inputs))

    def forward_inference(
        self, inputs: Tensor, data_samples: DataSample | None = None, **kwargs: Any
    ) -> DataSample:
        """Predict clean images for metrics and visualization (mode `predict`).

        Args:
            inputs: Rainy images (N, 3, H, W) in [0, 1].
            data_samples: Their meta information, needed to undo normalisation and colour order.
            kwargs: Not used.

        Returns:
            `pred_img` (N, 3, H, W) in [0, 255] in BGR, and `attention` (N, steps, H, W) in [0, 255].
        """
        with uncompiled():
            output = self._inference_network()(inputs, side_outputs=True)
        pred = self.data_preprocessor.destruct(output.restored.float(), data_samples)
        result = DataSample(pred_img=pred.cpu())
        if output.attention_maps and (self.test_cfg or {}).get('attention_maps', True):
            maps = torch.cat(output.attention_maps, dim=1).float().clamp(0, 1) * 255
            result.set_tensor_data({'attention': maps.cpu()})
        return result


def is_share(length: float) -> bool:
    """Return whether the length of a stage is a share of the training instead of iterations.

    Examples:
        >>> is_share(0.2), is_share(20_000), is_share(0)
        (True, False, False)
    """
    return isinstance(length, float) and 0 < length < 1


def uncompiled() -> AbstractContextManager[Any]:
    """Return a context in which compiled networks run uncompiled; no effect before torch 2.6."""
    stance = getattr(torch.compiler, 'set_stance', None)
    return stance('force_eager') if stance is not None else nullcontext()
