# NAFNet of width 32 on UAV-Rain1k (docs/datasets.md).
_base_ = ['../_base_/models/nafnet.py', '../_base_/datasets/uav_rain1k.py']

default_hooks = dict(checkpoint=dict(save_best='uav_rain1k/bt601_psnr'))
