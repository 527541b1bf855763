# Without the structural loss.
_base_ = './contextual.py'

model = dict(structure_loss=None)
