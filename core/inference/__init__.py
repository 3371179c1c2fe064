"""A task used on an image of any size, in bounded memory."""
