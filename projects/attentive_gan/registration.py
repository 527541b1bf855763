"""Registers networks, losses, data sets, transforms, metrics, hooks and the runner when imported.

Configs import it: `custom_imports = dict(imports=['attentive_gan.registration'])`. The compatibility layer
is applied first, since MMagic 1.2.0 cannot be imported on current machines without it.

Raises:
    UserError: A required package is missing or outside of the versions that are known to work.
"""

from __future__ import annotations

from contextlib import suppress

from . import compat

compat.prepare()

from . import datasets  # noqa: E402, F401
from .engine import hooks, optimizers, runner, schedulers  # noqa: E402, F401
from .evaluation import raindrop_scores  # noqa: E402, F401
from .models import data_preprocessors, editors, losses, networks  # noqa: E402, F401

# Not every MMagic installation can import its inferencers; without them there is nothing to adapt.
with suppress(ImportError):
    from .apis import mmagic_inferencer

    mmagic_inferencer.apply()
