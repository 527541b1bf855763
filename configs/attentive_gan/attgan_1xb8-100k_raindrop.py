# The Attentive GAN on the Raindrop data set: one GPU, batches of 8 crops of 224x224.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/attgan.py',
    '../_base_/datasets/raindrop.py',
    '../_base_/schedules/adam_100k.py',
]

model = dict(train_cfg=dict(gen_init_steps=20_000, disc_init_steps=2_000))
