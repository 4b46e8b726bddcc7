"""Which settings of a sweep are best, each as the set of settings that cannot be told apart."""
