# The published Attentive GAN for a given time on a fast GPU, on rendered raindrops: the generator alone for
# three quarters of the time, on crops that grow from 128 to 224, then generator and discriminator.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/attgan.py',
    '../_base_/datasets/rendered_pool.py',
    '../_base_/schedules/adam_timed.py',
]

model = dict(
    perceptual_loss=None,  # no VGG weights needed
    train_cfg=dict(gen_init_steps=0.75, disc_init_steps=0.05, gen_steps=2),
    ema=dict(momentum=0.001, warmup=True),
)
optim_wrapper = dict(
    discriminator=dict(
        type='OptimWrapper', optimizer=dict(type='Adam', lr=2e-4, betas=(0.5, 0.999))
    )
)
param_scheduler = dict(discriminator=dict(type='ProgressLR', shape='cosine', final=0.01))
train_dataloader = dict(
    batch_size=24, crop_size=128, stages=[dict(begin=0.55, batch_size=8, crop_size=224)]
)
default_hooks = dict(checkpoint=dict(share=0.375, interval=-1, save_best='rendered/qian_psnr'))
