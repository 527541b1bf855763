"""MMEngine 0.10.7 inherits configs from OpenMMLab's own packages only, `_base_ = 'mmagic::...'`."""

from __future__ import annotations

from pathlib import Path

PREFIX = 'attentive_gan::'


def apply() -> tuple[bool, str]:
    """Let configs inherit those of this package, as `_base_ = 'attentive_gan::attgan_raindrop.py'`.

    They lie in `.mim/configs` of the package; in a checkout, that is a link to `configs`.
    """
    from mmengine.config import Config

    original = Config._get_cfg_path
    folder = Path(__file__).parent.parent / '.mim' / 'configs'

    def config_path(cfg_path: str, filename: str) -> tuple[str, str | None]:
        if cfg_path.startswith(PREFIX):
            return str(folder / cfg_path.removeprefix(PREFIX)), None
        found: tuple[str, str | None] = original(cfg_path, filename)
        return found

    Config._get_cfg_path = staticmethod(config_path)
    return True, 'MMEngine inherits configs of OpenMMLab packages only'
