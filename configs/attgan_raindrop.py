# The main config: the Attentive GAN on the Raindrop data set, one GPU, 100,000 iterations.
_base_ = './attentive_gan/attgan_1xb8-100k_raindrop.py'
