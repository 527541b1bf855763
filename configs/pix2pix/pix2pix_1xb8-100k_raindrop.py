# Pix2Pix (Isola et al., CVPR 2017), a baseline of the Attentive GAN's paper, on the Raindrop data set.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/raindrop.py',
    '../_base_/schedules/adam_100k.py',
]

model = dict(
    type='RestorationPix2Pix',
    generator=dict(type='Pix2PixGenerator', num_down=8, use_dropout=True),
    discriminator=dict(type='Pix2PixDiscriminator'),
    pixel_loss=dict(type='L1Loss', loss_weight=200.0),  # the paper: 100 on images in [-1, 1]
    gan_loss=dict(type='AdversarialLoss', loss_weight=1.0),
    data_preprocessor=dict(type='PairPreprocessor', mean=[0, 0, 0], std=[255, 255, 255]),
)
model_wrapper_cfg = dict(type='MMSeparateDistributedDataParallel', broadcast_buffers=False)
optim_wrapper = dict(
    generator=dict(optimizer=dict(lr=2e-4)), discriminator=dict(optimizer=dict(lr=2e-4))
)
