"""What charts share: the Figure record, axes, rows, labels, and the plots that several charts are made of."""
