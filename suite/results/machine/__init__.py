"""What one run says of its machine: its peaks, what people count in, and what holds its cases back. Pure."""
