# AA+AD, the paper's full method: attentive autoencoder, attentive discriminator.
_base_ = '../attgan_raindrop.py'
