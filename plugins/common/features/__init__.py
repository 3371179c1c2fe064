"""What pretrained networks see in pictures, and the losses and distances made of it."""
