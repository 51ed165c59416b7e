"""Making disk files.  Every ``qemu-img`` call says the format of each file it opens."""
