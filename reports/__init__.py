"""Run files -> pages. `model` is pure data, `figures` draws it, `html` puts both on one page."""
