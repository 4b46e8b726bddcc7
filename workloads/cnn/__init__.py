"""Small convolutional network for CIFAR-10 images."""
