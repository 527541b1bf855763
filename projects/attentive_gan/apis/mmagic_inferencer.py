"""Makes MMagic's own inferencers work with the configs of this project.

MMagic 1.2.0 also builds the losses of a training, which need VGG weights; loads the weights that fit and
ignores the others; reads images by the test pipeline, which here renders or pairs them; and its
`MMagicInferencer` cannot infer the task of a config. Only configs that import this package are treated
differently.
"""

from __future__ import annotations

from functools import wraps
from pathlib import Path
from typing import Any

from mmagic.apis import inferencers
from mmagic.apis.inferencers import ImageSuperResolutionInferencer
from mmagic.registry import MODELS
from mmengine.config import Config
from torch import nn

from attentive_gan.checkpoints.config_description import channel_order
from attentive_gan.checkpoints.fitting import load_weights
from attentive_gan.config.inference_model import without_training_parts
from attentive_gan.config.plain_files import PLAIN_SUFFIXES, read_plain_config
from attentive_gan.errors import UserError
from attentive_gan.utils.checkpoint_io import read_state_dict

#: MMagic's name of the task.
TASK = 'Image Restoration'


class RestorationInferencer(ImageSuperResolutionInferencer):
    """MMagic's image inferencer, for configs of this project and all others.

    Example:
        >>> from mmagic.apis.inferencers import Inferencers
        >>> config, weights = 'configs/attgan_raindrop.py', 'iter_100000.pth'
        >>> inferencer = Inferencers(
        ...     task='Image Restoration', config=config, ckpt=weights
        ... )  # doctest: +SKIP
        >>> inferencer(img='rainy.png', result_out_dir='restored.png')  # doctest: +SKIP
    """

    def _init_model(self, cfg: Any, ckpt: str | None, device: Any) -> nn.Module:
        """Build the model of a config with all of its weights.

        Raises:
            UserError: Weights are not named or do not fit, or the config does not say its colour order.
        """
        if not _is_ours(cfg):
            theirs: nn.Module = super()._init_model(cfg, ckpt, device)
            return theirs
        name = str(cfg.get('filename') or 'the config')
        order = channel_order(cfg, name)
        if not ckpt:
            raise UserError(
                f'{name}: name the weights (ckpt); a network with random weights restores nothing'
            )
        model: nn.Module = MODELS.build(without_training_parts(cfg.model))
        absent = getattr(model, 'training_only', ())
        load_weights(model, read_state_dict(ckpt), str(ckpt), absent)
        if not cfg.get('inference_pipeline'):
            read = dict(
                type='LoadImageFromFile', key='img', color_type='color', channel_order=order,
                imdecode_backend='cv2',
            )  # fmt: skip
            cfg.inference_pipeline = [read, dict(type='PackInputs')]
        cfg.pop('visualizer', None)  # there is no log to write to
        model.cfg = cfg
        return model.to(device).eval()


def apply() -> None:
    """Replace MMagic's inferencer; further calls change nothing."""
    if inferencers.ImageSuperResolutionInferencer is RestorationInferencer:
        return
    inferencers.ImageSuperResolutionInferencer = RestorationInferencer
    original = inferencers.Inferencers.__init__

    @wraps(original)
    def init(self: Any, task: str | None = None, config: Any = None, **others: Any) -> None:
        if task is None and config is not None:
            config = _read(config) if isinstance(config, str) else config
            task = TASK if _is_ours(config) else None
        original(self, task=task, config=config, **others)

    inferencers.Inferencers.__init__ = init


def _read(path: str) -> Config:
    plain = Path(path).suffix in PLAIN_SUFFIXES
    return read_plain_config(Path(path)) if plain else Config.fromfile(path)


def _is_ours(config: Any) -> bool:
    imports = (config.get('custom_imports') or {}).get('imports', ())
    return any(str(name).split('.')[0] == 'attentive_gan' for name in imports)
