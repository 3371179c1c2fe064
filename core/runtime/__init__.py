"""Where a run is computed: devices, arithmetic, and the processes that share it."""
