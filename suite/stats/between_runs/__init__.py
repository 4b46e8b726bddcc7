"""What differs between runs of one machine besides chance: how fast its reference was, and how old they are. Pure."""
