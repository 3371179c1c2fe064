"""Pages and images that tell about runs and evaluations: one file each, made from what a run folder holds."""
