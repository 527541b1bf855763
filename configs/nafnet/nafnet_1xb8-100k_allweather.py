# NAFNet of width 32 on All-Weather of TransWeather (docs/datasets.md).
_base_ = ['../_base_/models/nafnet.py', '../_base_/datasets/allweather.py']

default_hooks = dict(checkpoint=dict(save_best='test_a/qian_psnr'))
