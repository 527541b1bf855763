# README's first training: the small Attentive GAN, four minutes on two CPU cores (tools/quickstart.sh).
_base_ = './attentive_gan/attgan_small_1xb8-4min_drawn.py'
