# NAFNet of width 32 on Raindrop Clarity, day and night (docs/datasets.md).
_base_ = ['../_base_/models/nafnet.py', '../_base_/datasets/raindrop_clarity.py']

default_hooks = dict(checkpoint=dict(save_best='clarity/ntire_psnr'))
