# The small Attentive GAN, which made the default weights; rendered raindrops, no files needed:
#   python tools/train.py configs/attgan_small.py --minutes 60 --amp bfloat16
_base_ = './attentive_gan/attgan_small_1xb32-60min_rendered.py'
