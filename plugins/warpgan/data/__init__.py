"""Photographs and caricatures of people: finding, aligning and reading them."""
