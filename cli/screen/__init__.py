"""What a person sees while something goes on, and how numbers are shown."""
