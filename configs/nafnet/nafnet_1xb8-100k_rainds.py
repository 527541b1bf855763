# NAFNet of width 32 on the photographed raindrops of RainDS (docs/datasets.md).
_base_ = ['../_base_/models/nafnet.py', '../_base_/datasets/rainds.py']

default_hooks = dict(checkpoint=dict(save_best='rainds/qian_psnr'))
