# As attgan_raindrop.py on eight GPUs: 32 crops per batch, a quarter of the iterations, twice the learning
# rate.
_base_ = './attgan_1xb8-100k_raindrop.py'

model = dict(train_cfg=dict(gen_init_steps=5000, disc_init_steps=500))
train_dataloader = dict(batch_size=4)
optim_wrapper = dict(
    generator=dict(optimizer=dict(lr=1e-3)), discriminator=dict(optimizer=dict(lr=4e-4))
)
auto_scale_lr = dict(base_batch_size=32)
train_cfg = dict(max_iters=25_000, val_interval=1250)
default_hooks = dict(checkpoint=dict(interval=1250))
