# Restormer on Raindrop Clarity for eight GPUs: 16 crops a batch (docs/challenge.md).
_base_ = ['../_base_/models/restormer.py', '../_base_/datasets/raindrop_clarity.py']

train_dataloader = dict(batch_size=2)
auto_scale_lr = dict(base_batch_size=16)
default_hooks = dict(checkpoint=dict(save_best='clarity/ntire_psnr'))
