# A small residual U-Net (models/networks/unet.py), a strong plain baseline, on the Raindrop data set.
_base_ = '../_base_/baseline_raindrop.py'

model = dict(generator=dict(type='RestorationUNet', channels=(64, 96, 128, 160), blocks=2))
optim_wrapper = dict(optimizer=dict(lr=8e-4, betas=(0.9, 0.99)), clip_grad=dict(max_norm=1.0))
