"""Results of cases that several ranks work on."""
