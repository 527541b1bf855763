# NAFNet of width 32 on pairs in {train,test}/{input,target} (docs/datasets.md).
_base_ = ['../_base_/models/nafnet.py', '../_base_/datasets/input_target.py']

default_hooks = dict(checkpoint=dict(save_best='pairs/bt601_psnr'))
