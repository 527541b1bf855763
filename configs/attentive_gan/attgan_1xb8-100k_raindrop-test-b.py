# Testing on test_b: 249 pairs, many of them misaligned, so only for comparison with other methods.
_base_ = './attgan_1xb8-100k_raindrop.py'

test_dataloader = dict(dataset=dict(data_root='data/raindrop/test_b'))
test_evaluator = dict(
    _delete_=True,
    type='Evaluator',
    metrics=[dict(type='RaindropScores', protocols=('qian', 'bt601'), prefix='test_b')],
)
