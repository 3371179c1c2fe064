"""Adversarial training: losses, schedule and diagnostics."""
