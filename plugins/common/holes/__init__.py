"""Pictures with holes: data, losses, metrics, and filling them at any size."""
