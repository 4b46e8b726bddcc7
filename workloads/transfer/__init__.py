"""Transfer learning with MobileNetV2."""
