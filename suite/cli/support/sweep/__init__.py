"""What `joulemark sweep` needs: the device whose limits it sets, and how it shows what it found."""
