"""Deep convolutional generative adversarial network."""
