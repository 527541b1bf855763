"""The Attentive GAN's training step (Qian et al., CVPR 2018, section 3) in MMagic's manner."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, cast

import torch
from mmagic.registry import MODELS
from mmengine.logging import MessageHub
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import Tensor, nn

from attentive_gan.compat.mmagic import BaseEditModel, DataSample
from attentive_gan.errors import UserError
from attentive_gan.models.networks.attentive_generator import AttentiveOutput

from .ema import ForeachEMA


def _unwrapped(module: nn.Module) -> nn.Module:
    """Return a network without a distributed wrapper around it."""
    return cast(nn.Module, module.module) if is_model_wrapper(module) else module


@MODELS.register_module()
class AttentiveGAN(BaseEditModel):
    """Trains an attentive generator against an attentive discriminator.

    One iteration runs the generator once. The discriminator learns first, on the detached output and
    attention; then the generator learns from all of its losses. Training starts with the generator
    alone (as in the authors' released code, flyywh/AttGAN_DeRaindrop train.py) and becomes joint at
    `adversarial_start`. Any part can be left out, which gives the paper's ablations.

    Args:
        generator: Network (N, 3, H, W) -> (N, 3, H, W) in [0, 1], with side outputs on request.
        pixel_loss: Loss on (quarter, half, full size) outputs and the clean image.
        attention_loss: Loss on attention maps and mask; None where the generator has no attention.
        perceptual_loss: Loss on restored and clean image, or None.
        structure_loss: Another such loss, for example `SSIMLoss`, or None.
        discriminator: Network to train against, or None for the generator alone.
        adversarial_loss: Loss on the discriminator's logits; needed with a discriminator.
        map_loss: Loss on the discriminator's attention map, or None.
        map_target: What that map should be for restored images: the generator's last attention map
            (paper) or the mask (the authors' older lstm.py; needed where there is no attention).
        unpaired_real: Show the discriminator clean images of other scenes than the restored ones
            (paper: "a pool of clean images"): the batch's clean images, moved on by one.
        discriminator_start: When the discriminator begins to learn: after so many iterations, or, as a
            number between 0 and 1 of type float, after that share of the training.
        adversarial_start: When the generator begins to learn from the discriminator; likewise.
        discriminator_interval: The discriminator learns in every so many-th iteration.
        ema: Arguments of `ForeachEMA`, an exponential moving average of the generator, which is then
            what validates and restores; for example `dict(momentum=0.001)`. None for no average.
        compile_generator: Compile the generator with `torch.compile` for training, in place; validation
            and restoring, whose images have many sizes, run it as it is.
        train_cfg: Not used; accepted as every MMagic editor does.
        test_cfg: `attention_maps=False` leaves attention maps out of the results.
        init_cfg: Initialisation as in MMEngine's `BaseModule`.
        data_preprocessor: MMagic's preprocessor; images must come out in [0, 1].

    Raises:
        UserError: Parts that need each other do not come together.
    """

    #: Children that only training needs; a checkpoint for testing may lack them.
    training_only = ('discriminator',)

    def __init__(
        self,
        generator: dict[str, Any],
        pixel_loss: dict[str, Any],
        attention_loss: dict[str, Any] | None = None,
        perceptual_loss: dict[str, Any] | None = None,
        structure_loss: dict[str, Any] | None = None,
        discriminator: dict[str, Any] | None = None,
        adversarial_loss: dict[str, Any] | None = None,
        map_loss: dict[str, Any] | None = None,
        map_target: Literal['attention', 'mask'] = 'attention',
        unpaired_real: bool = False,
        discriminator_start: float = 0,
        adversarial_start: float = 0,
        discriminator_interval: int = 1,
        ema: dict[str, Any] | None = None,
        compile_generator: bool = False,
        train_cfg: dict[str, Any] | None = None,
        test_cfg: dict[str, Any] | None = None,
        init_cfg: dict[str, Any] | None = None,
        data_preprocessor: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(generator, pixel_loss, train_cfg, test_cfg, init_cfg, data_preprocessor)
        self.attention_loss = _build(attention_loss)
        self.perceptual_loss = _build(perceptual_loss)
        self.structure_loss = _build(structure_loss)
        self.discriminator = _build(discriminator)
        self.adversarial_loss = _build(adversarial_loss)
        self.map_loss = _build(map_loss)
        self.map_target = map_target
        self.unpaired_real = unpaired_real
        self.discriminator_start = discriminator_start
        self.adversarial_start = adversarial_start
        self.discriminator_interval = discriminator_interval
        self._check_parts()
        if ema is not None:
            self.generator_ema = ForeachEMA(self.generator, **ema)
        if compile_generator:
            self.generator.compile(dynamic=False)

    def _check_parts(self) -> None:
        """Refuse combinations in which a part would have no effect or no input."""
        if (self.discriminator is None) != (self.adversarial_loss is None):
            raise UserError('model.discriminator and model.adversarial_loss must come together')
        if self.map_loss is not None and self.discriminator is None:
            raise UserError('model.map_loss needs model.discriminator')
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
        if self.unpaired_real and self.discriminator is None:
            raise UserError('model.unpaired_real needs model.discriminator')

    @property
    def iteration(self) -> int:
        """Number of iterations done so far, as the runner counts them; 0 without a runner."""
        hub = MessageHub.get_current_instance()
        return int(hub.runtime_info.get('iter', 0))

    def _begun(self, start: float) -> bool:
        """Tell whether a part that starts after so many iterations, or that share, takes part."""
        if isinstance(start, float) and start < 1:
            return MessageHub.get_current_instance().runtime_info.get('progress', 0.0) >= start
        return self.iteration >= start

    def train_step(
        self, data: dict[str, Any], optim_wrapper: OptimWrapperDict
    ) -> dict[str, Tensor]:
        """Run one iteration: the discriminator's update, then the generator's.

        Args:
            data: Batch of the data loader: `inputs`, and `data_samples` with `gt_img` and `mask`.
            optim_wrapper: Optimizers by network: `generator` and, where there is one, `discriminator`.

        Returns:
            Loss terms by name, for the log.
        """
        data = self.data_preprocessor(data, True)
        rainy, samples = data['inputs'], data['data_samples']
        clean, mask = samples.gt_img, self._mask(samples)
        with optim_wrapper['generator'].optim_context(self.generator):
            output = self.generator(rainy, side_outputs=True)
        log: dict[str, Tensor] = {}
        if self._discriminator_learns():
            log |= self._update_discriminator(output, clean, mask, optim_wrapper['discriminator'])
        log |= self._update_generator(output, clean, mask, optim_wrapper['generator'])
        if hasattr(self, 'generator_ema'):
            self.generator_ema.update_parameters(_unwrapped(self.generator))
        return log

    def _mask(self, samples: DataSample) -> Tensor | None:
        """Return the raindrop mask (N, 1, H, W) in {0, 1} where a loss needs it."""
        if self.attention_loss is None and self.map_target != 'mask':
            return None
        if 'mask' not in samples:
            raise UserError(
                'the training images have no mask; put dict(type="RaindropMask") behind the loading '
                'step of train_dataloader.dataset.pipeline'
            )
        return samples.mask.float() / 255

    def _discriminator_learns(self) -> bool:
        """Tell whether the discriminator is updated in this iteration."""
        if self.discriminator is None or not self._begun(self.discriminator_start):
            return False
        first = self.discriminator_start if isinstance(self.discriminator_start, int) else 0
        return (self.iteration - first) % self.discriminator_interval == 0

    def _update_discriminator(
        self, output: AttentiveOutput, clean: Tensor, mask: Tensor | None, optimizer: OptimWrapper
    ) -> dict[str, Tensor]:
        """Teach the discriminator; nothing flows back into the generator.

        Restored and clean images go through in one pass, which gives the same as two (the network
        has no batch statistics) and keeps distributed wrappers content.
        """
        real = clean.roll(1, dims=0) if self.unpaired_real else clean
        self.discriminator.requires_grad_(True)
        with optimizer.optim_context(self.discriminator):
            verdict = self.discriminator(torch.cat([output.restored.detach(), real]))
        restored_logits, real_logits = verdict.logits.float().chunk(2)
        losses = {
            'loss_d_adversarial': self.adversarial_loss.discriminator_loss(
                real_logits, restored_logits
            )
        }
        if self.map_loss is not None:
            restored_map, real_map = verdict.attention_map.chunk(2)
            target = mask if self.map_target == 'mask' else output.attention_maps[-1].detach()
            losses['loss_d_map'] = self.map_loss(restored_map, real_map, target)
        return self._learn(losses, optimizer, 'discriminator')

    def _update_generator(
        self, output: AttentiveOutput, clean: Tensor, mask: Tensor | None, optimizer: OptimWrapper
    ) -> dict[str, Tensor]:
        """Teach the generator; the discriminator stays as it is."""
        with optimizer.optim_context(self.generator):
            losses = self.generator_losses(output, clean, mask)
            if self.adversarial_loss is not None and self._begun(self.adversarial_start):
                # Without the wrapper: it would wait for gradients that are not computed.
                judge = _unwrapped(self.discriminator).requires_grad_(False)
                losses['loss_g_adversarial'] = self.adversarial_loss.generator_loss(
                    judge(output.restored).logits.float()
                )
        return self._learn(losses, optimizer, 'generator')

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

    def _learn(
        self, losses: dict[str, Tensor], optimizer: OptimWrapper, name: str
    ) -> dict[str, Tensor]:
        """Update one network with the sum of its losses; return them for the log."""
        total, log = self.parse_losses(losses)
        optimizer.update_params(total)
        log = OrderedDict(log)
        log[f'{name}_loss'] = log.pop('loss')
        return {key: value.detach() for key, value in log.items()}

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

    def _restorer(self) -> nn.Module:
        """Return the network that restores: the averaged generator where there is one."""
        averaged = getattr(self, 'generator_ema', None)
        return averaged.module if averaged is not None else _unwrapped(self.generator)

    def forward_tensor(
        self, inputs: Tensor, data_samples: DataSample | None = None, **kwargs: Any
    ) -> Tensor:
        """Restore images (mode `tensor`).

        Args:
            inputs: Rainy images (N, 3, H, W) in [0, 1].
            data_samples: Not used.
            kwargs: Not used.

        Returns:
            Restored images (N, 3, H, W), not clamped.
        """
        with uncompiled():
            return self._restorer()(inputs)

    def forward_inference(
        self, inputs: Tensor, data_samples: DataSample | None = None, **kwargs: Any
    ) -> DataSample:
        """Restore images for scoring and showing (mode `predict`).

        Args:
            inputs: Rainy images (N, 3, H, W) in [0, 1].
            data_samples: Their information, needed to undo normalisation and colour order.
            kwargs: Not used.

        Returns:
            `pred_img` (N, 3, H, W) in [0, 255] in BGR, and `attention` (N, steps, H, W) in [0, 255].
        """
        with uncompiled():
            output = self._restorer()(inputs, side_outputs=True)
        restored = self.data_preprocessor.destruct(output.restored.float(), data_samples)
        prediction = DataSample(pred_img=restored.cpu())
        if output.attention_maps and (self.test_cfg or {}).get('attention_maps', True):
            maps = torch.cat(output.attention_maps, dim=1).float().clamp(0, 1) * 255
            prediction.set_tensor_data({'attention': maps.cpu()})
        return prediction


def uncompiled() -> AbstractContextManager[Any]:
    """Return a context in which compiled networks run as they were; nothing before torch 2.6."""
    stance = getattr(torch.compiler, 'set_stance', None)
    return stance('force_eager') if stance is not None else nullcontext()


def _build(config: dict[str, Any] | None) -> Any:
    """Build a part from its config, or nothing."""
    return None if config is None else MODELS.build(config)
