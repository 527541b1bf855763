# A+D: autoencoder without attention, plain discriminator.
_base_ = './attgan_aa-d_1xb8-100k_raindrop.py'

model = dict(
    generator=dict(_delete_=True, type='AttentiveGenerator', attention=False), attention_loss=None
)
