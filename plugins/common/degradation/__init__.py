"""Degradations that make training inputs out of good images: blur, resizing, noise, compression and sharpening."""
