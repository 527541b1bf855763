# AA+D: attentive autoencoder, plain discriminator (not in the paper).
_base_ = '../attgan_raindrop.py'

model = dict(discriminator=dict(type='PlainDiscriminator'), map_loss=None)
