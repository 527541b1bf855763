# Four pixels along each side become channels instead of two, with more channels: 17 GMAC at 720x480.
_base_ = './contextual.py'

model = dict(generator=dict(num_steps=4, width=0.75, attention_width=0.75, blocks=5, shuffle=4))
