"""Small networks of other projects with random weights, from spandrel's own code."""

from __future__ import annotations

import importlib
from typing import Any

import torch

#: Module and class below `spandrel.architectures`, and arguments, of networks that keep the size.
SAME_SIZE: dict[str, tuple[str, str, dict[str, Any]]] = {
    'NAFNet': ('NAFNet.__arch.NAFNet_arch', 'NAFNet', dict(
        img_channel=3, width=8, middle_blk_num=1, enc_blk_nums=[1, 1], dec_blk_nums=[1, 1])),
    'DRUNet': ('DRUNet.__arch.network_unet', 'DRUNet', dict(
        in_nc=4, out_nc=3, nc=(8, 16, 24, 32), nb=2)),
    'DnCNN': ('DnCNN.__arch.network_dncnn', 'DnCNN', dict(in_nc=3, out_nc=3, nb=17, act_mode='BR')),
    'SCUNet': ('SCUNet.__arch.SCUNet', 'SCUNet', dict(in_nc=3, config=[1] * 7, dim=64)),
    'FBCNN': ('FBCNN.__arch.FBCNN', 'FBCNN', dict(in_nc=3, out_nc=3, nc=(8, 16, 24, 512), nb=4)),
    'SwinIR': ('SwinIR.__arch.SwinIR', 'SwinIR', dict(
        upscale=1, embed_dim=12, depths=(2, 2), num_heads=(2, 2), window_size=8, mlp_ratio=2,
        upsampler='', resi_connection='1conv', img_size=64)),
    'Compact': ('Compact.__arch.SRVGG', 'SRVGGNetCompact', dict(num_feat=8, num_conv=3, upscale=1)),
    'ESRGAN': ('ESRGAN.__arch.RRDB', 'RRDBNet', dict(
        in_nc=3, out_nc=3, num_filters=8, num_blocks=1, scale=1)),
    'Uformer': ('Uformer.__arch.Uformer', 'Uformer', dict(
        embed_dim=8, depths=[1] * 9, win_size=8, token_projection='linear', token_mlp='leff',
        modulator=True, dd_in=3)),
    'FFTformer': ('FFTformer.__arch.fftformer_arch', 'FFTformer', dict(
        dim=8, num_blocks=[1, 1, 1], num_refinement_blocks=1)),
    'KBNet': ('KBNet.__arch.kbnet_s', 'KBNet_s', dict(
        width=8, middle_blk_num=1, enc_blk_nums=[1, 1], dec_blk_nums=[1, 1])),
    'RetinexFormer': ('RetinexFormer.__arch.retinexformer_arch', 'RetinexFormer', dict(
        n_feat=8, stage=1, num_blocks=[1, 1, 1])),
    'MixDehazeNet': ('MixDehazeNet.__arch.MixDehazeNet', 'MixDehazeNet', {}),
    'HVICIDNet': ('HVICIDNet.__arch.cidnet', 'CIDNet', {}),
    'SAFMNBCIE': ('SAFMNBCIE.__arch.safmn_bcie', 'SAFMN_BCIE', dict(dim=8, n_blocks=1)),
    'SPAN': ('SPAN.__arch.span', 'SPAN', dict(
        num_in_ch=3, num_out_ch=3, upscale=1, feature_channels=16)),
    'DITN': ('DITN.__arch.DITN_Real', 'DITN_Real', dict(upscale=1)),
    'PLKSR': ('PLKSR.__arch.PLKSR', 'PLKSR', dict(dim=16, n_blocks=2, upscaling_factor=1)),
}  # fmt: skip

#: Networks that are refused: another size, another number of channels.
OTHER_TASKS: dict[str, tuple[str, str, dict[str, Any]]] = {
    'larger': ('Compact.__arch.SRVGG', 'SRVGGNetCompact', dict(num_feat=8, num_conv=3, upscale=4)),
    'grey': ('DnCNN.__arch.network_dncnn', 'DnCNN', dict(in_nc=1, out_nc=1, nb=17, act_mode='BR')),
}


def foreign_weights(name: str) -> dict[str, torch.Tensor]:
    """Return random weights of a network, none of which is zero.

    Args:
        name: Key of `SAME_SIZE` or `OTHER_TASKS`.
    """
    module, class_name, options = {**SAME_SIZE, **OTHER_TASKS}[name]
    network = getattr(importlib.import_module(f'spandrel.architectures.{module}'), class_name)
    torch.manual_seed(0)
    return {
        key: value + 0.05 * torch.randn_like(value) if value.is_floating_point() else value
        for key, value in network(**options).state_dict().items()
    }
