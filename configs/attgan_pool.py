# The published Attentive GAN for a given time on a fast GPU; rendered raindrops, no files needed:
#   python tools/train.py configs/attgan_pool.py --minutes 9 --amp bfloat16
_base_ = './attentive_gan/attgan_1xb24-60min_rendered.py'
