"""Networks of MMagic, small. They mirror the border by themselves and look at all of the image."""

from __future__ import annotations

from typing import Any

#: Arguments by registered name.
MMAGIC: dict[str, dict[str, Any]] = {
    'Restormer': {'dim': 8, 'num_blocks': [1] * 4, 'num_refinement_blocks': 1, 'heads': [1] * 4},
    'NAFNet': {'mid_channels': 4, 'enc_blk_nums': [1, 1], 'dec_blk_nums': [1, 1]},
    'SwinIRNet': {
        'upscale': 1, 'embed_dim': 12, 'depths': [2], 'num_heads': [2], 'window_size': 8,
    },
}  # fmt: skip
