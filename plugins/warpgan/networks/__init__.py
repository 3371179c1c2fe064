"""The networks of WarpGAN and the layers they are made of."""
