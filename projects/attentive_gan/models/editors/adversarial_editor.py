"""Base class of editors that train a generator against a discriminator."""

from __future__ import annotations

from typing import Any, cast

from mmagic.registry import MODELS
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from attentive_gan.compat.mmagic import BaseEditModel


def unwrap(module: nn.Module) -> nn.Module:
    """Return a network without its distributed wrapper."""
    return cast(nn.Module, module.module) if is_model_wrapper(module) else module


class AdversarialEditor(BaseEditModel):
    """Optimizer steps that editors with `generator`, `discriminator` and `gan_loss` share."""

    #: Child modules that only training needs; a checkpoint for testing may omit them.
    training_only = ('discriminator',)

    discriminator: Any
    gan_loss: Any

    def frozen_discriminator(self) -> nn.Module:
        """Return the discriminator for a generator step, without gradients of its own weights.

        A distributed wrapper is removed: it would wait for those gradients.
        """
        return unwrap(self.discriminator).requires_grad_(False)

    def step_optimizer(
        self, losses: dict[str, Tensor], optimizer: OptimWrapper, name: str
    ) -> dict[str, Tensor]:
        """Update one network with the sum of its losses.

        Args:
            losses: Loss terms by name.
            optimizer: Optimizer wrapper of the network.
            name: Prefix of the logged sum, `<name>_loss`.

        Returns:
            Detached loss terms by name, for the log.
        """
        total, log = self.parse_losses(losses)
        optimizer.update_params(total)
        log[f'{name}_loss'] = log.pop('loss')
        return {key: value.detach() for key, value in log.items()}


def build_optional(config: dict[str, Any] | None) -> Any:
    """Build a module from its config; None stays None."""
    return None if config is None else MODELS.build(config)
