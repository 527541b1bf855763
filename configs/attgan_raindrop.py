# The Attentive GAN on the Raindrop data set: one GPU, batches of 8 crops of 224 x 224.
_base_ = [
    '_base_/default_runtime.py',
    '_base_/models/attgan.py',
    '_base_/datasets/raindrop.py',
    '_base_/schedules/adam_100k.py',
]

model = dict(discriminator_start=20_000, adversarial_start=22_000)
