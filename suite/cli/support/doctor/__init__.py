"""What `joulemark doctor` needs: its checks of the machine, and its table of sensors."""
