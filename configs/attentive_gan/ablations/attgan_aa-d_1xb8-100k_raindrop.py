# AA+D: attentive autoencoder, plain discriminator (not in the paper).
_base_ = '../attgan_1xb8-100k_raindrop.py'

model = dict(discriminator=dict(type='PlainDiscriminator'), map_loss=None)
