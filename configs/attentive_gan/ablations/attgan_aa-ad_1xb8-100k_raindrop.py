# AA+AD, the paper's full method: attentive autoencoder, attentive discriminator.
_base_ = '../attgan_1xb8-100k_raindrop.py'
