# Without the structural loss.
_base_ = '../attgan_small.py'

model = dict(structure_loss=None)
