"""Inference on images of any size, in bounded memory."""
