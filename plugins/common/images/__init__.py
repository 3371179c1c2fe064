"""Image files, sample photographs, resizing, color and augmentation."""
