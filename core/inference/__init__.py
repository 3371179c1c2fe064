"""A task used on a picture of any size, in bounded memory."""
