# A: autoencoder alone, without attention. As many generator updates as all others.
_base_ = './attgan_aa_1xb8-100k_raindrop.py'

model = dict(
    generator=dict(_delete_=True, type='AttentiveGenerator', attention=False), attention_loss=None
)
