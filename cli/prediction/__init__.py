"""What ``restore predict`` does: which images are read, where their results go, and the work between both."""
