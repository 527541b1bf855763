# A+D: autoencoder without attention, plain discriminator.
_base_ = './attgan_aa-d_raindrop.py'

model = dict(
    generator=dict(_delete_=True, type='AttentiveGenerator', attention=False), attention_loss=None
)
