"""Features of pretrained networks, and the losses made of them."""
